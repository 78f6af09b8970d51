-- Business days, and what falls due by them: calendars with their versions and overrides, deadlines, loans and repairs.

INSERT INTO act_kind VALUES
    ('calendar_taken'), ('calendar_overridden'), ('deadline_fired'), ('sla_policy_set'),
    ('loan_opened'), ('loan_extended'), ('loan_returned'), ('repair_opened'), ('repair_closed');

-- A calendar as it counted once: its version is a digest of its days, so equal days are one row. What fell due by it names
-- the version, and nothing here ever changes. `weekend` holds ISO weekdays; `calendar` the days that differ from them.
CREATE TABLE calendar_version (
    version text COLLATE "C" PRIMARY KEY CHECK (version <> ''),
    country text COLLATE "C" CHECK (country ~ '^[A-Z]{2}$'),
    subdivision text COLLATE "C",
    source text NOT NULL,
    last_day date NOT NULL,
    weekend smallint[] NOT NULL CHECK (weekend <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[]),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK (subdivision IS NULL OR country IS NOT NULL)
);
CREATE TRIGGER calendar_version_is_append_only BEFORE UPDATE OR DELETE ON calendar_version
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE calendar (
    version text COLLATE "C" NOT NULL REFERENCES calendar_version,
    day date NOT NULL,
    working boolean NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (version, day)
);
CREATE TRIGGER calendar_is_append_only BEFORE UPDATE OR DELETE ON calendar
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What a country published, and from when on we count by it. The first one counts for all time before, too.
CREATE TABLE calendar_taken (
    country text COLLATE "C",
    subdivision text COLLATE "C",
    since timestamptz NOT NULL,
    version text COLLATE "C" NOT NULL REFERENCES calendar_version,
    act bigint NOT NULL REFERENCES act,
    UNIQUE NULLS NOT DISTINCT (country, subdivision, since)
);
CREATE TRIGGER calendar_taken_is_append_only BEFORE UPDATE OR DELETE ON calendar_taken
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- One day declared working or closed for a location and below it, or a subdivision, or a country; `published` takes an
-- earlier one of the same scope back.
CREATE TABLE calendar_override (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day date NOT NULL CHECK (day BETWEEN '2020-01-01' AND '2049-12-31'),
    status text NOT NULL CHECK (status IN ('working', 'closed', 'published')),
    country text COLLATE "C" CHECK (country ~ '^[A-Z]{2}$'),
    subdivision text COLLATE "C",
    location text COLLATE "C" REFERENCES location,
    reason text NOT NULL CHECK (length(trim(reason)) >= 3),
    by text NOT NULL CHECK (by <> ''),
    recorded_at timestamptz NOT NULL,
    act bigint NOT NULL REFERENCES act,
    CHECK ((location IS NULL) <> (country IS NULL)),
    CHECK (subdivision IS NULL OR country IS NOT NULL)
);
CREATE TRIGGER calendar_override_is_append_only BEFORE UPDATE OR DELETE ON calendar_override
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Who hears when. `path` holds whom warning and due date go to, then one for each step; `steps` are business days after the
-- due date. `receiver` and `owner` stand for whom the record itself names. `business_days` is for what has no due date of
-- its own.
CREATE TABLE sla_policy (
    subject_kind text COLLATE "C" PRIMARY KEY
        CHECK (subject_kind IN ('receipt', 'exception_assign', 'exception_close', 'repair', 'loan')),
    business_days integer CHECK (business_days BETWEEN 1 AND 250),
    warn boolean NOT NULL,
    steps integer[] NOT NULL CHECK (cardinality(steps) BETWEEN 1 AND 3 AND 0 <= ALL (steps)),
    path text[] NOT NULL CHECK (array_position(path, NULL) IS NULL AND array_position(path, '') IS NULL),
    CHECK (cardinality(path) = cardinality(steps) + 1),
    CHECK ((business_days IS NOT NULL) = (subject_kind = 'repair'))
);
INSERT INTO sla_policy VALUES
    ('receipt', NULL, true, '{0,1,3}', '{receiver,branch_admin,itam_manager,it_ops_head}'),
    ('exception_assign', NULL, false, '{0,1,3}', '{owner,branch_admin,itam_manager,it_ops_head}'),
    ('exception_close', NULL, true, '{0,1,3}', '{owner,branch_admin,itam_manager,it_ops_head}'),
    ('repair', 15, true, '{0,1,3}', '{owner,service_desk,itam_manager,it_ops_head}'),
    ('loan', NULL, false, '{0,1,3}', '{owner,service_desk,service_desk_manager,itam_manager}');

