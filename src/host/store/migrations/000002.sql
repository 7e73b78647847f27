-- Why a row is retained, and why a service is held, become columns: no program reads a sentence any more.
DROP TRIGGER removal_held;
DROP TRIGGER removal_forgotten;

CREATE TABLE retained_row (
  service TEXT NOT NULL,
  key TEXT NOT NULL,
  hash INTEGER NOT NULL,
  desired TEXT,
  loaded TEXT,
  given TEXT,
  doubt INTEGER NOT NULL DEFAULT 0,
  -- What keeps the desired row out of force; null where nothing does. The reasons are in src/core/reasons.ts.
  retained_by TEXT CHECK (retained_by IN ('directory', 'version', 'check', 'daemon', 'conflict', 'removals')),
  detail TEXT, -- in words, for people
  since INTEGER,
  owed INTEGER GENERATED ALWAYS AS (doubt = 1 OR (retained_by IS NULL AND desired IS NOT loaded)) VIRTUAL,
  PRIMARY KEY (service, key),
  CHECK ((retained_by IS NULL) = (detail IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO retained_row (service, key, hash, desired, loaded, given, doubt, since, retained_by, detail)
SELECT
  service, key, hash, desired, loaded, given, doubt, since,
  CASE
    WHEN why LIKE 'refused: %' THEN 'directory'
    WHEN why LIKE 'other version: %' THEN 'version'
    WHEN why LIKE 'refused by the check: %' THEN 'check'
    WHEN why LIKE 'refused by the daemon: %' THEN 'daemon'
    WHEN why LIKE 'held: %' THEN 'conflict'
    WHEN why LIKE 'held with the removals %' THEN 'removals'
    WHEN why IS NOT NULL THEN 'daemon'
  END,
  CASE
    WHEN why LIKE 'held with the removals %, held as %' THEN substr(why, instr(why, ', held as ') + 10)
    WHEN instr(why, ': ') > 0 THEN substr(why, instr(why, ': ') + 2)
    ELSE why
  END
FROM row;

DROP TABLE row;
ALTER TABLE retained_row RENAME TO row;

CREATE INDEX row_hash ON row (service, hash);
CREATE INDEX row_owed ON row (service, key) WHERE owed = 1;
CREATE INDEX row_retained ON row (service, key) WHERE retained_by IS NOT NULL;
CREATE INDEX row_conflict ON row (service, key) WHERE retained_by = 'conflict';

-- The question about removals ends when one of its rows comes or goes.
CREATE TRIGGER removal_held AFTER UPDATE OF retained_by ON row
  WHEN (old.retained_by IS 'removals') <> (new.retained_by IS 'removals')
  BEGIN DELETE FROM held_removals WHERE service = new.service; END;
CREATE TRIGGER removal_forgotten AFTER DELETE ON row WHEN old.retained_by IS 'removals'
  BEGIN DELETE FROM held_removals WHERE service = old.service; END;

-- A person holds a service, or a conflict with what trigger did not write. `held` is the reason in words.
ALTER TABLE service ADD COLUMN held_by TEXT CHECK (held_by IN ('person', 'conflict'));
UPDATE service SET
  held_by = iif(held LIKE 'by a person%', 'person', 'conflict'),
  held = CASE WHEN held LIKE 'by a person: %' THEN substr(held, 14) WHEN held LIKE 'by a person%' THEN '' ELSE held END
WHERE held IS NOT NULL;
