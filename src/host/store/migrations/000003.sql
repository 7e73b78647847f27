-- The names of the columns become the terms of docs/concepts.md: applied, pending, tried, serving.
DROP TRIGGER removal_held;
DROP TRIGGER removal_forgotten;

CREATE TABLE renamed_row (
  service TEXT NOT NULL,
  key TEXT NOT NULL,
  hash INTEGER NOT NULL,
  desired TEXT,
  applied TEXT, -- the row of the last successful run
  tried TEXT, -- the row of the run under way, or of the last failed one
  doubt INTEGER NOT NULL DEFAULT 0,
  -- The reason why the desired row is not applied; null where there is none. The reasons are in core/stream/reasons.ts.
  retained_by TEXT CHECK (retained_by IN ('directory', 'version', 'check', 'daemon', 'conflict', 'removals')),
  detail TEXT, -- in words, for people
  since INTEGER,
  pending INTEGER GENERATED ALWAYS AS (doubt = 1 OR (retained_by IS NULL AND desired IS NOT applied)) VIRTUAL,
  PRIMARY KEY (service, key),
  CHECK ((retained_by IS NULL) = (detail IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO renamed_row (service, key, hash, desired, applied, tried, doubt, retained_by, detail, since)
SELECT service, key, hash, desired, loaded, given, doubt, retained_by, detail, since FROM row;

DROP TABLE row;
ALTER TABLE renamed_row RENAME TO row;

CREATE INDEX row_hash ON row (service, hash);
CREATE INDEX row_pending ON row (service, key) WHERE pending = 1;
CREATE INDEX row_retained ON row (service, key) WHERE retained_by IS NOT NULL;
CREATE INDEX row_conflict ON row (service, key) WHERE retained_by = 'conflict';

-- The question about removals ends when one of its rows comes or goes.
CREATE TRIGGER removal_held AFTER UPDATE OF retained_by ON row
  WHEN (old.retained_by IS 'removals') <> (new.retained_by IS 'removals')
  BEGIN DELETE FROM held_removals WHERE service = new.service; END;
CREATE TRIGGER removal_forgotten AFTER DELETE ON row WHEN old.retained_by IS 'removals'
  BEGIN DELETE FROM held_removals WHERE service = old.service; END;

-- Serving is 1, 0, or null for a service without a probe. The old column had 0 for one without, too: only a service
-- that never ran well is known not to serve.
ALTER TABLE service RENAME COLUMN loaded TO applied;
ALTER TABLE service ADD COLUMN serving INTEGER;
UPDATE service SET serving = CASE WHEN proved = 1 THEN 1 WHEN form = 'table' AND failing IS NOT NULL AND ran_at IS NULL THEN 0 END;
ALTER TABLE service DROP COLUMN proved;

ALTER TABLE stranger RENAME TO untrusted;
ALTER TABLE install_path RENAME COLUMN loaded TO applied;
ALTER TABLE install_path RENAME COLUMN proved TO serving;
ALTER TABLE install_debt RENAME TO install_pending;
ALTER TABLE install_fight RENAME TO install_edit;
DROP INDEX install_fight_path;
CREATE INDEX install_edit_path ON install_edit (path);

-- The last reports, as of a host that is down now. A quotation mark within a text has a backslash before it, so only
-- names are found. An old report without "proved" does not tell whether there is a probe.
UPDATE report SET body =
  replace(replace(replace(replace(replace(replace(replace(replace(body,
    '"loaded":', '"applied":'), '"proved":true', '"serving":true'), '"proved":false,', ''), '"owed":', '"pending":'),
    '"inTheWay":', '"conflict":'), '"strangers":', '"untrusted":'), '"kept":', '"retained":'), '"waits":', '"waiting":');
UPDATE transcriber SET body = replace(replace(body, '"apart":', '"ownEpochs":'), '"aside":', '"setAside":');
