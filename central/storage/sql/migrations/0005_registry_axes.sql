-- The registry in full: what acts may say, people and roles, dated tags and serials, the axes of an asset's state, all
-- openings of a place, every kind of authorisation, and what an import changed, so that it can be taken back.

-- Each migration adds the kinds that it brings.
CREATE TABLE act_kind (kind text COLLATE "C" PRIMARY KEY CHECK (kind ~ '^[a-z_]{1,40}$'));
INSERT INTO act_kind VALUES
    ('placed'), ('registry_imported'), ('alert_acknowledged'),
    ('import_undone'), ('lifecycle_set'), ('custody_given'), ('custody_acknowledged'), ('condition_set'),
    ('data_state_set'), ('title_set'), ('hold_set'), ('hold_released'), ('parent_set'), ('authorisation_withdrawn');

-- `at` is the instant that an act speaks of, `recorded_at` when we were told; `subject` is the id of the transfer, hold or
-- count that it is about; `cause` is the act (an import) that brought it about.
ALTER TABLE act DROP CONSTRAINT act_kind_check;
ALTER TABLE act ALTER COLUMN kind TYPE text COLLATE "C";
ALTER TABLE act ADD FOREIGN KEY (kind) REFERENCES act_kind;
ALTER TABLE act ADD COLUMN subject text COLLATE "C" CHECK (subject <> '');
ALTER TABLE act ADD COLUMN cause bigint REFERENCES act;
ALTER TABLE act ADD COLUMN recorded_at timestamptz;
-- A change of type fills the column without an UPDATE, which the log refuses.
ALTER TABLE act ALTER COLUMN recorded_at TYPE timestamptz USING at;
ALTER TABLE act ALTER COLUMN recorded_at SET NOT NULL;
CREATE INDEX act_asset ON act (asset, at, id) WHERE asset IS NOT NULL;
CREATE INDEX act_subject ON act (subject, at, id) WHERE subject IS NOT NULL;
CREATE INDEX act_cause ON act (cause) WHERE cause IS NOT NULL;

-- An act that was taken back stays in the log and counts no more. Read acts through `act_standing`.
CREATE TABLE act_void (
    act bigint PRIMARY KEY REFERENCES act,
    voided_by bigint NOT NULL REFERENCES act
);
CREATE TRIGGER act_void_is_append_only BEFORE UPDATE OR DELETE ON act_void
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE VIEW act_standing AS
    SELECT a.* FROM act AS a WHERE NOT EXISTS (SELECT FROM act_void AS v WHERE v.act = a.id);

-- What an import changed, row by row; the import is its act.
CREATE TABLE import_row (
    import bigint NOT NULL REFERENCES act,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    file text NOT NULL,
    line integer NOT NULL,
    before jsonb,
    after jsonb,
    PRIMARY KEY (import, kind, key),
    CHECK (before IS NOT NULL OR after IS NOT NULL)
);
CREATE TRIGGER import_row_is_append_only BEFORE UPDATE OR DELETE ON import_row
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE person (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    name text NOT NULL CHECK (name <> ''),
    location text COLLATE "C" REFERENCES location,
    active boolean NOT NULL DEFAULT true
);

CREATE TABLE role (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    name text NOT NULL CHECK (name <> '')
);

-- Who answers for a role at a location and below it; without a location, everywhere.
CREATE TABLE role_holder (
    role text COLLATE "C" NOT NULL REFERENCES role,
    location text COLLATE "C" REFERENCES location,
    person text COLLATE "C" NOT NULL REFERENCES person,
    UNIQUE NULLS NOT DISTINCT (role, location, person)
);

-- Assets that nobody in particular holds, answered for by their owner.
CREATE TABLE pool (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    name text NOT NULL CHECK (name <> ''),
    owner text COLLATE "C" NOT NULL REFERENCES person
);

-- Null is inherited from the parent: see location_inherited. A withdrawn row came by an import that was taken back.
ALTER TABLE location ADD COLUMN country text COLLATE "C" CHECK (country ~ '^[A-Z]{2}$');
ALTER TABLE location ADD COLUMN subdivision text COLLATE "C" CHECK (subdivision ~ '^[A-Z0-9]{1,3}$');
ALTER TABLE location ADD COLUMN timezone text CHECK (timezone <> '');
ALTER TABLE location ADD COLUMN owner_role text COLLATE "C" REFERENCES role;
ALTER TABLE location ADD COLUMN withdrawn_at timestamptz;

