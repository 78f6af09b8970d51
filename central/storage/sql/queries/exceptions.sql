-- name: withdraw
-- What a source said of assets, or about keys, and says no more.
UPDATE exception_occurrence AS o SET withdrawn_at = %(now)s
WHERE o.source = %(source)s AND o.withdrawn_at IS NULL
    AND (o.asset = ANY(%(assets)s) OR (o.key <> '' AND o.key = ANY(%(keys)s)))
    AND NOT EXISTS (
        SELECT FROM unnest(%(category)s::text[], %(asset)s::text[], %(location)s::text[], %(at)s::timestamptz[],
                           %(key)s::text[]) AS s (category, asset, location, at, key)
        WHERE (s.category, coalesce(s.asset, ''), coalesce(s.location, ''), s.at, s.key)
            = (o.category, o.asset, o.location, o.at, o.key)
    )
RETURNING o.exception;

-- name: renew
-- What is said again: the occurrence stands again if its exception is still open, with the newest evidence.
UPDATE exception_occurrence AS o SET withdrawn_at = NULL, evidence = s.evidence::jsonb, severity = s.severity
FROM unnest(%(category)s::text[], %(asset)s::text[], %(location)s::text[], %(at)s::timestamptz[], %(key)s::text[],
            %(severity)s::text[], %(evidence)s::text[]) AS s (category, asset, location, at, key, severity, evidence),
    exception AS e
WHERE o.source = %(source)s AND e.id = o.exception AND e.state NOT IN ('closed', 'accepted_risk')
    AND (o.category, o.asset, o.location, o.at, o.key)
        = (s.category, coalesce(s.asset, ''), coalesce(s.location, ''), s.at, s.key)
    AND (o.withdrawn_at IS NOT NULL OR o.evidence <> s.evidence::jsonb OR o.severity <> s.severity)
RETURNING o.exception;

-- name: fresh
-- Which of the openings, by their place in the list, nobody has dealt with: neither open, nor closed while it was said.
SELECT s.n::int8
FROM unnest(%(category)s::text[], %(asset)s::text[], %(location)s::text[], %(at)s::timestamptz[], %(key)s::text[])
    WITH ORDINALITY AS s (category, asset, location, at, key, n)
WHERE NOT EXISTS (
    SELECT FROM exception_occurrence AS o JOIN exception AS e ON e.id = o.exception
    WHERE o.source = %(source)s AND (o.category, o.asset, o.location, o.at, o.key)
            = (s.category, coalesce(s.asset, ''), coalesce(s.location, ''), s.at, s.key)
        AND (o.withdrawn_at IS NULL OR e.state NOT IN ('closed', 'accepted_risk'))
)
ORDER BY s.n;

-- name: open
-- One open exception for each category, asset and location; what is open already takes the occurrence.
INSERT INTO exception (category, severity, asset, location, owner_role, closure_path, opened_at, assign_by, due_at, calendar,
                       first_at, last_at)
SELECT DISTINCT ON (s.category, s.asset, s.location)
    s.category, s.severity, s.asset, s.location,
    answering_role(s.owner_role, coalesce(s.location, (SELECT l.location FROM asset_location AS l WHERE l.asset = s.asset))),
    s.closure_path, %(now)s, s.assign_by, s.due_at, s.calendar,
    s.at, s.at
FROM unnest(%(category)s::text[], %(severity)s::text[], %(asset)s::text[], %(location)s::text[], %(owner_role)s::text[],
            %(closure_path)s::text[], %(assign_by)s::timestamptz[], %(due_at)s::timestamptz[], %(calendar)s::text[],
            %(at)s::timestamptz[])
    AS s (category, severity, asset, location, owner_role, closure_path, assign_by, due_at, calendar, at)
ORDER BY s.category, s.asset, s.location, array_position(ARRAY['critical', 'high', 'medium', 'low'], s.severity), s.at
ON CONFLICT (category, asset, location) WHERE state NOT IN ('closed', 'accepted_risk') DO NOTHING
RETURNING id;

-- name: assign
-- What nobody has goes to who answers for it, if somebody does.
SELECT exception, person FROM assign_exceptions(%(exceptions)s::int8[]);

