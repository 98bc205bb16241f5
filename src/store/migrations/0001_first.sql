-- The store of Tidings.
--
-- Times are integer milliseconds since 1970-01-01T00:00:00Z. Truths are 0 or 1. Lists and evidence are JSON, as text that no query looks into.
-- Tables are STRICT, so that SQLite holds types to their word as other databases do. Ids are never used twice, because leases name them.
-- No row holds a secret: a feed stands here by its name, a receiver by its notifier's name and its mail address.

-- What is kept of a feed between polls. A feed that left the configuration keeps its row, and so knows its items when it comes back.
CREATE TABLE feed (
    name          TEXT    NOT NULL PRIMARY KEY,
    address       TEXT    NOT NULL,    -- a hash of it: it may hold a secret, and only its change matters
    etag          TEXT,                -- validators of the last 200, byte for byte
    last_modified TEXT,
    next_poll     INTEGER,             -- null: never, until the configuration changes
    next_why      TEXT    NOT NULL,
    last_poll     INTEGER,             -- the last poll, however it ended
    last_good     INTEGER,             -- the last poll that ended in a 200 or a 304
    failures      INTEGER NOT NULL,    -- in a row
    error         TEXT,                -- how the last poll failed; null after a good one
    mean_gap      INTEGER              -- between its newest items, in milliseconds; null: not known
) STRICT;

-- Hosts that asked to be left alone (429, 503).
CREATE TABLE host (
    name        TEXT    NOT NULL PRIMARY KEY,    -- name:port
    rests_until INTEGER NOT NULL
) STRICT;

-- One piece of news, whoever carries it.
--
-- `fate` says where a story stands. Null: it waits, until T2 settles it, for its page (`read` is null) or only to be matched again, because
-- another feed carries it now (`read` is set). Nothing but T2 ends a wait.
CREATE TABLE story (
    id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    uid           TEXT    NOT NULL UNIQUE,       -- UUID version 4
    key           TEXT    NOT NULL UNIQUE,       -- what makes two items the same story
    event         TEXT    NOT NULL,              -- the event that it is a copy of; its own uid if it is the first
    title         TEXT    NOT NULL,
    feed_text     TEXT    NOT NULL,              -- the text as the feed gives it
    body          TEXT,                          -- the text as its page gives it; null: the feed's text stands
    url           TEXT,
    published     INTEGER,
    lang          TEXT,                          -- BCP 47
    authors       TEXT    NOT NULL,              -- JSON
    tags          TEXT    NOT NULL,              -- JSON
    first_seen    INTEGER NOT NULL,
    revision      INTEGER NOT NULL DEFAULT 1,    -- counts changes of the feed's title and text
    read          TEXT CHECK (read IN ('full', 'teaser')),
    read_why      TEXT,                          -- why only the teaser
    fate          TEXT CHECK (fate IN ('matched', 'unmatched', 'recorded')),
    fate_why      TEXT,                          -- why it was only recorded
    due           INTEGER,                       -- while it waits: when to look at it
    waiting_since INTEGER,                       -- while it waits
    joined        INTEGER NOT NULL DEFAULT 0 CHECK (joined IN (0, 1)),    -- another feed joined while it waits: T2 has it matched once more
    page_attempts INTEGER NOT NULL DEFAULT 0,    -- fetches of its page that failed, for this revision
    page_fetches  INTEGER NOT NULL DEFAULT 0,    -- fetches of its page, for all revisions
    CHECK ((fate IS NULL) = (due IS NOT NULL)),
    CHECK ((fate IS NULL) = (waiting_since IS NOT NULL)),
    CHECK ((coalesce(read, '') = 'teaser') = (read_why IS NOT NULL)),
    CHECK ((coalesce(fate, '') = 'recorded') = (fate_why IS NOT NULL)),
    CHECK (fate IS NULL OR fate = 'recorded' OR read IS NOT NULL)
) STRICT;
CREATE INDEX story_waits ON story (waiting_since, id) WHERE fate IS NULL;
CREATE INDEX story_event ON story (event);

-- One item of one feed, and the story that it tells.
CREATE TABLE sighting (
    feed    TEXT    NOT NULL REFERENCES feed (name),
    key     TEXT    NOT NULL,                    -- the item's key within its feed
    guid    TEXT,
    link    TEXT,                                -- normalised
    hash    TEXT    NOT NULL,                    -- of normalised title and text
    url     TEXT,                                -- the link as given
    story   INTEGER NOT NULL REFERENCES story (id),
    seen    INTEGER NOT NULL,
    gone_at INTEGER,                             -- when a 200 first lacked it; null while the feed has it
    PRIMARY KEY (feed, key)
) STRICT;
CREATE INDEX sighting_story ON sighting (story);
CREATE INDEX sighting_link ON sighting (link);

