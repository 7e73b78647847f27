-- A queue may drop a message that waits too long for its delivery.
ALTER TABLE queue ADD COLUMN lifetime INTEGER; -- milliseconds; null for no limit
ALTER TABLE message ADD COLUMN at INTEGER NOT NULL DEFAULT 0; -- milliseconds since 1970
