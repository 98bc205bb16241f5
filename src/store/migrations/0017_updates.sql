-- Copies that are told as updates of their event, and whose texts share a frame.

-- Of an alert that tells an update: what its story says anew, as JSON. Null: it tells no update.
ALTER TABLE alert ADD COLUMN update_said TEXT;

-- The host that the story's link names; null where it has none.
ALTER TABLE sketch ADD COLUMN host TEXT;
CREATE INDEX sketch_host ON sketch (host, begun) WHERE host IS NOT NULL;

-- Sketches of earlier builds lack the keys by which copies are found now.
DELETE FROM sketch_band;
DELETE FROM sketch;
