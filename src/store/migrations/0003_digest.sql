-- Messages that gather what would have been many.

-- Of a digest: why it gathers, as JSON. It is open until its first lease: more alerts may join it.
ALTER TABLE message ADD COLUMN digest TEXT;
CREATE INDEX message_receiver ON message (notifier, recipient, id);