-- name: unassigned
-- What is open, nobody has, and somebody answers for by now; locked, as many as one round takes.
SELECT e.id FROM exception AS e
LEFT JOIN asset_location AS l ON l.asset = e.asset
WHERE e.state = 'open' AND e.owner IS NULL AND e.category <> 'break_glass' AND e.reopened = 0
    AND EXISTS (SELECT FROM role_holder AS h WHERE h.role = e.owner_role)
    AND answering_person(e.owner_role, coalesce(e.location, l.location), e.asset) IS NOT NULL
ORDER BY e.due_at, e.id LIMIT %(limit)s FOR UPDATE OF e SKIP LOCKED;

-- name: add_occurrences
-- To the exceptions that are open for them. One that its source had taken back before the closing comes again here.
INSERT INTO exception_occurrence AS o (exception, source, category, asset, location, key, at, severity, due_at, evidence,
                                       recorded_at)
SELECT e.id, %(source)s, s.category, coalesce(s.asset, ''), coalesce(s.location, ''), s.key, s.at, s.severity, s.due_at,
       s.evidence::jsonb, %(now)s
FROM unnest(%(category)s::text[], %(asset)s::text[], %(location)s::text[], %(at)s::timestamptz[], %(key)s::text[],
            %(severity)s::text[], %(due_at)s::timestamptz[], %(evidence)s::text[])
    AS s (category, asset, location, at, key, severity, due_at, evidence)
JOIN exception AS e
    ON e.category = s.category AND e.asset IS NOT DISTINCT FROM s.asset AND e.location IS NOT DISTINCT FROM s.location
        AND e.state NOT IN ('closed', 'accepted_risk')
ON CONFLICT (source, category, asset, location, at, key) DO UPDATE SET
    exception = excluded.exception, withdrawn_at = NULL, evidence = excluded.evidence, severity = excluded.severity,
    due_at = excluded.due_at, recorded_at = excluded.recorded_at
RETURNING o.exception;

-- name: lock
-- Exceptions that change, in one order: what others have just said of them is committed then, and counted.
SELECT id FROM exception WHERE id = ANY(%(exceptions)s::int8[]) ORDER BY id FOR NO KEY UPDATE;

-- name: restate
-- An exception is as grave as its worst occurrence was, and due with the first of them; one that nobody says any more is
-- suggested for closing. What a leaver has follows the date of the exit, which may be put off.
UPDATE exception AS e SET
    severity = (ARRAY['critical', 'high', 'medium', 'low'])[CASE WHEN h.eased THEN h.gravest ELSE least(
        array_position(ARRAY['critical', 'high', 'medium', 'low'], e.severity), coalesce(h.gravest, 4)) END],
    due_at = CASE WHEN h.eased THEN h.due_at ELSE least(e.due_at, h.due_at) END,
    first_at = coalesce(h.first_at, e.first_at), last_at = coalesce(h.last_at, e.last_at), occurrences = h.standing,
    suggestion = CASE WHEN h.standing > 0 THEN NULL ELSE coalesce(e.suggestion, %(suggestion)s) END,
    suggested_by = CASE WHEN h.standing > 0 THEN NULL ELSE coalesce(e.suggested_by, %(source)s) END,
    suggested_at = CASE WHEN h.standing > 0 THEN NULL ELSE coalesce(e.suggested_at, %(now)s) END
FROM (
    SELECT w.id, bool_and(o.category = 'not_returned' AND
               array_position(ARRAY['critical', 'high', 'medium', 'low'], o.severity)
               > array_position(ARRAY['critical', 'high', 'medium', 'low'], x.severity)) AS eased,
           count(o.id) AS standing, min(o.at) AS first_at, max(o.at) AS last_at, min(o.due_at) AS due_at,
           min(array_position(ARRAY['critical', 'high', 'medium', 'low'], o.severity)) AS gravest
    FROM unnest(%(exceptions)s::int8[]) AS w (id) JOIN exception AS x ON x.id = w.id
    LEFT JOIN exception_occurrence AS o ON o.exception = w.id AND o.withdrawn_at IS NULL
    GROUP BY w.id
) AS h, exception AS was
WHERE e.id = h.id AND was.id = h.id AND e.state NOT IN ('closed', 'accepted_risk')
RETURNING e.id, was.suggestion IS NULL AND e.suggestion IS NOT NULL AS suggested,
          was.suggestion IS NOT NULL AND e.suggestion IS NULL AS denied, was.occurrences = 0 AND was.suggestion IS NULL AS new;

