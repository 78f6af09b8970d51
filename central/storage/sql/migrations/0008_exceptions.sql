-- What is wrong and who puts it right: the exception queue, the life of an alert, doors that are mute or dark, and the
-- knowledge that anomalies are judged by. Separation of duties is refused here, whatever program asks.

INSERT INTO act_kind VALUES
    ('exception_step'), ('alert_investigated'), ('alert_resolved'), ('portal_measured'), ('portal_measure_ended'),
    ('glass_broken'), ('sighted');

-- One exception: open until somebody shows evidence. What it may be is in the program's taxonomy; what held when it was
-- opened is kept here.
CREATE TABLE exception (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category text COLLATE "C" NOT NULL CHECK (category ~ '^[a-z_]{1,40}$'),
    severity text NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low')),
    asset text COLLATE "C" REFERENCES asset,
    location text COLLATE "C" REFERENCES location,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'assigned', 'investigating', 'awaiting_approval', 'closed',
                                                        'accepted_risk')),
    owner_role text COLLATE "C" NOT NULL,
    owner text COLLATE "C" REFERENCES person,
    closure_path text NOT NULL,
    opened_at timestamptz NOT NULL,
    assign_by timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    calendar text NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    occurrences bigint NOT NULL DEFAULT 0,
    -- Nothing closes by itself: that the world has put it right is only suggested, with who or what says so.
    suggestion text,
    suggested_by text,
    suggested_at timestamptz,
    outcome text CHECK (outcome IN ('closed', 'accepted_risk')),
    evidence jsonb CHECK (jsonb_typeof(evidence) = 'object' AND evidence ->> 'kind' <> ''
                          AND evidence ->> 'reference' <> ''),
    proposed_by text COLLATE "C" REFERENCES person,
    decided_by text COLLATE "C" REFERENCES person,
    decided_at timestamptz,
    reopened integer NOT NULL DEFAULT 0,
    CHECK (asset IS NOT NULL OR location IS NOT NULL),
    CHECK (state NOT IN ('assigned', 'investigating') OR owner IS NOT NULL),
    CHECK ((state IN ('awaiting_approval', 'closed', 'accepted_risk')) = (evidence IS NOT NULL AND outcome IS NOT NULL
                                                                         AND proposed_by IS NOT NULL)),
    CHECK ((state IN ('closed', 'accepted_risk')) = (decided_by IS NOT NULL AND decided_at IS NOT NULL)),
    CHECK (state NOT IN ('closed', 'accepted_risk') OR outcome = state),
    CHECK ((suggestion IS NULL) = (suggested_by IS NULL) AND (suggestion IS NULL) = (suggested_at IS NULL))
);
CREATE UNIQUE INDEX exception_one_open ON exception (category, asset, location) NULLS NOT DISTINCT
    WHERE state NOT IN ('closed', 'accepted_risk');
CREATE INDEX exception_due ON exception (due_at, id) WHERE state NOT IN ('closed', 'accepted_risk');
CREATE INDEX exception_asset ON exception (asset) WHERE asset IS NOT NULL;

-- Each time that it happened, by who says so. Withdrawn is what its source no longer says, since more of the log came.
CREATE TABLE exception_occurrence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exception bigint NOT NULL REFERENCES exception,
    source text COLLATE "C" NOT NULL CHECK (source <> ''),
    category text COLLATE "C" NOT NULL,
    asset text COLLATE "C" NOT NULL,
    location text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    severity text NOT NULL,
    due_at timestamptz NOT NULL,
    evidence jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    UNIQUE (source, category, asset, location, at, key)
);
CREATE INDEX exception_occurrence_exception ON exception_occurrence (exception);
CREATE INDEX exception_occurrence_standing ON exception_occurrence (asset, source) WHERE withdrawn_at IS NULL;
CREATE INDEX exception_occurrence_key ON exception_occurrence (key, source) WHERE withdrawn_at IS NULL AND key <> '';

