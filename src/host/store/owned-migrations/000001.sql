CREATE TABLE owned (
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL, -- ours, gone (given up, with what it last was), held (somebody else's, in our way), approved (as it was shown)
    record TEXT,
    since INTEGER NOT NULL,
    PRIMARY KEY (service, name)
  ) STRICT, WITHOUT ROWID;

CREATE INDEX owned_state ON owned (service, since) WHERE state <> 'ours';
