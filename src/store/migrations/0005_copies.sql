-- What finds the copies of a story's text.

-- The sketch of a settled text, for as long as its event takes copies.
CREATE TABLE sketch (
    story  INTEGER NOT NULL PRIMARY KEY REFERENCES story (id) ON DELETE CASCADE,
    begun  INTEGER NOT NULL,                     -- when the first story of its event was first seen
    minima BLOB    NOT NULL
) STRICT;
CREATE INDEX sketch_begun ON sketch (begun);

-- What a sketch is found by: likely copies have the same value in one of the bands.
CREATE TABLE sketch_band (
    band  INTEGER NOT NULL,
    value INTEGER NOT NULL,
    story INTEGER NOT NULL REFERENCES sketch (story) ON DELETE CASCADE,
    PRIMARY KEY (band, value, story)
) STRICT, WITHOUT ROWID;
CREATE INDEX sketch_band_story ON sketch_band (story);