CREATE TABLE exception_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exception bigint NOT NULL REFERENCES exception,
    at timestamptz NOT NULL,
    kind text COLLATE "C" NOT NULL,
    by text NOT NULL CHECK (by <> ''),
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX exception_event_exception ON exception_event (exception, id);
CREATE TRIGGER exception_event_is_append_only BEFORE UPDATE OR DELETE ON exception_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A rule of separation that somebody broke open with a reason: it holds for the transaction that it is written in, and it
-- is an exception of its own.
CREATE TABLE break_glass (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    by text COLLATE "C" NOT NULL CHECK (by <> ''),
    rule text NOT NULL CHECK (rule IN ('own_custody', 'four_eyes', 'mute_and_resolve')),
    subject text COLLATE "C" NOT NULL,
    reason text NOT NULL CHECK (length(trim(reason)) >= 10),
    exception bigint NOT NULL REFERENCES exception,
    used_in xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX break_glass_exception ON break_glass (exception);
CREATE TRIGGER break_glass_is_append_only BEFORE UPDATE OR DELETE ON break_glass
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION keep_separate(rule text, by text, subject text, words text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM break_glass AS b
        WHERE b.used_in = pg_current_xact_id() AND b.rule = keep_separate.rule AND b.by = keep_separate.by
            AND b.subject = keep_separate.subject
    ) THEN
        RAISE EXCEPTION '%', words USING CONSTRAINT = 'separation_of_duties', DETAIL = rule;
    END IF;
END
$$;

CREATE FUNCTION separate_exception() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.decided_by IS NULL OR NEW.decided_by IS NOT DISTINCT FROM OLD.decided_by THEN
        RETURN NEW;
    END IF;
    IF NEW.category = 'break_glass' AND EXISTS (
        SELECT FROM break_glass AS b WHERE b.exception = NEW.id AND b.by = NEW.decided_by
    ) THEN
        RAISE EXCEPTION '% broke the glass: another person has to look at it', NEW.decided_by
            USING CONSTRAINT = 'separation_of_duties', DETAIL = 'break_glass';
    END IF;
    IF NEW.asset IS NOT NULL AND NEW.category <> 'break_glass' AND EXISTS (
        SELECT FROM asset_state AS s LEFT JOIN pool AS p ON s.custody_kind = 'pool' AND p.id = s.custodian
        WHERE s.asset = NEW.asset AND s.custody_kind IN ('person', 'pool')
            AND coalesce(p.owner, s.custodian) = NEW.decided_by
    ) THEN
        PERFORM keep_separate('own_custody', NEW.decided_by, 'exception/' || NEW.id,
            NEW.decided_by || ' has ' || NEW.asset || ' in custody: another person has to close this');
    END IF;
    IF NEW.decided_by = NEW.proposed_by AND (NEW.severity IN ('critical', 'high') OR NEW.outcome = 'accepted_risk') THEN
        PERFORM keep_separate('four_eyes', NEW.decided_by, 'exception/' || NEW.id,
            NEW.decided_by || ' proposed this: another person has to approve it');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exception_is_closed_by_another BEFORE INSERT OR UPDATE ON exception
    FOR EACH ROW EXECUTE FUNCTION separate_exception();
CREATE TRIGGER exception_stays BEFORE DELETE ON exception FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The life of an alert: open, acknowledged, investigating, resolved with a verdict.
ALTER TABLE alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE alert DROP CONSTRAINT alert_state_check;
ALTER TABLE alert DROP CONSTRAINT alert_check;
ALTER TABLE alert ADD CONSTRAINT alert_kind_check CHECK (kind IN (
    'unauthorised_exit', 'stale_snapshot', 'ambiguous_passage', 'portal_config_mismatch', 'identity_mismatch',
    'retired_but_active', 'lost_seen', 'untagged_issue', 'unknown_tag', 'impossible_travel', 'cloned_tag', 'not_unique',
    'after_hours', 'loaner_overdue', 'portal_bypass', 'portal_dark'));
ALTER TABLE alert ADD CONSTRAINT alert_state_check
    CHECK (state IN ('open', 'acknowledged', 'investigating', 'resolved', 'observed'));
ALTER TABLE alert ADD COLUMN investigating_at timestamptz;
ALTER TABLE alert ADD COLUMN investigating_by text;
ALTER TABLE alert ADD COLUMN resolved_at timestamptz;
ALTER TABLE alert ADD COLUMN resolved_by text;
ALTER TABLE alert ADD COLUMN verdict text
    CHECK (verdict IN ('authorised_late', 'recovered', 'theft', 'false_read', 'test'));
ALTER TABLE alert ADD COLUMN verdict_standing text CHECK (verdict_standing IN ('provisional', 'confirmed'));
-- A reopened alert never falls below this again, whatever its members say.
ALTER TABLE alert ADD COLUMN least_severity text CHECK (least_severity IN ('critical', 'high', 'low'));
ALTER TABLE alert ADD COLUMN reopened integer NOT NULL DEFAULT 0;
ALTER TABLE alert ADD CONSTRAINT alert_taken CHECK (state NOT IN ('acknowledged', 'investigating')
                                                   OR acknowledged_at IS NOT NULL);
ALTER TABLE alert ADD CONSTRAINT alert_resolved CHECK (
    (state = 'resolved') = (verdict IS NOT NULL) AND (verdict IS NULL) = (resolved_at IS NULL)
    AND (resolved_at IS NULL) = (resolved_by IS NULL) AND (verdict IS NULL) = (verdict_standing IS NULL));
CREATE INDEX alert_portal ON alert (portal, raised_at DESC) WHERE portal IS NOT NULL;

ALTER TABLE alert_event DROP CONSTRAINT alert_event_kind_check;
ALTER TABLE alert_event ADD CONSTRAINT alert_event_kind_check CHECK (kind IN (
    'raised', 'joined', 'corrected', 'reinstated', 'authorised_late', 'acknowledged', 'investigating', 'resolved',
    'confirmed', 'reopened'));

-- Every verdict that was ever given. "False read" is provisional until the world confirms it; figures take confirmed ones.
CREATE TABLE alert_verdict (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert bigint NOT NULL REFERENCES alert,
    verdict text NOT NULL CHECK (verdict IN ('authorised_late', 'recovered', 'theft', 'false_read', 'test')),
    evidence jsonb NOT NULL CHECK (jsonb_typeof(evidence) = 'object' AND evidence ->> 'kind' <> ''
                                   AND evidence ->> 'reference' <> ''),
    at timestamptz NOT NULL,
    by text NOT NULL CHECK (by <> ''),
    standing text NOT NULL CHECK (standing IN ('provisional', 'confirmed', 'refuted')),
    confirm_by timestamptz,
    settled_at timestamptz,
    settled_by text,
    CHECK (standing <> 'provisional' OR (verdict = 'false_read' AND confirm_by IS NOT NULL)),
    CHECK ((standing = 'provisional') = (settled_at IS NULL) AND (settled_at IS NULL) = (settled_by IS NULL))
);
CREATE INDEX alert_verdict_alert ON alert_verdict (alert, id);
CREATE UNIQUE INDEX alert_verdict_waiting ON alert_verdict (alert) WHERE standing = 'provisional';

-- No way to resolved but by a verdict, which is where separation of duties is kept.
CREATE FUNCTION want_verdict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'resolved' AND OLD.state <> 'resolved' AND NOT EXISTS (
        SELECT FROM alert_verdict AS v
        WHERE v.alert = NEW.id AND v.verdict = NEW.verdict AND v."by" = NEW.resolved_by AND v.at = NEW.resolved_at
    ) THEN
        RAISE EXCEPTION 'alert % is resolved by a verdict only', NEW.id;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER alert_is_resolved_by_a_verdict BEFORE UPDATE ON alert FOR EACH ROW EXECUTE FUNCTION want_verdict();

-- A door that is told to be quieter for a while: it ends by itself, and the door is never without its own mode.
CREATE TABLE portal_measure (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    portal text COLLATE "C" NOT NULL REFERENCES portal,
    kind text NOT NULL CHECK (kind IN ('muted', 'demoted')),
    mode text NOT NULL CHECK (mode IN ('observe', 'notify')),
    reason text NOT NULL CHECK (length(trim(reason)) >= 3),
    by text NOT NULL CHECK (by <> ''),
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    CHECK (from_at < until_at),
    CHECK (kind <> 'muted' OR mode = 'observe'),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX portal_measure_portal ON portal_measure (portal, until_at);

-- Who quietens a door doesn't judge what it said, within one shift of 12 hours, whichever comes first. The lock on the door
-- makes two that come at once wait for each other.
CREATE FUNCTION separate_measure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM portal WHERE id = NEW.portal FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM alert_verdict AS v JOIN alert AS a ON a.id = v.alert
        WHERE a.portal = NEW.portal AND lower(v.by) = lower(NEW."by")
            AND v.at > NEW.from_at - INTERVAL '12 hours' AND v.at < NEW.from_at + INTERVAL '12 hours'
    ) THEN
        PERFORM keep_separate('mute_and_resolve', NEW."by", 'portal/' || NEW.portal,
            NEW."by" || ' resolved an alert of ' || NEW.portal || ' in this shift: another person has to quieten it');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER portal_is_quietened_by_another BEFORE INSERT ON portal_measure
    FOR EACH ROW EXECUTE FUNCTION separate_measure();

CREATE FUNCTION separate_verdict() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    door text;
BEGIN
    SELECT portal INTO door FROM alert WHERE id = NEW.alert;
    IF door IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM FROM portal WHERE id = door FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM portal_measure AS m
        WHERE m.portal = door AND lower(m.by) = lower(NEW."by")
            AND m.from_at > NEW.at - INTERVAL '12 hours' AND m.from_at < NEW.at + INTERVAL '12 hours'
    ) THEN
        PERFORM keep_separate('mute_and_resolve', NEW."by", 'alert/' || NEW.alert,
            NEW."by" || ' quietened ' || door || ' in this shift: another person has to resolve its alerts');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER alert_is_resolved_by_another BEFORE INSERT ON alert_verdict
    FOR EACH ROW EXECUTE FUNCTION separate_verdict();