-- name: suggest
-- Something else says that the world has put it right.
UPDATE exception SET suggestion = %(suggestion)s, suggested_by = %(source)s, suggested_at = %(now)s
WHERE category = ANY(%(categories)s) AND asset = ANY(%(assets)s) AND state NOT IN ('closed', 'accepted_risk')
    AND suggestion IS NULL
RETURNING id;

-- name: standing
-- One exception, locked, as far as its steps depend on it.
SELECT category, severity, state, owner, outcome, proposed_by, decided_by, reopened, evidence, asset, location
FROM exception WHERE id = %(id)s FOR UPDATE;

-- name: save
-- An exception after a step. The triggers refuse whom separation of duties forbids it.
UPDATE exception SET
    state = %(state)s, owner = %(owner)s, outcome = %(outcome)s, evidence = %(evidence)s::jsonb,
    proposed_by = %(proposed_by)s, decided_by = %(decided_by)s,
    decided_at = CASE WHEN %(decided_by)s::text IS NULL THEN NULL ELSE coalesce(decided_at, %(now)s) END,
    reopened = %(reopened)s, assign_by = %(assign_by)s, due_at = %(due_at)s, calendar = %(calendar)s
WHERE id = %(id)s;

-- name: terms
-- By when it has to be taken and closed.
SELECT assign_by, due_at, calendar FROM exception WHERE id = %(id)s;

-- name: add_event
-- The history of an exception.
INSERT INTO exception_event (exception, at, kind, by, detail)
VALUES (%(exception)s, %(now)s, %(kind)s, %(by)s, %(detail)s::jsonb);

-- name: add_events
-- The histories of exceptions whose source says something else now.
INSERT INTO exception_event (exception, at, kind, by, detail)
SELECT e.exception, %(now)s, e.kind, %(by)s,
       CASE WHEN e.kind = 'suggested' THEN jsonb_build_object('suggestion', %(suggestion)s::text) ELSE '{}' END
FROM unnest(%(exceptions)s::int8[], %(kinds)s::text[]) WITH ORDINALITY AS e (exception, kind, n)
ORDER BY e.n;

-- name: add_assigned
-- The histories of exceptions that were given to somebody.
INSERT INTO exception_event (exception, at, kind, by, detail)
SELECT e.exception, %(now)s, 'assign', %(by)s, jsonb_build_object('owner', e.owner)
FROM unnest(%(exceptions)s::int8[], %(owners)s::text[]) WITH ORDINALITY AS e (exception, owner, n)
ORDER BY e.n;

-- name: step_act
-- What a person did is in the log.
INSERT INTO act (at, recorded_at, kind, asset, location, subject, by, detail)
VALUES (%(now)s, %(now)s, 'exception_step', %(asset)s, %(location)s, 'exception/' || %(exception)s::int8, %(by)s,
        %(detail)s::jsonb);

-- name: person
-- Whether somebody is registered and active.
SELECT active FROM person WHERE id = %(id)s;

-- name: break_glass
-- A rule that is broken open, for this transaction.
INSERT INTO break_glass (at, by, rule, subject, reason, exception)
VALUES (%(now)s, %(by)s, %(rule)s, %(subject)s, %(reason)s, %(exception)s);

-- name: list
-- Exceptions, open ones by due date and the gravest first of those due on one day, ended ones newest first.
SELECT e.*, a.name AS asset_name, l.name AS location_name
FROM exception AS e LEFT JOIN asset AS a ON a.id = e.asset LEFT JOIN location AS l ON l.id = e.location
WHERE (%(ended)s AND e.state IN ('closed', 'accepted_risk') OR NOT %(ended)s AND e.state NOT IN ('closed', 'accepted_risk'))
    AND (%(category)s::text IS NULL OR e.category = %(category)s)
    AND (%(severity)s::text IS NULL OR e.severity = %(severity)s)
    AND (%(owner)s::text IS NULL OR e.owner = %(owner)s)
    AND (%(owner_role)s::text IS NULL OR e.owner_role = %(owner_role)s)
    AND (%(asset)s::text IS NULL OR e.asset = %(asset)s)
    AND (%(location)s::text IS NULL OR e.location = %(location)s)
    AND (%(suggested)s::bool IS NULL OR (e.suggestion IS NOT NULL) = %(suggested)s)
    AND (%(ids)s::int8[] IS NULL OR e.id = ANY(%(ids)s))
