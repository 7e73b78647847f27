-- Orders of persons, with the answer of each host. A host has its own orders; a transcriber has those of all hosts.
CREATE TABLE audit (
  id TEXT NOT NULL, -- of the order; ids sort by the time at which they were made
  host TEXT NOT NULL,
  body TEXT NOT NULL, -- the order
  user TEXT, -- the user that the broker vouches for; null for an order by the socket, or an unknown user
  way TEXT NOT NULL CHECK (way IN ('broker', 'socket')),
  at INTEGER NOT NULL, -- when this machine stored the order
  outcome TEXT, -- the answer; null while there is none
  answered INTEGER, -- when this machine stored the answer
  unsent INTEGER NOT NULL DEFAULT 0, -- 1 while no transcriber has the answer
  PRIMARY KEY (id, host),
  CHECK ((outcome IS NULL) = (answered IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_host ON audit (host, id);
CREATE INDEX audit_unsent ON audit (host) WHERE unsent = 1;