-- Whether a gateway that is not there was asked to go: an upgrade is no cut cable.
ALTER TABLE gateway_state ADD COLUMN stopped boolean NOT NULL DEFAULT false, ADD CHECK (NOT (online AND stopped));

-- When a door was not watched; what could have passed it meanwhile has a doubtful place until it is seen again.
CREATE TABLE portal_outage (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    portal text COLLATE "C" NOT NULL REFERENCES portal,
    from_at timestamptz NOT NULL,
    to_at timestamptz,
    reason text NOT NULL,
    whole boolean NOT NULL,
    planned boolean NOT NULL,
    CHECK (from_at <= to_at)
);
CREATE UNIQUE INDEX portal_outage_open ON portal_outage (portal) WHERE to_at IS NULL;
CREATE INDEX portal_outage_portal ON portal_outage (portal, to_at);

CREATE VIEW asset_doubt AS
SELECT l.asset, l.location, o.portal, o.from_at, o.to_at
FROM portal_outage AS o
JOIN portal AS p ON p.id = o.portal
JOIN asset_location AS l ON l.location IN (p.inside, p.outside) AND (o.to_at IS NULL OR l.since < o.to_at);

-- What anomalies are judged by: where sites lie, and how long the fastest way between two takes; the pair stands once, in order.
CREATE TABLE site_position (
    location text COLLATE "C" PRIMARY KEY REFERENCES location,
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180)
);
CREATE TABLE site_travel (
    one text COLLATE "C" NOT NULL REFERENCES location,
    other text COLLATE "C" NOT NULL REFERENCES location,
    fastest interval NOT NULL CHECK (fastest > INTERVAL '0'),
    PRIMARY KEY (one, other),
    CHECK (one < other)
);

-- When assets of a class may move, in the local time of the place; without a row, at any time.
CREATE TABLE class_hours (
    class text NOT NULL CHECK (class <> ''),
    days smallint[] NOT NULL CHECK (days <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[] AND days <> '{}'),
    opens time NOT NULL,
    closes time NOT NULL,
    PRIMARY KEY (class),
    CHECK (opens < closes)
);