-- A subdivision is inherited no further than the country that it lies in.
CREATE VIEW location_inherited AS
WITH RECURSIVE chain AS (
    SELECT id, 0 AS depth, parent, country, subdivision, timezone, owner_role FROM location WHERE withdrawn_at IS NULL
    UNION ALL
    SELECT c.id, c.depth + 1, p.parent, p.country, p.subdivision, p.timezone, p.owner_role
    FROM chain AS c JOIN location AS p ON p.id = c.parent
), ranked AS (
    SELECT *, min(depth) FILTER (WHERE country IS NOT NULL) OVER (PARTITION BY id) AS country_depth FROM chain
)
SELECT id,
       (array_agg(country ORDER BY depth) FILTER (WHERE country IS NOT NULL))[1] AS country,
       (array_agg(subdivision ORDER BY depth)
        FILTER (WHERE subdivision IS NOT NULL AND depth <= coalesce(country_depth, depth)))[1] AS subdivision,
       (array_agg(timezone ORDER BY depth) FILTER (WHERE timezone IS NOT NULL))[1] AS timezone,
       (array_agg(owner_role ORDER BY depth) FILTER (WHERE owner_role IS NOT NULL))[1] AS owner_role
FROM ranked GROUP BY id;

-- All the ways into a place, those that nobody watches too.
CREATE TABLE opening (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    location text COLLATE "C" NOT NULL REFERENCES location,
    kind text NOT NULL CHECK (kind IN ('portal', 'alarmed_door', 'unmonitored')),
    portal text COLLATE "C" REFERENCES portal,
    CHECK ((kind = 'portal') = (portal IS NOT NULL))
);
CREATE INDEX opening_location ON opening (location);

-- Each pair stands in both directions.
CREATE TABLE portal_neighbour (
    portal text COLLATE "C" NOT NULL REFERENCES portal,
    neighbour text COLLATE "C" NOT NULL REFERENCES portal,
    PRIMARY KEY (portal, neighbour),
    CHECK (portal <> neighbour)
);

-- `parent` is a kit, dock or server that the asset moves with since `parent_since`; the acts `parent_set` are its history.
ALTER TABLE asset ADD COLUMN model text CHECK (model <> '');
ALTER TABLE asset ADD COLUMN cost_centre text CHECK (cost_centre <> '');
ALTER TABLE asset ADD COLUMN parent text COLLATE "C" REFERENCES asset;
ALTER TABLE asset ADD COLUMN parent_since timestamptz;
ALTER TABLE asset ADD COLUMN withdrawn_at timestamptz;
ALTER TABLE asset ADD CHECK (parent <> id);
ALTER TABLE asset ADD CHECK ((parent IS NULL) = (parent_since IS NULL));
CREATE INDEX asset_parent ON asset (parent) WHERE parent IS NOT NULL;

-- A serial that an asset bore; `from_at` 1970 means as long as we know. A new mainboard is a new row of the same asset.
CREATE TABLE asset_serial (
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    serial text NOT NULL CHECK (serial <> ''),
    from_at timestamptz NOT NULL,
    to_at timestamptz,
    PRIMARY KEY (asset, from_at),
    CHECK (from_at < to_at)
);
CREATE INDEX asset_serial_serial ON asset_serial (lower(serial));
CREATE UNIQUE INDEX asset_serial_one ON asset_serial (asset) WHERE to_at IS NULL;
INSERT INTO asset_serial (asset, serial, from_at) SELECT id, serial, 'epoch' FROM asset WHERE serial <> '';

-- A tag is on its asset from `bound_from` (1970: as long as we know) until before `bound_to`, and stands for no other in
-- that time; afterwards it may be bound anew. Whatever a retired tag does moves nothing.
ALTER TABLE tag ADD COLUMN tid text COLLATE "C" CHECK (tid ~ '^([0-9a-f]{2}){1,62}$');
ALTER TABLE tag ADD COLUMN bound_from timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE tag ALTER COLUMN bound_from DROP DEFAULT;
ALTER TABLE tag ADD COLUMN bound_to timestamptz;
ALTER TABLE tag ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'retired'));
ALTER TABLE tag ADD CHECK (bound_from < bound_to);
ALTER TABLE tag ADD CHECK (state = 'active' OR bound_to IS NOT NULL);
ALTER TABLE tag DROP CONSTRAINT tag_pkey;
ALTER TABLE tag ADD PRIMARY KEY (epc, bound_from);
CREATE UNIQUE INDEX tag_bound ON tag (epc) WHERE bound_to IS NULL;
CREATE INDEX tag_tid ON tag (tid) WHERE tid IS NOT NULL;

