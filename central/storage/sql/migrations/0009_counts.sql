-- Continuous counts: what zones and sweeps heard, folded into coverage and presence; scheduled counts and verification.

INSERT INTO act_kind VALUES ('count_planned'), ('count_started'), ('count_submitted'), ('count_signed'), ('count_cancelled'),
    ('asset_verified'), ('zone_placed');

-- Where a zone lies. A zone that isn't named here and bears a location's id (a handheld's sweep) lies there.
CREATE TABLE presence_zone (
    gateway text COLLATE "C" NOT NULL,
    zone text COLLATE "C" NOT NULL CHECK (zone <> ''),
    location text COLLATE "C" NOT NULL REFERENCES location,
    PRIMARY KEY (gateway, zone)
);
-- Zones that speak and lie nowhere yet: their rows are kept, and folded once somebody says where.
CREATE TABLE zone_waiting (
    gateway text COLLATE "C" NOT NULL,
    zone text COLLATE "C" NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (gateway, zone)
);
CREATE INDEX presence_zone_time ON presence (zone, gateway, to_at) WHERE mode <> 'portal';

-- What came and isn't folded yet: presence by its zone, or a place that is to be counted again. Writers only add, the fold
-- takes away what it saw: neither waits for the other.
CREATE TABLE presence_todo (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway text COLLATE "C",
    zone text COLLATE "C",
    mode text,
    from_at timestamptz,
    to_at timestamptz,
    location text COLLATE "C",
    CHECK ((location IS NULL) = (zone IS NOT NULL AND gateway IS NOT NULL AND mode IS NOT NULL AND from_at IS NOT NULL
                                 AND to_at IS NOT NULL))
);
INSERT INTO presence_todo (gateway, zone, mode, from_at, to_at)
    SELECT DISTINCT ON (gateway, zone, mode) gateway, zone, mode, from_at, to_at
    FROM presence WHERE mode <> 'portal' ORDER BY gateway, zone, mode, to_at;

-- How far a place is folded; `next_at` is when a round that goes on now will have ended. Its lock is the place's.
CREATE TABLE place_fold (
    location text COLLATE "C" PRIMARY KEY REFERENCES location,
    upto timestamptz,
    next_at timestamptz,
    seen text NOT NULL DEFAULT ''
);

-- What is known of an asset at a place; the three weights add up to 1. Kept when it leaves: its tags may come back.
CREATE TABLE tag_presence (
    location text COLLATE "C" NOT NULL REFERENCES location,
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    since timestamptz NOT NULL,
    at timestamptz NOT NULL,
    there double precision NOT NULL CHECK (there BETWEEN 0 AND 1),
    gone double precision NOT NULL CHECK (gone BETWEEN 0 AND 1),
    faded double precision NOT NULL CHECK (faded BETWEEN 0 AND 1),
    heard_at timestamptz,
    silent integer NOT NULL CHECK (silent >= 0),
    reads jsonb NOT NULL,
    PRIMARY KEY (location, asset)
);
CREATE INDEX tag_presence_asset ON tag_presence (asset);

CREATE TABLE sighting (
    location text COLLATE "C" NOT NULL REFERENCES location,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    mode text NOT NULL CHECK (mode IN ('zone', 'sweep')),
    probability double precision NOT NULL CHECK (probability BETWEEN 0 AND 1),
    PRIMARY KEY (location, to_at, from_at, mode)
);

CREATE TABLE stranger (
    location text COLLATE "C" NOT NULL REFERENCES location,
    epc text COLLATE "C" NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    rounds bigint NOT NULL CHECK (rounds > 0),
    swept boolean NOT NULL,
    PRIMARY KEY (location, epc)
);
CREATE INDEX stranger_epc ON stranger (epc);

-- The ledger: no holes from the first sighting on. The last line of a place is open: it holds until something happens.
CREATE TABLE coverage (
    location text COLLATE "C" NOT NULL REFERENCES location,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('sighted', 'balanced', 'none')),
    probability double precision CHECK (probability BETWEEN 0 AND 1),
    PRIMARY KEY (location, from_at),
    CHECK (from_at < to_at),
    CHECK ((kind = 'none') = (probability IS NULL))
);

-- What a place's count depends on besides presence: who moved in or out, and which of its doors were dark. Its change means
-- that the place is to be counted again.
CREATE VIEW place_seen AS
SELECT l.id AS location,
       md5(coalesce((
           SELECT string_agg(concat_ws(' ', c.shard, c.count, c.counted_at), ',' ORDER BY c.shard)
           FROM location_counter AS c WHERE c.location = l.id
       ), '') || '/' || coalesce((
           SELECT concat_ws(' ', count(*), count(o.to_at), max(o.from_at), max(o.to_at))
           FROM portal AS p JOIN portal_outage AS o ON o.portal = p.id WHERE l.id IN (p.inside, p.outside)
       ), '')) AS seen
