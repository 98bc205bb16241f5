-- What items are told by when their addresses change.

-- What of the normalised link stays when tokens, hosts and slugs change; null where there is none, or it was not told yet.
ALTER TABLE sighting ADD COLUMN stem TEXT;
-- A hash of the text alone; null where there is none, or it was not told yet.
ALTER TABLE sighting ADD COLUMN text TEXT;

CREATE INDEX sighting_stem ON sighting (feed, stem);
CREATE INDEX sighting_text ON sighting (feed, text);
