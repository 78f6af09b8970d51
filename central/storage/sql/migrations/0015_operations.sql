-- What people who run the place set: how often classes of each ABC rank are counted, and counts that the clock opens.

-- A rank's classes are counted every so many months; a schedule looks here each time that it moves on.
CREATE TABLE abc_interval (
    rank text COLLATE "C" PRIMARY KEY CHECK (rank IN ('A', 'B', 'C')),
    months integer NOT NULL CHECK (months BETWEEN 1 AND 60)
);
INSERT INTO abc_interval VALUES ('A', 3), ('B', 6), ('C', 12);

ALTER TABLE count_schedule DROP CONSTRAINT count_schedule_kind_check;
ALTER TABLE count_schedule ADD CONSTRAINT count_schedule_kind_check CHECK (
    kind IN ('quarterly_cycle', 'annual_audit', 'finance_close', 'security_review', 'monthly_control', 'abc_cycle'));
ALTER TABLE count_schedule ADD COLUMN ended_at timestamptz;
-- Each rank has its own interval, so each is a schedule of its own.
ALTER TABLE count_schedule ADD CHECK (kind <> 'abc_cycle' OR cardinality(ranks) = 1);

ALTER TABLE count_run DROP CONSTRAINT count_run_kind_check;
ALTER TABLE count_run ADD CONSTRAINT count_run_kind_check CHECK (
    kind IN ('quarterly_cycle', 'annual_audit', 'finance_close', 'security_review', 'monthly_control', 'spot', 'abc_cycle'));
-- What a schedule opens nobody in particular has started: the clock has.
ALTER TABLE count_run ADD COLUMN schedule bigint REFERENCES count_schedule;
ALTER TABLE count_run DROP CONSTRAINT count_run_check1;
ALTER TABLE count_run ADD CONSTRAINT count_run_started CHECK (
    state IN ('planned', 'cancelled') OR (frozen_at IS NOT NULL AND (started_by IS NOT NULL OR schedule IS NOT NULL)));

-- When a place is open, by its own local time: rows of one place differ in their weekdays (ISO digits, 12345 is Monday to
-- Friday). A place without rows has those of the place around it; with none at all it is open always.
CREATE TABLE location_hours (
    location text COLLATE "C" NOT NULL REFERENCES location,
    days text COLLATE "C" NOT NULL CHECK (days ~ '^1?2?3?4?5?6?7?$' AND days <> ''),
    opens time NOT NULL,
    closes time NOT NULL,
    PRIMARY KEY (location, days),
    CHECK (opens < closes)
);

-- What stands of the overrides: of one scope and day the latest, unless that took it back.
CREATE VIEW calendar_override_standing AS
SELECT * FROM (
    SELECT DISTINCT ON (day, country, subdivision, location) * FROM calendar_override
    ORDER BY day, country, subdivision, location, id DESC
) AS latest WHERE status <> 'published';

-- Who answers for a place is who owns it, or the place around it: `branch_admin` stands for that. Other roles answer for
-- their trade wherever it is.
CREATE FUNCTION answering_role(its_role text, place text) RETURNS text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain AS (
        SELECT l.id, l.parent, l.owner_role, 0 AS depth FROM location AS l WHERE l.id = place AND its_role = 'branch_admin'
        UNION ALL
        SELECT l.id, l.parent, l.owner_role, c.depth + 1 FROM chain AS c JOIN location AS l ON l.id = c.parent
    )
    SELECT coalesce((SELECT owner_role FROM chain WHERE owner_role IS NOT NULL ORDER BY depth LIMIT 1), its_role)
$$;