FROM location AS l WHERE l.withdrawn_at IS NULL;

-- Counters: what the perpetual count of each place says, and of each asset there.
CREATE TABLE place_count (
    location text COLLATE "C" PRIMARY KEY REFERENCES location,
    coverage text NOT NULL CHECK (coverage IN ('sighted', 'balanced', 'none')),
    probability double precision,
    sighted_at timestamptz,
    book bigint NOT NULL,
    found bigint NOT NULL,
    missing bigint NOT NULL,
    unexpected bigint NOT NULL,
    unknown bigint NOT NULL,
    as_of timestamptz NOT NULL,
    CHECK (book = found + missing + unknown),
    CHECK (coverage <> 'none' OR (found = 0 AND missing = 0))
);
CREATE INDEX place_count_newest ON place_count (as_of);
CREATE TABLE place_asset (
    location text COLLATE "C" NOT NULL REFERENCES location,
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    bucket text NOT NULL CHECK (bucket IN ('found', 'missing', 'unexpected', 'unknown')),
    probability double precision CHECK (probability BETWEEN 0 AND 1),
    seen_at timestamptz,
    elsewhere text COLLATE "C" REFERENCES location,
    tag_silent boolean NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (location, asset)
);
CREATE INDEX place_asset_asset ON place_asset (asset);
CREATE INDEX place_asset_doubtful ON place_asset (location) WHERE bucket <> 'found';
CREATE INDEX location_parent ON location (parent);

-- What a class needs: its rank in ABC counting, how long a verification holds and which grade counts. '*' is all others.
CREATE TABLE class_policy (
    class text COLLATE "C" PRIMARY KEY CHECK (class <> ''),
    rank text NOT NULL CHECK (rank IN ('A', 'B', 'C')),
    valid_days integer NOT NULL CHECK (valid_days > 0),
    least_grade text NOT NULL CHECK (least_grade IN ('tag_seen', 'barcode', 'serial_seen', 'serial_and_custodian'))
);
INSERT INTO class_policy VALUES ('*', 'B', 365, 'tag_seen');

CREATE FUNCTION grade_rank(grade text) RETURNS integer LANGUAGE sql IMMUTABLE AS
    $$ SELECT array_position(ARRAY['tag_seen', 'barcode', 'serial_seen', 'serial_and_custodian'], grade) $$;

-- A scheduled count: planned, started (the book frozen), submitted, signed. What is signed never changes.
CREATE TABLE count_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('quarterly_cycle', 'annual_audit', 'finance_close', 'security_review',
                                       'monthly_control', 'spot')),
    location text COLLATE "C" NOT NULL REFERENCES location,
    ranks text[] NOT NULL DEFAULT '{}' CHECK (ranks <@ ARRAY['A', 'B', 'C']),
    blind boolean NOT NULL,
    state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'counting', 'submitted', 'signed', 'cancelled')),
    planned_for date NOT NULL,
    due_on date NOT NULL,
    planned_by text COLLATE "C" NOT NULL REFERENCES person,
    planned_at timestamptz NOT NULL,
    frozen_at timestamptz,
    started_by text COLLATE "C" REFERENCES person,
    submitted_at timestamptz,
    submitted_by text COLLATE "C" REFERENCES person,
    signed_at timestamptz,
    signed_by text COLLATE "C" REFERENCES person,
    note text NOT NULL DEFAULT '',
    CHECK (planned_for <= due_on),
    CHECK ((state IN ('counting', 'submitted', 'signed')) <= (frozen_at IS NOT NULL AND started_by IS NOT NULL)),
    CHECK ((state IN ('submitted', 'signed')) <= (submitted_at IS NOT NULL AND submitted_by IS NOT NULL)),
    CHECK ((state = 'signed') = (signed_at IS NOT NULL AND signed_by IS NOT NULL))
);
CREATE INDEX count_run_location ON count_run (location, id);
-- One count of its kind at a time and place, so that a schedule that is run twice plans once.
CREATE UNIQUE INDEX count_run_once ON count_run (kind, location, planned_for, ranks) WHERE state <> 'cancelled';

