-- The log: what gateways sent and what people and imports did. Never changed, never deleted.

CREATE TABLE movement (
    gateway text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    epoch text COLLATE "C" NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    at timestamptz NOT NULL,
    passage uuid NOT NULL,
    rev integer NOT NULL CHECK (rev > 0),
    final boolean NOT NULL,
    portal text COLLATE "C" NOT NULL REFERENCES portal,
    epc text COLLATE "C" NOT NULL,
    tid text,
    kind text NOT NULL CHECK (kind IN ('in', 'out', 'turned_back', 'near', 'parked', 'unresolved', 'retracted')),
    -- Where the crossing led by the registry as it was when the row was committed; a later registry rewrites no history.
    from_location text COLLATE "C" REFERENCES location,
    to_location text COLLATE "C" REFERENCES location,
    confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    started_at timestamptz NOT NULL,
    crossed_at timestamptz,
    ended_at timestamptz,
    reads bigint NOT NULL CHECK (reads >= 0),
    evidence jsonb NOT NULL,
    batch text,
    gate jsonb,
    clock jsonb NOT NULL,
    traceparent text,
    reason text,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (gateway, stream, epoch, seq, at),
    CHECK ((kind IN ('in', 'out')) = (to_location IS NOT NULL)),
    CHECK ((from_location IS NULL) = (to_location IS NULL))
);
CREATE INDEX movement_passage ON movement (passage, at);
CREATE TRIGGER movement_is_append_only BEFORE UPDATE OR DELETE ON movement
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE act (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('placed', 'registry_imported', 'alert_acknowledged')),
    asset text COLLATE "C" REFERENCES asset,
    location text COLLATE "C" REFERENCES location,
    by text NOT NULL CHECK (by <> ''),
    detail jsonb NOT NULL DEFAULT '{}',
    CHECK (kind <> 'placed' OR (asset IS NOT NULL AND location IS NOT NULL))
);
CREATE INDEX act_placed ON act (asset, at DESC, id DESC) WHERE kind = 'placed';
CREATE TRIGGER act_is_append_only BEFORE UPDATE OR DELETE ON act
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE sensor (
    gateway text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    epoch text COLLATE "C" NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    at timestamptz NOT NULL,
    reader text NOT NULL,
    gpi integer NOT NULL CHECK (gpi > 0),
    kind text NOT NULL CHECK (kind IN ('beam', 'door')),
    state boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (gateway, stream, epoch, seq)
);

CREATE TABLE loss (
    gateway text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    epoch text COLLATE "C" NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    reader text NOT NULL,
    reason text NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    count bigint CHECK (count >= 0),
    received_at timestamptz NOT NULL,
    PRIMARY KEY (gateway, stream, epoch, seq)
);

CREATE TABLE gap (
    gateway text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    epoch text COLLATE "C" NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    first bigint NOT NULL CHECK (first > 0),
    last bigint NOT NULL,
    reason text NOT NULL,
    count bigint NOT NULL CHECK (count >= 0),
    received_at timestamptz NOT NULL,
    PRIMARY KEY (gateway, stream, epoch, seq),
    CHECK (first <= last)
);

CREATE TABLE presence (
    gateway text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    epoch text COLLATE "C" NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    zone text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('portal', 'zone', 'sweep')),
    antennas jsonb NOT NULL,
    tags jsonb NOT NULL,
    part integer NOT NULL,
    parts integer NOT NULL,
    complete boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (gateway, stream, epoch, seq),
    CHECK (from_at <= to_at)
);

-- What could not be read, or may not be believed. A repeat of the same bytes on the same topic is counted, not kept again.
CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    reason text NOT NULL,
    payload bytea NOT NULL,
    payload_bytes bigint NOT NULL,
    gateway text COLLATE "C",
    stream text COLLATE "C",
    epoch text COLLATE "C",
    seq bigint,
    at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times bigint NOT NULL DEFAULT 1,
    UNIQUE NULLS NOT DISTINCT (topic, digest, epoch, seq)
);

-- What is committed of each stream: everything up to `upto`, and the ranges in `above`. Locked by each ingest transaction.
CREATE TABLE ingest_position (
    gateway text COLLATE "C" NOT NULL REFERENCES gateway,
    stream text COLLATE "C" NOT NULL CHECK (stream IN ('movement', 'presence')),
    epoch text COLLATE "C" NOT NULL CHECK (epoch <> ''),
    upto bigint NOT NULL DEFAULT 0 CHECK (upto >= 0),
    above int8multirange NOT NULL DEFAULT '{}',
    advanced_at timestamptz NOT NULL,
    PRIMARY KEY (gateway, stream, epoch)
);