-- Who gets what is open: an active holder of the role, the nearest on the way up, of several who has least to do. Never who
-- has the asset in custody, who could not close it.
CREATE FUNCTION answering_person(its_role text, place text, its_asset text) RETURNS text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain AS (
        SELECT l.id, l.parent, 0 AS depth FROM location AS l WHERE l.id = place
        UNION ALL
        SELECT l.id, l.parent, c.depth + 1 FROM chain AS c JOIN location AS l ON l.id = c.parent
    ), around AS (
        SELECT id, depth FROM chain UNION ALL SELECT NULL, 2147483647
    )
    SELECT h.person
    FROM around AS a
    JOIN role_holder AS h ON h.role = its_role AND h.location IS NOT DISTINCT FROM a.id
    JOIN person AS p ON p.id = h.person AND p.active
    WHERE NOT EXISTS (
        SELECT FROM asset_state AS s LEFT JOIN pool AS o ON s.custody_kind = 'pool' AND o.id = s.custodian
        WHERE s.asset = its_asset AND s.custody_kind IN ('person', 'pool') AND coalesce(o.owner, s.custodian) = h.person
    )
    ORDER BY a.depth, (
        SELECT count(*) FROM exception AS e WHERE e.owner = h.person AND e.state NOT IN ('closed', 'accepted_risk')
    ), h.person
    LIMIT 1
$$;
CREATE INDEX exception_owner ON exception (owner) WHERE state NOT IN ('closed', 'accepted_risk');

-- Gives each of the exceptions that nobody has to who answers for it, one after another, so that many are shared out.
CREATE FUNCTION assign_exceptions(named bigint[]) RETURNS TABLE (exception bigint, person text) LANGUAGE plpgsql AS $$
DECLARE
    one record;
    chosen text;
BEGIN
    FOR one IN
        SELECT e.id, e.owner_role, e.asset, coalesce(e.location, l.location) AS place
        FROM exception AS e LEFT JOIN asset_location AS l ON l.asset = e.asset
        WHERE e.id = ANY (named) AND e.state = 'open' AND e.owner IS NULL AND e.category <> 'break_glass'
        ORDER BY e.id
    LOOP
        chosen := answering_person(one.owner_role, one.place, one.asset);
        CONTINUE WHEN chosen IS NULL;
        UPDATE exception AS e SET state = 'assigned', owner = chosen WHERE e.id = one.id;
        RETURN QUERY SELECT one.id, chosen;
    END LOOP;
END
$$;

-- Passages in which an EPC was at two doors at once, both of each pair: one of them is a copy, and nobody knows which. They
-- move nothing. What a person makes of the exception changes nothing of that.
CREATE INDEX exception_occurrence_double ON exception_occurrence (exception)
    WHERE category = 'not_unique' AND withdrawn_at IS NULL;
CREATE VIEW double_passage AS
SELECT o.key::uuid AS passage FROM exception_occurrence AS o
WHERE o.category = 'not_unique' AND o.source = 'pairs' AND o.withdrawn_at IS NULL
UNION
SELECT (o.evidence ->> 'other_passage')::uuid FROM exception_occurrence AS o
WHERE o.category = 'not_unique' AND o.source = 'pairs' AND o.withdrawn_at IS NULL;

-- Since when an asset goes its own way: its first crossing since it was put into its parent that the parent didn't make with
-- it, within a minute, by the same door the same way. Null while it moves with its parent, or has none.
CREATE FUNCTION seen_apart(child text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT min(p.at)
    FROM asset AS a
    JOIN tag AS t ON t.asset = a.id
    JOIN passage AS p ON p.epc = t.epc AND p.at >= a.parent_since
    WHERE a.id = child AND a.parent IS NOT NULL AND p.final AND p.to_location IS NOT NULL
        AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
        AND p.passage NOT IN (SELECT passage FROM double_passage)
        AND NOT EXISTS (
            SELECT FROM tag AS o JOIN passage AS q ON q.epc = o.epc
            WHERE o.asset = a.parent AND q.final AND q.portal = p.portal AND q.to_location = p.to_location
                AND q.at >= o.bound_from AND (o.bound_to IS NULL OR q.at < o.bound_to)
                AND q.at BETWEEN p.at - INTERVAL '1 minute' AND p.at + INTERVAL '1 minute')
$$;
