-- The store of Tidings.
--
-- Times are integer milliseconds since 1970-01-01T00:00:00Z. Lists and structures are JSON text.
-- Tables are STRICT: SQLite checks the types. A STRICT table has no BOOLEAN, so truth values are
-- INTEGER columns that hold FALSE or TRUE (0 or 1). Statements write FALSE and TRUE and bind bool,
-- as they would to a BOOLEAN. AUTOINCREMENT: no id is used twice, because leases name ids. No row
-- holds a secret: a feed is stored by its name, a receiver by its notifier's name and its mail
-- address. A generated column is the last of its table, because `.recover` of the sqlite3 shell
-- fails where another column follows (3.46).

-- What is kept of a feed between polls. A feed that left the configuration keeps its row, so that
-- its items are known when it comes back.
CREATE TABLE feed (
    name               TEXT    NOT NULL PRIMARY KEY,
    address            TEXT    NOT NULL,    -- a hash: the address may hold a secret; empty: it has none
    etag               TEXT,                -- validators of the last 200, byte for byte
    last_modified      TEXT,
    next_poll          INTEGER,             -- null: never, until the configuration changes
    next_why           TEXT    NOT NULL,    -- why then, in words
    last_poll          INTEGER,             -- the last poll, however it ended
    last_good          INTEGER,             -- the last poll that ended in a 200 or a 304
    failures           INTEGER NOT NULL,    -- in a row
    error              TEXT,                -- how the last poll failed; null after a good one
    mean_gap           INTEGER,             -- between its newest items, in ms; null: not known
    -- What its document asked for when it was last read. It also holds after a 304.
    requested_interval INTEGER,             -- the shortest time between two polls, in ms
    pauses             INTEGER NOT NULL DEFAULT 0,    -- hours and days without polls, as bits
    -- Where permanent redirects lead, and since when every good poll ended there. Null: nowhere,
    -- or the address may hold a secret.
    moved_to           TEXT,
    moved_since        INTEGER CHECK ((moved_since IS NULL) = (moved_to IS NULL)),
    failing_since      INTEGER,             -- the first of the failed polls in a row
    last_news          INTEGER,             -- when a poll last brought something new or edited
    notified           TEXT CHECK (notified IN ('gone', 'failing', 'silent')),
                                            -- the state that a notice reported and that lasts
    unreached          INTEGER NOT NULL DEFAULT FALSE CHECK (unreached IN (FALSE, TRUE)),
                                            -- the last poll failed before a server answered
    poll_requested     INTEGER              -- when a person asked for a poll; null once it is made
) STRICT;
CREATE INDEX feed_poll_requested ON feed (poll_requested) WHERE poll_requested IS NOT NULL;