-- Every text that a rule ever had, so that an alert can say months later what it obeyed.
CREATE TABLE rule_version (
    hash TEXT    NOT NULL PRIMARY KEY,           -- SHA-256 of the text, in hex
    text TEXT    NOT NULL,
    kept INTEGER NOT NULL
) STRICT;

-- The rule files that were last in force: a broken file keeps its own last good text, over a restart too.
CREATE TABLE rule_file (
    name TEXT    NOT NULL PRIMARY KEY,
    text TEXT    NOT NULL,
    kept INTEGER NOT NULL
) STRICT;

-- A rule matched a story. Once recorded, it is not told again.
CREATE TABLE alert (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    story    INTEGER NOT NULL REFERENCES story (id),
    rule     TEXT    NOT NULL,
    occasion TEXT    NOT NULL,                   -- tells alerts of one rule and story apart; mostly empty
    version  TEXT    NOT NULL,                   -- hash in rule_version
    severity TEXT    NOT NULL CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
    revision INTEGER NOT NULL,                   -- of the story
    read     TEXT    NOT NULL CHECK (read IN ('full', 'teaser')),    -- how much of the story this match saw
    read_why TEXT,
    told     TEXT    NOT NULL,                   -- JSON: what messages say of it, evidence and all
    created  INTEGER NOT NULL,
    UNIQUE (story, rule, occasion),
    CHECK ((read = 'teaser') = (read_why IS NOT NULL))
) STRICT;
CREATE INDEX alert_created ON alert (created);

-- A start of `tidings run`.
CREATE TABLE run (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    started INTEGER NOT NULL
) STRICT;

-- The outbox. A message tells one receiver of one event, or, with no event, is a digest, a notice or a test. Its key says which:
--   event:<event>:<notifier>/<recipient>:<n>, digest:<receiver>:<window>, notice:<kind>:<subject>:<since>:<receiver>, test:<id>.
-- Until its first lease freezes the payload, more alerts may join it.
CREATE TABLE message (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    key       TEXT    NOT NULL UNIQUE,           -- a crash that repeats work finds the message made already
    uid       TEXT    NOT NULL UNIQUE,           -- what receivers know it by: UUID version 4, the same in every retry
    event     TEXT,
    n         INTEGER,                           -- which message of that event to that receiver, from 1
    notifier  TEXT    NOT NULL,
    recipient TEXT    NOT NULL,                  -- empty for notifiers that have one receiver
    created   INTEGER NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('pending', 'leased', 'sent', 'dead', 'held')),    -- held: its receiver left the configuration
    due       INTEGER NOT NULL,
    counted   INTEGER NOT NULL DEFAULT 0,        -- attempts that count against the schedule
    unreached INTEGER NOT NULL DEFAULT 0 CHECK (unreached IN (0, 1)),    -- the last attempt did not count: the receiver could not be reached
    lease     INTEGER REFERENCES attempt (id),   -- while leased: the attempt under way
    payload   BLOB,                              -- the frozen bytes, from the first lease on
    why       TEXT,                              -- what its last attempt came to, in words
    UNIQUE (event, notifier, recipient, n),
    CHECK ((event IS NULL) = (n IS NULL)),
    CHECK ((state = 'leased') = (lease IS NOT NULL)),
    CHECK (state NOT IN ('leased', 'sent') OR payload IS NOT NULL)
) STRICT;
CREATE INDEX message_state ON message (state, notifier, due);

-- Which alerts a message tells.
CREATE TABLE message_alert (
    message INTEGER NOT NULL REFERENCES message (id),
    alert   INTEGER NOT NULL REFERENCES alert (id),
    PRIMARY KEY (message, alert)
) STRICT;
CREATE INDEX message_alert_alert ON message_alert (alert);

-- One try at delivering a message: written before the try, completed after it.
CREATE TABLE attempt (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES message (id),
    run     INTEGER NOT NULL REFERENCES run (id),
    started INTEGER NOT NULL,
    ended   INTEGER,
    outcome TEXT CHECK (outcome IN ('sent', 'again', 'unreached', 'dead', 'unknown')),    -- unknown: its run ended before it did
    why     TEXT,                                -- what the receiver answered, or what went wrong
    CHECK ((ended IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX attempt_message ON attempt (message);
