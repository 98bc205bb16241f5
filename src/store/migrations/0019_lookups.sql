-- What is looked up is found by an index, however much the store holds.

-- An item of a document by what it may be known by.
CREATE INDEX sighting_guid ON sighting (guid, feed) WHERE guid IS NOT NULL;
CREATE INDEX sighting_hash ON sighting (hash, feed);
CREATE INDEX sighting_link_feed ON sighting (link, feed) WHERE link IS NOT NULL;
DROP INDEX sighting_link;

-- The items of each feed's last document.
CREATE INDEX sighting_present ON sighting (feed) WHERE gone_at IS NULL;

-- A story by an address that has no normal form, as that of a file.
CREATE INDEX sighting_url ON sighting (url) WHERE link IS NULL;

-- When the next story that waits is due.
CREATE INDEX story_due ON story (due) WHERE fate IS NULL;

-- What a reason gathers, as a silence.
CREATE INDEX message_digest ON message (digest) WHERE digest IS NOT NULL;

-- Whether the last poll failed before a server answered: for its name, the connection or a policy.
ALTER TABLE feed ADD COLUMN unreached INTEGER NOT NULL DEFAULT 0 CHECK (unreached IN (0, 1));

-- Somebody asked for a poll now; null once it was made.
ALTER TABLE feed ADD COLUMN poll_asked INTEGER;
CREATE INDEX feed_poll_asked ON feed (poll_asked) WHERE poll_asked IS NOT NULL;

-- When a host asked for its rest: a time to come shows that the clock was wrong. Null: not known.
ALTER TABLE host ADD COLUMN since INTEGER;
