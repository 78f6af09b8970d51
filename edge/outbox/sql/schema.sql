-- The outbox of one gateway. `user_version` 1. Rows are encoded once, under the number that they keep.
CREATE TABLE stream (
    name TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    written INTEGER NOT NULL DEFAULT 0,
    upto INTEGER NOT NULL DEFAULT 0,
    above TEXT NOT NULL DEFAULT '[]',
    dropped INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE outbox_row (
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    written_us INTEGER NOT NULL,
    urgent INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;

-- Alarms go before backlog: finding them must not read the backlog.
CREATE INDEX urgent_row ON outbox_row (stream, seq) WHERE urgent = 1;

-- When the watermark stood where: it tells how long a row has been acknowledged without touching the row.
CREATE TABLE acknowledged (
    stream TEXT NOT NULL,
    upto INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (stream, upto)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_passage (
    passage TEXT PRIMARY KEY,
    payload BLOB NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
