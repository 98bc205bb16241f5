-- What a feed asks of those who poll it, and where it moved.

-- What its document asked for when it was last read, so that it holds on a 304, too.
ALTER TABLE feed ADD COLUMN asked_interval INTEGER;            -- the shortest time between two polls, in milliseconds
ALTER TABLE feed ADD COLUMN pauses INTEGER NOT NULL DEFAULT 0; -- hours and days to leave it alone in, as bits (feed::hints::Pauses)

-- Where permanent redirects lead, and since when every good poll came there. Null where they do not, or where the feed's address may hold a secret.
ALTER TABLE feed ADD COLUMN moved_to TEXT;
ALTER TABLE feed ADD COLUMN moved_since INTEGER CHECK ((moved_since IS NULL) = (moved_to IS NULL));