ORDER BY e.decided_at DESC NULLS FIRST, date_trunc('day', e.due_at, 'UTC'),
    array_position(ARRAY['critical', 'high', 'medium', 'low'], e.severity), e.due_at, e.id LIMIT %(limit)s OFFSET %(skip)s;

-- name: one
-- One exception, whatever its state.
SELECT e.*, a.name AS asset_name, l.name AS location_name
FROM exception AS e LEFT JOIN asset AS a ON a.id = e.asset LEFT JOIN location AS l ON l.id = e.location
WHERE e.id = %(id)s;

-- name: occurrences
-- Each time that it happened, newest first.
SELECT source, key, at, severity, evidence, recorded_at, withdrawn_at FROM exception_occurrence
WHERE exception = %(id)s ORDER BY at DESC, id DESC LIMIT %(limit)s;

-- name: events
-- What was done about it, in order.
SELECT at, kind, by, detail FROM exception_event WHERE exception = %(id)s ORDER BY id;

-- name: open_totals
-- What is open, whatever anybody filters by.
SELECT count(*) AS total, count(*) FILTER (WHERE severity IN ('critical', 'high')) AS high_risk,
       count(*) FILTER (WHERE due_at < %(now)s) AS overdue,
       count(*) FILTER (WHERE state = 'open' AND assign_by < %(now)s) AS unassigned_overdue,
       count(*) FILTER (WHERE suggestion IS NOT NULL) AS suggested
FROM exception WHERE state NOT IN ('closed', 'accepted_risk');

