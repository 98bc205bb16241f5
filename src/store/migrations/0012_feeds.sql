-- How feeds fare, what they may have brought unseen, which rules looked back, and whom stories were taken from.

ALTER TABLE feed ADD COLUMN failing_since INTEGER;    -- the first of the polls in a row that failed; null after a good one
ALTER TABLE feed ADD COLUMN last_news INTEGER;        -- when a poll last brought something new or edited
ALTER TABLE feed ADD COLUMN told TEXT CHECK (told IN ('gone', 'failing', 'silent'));    -- what people were told of it and not yet the end of
UPDATE feed SET last_news = (SELECT max(seen) FROM sighting WHERE sighting.feed = feed.name);
UPDATE feed SET failing_since = last_poll WHERE failures > 0;

-- Times in which items of a feed may have come and gone: after them, none of its document was known.
CREATE TABLE gap (
    feed  TEXT    NOT NULL REFERENCES feed (name),
    since INTEGER NOT NULL,                           -- the last poll before it
    until INTEGER NOT NULL,                           -- the oldest item of the document after it, or the poll that read that
    found INTEGER NOT NULL,                           -- that poll
    PRIMARY KEY (feed, since)
) STRICT;
CREATE INDEX gap_found ON gap (found);

-- Who a story was taken from, where a feed of many sources says so.
ALTER TABLE story ADD COLUMN source TEXT;

-- Rules with `backfill` that have looked back: each does so once.
CREATE TABLE backfill (
    rule TEXT    NOT NULL PRIMARY KEY,
    done INTEGER NOT NULL
) STRICT;
