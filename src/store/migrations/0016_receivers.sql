-- How each receiver fares, and when waits were set.

-- A receiver whose last attempt failed, or that asked for rest. An empty recipient is the notifier as a whole.
CREATE TABLE receiver_health (
    notifier    TEXT    NOT NULL,
    recipient   TEXT    NOT NULL,
    failures    INTEGER NOT NULL,                -- in a row; 0: it takes messages, and asked for rest
    since       INTEGER NOT NULL,                -- the first of them, or the wish for rest
    rests_until INTEGER NOT NULL,                -- nothing is sent before
    rested      INTEGER NOT NULL,                -- when `rests_until` was set
    why         TEXT    NOT NULL,                -- the last of them, in words
    announced   INTEGER NOT NULL CHECK (announced IN (0, 1)),    -- the other receivers were told
    PRIMARY KEY (notifier, recipient)
) STRICT;
INSERT INTO receiver_health (notifier, recipient, failures, since, rests_until, rested, why, announced)
SELECT notifier, '', failures, since, rests_until, since, why, announced FROM health;
DROP TABLE health;
ALTER TABLE receiver_health RENAME TO health;

-- When an attempt last set `due`; 0: none did since the message was written down.
ALTER TABLE message ADD COLUMN put_off INTEGER NOT NULL DEFAULT 0;

-- What waits for each receiver, in the order in which it is due.
CREATE INDEX message_waits ON message (notifier, recipient, due) WHERE state = 'pending';

-- What finds waits that were set by a clock that was ahead.
CREATE INDEX message_wait_set ON message (max(created, put_off)) WHERE state = 'pending';
