-- What `retain` takes away, in small steps.

-- When its texts were taken away; null while they are kept. Its row stays for its key as long as a feed may name it.
ALTER TABLE story ADD COLUMN purged INTEGER;

-- When what it told was taken away; null while it is kept. Its row stays so that its rule does not tell of its story again.
ALTER TABLE alert ADD COLUMN purged INTEGER;

-- Which message an attempt is the lease of: asked whenever an attempt is deleted.
CREATE INDEX message_lease ON message (lease) WHERE lease IS NOT NULL;