CREATE FUNCTION refuse_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM tag AS o
        WHERE o.epc = NEW.epc AND o.bound_from <> NEW.bound_from
            AND tstzrange(o.bound_from, o.bound_to) && tstzrange(NEW.bound_from, NEW.bound_to)
    ) THEN
        RAISE EXCEPTION 'tag % is on another asset in that time: end that binding first', NEW.epc;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER tag_is_on_one_asset BEFORE INSERT OR UPDATE ON tag FOR EACH ROW EXECUTE FUNCTION refuse_overlap();

-- The axes of an asset's state, folded from acts. Null, where it may be, is what nobody told yet.
CREATE TABLE asset_state (
    asset text COLLATE "C" PRIMARY KEY REFERENCES asset,
    lifecycle text CHECK (lifecycle IN ('requested', 'ordered', 'received', 'in_stock', 'reserved', 'in_use', 'returned',
                                        'redeployable', 'disposal_review', 'retired', 'disposed')),
    lifecycle_since timestamptz,
    custody_kind text NOT NULL CHECK (custody_kind IN ('person', 'pool', 'stockroom', 'vendor', 'none')),
    custodian text COLLATE "C",
    custody_since timestamptz,
    custody_acknowledged_at timestamptz,
    condition text CHECK (condition IN ('working', 'damaged')),
    data_state text CHECK (data_state IN ('unwiped', 'wiped', 'verified', 'no_storage')),
    title text NOT NULL CHECK (title IN ('owned', 'leased', 'customer')),
    title_holder text,
    title_return_on date,
    holds text[] NOT NULL CHECK (holds <@ ARRAY['quarantine', 'legal', 'security', 'recall']),
    CHECK ((lifecycle IS NULL) = (lifecycle_since IS NULL)),
    CHECK ((custody_kind = 'none') = (custodian IS NULL)),
    CHECK (custodian IS NULL OR custody_since IS NOT NULL),
    CHECK (custody_acknowledged_at IS NULL OR custodian IS NOT NULL),
    CHECK ((title = 'owned') = (title_holder IS NULL)),
    CHECK (title <> 'owned' OR title_return_on IS NULL)
);
CREATE INDEX asset_state_lifecycle ON asset_state (lifecycle);
CREATE INDEX asset_state_custodian ON asset_state (custodian) WHERE custodian IS NOT NULL;
CREATE INDEX asset_state_held ON asset_state (asset) WHERE holds <> '{}';

-- Nobody approves an own request or a pass to carry something out oneself.
ALTER TABLE authorisation ADD COLUMN kind text NOT NULL DEFAULT 'standing'
    CHECK (kind IN ('issue', 'transfer', 'loan', 'repair', 'return', 'disposal', 'gate_pass', 'standing'));
ALTER TABLE authorisation ALTER COLUMN kind DROP DEFAULT;
ALTER TABLE authorisation ADD COLUMN person text COLLATE "C" REFERENCES person;
ALTER TABLE authorisation ADD COLUMN single_use boolean NOT NULL DEFAULT false;
ALTER TABLE authorisation ADD COLUMN expected_return timestamptz;
ALTER TABLE authorisation ADD COLUMN requested_by text COLLATE "C" REFERENCES person;
ALTER TABLE authorisation ADD COLUMN approved_by text COLLATE "C" REFERENCES person;
ALTER TABLE authorisation ADD COLUMN withdrawn_at timestamptz;
ALTER TABLE authorisation ADD CHECK (requested_by <> approved_by);
ALTER TABLE authorisation ADD CHECK (person <> approved_by);
ALTER TABLE authorisation ADD CHECK (kind <> 'gate_pass' OR (person IS NOT NULL AND valid_to IS NOT NULL
                                     AND requested_by IS NOT NULL AND approved_by IS NOT NULL));