-- The frozen book, and what was found beside it (`booked` is where the book had it, null if nowhere).
CREATE TABLE count_line (
    run bigint NOT NULL REFERENCES count_run,
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    booked text COLLATE "C" REFERENCES location,
    observed text COLLATE "C" REFERENCES location,
    observed_at timestamptz,
    observed_by text,
    grade text CHECK (grade IN ('tag_seen', 'barcode', 'serial_seen', 'serial_and_custodian')),
    evidence text,
    confidence double precision CHECK (confidence BETWEEN 0 AND 1),
    tag_silent boolean NOT NULL DEFAULT false,
    bucket text CHECK (bucket IN ('found', 'missing', 'unexpected', 'unknown')),
    PRIMARY KEY (run, asset),
    CHECK (booked IS NOT NULL OR observed IS NOT NULL),
    CHECK ((observed IS NULL) = (observed_at IS NULL) AND (observed IS NULL) = (grade IS NULL)
           AND (observed IS NULL) = (evidence IS NULL) AND (observed IS NULL) = (observed_by IS NULL)),
    CHECK (bucket <> 'found' OR observed IS NOT NULL),
    CHECK (bucket <> 'unexpected' OR observed IS NOT NULL)
);

-- A place's result: how it was covered, and the figures. Not counted has no variance, whatever the book held.
CREATE TABLE count_place (
    run bigint NOT NULL REFERENCES count_run,
    location text COLLATE "C" NOT NULL REFERENCES location,
    searched_by text COLLATE "C" REFERENCES person,
    searched_at timestamptz,
    coverage text CHECK (coverage IN ('searched', 'sighted', 'balanced', 'none')),
    probability double precision,
    book bigint,
    found bigint,
    missing bigint,
    unexpected bigint,
    unknown bigint,
    net double precision,
    gross double precision,
    PRIMARY KEY (run, location),
    CHECK ((searched_by IS NULL) = (searched_at IS NULL)),
    CHECK (coverage <> 'none' OR (net IS NULL AND gross IS NULL AND found = 0 AND missing = 0))
);

CREATE TABLE verification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    at timestamptz NOT NULL,
    location text COLLATE "C" NOT NULL REFERENCES location,
    how text NOT NULL CHECK (how IN ('portal', 'zone', 'sweep', 'handheld', 'scan', 'inspection', 'count')),
    grade text NOT NULL CHECK (grade IN ('tag_seen', 'barcode', 'serial_seen', 'serial_and_custodian')),
    confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    evidence text NOT NULL CHECK (evidence <> ''),
    by text NOT NULL CHECK (by <> ''),
    run bigint REFERENCES count_run,
    recorded_at timestamptz NOT NULL,
    -- Radio hears a tag; what is printed on the machine it can't read.
    CHECK (how NOT IN ('portal', 'zone', 'sweep') OR grade = 'tag_seen')
);
CREATE INDEX verification_asset ON verification (asset, at DESC);
CREATE TRIGGER verification_is_append_only BEFORE UPDATE OR DELETE ON verification
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- An asset's last verification: what was recorded and, as a tag seen, what antennas heard where the book has it.
CREATE VIEW asset_verification AS
SELECT a.id AS asset, p.valid_days, p.least_grade, v.at, v.location, v.how, v.grade, v.confidence, v.evidence,
       v.at + make_interval(days => p.valid_days) AS valid_until
FROM asset AS a
JOIN LATERAL (
    SELECT * FROM class_policy AS c WHERE c.class IN (a.class, '*') ORDER BY c.class = '*' LIMIT 1
) AS p ON true
LEFT JOIN LATERAL (
    SELECT * FROM (
        (SELECT r.at, r.location, r.how, r.grade, r.confidence, r.evidence FROM verification AS r
         WHERE r.asset = a.id AND grade_rank(r.grade) >= grade_rank(p.least_grade) ORDER BY r.at DESC LIMIT 1)
        UNION ALL
        (SELECT t.heard_at, t.location, 'zone', 'tag_seen', t.there, 'presence of ' || t.location
         FROM tag_presence AS t
         WHERE t.asset = a.id AND t.heard_at IS NOT NULL AND p.least_grade = 'tag_seen'
         ORDER BY t.heard_at DESC LIMIT 1)
    ) AS both_kinds ORDER BY at DESC LIMIT 1
) AS v ON true
WHERE a.withdrawn_at IS NULL;

-- What is signed stays, and lines are only written while somebody counts.
CREATE FUNCTION keep_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state IN ('signed', 'cancelled') THEN
        RAISE EXCEPTION 'count % is %: its result never changes, plan another count', OLD.id, OLD.state;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER count_run_stays BEFORE UPDATE OR DELETE ON count_run FOR EACH ROW EXECUTE FUNCTION keep_signed();