-- What has to be looked at, and when: planned from the records that are open, made anew by the sweep whenever it lacks. That
-- one has fired is an act, so a deadline that is planned again finds it and doesn't fire twice.
CREATE TABLE deadline (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_kind text COLLATE "C" NOT NULL REFERENCES sla_policy,
    subject text COLLATE "C" NOT NULL CHECK (subject <> ''),
    stage text COLLATE "C" NOT NULL CHECK (stage IN ('warn', 'due', 'l1', 'l2', 'l3')),
    at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    calendar_version text COLLATE "C" NOT NULL REFERENCES calendar_version,
    answerable text NOT NULL CHECK (answerable <> ''),
    recipient text NOT NULL CHECK (recipient <> ''),
    fired_at timestamptz,
    act bigint REFERENCES act,
    UNIQUE (subject_kind, subject, due_at, stage),
    CHECK ((fired_at IS NULL) = (act IS NULL)),
    CHECK (stage <> 'due' OR at = due_at)
);
CREATE INDEX deadline_next ON deadline (at, id) WHERE fired_at IS NULL;
CREATE UNIQUE INDEX act_deadline_fired ON act (subject, (detail ->> 'due_at'), (detail ->> 'stage'))
    WHERE kind = 'deadline_fired';

-- What is open and due, of whatever kind, all or the subjects named. A function, since some of these tables come with later
-- migrations.
CREATE FUNCTION obligation(named text[] DEFAULT NULL) RETURNS TABLE (
    kind text, subject text, asset text, location text, start timestamptz, due_at timestamptz, answerable text, path text[]
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    -- A leg whose dispatch is only assumed starts no clock.
    SELECT 'receipt', l.id, l.asset, coalesce(l.destination, l.origin), l.dispatched_at, l.receipt_due, l.receiver,
           l.escalation_path
    FROM transit_leg AS l
    WHERE l.state IN ('open', 'wrong_destination') AND NOT 'dispatched_at' = ANY (l.assumed)
        AND (named IS NULL OR l.id = ANY (named))
    UNION ALL
    SELECT 'exception_assign', e.id::text, e.asset, e.location, e.opened_at, e.assign_by, e.owner_role, '{}'::text[]
    FROM exception AS e WHERE e.state = 'open' AND (named IS NULL OR e.id::text = ANY (named))
    UNION ALL
    SELECT 'exception_close', e.id::text, e.asset, e.location, e.opened_at, e.due_at, coalesce(e.owner, e.owner_role),
           '{}'::text[]
    FROM exception AS e
    WHERE e.state NOT IN ('closed', 'accepted_risk') AND (named IS NULL OR e.id::text = ANY (named))
    UNION ALL
    SELECT 'repair', r.id, r.asset, r.location, r.opened_at, r.overdue_at, 'service_desk', '{}'::text[]
    FROM repair AS r WHERE r.closed_at IS NULL AND (named IS NULL OR r.id = ANY (named))
    UNION ALL
    SELECT 'loan', l.id, l.asset, l.location, l.opened_at, l.due_at, l.person, '{}'::text[]
    FROM loan AS l WHERE l.returned_at IS NULL AND (named IS NULL OR l.id = ANY (named));
END
$$;

-- Loans and repairs as their acts tell them.
CREATE TABLE loan (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    person text COLLATE "C" NOT NULL REFERENCES person,
    incident text NOT NULL CHECK (incident <> ''),
    location text COLLATE "C" NOT NULL REFERENCES location,
    opened_at timestamptz NOT NULL,
    due_on date NOT NULL,
    due_at timestamptz NOT NULL,
    calendar text COLLATE "C" NOT NULL CHECK (calendar <> ''),
    extended integer NOT NULL DEFAULT 0,
    approved_by text COLLATE "C" REFERENCES person,
    returned_at timestamptz,
    CHECK (due_at > opened_at),
    CHECK ((extended = 0) = (approved_by IS NULL)),
    CHECK (approved_by <> person),
    CHECK (returned_at >= opened_at)
);
CREATE UNIQUE INDEX loan_open ON loan (asset) WHERE returned_at IS NULL;

CREATE TABLE repair (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    vendor text NOT NULL CHECK (vendor <> ''),
    rma text NOT NULL CHECK (rma <> ''),
    location text COLLATE "C" NOT NULL REFERENCES location,
    opened_at timestamptz NOT NULL,
    expected_return date NOT NULL,
    overdue_at timestamptz NOT NULL,
    calendar text COLLATE "C" NOT NULL CHECK (calendar <> ''),
    closed_at timestamptz,
    outcome text CHECK (outcome IN ('repaired', 'replaced', 'beyond_repair', 'lost_by_vendor')),
    CHECK (overdue_at > opened_at),
    CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CHECK (closed_at >= opened_at)
);
CREATE UNIQUE INDEX repair_open ON repair (asset) WHERE closed_at IS NULL;
