-- What follows from the log. All of it can be rebuilt from movements and acts.

-- The highest revision of each passage.
CREATE TABLE passage (
    passage uuid PRIMARY KEY,
    rev integer NOT NULL,
    final boolean NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    epoch text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    portal text COLLATE "C" NOT NULL,
    epc text COLLATE "C" NOT NULL,
    from_location text COLLATE "C",
    to_location text COLLATE "C",
    confidence double precision NOT NULL
);
CREATE INDEX passage_crossings ON passage (epc, at DESC, gateway DESC, epoch DESC, seq DESC)
    WHERE final AND to_location IS NOT NULL;
CREATE INDEX passage_epc ON passage (epc, at DESC);

CREATE TABLE asset_location (
    asset text COLLATE "C" PRIMARY KEY REFERENCES asset,
    location text COLLATE "C" NOT NULL REFERENCES location,
    since timestamptz NOT NULL,
    confidence double precision NOT NULL,
    basis text NOT NULL CHECK (basis IN ('recorded', 'observed')),
    passage uuid,
    CHECK ((basis = 'observed') = (passage IS NOT NULL))
);
CREATE INDEX asset_location_location ON asset_location (location);

-- Sharded by gateway, so that two ingest workers do not wait for each other at a busy place; the count is the sum.
CREATE TABLE location_counter (
    location text COLLATE "C" NOT NULL REFERENCES location,
    shard smallint NOT NULL,
    count bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (location, shard)
);

CREATE TABLE alert (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('unauthorised_exit', 'stale_snapshot', 'ambiguous_passage',
                                       'portal_config_mismatch', 'identity_mismatch')),
    severity text NOT NULL CHECK (severity IN ('critical', 'high', 'low')),
    state text NOT NULL CHECK (state IN ('open', 'acknowledged', 'observed')),
    late boolean NOT NULL,
    corrected boolean NOT NULL DEFAULT false,
    authorised_late boolean NOT NULL DEFAULT false,
    gateway text COLLATE "C" NOT NULL,
    portal text COLLATE "C" REFERENCES portal,
    from_location text COLLATE "C" REFERENCES location,
    to_location text COLLATE "C" REFERENCES location,
    at timestamptz NOT NULL,
    raised_at timestamptz NOT NULL,
    confidence double precision,
    reason text NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    CHECK ((state = 'acknowledged') = (acknowledged_at IS NOT NULL)),
    CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL))
);
CREATE INDEX alert_open ON alert (raised_at DESC) WHERE state = 'open';

-- One card holds all the assets of its incident; each passage stands in one incident.
CREATE TABLE alert_asset (
    passage uuid PRIMARY KEY,
    alert bigint NOT NULL REFERENCES alert,
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    epc text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    at timestamptz NOT NULL,
    from_location text COLLATE "C",
    to_location text COLLATE "C",
    confidence double precision NOT NULL,
    corrected boolean NOT NULL,
    authorised_late boolean NOT NULL,
    reason text NOT NULL
);
CREATE INDEX alert_asset_alert ON alert_asset (alert);
CREATE INDEX alert_asset_asset ON alert_asset (asset);

CREATE TABLE alert_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert bigint NOT NULL REFERENCES alert,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('raised', 'joined', 'corrected', 'reinstated', 'authorised_late', 'acknowledged')),
    by text NOT NULL,
    detail text NOT NULL
);
CREATE INDEX alert_event_alert ON alert_event (alert, id);
CREATE TRIGGER alert_event_is_append_only BEFORE UPDATE OR DELETE ON alert_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The newest word from each gateway, those that nobody registered included: they wait here to be seen.
CREATE TABLE gateway_state (
    site text COLLATE "C" NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    online boolean NOT NULL,
    last_seen timestamptz NOT NULL,
    birth jsonb,
    health jsonb,
    PRIMARY KEY (site, gateway)
);