CREATE FUNCTION keep_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_run bigint := CASE TG_OP WHEN 'DELETE' THEN OLD.run ELSE NEW.run END;
    its text;
BEGIN
    SELECT state INTO its FROM count_run WHERE id = of_run;
    IF TG_OP = 'DELETE' OR its <> 'counting' THEN
        RAISE EXCEPTION 'count % is %: its lines never change', of_run, its;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.run <> OLD.run THEN
        RAISE EXCEPTION 'a line belongs to count % for good', OLD.run;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER count_line_stays BEFORE INSERT OR UPDATE OR DELETE ON count_line
    FOR EACH ROW EXECUTE FUNCTION keep_lines();
CREATE TRIGGER count_place_stays BEFORE INSERT OR UPDATE OR DELETE ON count_place
    FOR EACH ROW EXECUTE FUNCTION keep_lines();

-- The branch owner signs: who holds the owner role of the place there or above it. Not who keeps one of its stockrooms,
-- has one of its assets in custody, or counted.
CREATE FUNCTION separate_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    its_role text;
    place text;
BEGIN
    IF NEW.state <> 'signed' OR OLD.state = 'signed' THEN
        RETURN NEW;
    END IF;
    SELECT owner_role INTO its_role FROM location_inherited WHERE id = NEW.location;
    IF its_role IS NULL THEN
        RAISE EXCEPTION 'location % has no owner role, so nobody may sign: name one in locations.csv', NEW.location;
    END IF;
    IF NOT EXISTS (
        WITH RECURSIVE chain AS (
            SELECT id, parent FROM location WHERE id = NEW.location
            UNION ALL SELECT l.id, l.parent FROM chain AS c JOIN location AS l ON l.id = c.parent
        )
        SELECT FROM role_holder AS h
        WHERE h.role = its_role AND h.person = NEW.signed_by
            AND (h.location IS NULL OR h.location IN (SELECT id FROM chain))
    ) THEN
        RAISE EXCEPTION '% is not % of %: its owner has to sign', NEW.signed_by, its_role, NEW.location
            USING CONSTRAINT = 'separation_of_duties', DETAIL = 'count_owner';
    END IF;
    SELECT coalesce(h.location, NEW.location) INTO place FROM role_holder AS h
    WHERE h.role = 'stockroom_custodian' AND h.person = NEW.signed_by
        AND (h.location IS NULL OR h.location IN (SELECT location FROM count_place WHERE run = NEW.id)) LIMIT 1;
    IF place IS NOT NULL THEN
        RAISE EXCEPTION '% keeps stockroom %: another person has to sign its count', NEW.signed_by, place
            USING CONSTRAINT = 'separation_of_duties', DETAIL = 'own_stockroom';
    END IF;
    IF EXISTS (
        SELECT FROM count_line AS l JOIN asset_state AS s ON s.asset = l.asset
        LEFT JOIN pool AS p ON s.custody_kind = 'pool' AND p.id = s.custodian
        WHERE l.run = NEW.id AND s.custody_kind IN ('person', 'pool') AND coalesce(p.owner, s.custodian) = NEW.signed_by
    ) THEN
        RAISE EXCEPTION '% has counted assets in custody: another person has to sign', NEW.signed_by
            USING CONSTRAINT = 'separation_of_duties', DETAIL = 'own_stockroom';
    END IF;
    IF NEW.signed_by IN (NEW.submitted_by, NEW.started_by) OR EXISTS (
        SELECT FROM count_line WHERE run = NEW.id AND observed_by = NEW.signed_by
        UNION ALL SELECT FROM count_place WHERE run = NEW.id AND searched_by = NEW.signed_by
    ) THEN
        RAISE EXCEPTION '% counted: another person has to sign', NEW.signed_by
            USING CONSTRAINT = 'separation_of_duties', DETAIL = 'own_count';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER count_is_signed_by_another BEFORE UPDATE ON count_run FOR EACH ROW EXECUTE FUNCTION separate_count();

-- What is counted when, by itself. `next_on` moves on by the kind's months as its counts are planned.
CREATE TABLE count_schedule (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('quarterly_cycle', 'annual_audit', 'finance_close', 'security_review',
                                       'monthly_control')),
    location text COLLATE "C" NOT NULL REFERENCES location,
    ranks text[] NOT NULL DEFAULT '{}' CHECK (ranks <@ ARRAY['A', 'B', 'C']),
    blind boolean NOT NULL,
    next_on date NOT NULL,
    planned_by text COLLATE "C" NOT NULL REFERENCES person,
    UNIQUE (kind, location, ranks)
);
