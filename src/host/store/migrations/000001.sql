CREATE TABLE service (
    name TEXT PRIMARY KEY,
    form TEXT NOT NULL DEFAULT 'table',
    code TEXT NOT NULL DEFAULT '',
    followed TEXT NOT NULL DEFAULT '{}',
    rows INTEGER NOT NULL DEFAULT 0,
    loaded TEXT,
    proved INTEGER NOT NULL DEFAULT 0,
    incarnation TEXT,
    full INTEGER NOT NULL DEFAULT 0,
    failing TEXT,
    fatal TEXT,
    held TEXT,
    ran_at INTEGER
  ) STRICT;

CREATE TABLE row (
    service TEXT NOT NULL,
    key TEXT NOT NULL,
    hash INTEGER NOT NULL,
    desired TEXT,
    loaded TEXT,
    given TEXT,
    doubt INTEGER NOT NULL DEFAULT 0,
    why TEXT,
    since INTEGER,
    owed INTEGER GENERATED ALWAYS AS (doubt = 1 OR (why IS NULL AND desired IS NOT loaded)) VIRTUAL,
    PRIMARY KEY (service, key)
  ) STRICT, WITHOUT ROWID;

CREATE INDEX row_hash ON row (service, hash);

CREATE INDEX row_owed ON row (service, key) WHERE owed = 1;

CREATE INDEX row_kept ON row (service, key) WHERE why IS NOT NULL;

CREATE INDEX row_in_the_way ON row (service, key) WHERE substr(why, 1, 6) = 'held: ';

CREATE TABLE staged (
    service TEXT NOT NULL,
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    cell TEXT
  ) STRICT;

CREATE INDEX staged_service ON staged (service, position);

CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    service TEXT NOT NULL,
    message_id TEXT,
    body BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    why TEXT,
    at INTEGER NOT NULL
  ) STRICT;

CREATE INDEX message_state ON message (service, state, id);

CREATE TABLE life (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    since INTEGER NOT NULL,
    trouble TEXT
  ) STRICT;

CREATE TABLE handled (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    service TEXT NOT NULL,
    message_id TEXT NOT NULL,
    UNIQUE (service, message_id)
  ) STRICT;

CREATE INDEX handled_in_order ON handled (service, position);

CREATE TABLE verified (service TEXT PRIMARY KEY, asked INTEGER NOT NULL, differed INTEGER NOT NULL) STRICT;

CREATE TABLE verified_daemon (service TEXT PRIMARY KEY, asked INTEGER NOT NULL, said TEXT NOT NULL) STRICT;

CREATE TABLE removal (service TEXT NOT NULL, at INTEGER NOT NULL, rows INTEGER NOT NULL) STRICT;

CREATE INDEX removal_at ON removal (service, at);

CREATE TABLE held_removals (service TEXT PRIMARY KEY, digest TEXT NOT NULL, rows INTEGER NOT NULL) STRICT;

CREATE TRIGGER removal_held AFTER UPDATE OF why ON row
    WHEN (coalesce(old.why, '') LIKE 'held with the removals %') <> (coalesce(new.why, '') LIKE 'held with the removals %')
    BEGIN DELETE FROM held_removals WHERE service = new.service; END;

CREATE TRIGGER removal_forgotten AFTER DELETE ON row WHEN old.why LIKE 'held with the removals %'
    BEGIN DELETE FROM held_removals WHERE service = old.service; END;

CREATE TABLE approved (service TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT;

CREATE TABLE wave (service TEXT PRIMARY KEY, why TEXT NOT NULL) STRICT;

CREATE TABLE stranger (service TEXT PRIMARY KEY, count INTEGER NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL) STRICT;

CREATE TABLE allowance (service TEXT PRIMARY KEY, until INTEGER NOT NULL, rows INTEGER NOT NULL) STRICT;

CREATE TABLE install_path (
    path TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    loaded TEXT, -- hash of what the daemon was last given; null for no file, or when nothing was ever loaded
    proved INTEGER NOT NULL DEFAULT 0,
    probe TEXT, -- the commands that prove what is loaded
    held TEXT -- why trigger no longer replaces this file by itself
  ) STRICT;

CREATE TABLE install_debt (
    path TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    batch TEXT NOT NULL, -- files of one install share it
    good TEXT, -- the link to the last good file; null when there was no file, or nothing is replaced
    good_hash TEXT,
    to_hash TEXT -- what was being put in place; null for no file
  ) STRICT;

CREATE TABLE install_written (
    path TEXT PRIMARY KEY, -- once in force by this service, so that it may remove the file
    service TEXT NOT NULL,
    hash TEXT NOT NULL -- the last text of its own that was in force
  ) STRICT;

CREATE TABLE install_attempt (
    service TEXT NOT NULL,
    paths TEXT NOT NULL,
    texts TEXT NOT NULL,
    failures INTEGER NOT NULL,
    at INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (service, paths)
  ) STRICT;

CREATE TABLE install_fight (path TEXT NOT NULL, at INTEGER NOT NULL) STRICT;

CREATE INDEX install_fight_path ON install_fight (path);

CREATE TABLE unit_start (
    service TEXT NOT NULL,
    unit TEXT NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER NOT NULL, -- when it no longer counts
    burst INTEGER NOT NULL -- how many may count at once
  ) STRICT;

CREATE INDEX unit_start_unit ON unit_start (unit, until);

CREATE TABLE note (service TEXT, name TEXT, text TEXT NOT NULL, PRIMARY KEY (service, name)) STRICT;

CREATE TABLE report (host TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;

CREATE TABLE transcriber (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL) STRICT;