-- name: wrong_records
-- What is wrong with assets' records: in use and nobody's (a pool has an owner, so it is somebody's), in use and paid by nobody,
-- given to a person whom HR doesn't have (any more), a serial that another asset bears too, a verification that its class accepts
-- no more. (category, asset, location, since, what).
(SELECT 'unassigned_asset', s.asset, l.location, s.lifecycle_since, jsonb_build_object('custody', s.custody_kind)
 FROM asset_state AS s JOIN asset AS a ON a.id = s.asset AND a.withdrawn_at IS NULL
 LEFT JOIN asset_location AS l ON l.asset = s.asset
 WHERE s.lifecycle = 'in_use' AND s.custody_kind NOT IN ('person', 'pool')
 ORDER BY s.asset LIMIT %(limit)s)
UNION ALL
(SELECT 'cost_centre_missing', s.asset, l.location, s.lifecycle_since, '{}'
 FROM asset_state AS s JOIN asset AS a ON a.id = s.asset AND a.withdrawn_at IS NULL
 LEFT JOIN asset_location AS l ON l.asset = s.asset
 WHERE s.lifecycle = 'in_use' AND a.cost_centre IS NULL
 ORDER BY s.asset LIMIT %(limit)s)
UNION ALL
(SELECT 'user_not_in_hrms', s.asset, l.location, s.custody_since, jsonb_build_object('custodian', s.custodian)
 FROM asset_state AS s JOIN asset AS a ON a.id = s.asset AND a.withdrawn_at IS NULL
 LEFT JOIN asset_location AS l ON l.asset = s.asset
 WHERE s.custody_kind = 'person' AND NOT EXISTS (SELECT FROM person AS p WHERE p.id = s.custodian AND p.active)
 ORDER BY s.asset LIMIT %(limit)s)
UNION ALL
(SELECT 'duplicate_serial', d.asset, l.location, d.from_at, jsonb_build_object('serial', d.serial, 'also', d.others)
 FROM (
    SELECT o.asset, o.serial, greatest(o.from_at, '1970-01-02Z') AS from_at, count(*) OVER same AS times,
           array_to_string(array_remove(array_agg(o.asset) OVER same, o.asset), ', ') AS others
    FROM asset_serial AS o JOIN asset AS a ON a.id = o.asset AND a.withdrawn_at IS NULL
    WHERE o.to_at IS NULL
    WINDOW same AS (PARTITION BY lower(o.serial), a.model)
 ) AS d LEFT JOIN asset_location AS l ON l.asset = d.asset
 WHERE d.times > 1 ORDER BY d.asset LIMIT %(limit)s)
UNION ALL
(SELECT 'stale_record', v.asset, l.location, v.valid_until, jsonb_build_object('verified', v.at, 'grade', v.grade)
 FROM asset_verification AS v
 LEFT JOIN asset_state AS s ON s.asset = v.asset
 LEFT JOIN asset_location AS l ON l.asset = v.asset
 WHERE v.valid_until <= %(now)s AND coalesce(s.lifecycle, '') NOT IN ('retired', 'disposed')
 ORDER BY v.asset LIMIT %(limit)s);

-- name: reviewed
-- Assets of which the review said something that stands.
SELECT DISTINCT asset FROM exception_occurrence WHERE source = 'records' AND withdrawn_at IS NULL AND asset <> '';

-- name: crossers
-- The next assets that a door placed lately, or that were told to have a weak tag, by id.
SELECT asset FROM (
    SELECT l.asset FROM asset_location AS l WHERE l.basis = 'observed' AND l.since > %(since)s AND l.asset > %(after)s
    UNION
    SELECT o.asset FROM exception_occurrence AS o
    WHERE o.source = %(source)s AND o.withdrawn_at IS NULL AND o.asset > %(after)s
) AS c ORDER BY asset LIMIT %(limit)s;

-- name: readings
-- The newest crossings of assets' tags in this binding: (asset, location, epc, newest at, doors, reads), newest first.
SELECT t.asset, l.location, t.epc, max(c.at), array_agg(c.portal ORDER BY c.at DESC, c.passage),
       array_agg(c.reads ORDER BY c.at DESC, c.passage)
FROM tag AS t
LEFT JOIN asset_location AS l ON l.asset = t.asset
CROSS JOIN LATERAL (
    SELECT p.passage, p.at, p.portal, p.reads FROM passage AS p
    WHERE p.epc = t.epc AND p.final AND p.to_location IS NOT NULL AND p.at >= t.bound_from
    ORDER BY p.at DESC LIMIT %(crossings)s
) AS c
WHERE t.asset = ANY(%(assets)s) AND t.bound_to IS NULL AND t.state = 'active' AND t.role <> 'box'
GROUP BY t.asset, l.location, t.epc ORDER BY t.asset, t.epc;

-- name: leaky_doors
-- Doors that surely miss more than a share of crossings, as they were measured last: (portal, inside, until, low, missed).
SELECT a.portal, p.inside, a.until, a.miss_rate_low, a.missed_month
FROM portal_accuracy AS a JOIN portal AS p ON p.id = a.portal WHERE a.miss_rate_low > %(share)s ORDER BY a.portal;

-- name: standing_keys
-- Keys of which a source says something that stands.
SELECT DISTINCT key FROM exception_occurrence WHERE source = %(source)s AND withdrawn_at IS NULL AND key <> '';

-- name: placed_since
-- Assets that passed a door one way or the other, and whose place is known since then.
SELECT DISTINCT e.asset FROM exception AS e JOIN asset_location AS l ON l.asset = e.asset AND l.since > e.last_at
WHERE e.category = 'ambiguous_passage' AND e.state NOT IN ('closed', 'accepted_risk') AND e.suggestion IS NULL
    AND l.doubt IS NULL;

-- name: there
-- Which of an asset and a location nobody registered.
SELECT 'asset', %(asset)s::text
WHERE %(asset)s::text IS NOT NULL AND NOT EXISTS (SELECT FROM asset WHERE id = %(asset)s AND withdrawn_at IS NULL)
UNION ALL
SELECT 'location', %(location)s::text
WHERE %(location)s::text IS NOT NULL AND NOT EXISTS (SELECT FROM location WHERE id = %(location)s AND withdrawn_at IS NULL);
