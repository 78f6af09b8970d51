-- name: policies
-- Who hears when.
SELECT subject_kind, business_days, warn, steps, path FROM sla_policy ORDER BY subject_kind;

-- name: absent
-- Which of the names given are neither a role nor an active person; a machine hears of nothing.
SELECT n FROM unnest(%(names)s::text[]) AS n
WHERE NOT EXISTS (SELECT FROM role WHERE id = n)
    AND NOT EXISTS (SELECT FROM person WHERE id = n AND active AND kind = 'person')
ORDER BY n;

-- name: set_policy
-- Change who hears when, and tell of it by an act.
WITH told AS (
    INSERT INTO act (at, recorded_at, kind, subject, by, detail)
    VALUES (%(now)s, %(now)s, 'sla_policy_set', %(subject_kind)s, %(by)s, jsonb_strip_nulls(jsonb_build_object(
        'business_days', %(business_days)s::int, 'warn', %(warn)s::bool, 'steps', %(steps)s::int[],
        'path', %(path)s::text[], 'reason', %(reason)s::text)))
)
UPDATE sla_policy
SET business_days = %(business_days)s, warn = %(warn)s, steps = %(steps)s, path = %(path)s
WHERE subject_kind = %(subject_kind)s;

-- name: forget_kind
-- What hasn't fired of a kind is planned anew by the next sweep.
DELETE FROM deadline WHERE fired_at IS NULL AND subject_kind = %(subject_kind)s;

-- name: one_sweep
-- One sweeps at a time; whether it is us, until the transaction ends.
SELECT pg_try_advisory_xact_lock(hashtext('stockgate deadlines'));

-- name: forget_settled
-- Deadlines of what is open no more, or due at another time.
DELETE FROM deadline AS d
WHERE d.fired_at IS NULL AND NOT EXISTS (
    SELECT FROM obligation() AS o
    WHERE o.kind COLLATE "C" = d.subject_kind AND o.subject COLLATE "C" = d.subject AND o.due_at = d.due_at
);

-- name: unplanned
-- Obligations that have no deadlines yet, or those of somebody else who answered for them.
SELECT o.kind, o.subject, o.asset, o.location, o.start, o.due_at, o.answerable, o.path
FROM obligation() AS o
WHERE NOT EXISTS (
    SELECT FROM deadline AS d
    WHERE d.subject_kind = o.kind COLLATE "C" AND d.subject = o.subject COLLATE "C" AND d.due_at = o.due_at
        AND d.answerable = o.answerable
)
ORDER BY o.due_at, o.kind, o.subject
LIMIT %(limit)s;

