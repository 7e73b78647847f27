CREATE TABLE queue (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    limit_messages INTEGER NOT NULL,
    limit_bytes INTEGER NOT NULL,
    beyond TEXT NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0 CHECK (messages >= 0),
    bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    consumed INTEGER NOT NULL DEFAULT 0,     -- whether a consumer has begun and not ended
    handed_over INTEGER NOT NULL DEFAULT 0   -- messages up to this id may have been handed over by a consumer that is gone
  ) STRICT;

CREATE TABLE binding (key TEXT NOT NULL, queue INTEGER NOT NULL, PRIMARY KEY (key, queue)) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    key TEXT NOT NULL,
    message_id TEXT,
    body BLOB NOT NULL
  ) STRICT;

CREATE INDEX message_of_queue ON message (queue);

CREATE TRIGGER message_stored AFTER INSERT ON message BEGIN
    UPDATE queue SET messages = messages + 1, bytes = bytes + new.bytes WHERE id = new.queue;
  END;

CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
    UPDATE queue SET messages = messages - 1, bytes = bytes - old.bytes WHERE id = old.queue;
  END;
