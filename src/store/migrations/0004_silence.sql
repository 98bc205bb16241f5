-- What people do not want to be told of for a while.
CREATE TABLE silence (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    target TEXT    NOT NULL,                     -- JSON: a rule, a tag, a feed or an event
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL,                     -- brought forward where somebody ends it
    why    TEXT    NOT NULL                      -- may be empty
) STRICT;
CREATE INDEX silence_until ON silence (until);

-- How often a rule matched lately.
CREATE INDEX alert_rule ON alert (rule, id);
