-- How receivers fare, and notices about that.

-- A notifier whose last attempt failed. One that takes messages has no row.
CREATE TABLE health (
    notifier    TEXT    NOT NULL PRIMARY KEY,
    failures    INTEGER NOT NULL,                -- in a row
    since       INTEGER NOT NULL,                -- the first of them
    rests_until INTEGER NOT NULL,                -- nothing is sent before
    why         TEXT    NOT NULL,                -- the last of them, in words
    announced   INTEGER NOT NULL CHECK (announced IN (0, 1))    -- the other receivers were told
) STRICT;

-- A receiver whose last message became dead. One that took a message since has no row.
CREATE TABLE refusal (
    notifier  TEXT    NOT NULL,
    recipient TEXT    NOT NULL,
    since     INTEGER NOT NULL,
    why       TEXT    NOT NULL,
    announced INTEGER NOT NULL CHECK (announced IN (0, 1)),
    PRIMARY KEY (notifier, recipient)
) STRICT;

-- Of a message about no event: what it says, as JSON.
ALTER TABLE message ADD COLUMN said TEXT;
