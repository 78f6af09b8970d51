-- An asset's story: where it is held to be and why, what is under way, which doors must have missed it; and transfers.

INSERT INTO act_kind VALUES
    ('seen'), ('transfer_requested'), ('transfer_approved'), ('transfer_cancelled'), ('dispatch_scanned'),
    ('receipt_scanned'), ('leg_claimed');

-- Whether the gateway's host had the right time; without it an event keeps only its place in the stream.
ALTER TABLE passage ADD COLUMN synced boolean NOT NULL DEFAULT true;

ALTER TABLE asset_location DROP CONSTRAINT asset_location_basis_check;
ALTER TABLE asset_location DROP CONSTRAINT asset_location_check;
ALTER TABLE asset_location ADD CHECK (basis IN ('recorded', 'observed', 'inferred'));
ALTER TABLE asset_location ADD CHECK (basis <> 'recorded' OR passage IS NULL);
ALTER TABLE asset_location ADD COLUMN doubt text CHECK (doubt <> '');
ALTER TABLE asset_location ADD COLUMN certain boolean GENERATED ALWAYS AS (doubt IS NULL) STORED;
CREATE INDEX asset_location_doubtful ON asset_location (location) WHERE doubt IS NOT NULL;

-- A transfer as its acts tell it. Nobody approves an own request; only what is approved may be dispatched.
CREATE TABLE transfer (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    from_location text COLLATE "C" NOT NULL REFERENCES location,
    to_location text COLLATE "C" NOT NULL REFERENCES location,
    sender text COLLATE "C" NOT NULL CHECK (sender <> ''),
    receiver text COLLATE "C" NOT NULL CHECK (receiver <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    ticket text,
    cost_centre text,
    escalation_path text[] NOT NULL CHECK (cardinality(escalation_path) > 0),
    requested_by text COLLATE "C" NOT NULL REFERENCES person,
    requested_at timestamptz NOT NULL,
    approved_by text COLLATE "C" REFERENCES person,
    approved_at timestamptz,
    dispatch_until timestamptz,
    cancelled_by text COLLATE "C" REFERENCES person,
    cancelled_at timestamptz,
    CHECK (from_location <> to_location),
    CHECK (requested_by <> approved_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((approved_by IS NULL) = (dispatch_until IS NULL)),
    CHECK (approved_at < dispatch_until),
    CHECK ((cancelled_by IS NULL) = (cancelled_at IS NULL))
);
CREATE INDEX transfer_open ON transfer (requested_at DESC) WHERE cancelled_at IS NULL;

CREATE TABLE transfer_asset (
    transfer text COLLATE "C" NOT NULL REFERENCES transfer,
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    PRIMARY KEY (transfer, asset)
);
CREATE INDEX transfer_asset_asset ON transfer_asset (asset);

-- In transit is a controlled state: who sends, who receives, since when, until when and who hears of a delay stand in
-- every row. `assumed` names the columns that nobody told or saw.
CREATE TABLE transit_leg (
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    number integer NOT NULL CHECK (number > 0),
    id text COLLATE "C" NOT NULL GENERATED ALWAYS AS (asset || '/' || number::text) STORED UNIQUE,
    transfer text COLLATE "C",
    origin text COLLATE "C" NOT NULL REFERENCES location,
    destination text COLLATE "C" REFERENCES location,
    sender text COLLATE "C" NOT NULL CHECK (sender <> ''),
    receiver text COLLATE "C" NOT NULL CHECK (receiver <> ''),
    dispatched_at timestamptz NOT NULL,
    receipt_due timestamptz NOT NULL,
    calendar text NOT NULL CHECK (calendar <> ''),
    escalation_path text[] NOT NULL CHECK (cardinality(escalation_path) > 0),
    basis text NOT NULL CHECK (basis IN ('observed', 'scanned', 'inferred')),
    assumed text[] NOT NULL
        CHECK (assumed <@ ARRAY['sender', 'receiver', 'receipt_due', 'dispatched_at', 'destination']),
    state text NOT NULL CHECK (state IN ('open', 'received', 'returned_to_origin', 'wrong_destination')),
    ended_at timestamptz,
    ended_in text COLLATE "C" REFERENCES location,
    ended_by text CHECK (ended_by IN ('observed', 'scanned', 'inferred')),
    passage text,
    PRIMARY KEY (asset, number),
    CHECK (receipt_due > dispatched_at),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK (state <> 'received' OR (ended_in IS NOT NULL AND ended_by IS NOT NULL)),
    CHECK (transfer IS NULL OR destination IS NOT NULL),
    CHECK (transfer IS NOT NULL OR basis = 'inferred')
);
CREATE UNIQUE INDEX transit_leg_under_way ON transit_leg (asset) WHERE state IN ('open', 'wrong_destination');
CREATE INDEX transit_leg_due ON transit_leg (receipt_due) WHERE state IN ('open', 'wrong_destination');
CREATE INDEX transit_leg_transfer ON transit_leg (transfer) WHERE transfer IS NOT NULL;

-- A due date counts by the calendar as it was when it was first worked out: a record, which a rebuild keeps.
CREATE TABLE frozen_due (
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    start timestamptz NOT NULL,
    business_days integer NOT NULL CHECK (business_days > 0),
    location text COLLATE "C" NOT NULL REFERENCES location,
    due timestamptz NOT NULL,
    calendar text NOT NULL,
    PRIMARY KEY (asset, start, business_days, location)
);
CREATE TRIGGER frozen_due_is_append_only BEFORE UPDATE OR DELETE ON frozen_due
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A door's share in a crossing that nobody saw, and crossings that others contradict. Both count against the door.
CREATE TABLE missed_crossing (
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    portal text COLLATE "C" NOT NULL REFERENCES portal,
    at timestamptz NOT NULL,
    share double precision NOT NULL CHECK (share > 0),
    PRIMARY KEY (asset, portal, at)
);
CREATE INDEX missed_crossing_portal ON missed_crossing (portal, at);

CREATE TABLE misread_crossing (
    passage text COLLATE "C" PRIMARY KEY,
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    portal text COLLATE "C" NOT NULL REFERENCES portal,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('wrong_way', 'no_crossing'))
);
CREATE INDEX misread_crossing_asset ON misread_crossing (asset);
CREATE INDEX misread_crossing_portal ON misread_crossing (portal, at);

CREATE SEQUENCE transfer_number;

-- What each door is measured to miss and to misread, from contradictions alone; made anew from time to time.
CREATE TABLE portal_accuracy (
    portal text COLLATE "C" PRIMARY KEY REFERENCES portal,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    crossings bigint NOT NULL CHECK (crossings >= 0),
    missed double precision NOT NULL CHECK (missed >= 0),
    miss_rate double precision NOT NULL,
    miss_rate_low double precision NOT NULL,
    miss_rate_high double precision NOT NULL,
    missed_month double precision NOT NULL,
    missed_month_low double precision NOT NULL,
    missed_month_high double precision NOT NULL,
    misread bigint NOT NULL CHECK (misread >= 0),
    misread_month double precision NOT NULL,
    misread_month_low double precision NOT NULL,
    misread_month_high double precision NOT NULL,
    CHECK (since < until),
    CHECK (0 <= miss_rate_low AND miss_rate_low <= miss_rate AND miss_rate <= miss_rate_high AND miss_rate_high <= 1)
);

-- From where an asset's story is told on when something newer comes; a rebuild makes it anew.
CREATE TABLE story_checkpoint (
    asset text COLLATE "C" PRIMARY KEY REFERENCES asset,
    at timestamptz NOT NULL,
    state text NOT NULL
);