-- What the polls of a feed brought on one day of UTC (days since 1970-01-01).
CREATE TABLE feed_day (
    day      INTEGER NOT NULL,
    feed     TEXT    NOT NULL REFERENCES feed (name),
    items    INTEGER NOT NULL,    -- new items
    failures INTEGER NOT NULL,    -- failed polls
    PRIMARY KEY (feed, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX feed_day_day ON feed_day (day);

-- The alerts of a rule on one day of UTC.
CREATE TABLE rule_day (
    day    INTEGER NOT NULL,
    rule   TEXT    NOT NULL,
    alerts INTEGER NOT NULL,
    last   INTEGER NOT NULL,    -- when the last of them was recorded
    PRIMARY KEY (rule, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_day_day ON rule_day (day);

-- Hosts that asked for no requests for a while (429, 503).
CREATE TABLE host (
    name        TEXT    NOT NULL PRIMARY KEY,    -- name:port
    rests_until INTEGER NOT NULL,
    since       INTEGER                          -- when it asked; null: not known
) STRICT;

-- Times in which items of a feed may have come and gone: no item of the next document was known.
CREATE TABLE gap (
    feed     TEXT    NOT NULL REFERENCES feed (name),
    since    INTEGER NOT NULL,    -- the last good poll before it
    until    INTEGER NOT NULL,    -- the oldest item of the next document, or the poll that read it
    found_at INTEGER NOT NULL,    -- the poll that read the next document
    PRIMARY KEY (feed, since)
) STRICT;
CREATE INDEX gap_found_at ON gap (found_at);

-- One story, whichever feeds carry it.
--
-- A story that awaits its page has no final text yet (`read` is null). A story that awaits a match
-- has one. `lifecycle/story.rs` has every status and what follows from it.
CREATE TABLE story (
    id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    uid           TEXT    NOT NULL UNIQUE,       -- UUID
    key           TEXT    NOT NULL UNIQUE,       -- items with the same key are the same story
    event         TEXT    NOT NULL,              -- uid of the first story of its event
    title         TEXT    NOT NULL,
    feed_text     TEXT    NOT NULL,              -- the text as the feed gives it
    body          TEXT,                          -- the page's text; null: the feed's text is final
    url           TEXT,
    published     INTEGER,
    lang          TEXT,                          -- BCP 47
    authors       TEXT    NOT NULL,              -- JSON
    tags          TEXT    NOT NULL,              -- JSON
    source        TEXT,                          -- the publisher, where a feed of many names one
    first_seen    INTEGER NOT NULL,
    revision      INTEGER NOT NULL DEFAULT 1,    -- counts changes of the title and the text
    read          TEXT CHECK (read IN ('full', 'partial', 'teaser')),
                                                 -- null: its page is not read yet
    read_why      TEXT,                          -- why not the whole text
    status        TEXT    NOT NULL
                  CHECK (status IN ('awaits_page', 'awaits_match', 'matched', 'unmatched', 'recorded')),
    status_why    TEXT,                          -- why it is only recorded, never matched
    due           INTEGER,                       -- while it waits: when its page is fetched
    waiting_since INTEGER,                       -- while it waits
    feed_joined   INTEGER NOT NULL DEFAULT FALSE CHECK (feed_joined IN (FALSE, TRUE)),
                                                 -- a feed joined while it waits: match it once more
    page_attempts INTEGER NOT NULL DEFAULT 0,    -- failed fetches of its page, for this revision
    page_fetches  INTEGER NOT NULL DEFAULT 0,    -- fetches of its page, for all revisions
    recheck_at    INTEGER,                       -- when its page is fetched again; null: never
    purged        INTEGER,                       -- when its texts were deleted; null: they are kept
    share         INTEGER NOT NULL DEFAULT 0,    -- that of the site of its page
    opening       TEXT GENERATED ALWAYS AS (substr(coalesce(body, feed_text), 1, 400)) VIRTUAL,
                                                 -- shown where there is no headline
    CHECK ((status IN ('awaits_page', 'awaits_match')) = (due IS NOT NULL)),
    CHECK ((status IN ('awaits_page', 'awaits_match')) = (waiting_since IS NOT NULL)),
    CHECK ((coalesce(read, 'full') <> 'full') = (read_why IS NOT NULL)),
    CHECK ((status = 'recorded') = (status_why IS NOT NULL)),
    CHECK (status IN ('awaits_page', 'recorded') OR read IS NOT NULL)
) STRICT;
CREATE INDEX story_waiting ON story (status, waiting_since, id) WHERE status IN ('awaits_page', 'awaits_match');
CREATE INDEX story_due ON story (status, due) WHERE status IN ('awaits_page', 'awaits_match');
CREATE INDEX story_event ON story (event);
CREATE INDEX story_recheck ON story (recheck_at) WHERE recheck_at IS NOT NULL;

-- A change of a story's title or text, for as long as its texts are kept.
CREATE TABLE story_revision (
    story          INTEGER NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    revision       INTEGER NOT NULL,    -- of the story
    at             INTEGER NOT NULL,
    title_changed  INTEGER NOT NULL CHECK (title_changed IN (FALSE, TRUE)),
    text_changed   INTEGER NOT NULL CHECK (text_changed IN (FALSE, TRUE)),
    previous_title TEXT    NOT NULL,
    PRIMARY KEY (story, revision)
) STRICT, WITHOUT ROWID;

-- One item of one feed, and its story.
CREATE TABLE feed_entry (
    id         INTEGER NOT NULL PRIMARY KEY,
    feed       TEXT    NOT NULL REFERENCES feed (name),
    key        TEXT    NOT NULL,    -- the item's key within its feed
    guid       TEXT,
    link       TEXT,                -- normalised
    stem       TEXT,                -- the link without tokens, host and slug; null: not known
    hash       TEXT    NOT NULL,    -- of the normalised title and text
    text_hash  TEXT,                -- of the text alone; null: there is no text
    url        TEXT,                -- the link as given
    story      INTEGER NOT NULL REFERENCES story (id),
    seen       INTEGER NOT NULL,    -- when a poll first saw it
    removed_at INTEGER,             -- when a 200 first lacked it; null: the feed has it. Of a feed
                                    -- that receives stories: when the item last came
    UNIQUE (feed, key)
) STRICT;
CREATE INDEX feed_entry_story ON feed_entry (story);
CREATE INDEX feed_entry_guid ON feed_entry (guid, feed) WHERE guid IS NOT NULL;
CREATE INDEX feed_entry_hash ON feed_entry (hash, feed);
CREATE INDEX feed_entry_link ON feed_entry (link, feed) WHERE link IS NOT NULL;
CREATE INDEX feed_entry_stem ON feed_entry (feed, stem);
CREATE INDEX feed_entry_text_hash ON feed_entry (feed, text_hash);
-- The items of each feed's last document.
CREATE INDEX feed_entry_present ON feed_entry (feed) WHERE removed_at IS NULL;
-- A story by an address that has no normal form, as that of a file.
CREATE INDEX feed_entry_url ON feed_entry (url) WHERE link IS NULL;

-- The MinHash signature of a settled text, for as long as its event takes copies.
CREATE TABLE signature (
    story         INTEGER NOT NULL PRIMARY KEY REFERENCES story (id) ON DELETE CASCADE,
    event_started INTEGER NOT NULL,    -- when the first story of its event was first seen
    minhash       BLOB    NOT NULL,
    host          TEXT                 -- the host of the story's link; null: it has none
) STRICT;
CREATE INDEX signature_event_started ON signature (event_started);
CREATE INDEX signature_host ON signature (host, event_started) WHERE host IS NOT NULL;

-- The keys by which signatures are found: likely copies have the same value in one of the bands.
CREATE TABLE signature_band (
    band  INTEGER NOT NULL,
    value INTEGER NOT NULL,
    story INTEGER NOT NULL REFERENCES signature (story) ON DELETE CASCADE,
    PRIMARY KEY (band, value, story)
) STRICT, WITHOUT ROWID;
CREATE INDEX signature_band_story ON signature_band (story);

-- Every text that a rule ever had. An alert shows the text that matched.
CREATE TABLE rule_version (
    hash      TEXT    NOT NULL PRIMARY KEY,    -- SHA-256 of the text, in hex
    text      TEXT    NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT;

-- The last good text of each rule file. It is in force while the file has faults. A name is the
-- path from the rule folder, or the path of a table as a rule file names it, if that is absolute.
CREATE TABLE rule_file (
    name      TEXT    NOT NULL PRIMARY KEY,
    text      TEXT    NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT;

-- Counts the changes of rule_file. A node on a server loads the files when the number has changed,
-- and replaces them only while the number is that of the files that it knows.
CREATE TABLE rule_set (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
    number INTEGER NOT NULL
) STRICT;
INSERT INTO rule_set (id, number) VALUES (0, 0);

-- The rules in force that have a condition, of the files in rule_file.
CREATE TABLE conditional_rule (
    rule   TEXT NOT NULL PRIMARY KEY,
    state  TEXT NOT NULL    -- JSON: its condition and its rows
) STRICT;

-- Rules with `backfill` that were matched against the stored stories. It happens once for a rule.
CREATE TABLE backfill (
    rule    TEXT    NOT NULL PRIMARY KEY,
    done_at INTEGER NOT NULL
) STRICT;

-- A rule matched a story. A rule alerts once per story and dedup key.
--
-- A group is a rule with a condition, or a row of such a rule with `each`. Of an event, the first
-- alert in a group counts for the condition.
CREATE TABLE alert (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    story       INTEGER NOT NULL REFERENCES story (id),
    rule        TEXT    NOT NULL,
    dedup_key   TEXT    NOT NULL,    -- the row's id, of a rule with `each`; otherwise empty
    version     TEXT    NOT NULL,    -- hash in rule_version
    severity    TEXT    NOT NULL CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
    revision    INTEGER NOT NULL,    -- of the story
    read        TEXT    NOT NULL CHECK (read IN ('full', 'partial', 'teaser')),
                                     -- how much was matched
    read_why    TEXT,                -- why not the whole text
    rule_match  TEXT    NOT NULL,    -- JSON: the match and its evidence
    copy_update TEXT,                -- JSON: what its story adds to the event; null: nothing
    created     INTEGER NOT NULL,
    held        INTEGER NOT NULL DEFAULT FALSE CHECK (held IN (FALSE, TRUE)),
                                               -- its rule's condition is not met: nobody is told
    index_lag   INTEGER NOT NULL DEFAULT 1,    -- changes that `alert_index` lacks
    purged      INTEGER,             -- when `rule_match` was deleted; null: it is kept
    backfill_at INTEGER,             -- the time of the match, where it is earlier than `created`: of
                                     -- a backfill, or of a story that waited to be matched, when
                                     -- the story came; null: `created` is the time of the match
    counted_at  INTEGER,             -- the time of the match; null: it does not count
    publisher   TEXT,                -- where it counts: of the event's first sighting
    told_for    TEXT,                -- where it counts, and was told when it was recorded: the
                                     -- condition then, in words
    released_by INTEGER,             -- the alert that met the condition when this one was held;
                                     -- null: none did
    UNIQUE (story, rule, dedup_key),
    CHECK ((read <> 'full') = (read_why IS NOT NULL)),
    CHECK (counted_at IS NULL OR counted_at = coalesce(backfill_at, created)),
    CHECK ((counted_at IS NULL) = (publisher IS NULL)),
    CHECK (told_for IS NULL OR counted_at IS NOT NULL),
    CHECK (released_by IS NULL OR NOT held)
) STRICT;
CREATE INDEX alert_created ON alert (created);
CREATE INDEX alert_rule ON alert (rule, dedup_key, id);
-- Finds the matches of the rule that another rule's `after` names.
CREATE INDEX alert_rule_created ON alert (rule, created);
CREATE INDEX alert_rule_backfill ON alert (rule, backfill_at) WHERE backfill_at IS NOT NULL;
-- Finds the matches in a window, and the last match of a group.
CREATE INDEX alert_counted_at ON alert (rule, dedup_key, counted_at, publisher) WHERE counted_at IS NOT NULL;
CREATE INDEX alert_counted ON alert (rule, dedup_key, id) WHERE counted_at IS NOT NULL AND backfill_at IS NULL;
CREATE INDEX alert_backfilled ON alert (rule, dedup_key, counted_at) WHERE counted_at IS NOT NULL AND backfill_at IS NOT NULL;
-- Finds what is held, and what was.
CREATE INDEX alert_held ON alert (held) WHERE held = TRUE;
CREATE INDEX alert_released_by ON alert (released_by) WHERE released_by IS NOT NULL;
CREATE INDEX alert_index_lag ON alert (index_lag) WHERE index_lag > 0;

-- Since when the events of a group with a `spike` are counted.
CREATE TABLE counted_group (
    rule      TEXT    NOT NULL,
    dedup_key TEXT    NOT NULL,
    since     INTEGER NOT NULL,
    gone      INTEGER,             -- since when no rule in force has it; null: one has
    PRIMARY KEY (rule, dedup_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX counted_group_gone ON counted_group (gone) WHERE gone IS NOT NULL;

-- When something that `first` looks for last matched.
CREATE TABLE group_key (
    rule      TEXT    NOT NULL,
    dedup_key TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    last      INTEGER NOT NULL,
    PRIMARY KEY (rule, dedup_key, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_key_last ON group_key (last);

-- The events of a group with a `spike` in one slot: ten minutes, counted from 1970-01-01.
CREATE TABLE group_tally (
    rule      TEXT    NOT NULL,
    dedup_key TEXT    NOT NULL,
    slot      INTEGER NOT NULL,
    events    INTEGER NOT NULL,
    PRIMARY KEY (rule, dedup_key, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_tally_slot ON group_tally (slot);

-- The groups of rules with `absent`.
CREATE TABLE absence (
    rule      TEXT    NOT NULL,
    dedup_key TEXT    NOT NULL,
    last      INTEGER NOT NULL,    -- the last match; before the first: since when it is in force
    matched   INTEGER NOT NULL CHECK (matched IN (FALSE, TRUE)),    -- whether `last` is a match
    told      INTEGER,             -- when the absence since then was told; null: it was not
    PRIMARY KEY (rule, dedup_key)
) STRICT, WITHOUT ROWID;

-- The slots in which feeds were watched.
CREATE TABLE watched (
    slot INTEGER NOT NULL PRIMARY KEY
) STRICT;

-- What alerts are found by: the folded words of the headline and of the matched sentences. Names
-- are in hex behind a sign: of the rule (=r), its severity (=s), its tags (=t) and the event's feeds
-- (=f). The rowid is the alert's id. A folded word has no other signs than these, so it stays whole.
CREATE VIRTUAL TABLE alert_index USING fts5 (
    terms, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars '=.,&+#'"
);

-- What people silenced.
CREATE TABLE silence (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    target TEXT    NOT NULL,    -- JSON: a rule, a tag, a feed or an event
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL,    -- brought forward when a person ends it
    why    TEXT    NOT NULL     -- may be empty
) STRICT;
CREATE INDEX silence_until ON silence (until);

-- A start of `tidings run`.
CREATE TABLE run (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    started      INTEGER NOT NULL,
    seen         INTEGER NOT NULL,    -- when it last wrote that it runs
    ended        INTEGER,             -- when it was stopped; null: it runs, or was killed
    reloaded     INTEGER NOT NULL,    -- when configuration and rules were last loaded without error
    reload_error TEXT,                -- why the last reload changed nothing; null: it succeeded
    rule_set     INTEGER,             -- the number of the rule set in force; null: none is yet
    config_hash  TEXT                 -- of what all nodes must have the same; null: not known yet
) STRICT;

-- The outbox. A message is for one receiver. It is about one event, or, without an event, is a
-- digest, a notice or a test. More alerts may join it until its first lease freezes the payload.
-- Its key is one of:
--   event:<event>:<notifier>/<recipient>:<sequence>, digest:<notifier>/<recipient>:<uid>,
--   a notice's own key with <notifier>/<recipient>, test:<id>.
CREATE TABLE message (
    id               INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    key              TEXT    NOT NULL UNIQUE,    -- work repeated after a crash adds no message
    uid              TEXT    NOT NULL UNIQUE,    -- UUID version 4, the same in every retry
    event            TEXT,
    sequence         INTEGER,                    -- of the event's messages to the receiver, from 1
    notifier         TEXT    NOT NULL,
    recipient        TEXT    NOT NULL,           -- empty for notifiers with one receiver
    created          INTEGER NOT NULL,
    status           TEXT    NOT NULL
                     CHECK (status IN ('pending', 'leased', 'sent', 'dead', 'held', 'dropped')),
                                                 -- held: its receiver left the configuration
    revision         INTEGER NOT NULL DEFAULT 0, -- raised whenever its alerts change
    due              INTEGER NOT NULL,
    due_set_at       INTEGER NOT NULL DEFAULT 0, -- when an attempt last set `due`; 0: none did
    counted_attempts INTEGER NOT NULL DEFAULT 0, -- attempts that count against the schedule
    may_have_arrived INTEGER NOT NULL DEFAULT FALSE CHECK (may_have_arrived IN (FALSE, TRUE)),
                                                 -- an attempt that has ended may have delivered it
    lease            INTEGER,                    -- while leased: the attempt in flight, its id
    payload          BLOB,                       -- the frozen bytes, from the first lease on
    why              TEXT,                       -- the result of its last attempt, in words
    notification     TEXT,                       -- JSON: the text of a notice or test
    silence          INTEGER,                    -- of a notice: the silence that mutes or muted it
    digest           TEXT,                       -- JSON: why it gathers; null: it is no digest
    part             TEXT,                       -- JSON: which part of a split digest
    waits_since      INTEGER GENERATED ALWAYS AS (CASE WHEN due_set_at > created THEN due_set_at ELSE created END) VIRTUAL,
                                                 -- when `due` was set
    UNIQUE (event, notifier, recipient, sequence),
    CHECK ((event IS NULL) = (sequence IS NULL)),
    CHECK ((status = 'leased') = (lease IS NOT NULL)),
    CHECK (status NOT IN ('leased', 'sent') OR payload IS NOT NULL)
) STRICT;
-- The messages that are not sent, in the order in which they are due. Most are sent, and stay.
-- SQLite uses this index only for statements that say `status <> 'sent'`.
CREATE INDEX message_unsent ON message (status, notifier, due, id) WHERE status <> 'sent';
CREATE INDEX message_receiver ON message (notifier, recipient, id);
-- Pending messages of each receiver, in the order in which they are due.
CREATE INDEX message_pending ON message (notifier, recipient, due) WHERE status = 'pending';
-- Finds waits that were set while the clock was ahead.
CREATE INDEX message_waits_since ON message (waits_since) WHERE status = 'pending';
-- Finds a digest by what it gathers, such as the alerts that one silence mutes.
CREATE INDEX message_digest ON message (digest) WHERE digest IS NOT NULL;
-- Finds the notices that one silence mutes.
CREATE INDEX message_silence ON message (silence) WHERE silence IS NOT NULL;

-- The alerts of a message.
CREATE TABLE message_alert (
    message INTEGER NOT NULL REFERENCES message (id),
    alert   INTEGER NOT NULL REFERENCES alert (id),
    PRIMARY KEY (message, alert)
) STRICT;
CREATE INDEX message_alert_alert ON message_alert (alert);

-- One attempt to deliver a message: inserted before it begins, completed when it ends.
CREATE TABLE attempt (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES message (id),
    run     INTEGER NOT NULL REFERENCES run (id),
    started INTEGER NOT NULL,
    ended   INTEGER,
    outcome TEXT CHECK (outcome IN ('sent', 'again', 'unreached', 'dead', 'unknown')),
                                 -- unknown: its run ended before the attempt did
    why     TEXT,                -- what the receiver answered, or what went wrong
    CHECK ((ended IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX attempt_message ON attempt (message);

-- A receiver whose last attempt failed, or that asked for rest. An empty recipient is the whole
-- notifier.
CREATE TABLE health (
    notifier    TEXT    NOT NULL,
    recipient   TEXT    NOT NULL,
    failures    INTEGER NOT NULL,    -- in a row; 0: it takes messages, and asked for rest
    since       INTEGER NOT NULL,    -- the first failure, or the request for rest
    rests_until INTEGER NOT NULL,    -- nothing is sent before
    rest_set_at INTEGER NOT NULL,    -- when `rests_until` was set
    why         TEXT    NOT NULL,    -- the last failure, in words
    announced   INTEGER NOT NULL CHECK (announced IN (FALSE, TRUE)),    -- others got a notice
    PRIMARY KEY (notifier, recipient)
) STRICT;

-- A receiver whose last message became dead. The row goes when it takes a message.
CREATE TABLE refusal (
    notifier  TEXT    NOT NULL,
    recipient TEXT    NOT NULL,
    since     INTEGER NOT NULL,
    why       TEXT    NOT NULL,
    announced INTEGER NOT NULL CHECK (announced IN (FALSE, TRUE)),
    PRIMARY KEY (notifier, recipient)
) STRICT;

-- Which file the store is, and whether it is open. A copy of an open store without its log lacks
-- the last writes.
CREATE TABLE store_file (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    inode   TEXT    NOT NULL,    -- of the file when it was last opened
    is_open INTEGER NOT NULL CHECK (is_open IN (FALSE, TRUE))    -- false after a clean stop
) STRICT;

-- The last whole copy of the store that `tidings backup` made. A copy has the time at which it was
-- made itself.
CREATE TABLE backup (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    made_at INTEGER NOT NULL
) STRICT;
