-- Which file the store is, and whether it is open: a copy of an open store without its log lacks what was written last.
CREATE TABLE file (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    inode   TEXT    NOT NULL,                             -- of the file when it was opened last
    is_open INTEGER NOT NULL CHECK (is_open IN (0, 1))    -- 0 after a clean stop
) STRICT;