-- name: plan
-- Store planned deadlines; one that fired before, as its act tells, has fired.
INSERT INTO deadline AS d (subject_kind, subject, stage, at, due_at, calendar_version, answerable, recipient, fired_at, act)
SELECT p.kind, p.subject, p.stage, p.at, p.due_at, p.calendar, p.answerable, p.recipient, a.recorded_at, a.id
FROM unnest(
    %(kinds)s::text[], %(subjects)s::text[], %(stages)s::text[], %(at)s::timestamptz[], %(due_at)s::timestamptz[],
    %(calendars)s::text[], %(answerable)s::text[], %(recipients)s::text[]
) WITH ORDINALITY AS p (kind, subject, stage, at, due_at, calendar, answerable, recipient, place)
LEFT JOIN act AS a ON a.kind = 'deadline_fired' AND a.subject = p.kind || '/' || p.subject
    AND a.detail ->> 'stage' = p.stage
    AND a.detail ->> 'due_at' = to_char(p.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
ORDER BY p.place
ON CONFLICT (subject_kind, subject, due_at, stage) DO UPDATE SET
    answerable = excluded.answerable,
    recipient = CASE WHEN d.fired_at IS NULL THEN excluded.recipient ELSE d.recipient END,
    at = CASE WHEN d.fired_at IS NULL THEN excluded.at ELSE d.at END;

-- name: reached
-- Deadlines that are reached, locked for us alone, in the order in which they fire; without a start, what has ended.
WITH taken AS MATERIALIZED (
    SELECT d.id, d.subject_kind, d.subject, d.stage, d.at, d.due_at, d.calendar_version, d.recipient
    FROM deadline AS d
    WHERE d.fired_at IS NULL AND d.at <= %(now)s
    ORDER BY d.at, d.id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
SELECT t.id, t.subject_kind, t.subject, t.stage, t.at, t.due_at, t.calendar_version, t.recipient, o.asset, o.location,
       o.start
FROM taken AS t
LEFT JOIN obligation((SELECT array_agg(subject) FROM taken)) AS o
    ON o.kind = t.subject_kind AND o.subject = t.subject AND o.due_at = t.due_at
ORDER BY t.at, array_position(ARRAY['warn', 'due', 'l1', 'l2', 'l3'], t.stage), t.id;

-- name: drop
-- Forget a deadline whose obligation has ended meanwhile.
DELETE FROM deadline WHERE id = ANY (%(ids)s::bigint[]);

-- name: fire
-- A deadline that fired is an act: it never fires again, whatever is planned anew.
WITH told AS (
    INSERT INTO act (at, recorded_at, kind, subject, asset, location, by, detail)
    VALUES (%(at)s, %(now)s, 'deadline_fired', %(kind)s || '/' || %(subject)s, %(asset)s, %(location)s, 'sla',
            jsonb_build_object(
                'stage', %(stage)s::text, 'to', %(recipient)s::text, 'calendar', %(calendar)s::text,
                'due_at', to_char(%(due_at)s::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
    RETURNING id
)
UPDATE deadline SET fired_at = %(now)s, act = told.id FROM told WHERE deadline.id = %(id)s;

-- name: escalate
-- Tell in an exception's history that it has climbed.
INSERT INTO exception_event (exception, at, kind, by, detail)
SELECT e.id, %(now)s, 'escalated', 'sla', %(detail)s::jsonb
FROM exception AS e WHERE e.id = %(exception)s AND e.state NOT IN ('closed', 'accepted_risk')
RETURNING exception;

-- name: escalate_of
-- Tell the same of the open exceptions of a category and an asset.
INSERT INTO exception_event (exception, at, kind, by, detail)
SELECT e.id, %(now)s, 'escalated', 'sla', %(detail)s::jsonb
FROM exception AS e
WHERE e.category = %(category)s AND e.asset = %(asset)s AND e.state NOT IN ('closed', 'accepted_risk')
RETURNING exception;

-- name: listed
-- Deadlines by their time: those to come, or those that fired.
SELECT subject_kind, subject, stage, at, due_at, calendar_version, recipient, fired_at
FROM deadline
WHERE (fired_at IS NOT NULL) = %(fired)s AND (%(subject_kind)s::text IS NULL OR subject_kind = %(subject_kind)s)
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
ORDER BY CASE WHEN %(fired)s THEN fired_at END DESC, at, subject_kind, subject,
         array_position(ARRAY['warn', 'due', 'l1', 'l2', 'l3'], stage)
LIMIT %(limit)s;

-- name: clear
-- Forget all plans: the sweep makes them anew from what is open and from the acts.
DELETE FROM deadline;

-- name: passes_back
-- What went out on a gate pass and is inside its boundary again: (authorisation, asset, where it is).
SELECT id, asset, location FROM pass_out
WHERE left_at IS NOT NULL AND since > left_at AND place_within(location, boundary) ORDER BY id;

-- name: hold_pass
-- A gate pass, locked: (asset, boundary, whether something is to come back, whether it did).
SELECT a.asset, a.boundary, a.expected_return IS NOT NULL,
       EXISTS (SELECT FROM act_standing AS r WHERE r.subject = 'pass/' || a.id AND r.kind = 'pass_returned')
FROM authorisation AS a WHERE a.id = %(id)s AND a.kind = 'gate_pass' FOR UPDATE;

-- name: end_pass
-- What went out on a gate pass is back.
INSERT INTO act (at, recorded_at, kind, subject, asset, location, by)
VALUES (%(now)s, %(now)s, 'pass_returned', 'pass/' || %(authorisation)s, %(asset)s, %(location)s, %(by)s);

-- name: overdue_passes
-- What is out for too long: (authorisation, asset, boundary, since when it is out, when it was due).
SELECT id, asset, boundary, left_at, greatest(expected_return, left_at + INTERVAL '1 second') FROM pass_out
WHERE asset = ANY (%(assets)s) AND left_at IS NOT NULL AND expected_return <= %(now)s ORDER BY id;
