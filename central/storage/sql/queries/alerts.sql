-- name: accused
-- Which passages stand in an alert, and as what.
SELECT passage, kind FROM alert_asset WHERE passage = ANY(%(passages)s::uuid[]);

-- name: cases
-- The passages of assets that stand in an alert.
SELECT m.passage, m.asset, m.epc, a.portal, m.at FROM alert_asset AS m JOIN alert AS a ON a.id = m.alert
WHERE m.asset = ANY(%(assets)s) AND a.portal IS NOT NULL;

-- name: revisions
-- All revisions of passages. A passage's revisions lie within a day of each other, so few partitions are read.
SELECT passage, rev, final, kind, at, from_location, to_location, confidence, batch, gate ->> 'verdict',
       received_at, (gate -> 'snapshot' ->> 0)::int8
FROM movement
WHERE passage = ANY(%(passages)s::uuid[])
    AND at BETWEEN %(first)s::timestamptz - INTERVAL '1 day' AND %(last)s::timestamptz + INTERVAL '1 day'
ORDER BY passage, rev, gateway, epoch, seq;

-- name: authorisations
-- Who may take assets out of what, and when: until the end, or until withdrawn. What is for one use begins when it is recorded,
-- if nothing else is said. What an asset lies in takes it along by its own permissions, until it is seen apart; whether such
-- a one for one use is spent, that asset's own exit says.
WITH RECURSIVE carrier AS (
    SELECT a.id AS asset, a.parent AS by, a.parent_since AS since, coalesce(seen_apart(a.id), 'infinity') AS until
    FROM asset AS a WHERE a.id = ANY(%(assets)s) AND a.parent IS NOT NULL
    UNION
    SELECT c.asset, a.parent, greatest(c.since, a.parent_since), least(c.until, seen_apart(a.id))
    FROM carrier AS c JOIN asset AS a ON a.id = c.by WHERE a.parent IS NOT NULL
), its AS (
    SELECT id, asset, boundary, CASE WHEN single_use THEN coalesce(valid_from, recorded_at) ELSE valid_from END AS valid_from,
           least(valid_to, withdrawn_at) AS valid_to, recorded_at, single_use, despite, person
    FROM authorisation WHERE asset = ANY(%(assets)s)
    UNION ALL
    SELECT p.id, c.asset, p.boundary, greatest(p.valid_from, c.since),
           least(p.valid_to, p.withdrawn_at, nullif(c.until, 'infinity')), p.recorded_at, false, p.despite, p.person
    FROM carrier AS c JOIN authorisation AS p ON p.asset = c.by
)
SELECT * FROM its WHERE valid_from IS NULL OR valid_to IS NULL OR valid_from < valid_to ORDER BY asset, id;

-- name: on_passes
-- Which assets have an authorisation for one use.
SELECT DISTINCT asset FROM authorisation WHERE asset = ANY(%(assets)s) AND single_use;

-- name: exits
-- Crossings of assets since they have an authorisation for one use; those that aren't final yet where that is asked for.
SELECT t.asset, p.passage, p.epc, p.portal, p.at, p.from_location, p.to_location
FROM (
    SELECT asset, min(coalesce(valid_from, recorded_at)) AS since FROM authorisation
    WHERE asset = ANY(%(assets)s) AND single_use GROUP BY asset
) AS a
JOIN tag AS t ON t.asset = a.asset
JOIN passage AS p ON p.epc = t.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
WHERE p.at >= a.since AND p.to_location IS NOT NULL AND (p.final OR %(provisional)s);

-- name: on_one_use
-- Passages that may live on an authorisation for one use: an earlier one that comes late may have had it.
SELECT p.passage, a.asset, p.epc, p.portal, p.at
FROM authorisation AS a
JOIN tag AS t ON t.asset = a.asset
JOIN passage AS p ON p.epc = t.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
WHERE a.asset = ANY(%(assets)s) AND a.single_use AND p.to_location IS NOT NULL
    AND p.at >= coalesce(a.valid_from, a.recorded_at) AND (a.valid_to IS NULL OR p.at < a.valid_to);

-- name: keep_uses
-- What authorisations for one use were spent on; one that is not among them is whole again.
WITH used AS (
    SELECT * FROM unnest(%(ids)s::text[], %(passages)s::uuid[], %(portals)s::text[], %(times)s::timestamptz[])
        AS u (authorisation, passage, portal, at)
), whole AS (
    DELETE FROM authorisation_use AS u USING authorisation AS a
    WHERE a.id = u.authorisation AND a.asset = ANY(%(assets)s)
        AND u.authorisation NOT IN (SELECT authorisation FROM used)
)
INSERT INTO authorisation_use AS u (authorisation, passage, portal, at) SELECT * FROM used
ON CONFLICT (authorisation) DO UPDATE SET passage = excluded.passage, portal = excluded.portal, at = excluded.at
WHERE (u.passage, u.portal, u.at) IS DISTINCT FROM (excluded.passage, excluded.portal, excluded.at);

-- name: all_on_passes
-- The next assets with an authorisation for one use, for a rebuild in parts.
SELECT DISTINCT asset FROM authorisation WHERE single_use AND asset > %(after)s ORDER BY asset LIMIT %(limit)s;

-- name: members
-- How passages stand in their alerts now.
SELECT m.passage, m.alert, m.corrected, m.authorised_late, a.incident, m.kind
FROM alert_asset AS m JOIN alert AS a ON a.id = m.alert
WHERE m.passage = ANY(%(passages)s::uuid[]);

-- name: rename
-- A passage that stands alone in its alert turns out to belong to another incident, as a cart's: the alert is that one's, if
-- it has none yet.
UPDATE alert AS a SET incident = %(incident)s
WHERE a.id = %(alert)s AND NOT EXISTS (SELECT FROM alert AS o WHERE o.incident = %(incident)s)
    AND NOT EXISTS (SELECT FROM alert_asset AS m WHERE m.alert = a.id AND m.passage <> %(passage)s::uuid)
RETURNING a.id;

-- name: emptied
-- An alert whose last passage went into another one, as its cart's.
UPDATE alert AS a SET corrected = true, reason = 'Its passage belongs to another incident: see alert ' || %(into)s::int8 || '.'
WHERE a.id = %(alert)s AND NOT EXISTS (SELECT FROM alert_asset AS m WHERE m.alert = a.id);

-- name: refute_waiting
-- A false read that waited to be borne out, and that what came since doesn't fit.
UPDATE alert_verdict SET standing = 'refuted', settled_at = %(now)s, settled_by = 'central'
WHERE alert = %(alert)s AND standing = 'provisional';

-- name: open_alerts
-- One alert an incident: the first of its passages opens it.
INSERT INTO alert (incident, kind, severity, state, late, gateway, portal, from_location, to_location, at, raised_at,
                   confidence, reason)
SELECT i.incident, i.kind, i.severity, i.state, i.late, i.gateway, i.portal, i.from_location, i.to_location, i.at, %(now)s,
       i.confidence, i.reason
FROM unnest(%(incident)s::text[], %(kind)s::text[], %(severity)s::text[], %(state)s::text[], %(late)s::bool[],
            %(gateway)s::text[], %(portal)s::text[], %(from_location)s::text[], %(to_location)s::text[],
            %(at)s::timestamptz[], %(confidence)s::float8[], %(reason)s::text[])
    WITH ORDINALITY AS i (incident, kind, severity, state, late, gateway, portal, from_location, to_location, at, confidence,
                          reason, n)
ORDER BY i.n
ON CONFLICT (incident) DO NOTHING
RETURNING incident, id;

-- name: alerts_of
-- The alerts of incidents that are open already, locked.
SELECT incident, id FROM alert WHERE incident = ANY(%(incidents)s) ORDER BY id FOR UPDATE;

-- name: save_members
-- Passages join their alerts, or their findings changed; RETURNING tells of which anything did.
INSERT INTO alert_asset AS m (passage, alert, asset, epc, kind, severity, at, from_location, to_location, confidence,
                              corrected, authorised_late, reason, edge_verdict)
SELECT * FROM unnest(%(passage)s::uuid[], %(alerts)s::int8[], %(asset)s::text[], %(epc)s::text[], %(kind)s::text[],
                     %(severity)s::text[], %(at)s::timestamptz[], %(from_location)s::text[], %(to_location)s::text[],
                     %(confidence)s::float8[], %(corrected)s::bool[], %(authorised_late)s::bool[], %(reason)s::text[],
                     %(edge)s::text[])
ON CONFLICT (passage) DO UPDATE SET
    alert = excluded.alert, kind = excluded.kind, severity = excluded.severity, at = excluded.at,
    edge_verdict = excluded.edge_verdict, from_location = excluded.from_location,
    to_location = excluded.to_location, confidence = excluded.confidence, corrected = excluded.corrected,
    authorised_late = excluded.authorised_late, reason = excluded.reason
WHERE (m.alert, m.kind, m.severity, m.at, m.confidence, m.corrected, m.authorised_late, m.reason, m.edge_verdict)
    IS DISTINCT FROM (excluded.alert, excluded.kind, excluded.severity, excluded.at, excluded.confidence,
                      excluded.corrected, excluded.authorised_late, excluded.reason, excluded.edge_verdict)
RETURNING passage;

-- name: restate
-- Alerts say what their gravest members say: one that still stands before one that was corrected. A reopened one stays as
-- grave as it was reopened.
UPDATE alert AS a
SET kind = h.kind, severity = (ARRAY['critical', 'high', 'low'])[least(
        array_position(ARRAY['critical', 'high', 'low'], h.severity),
        array_position(ARRAY['critical', 'high', 'low'], coalesce(a.least_severity, 'low')))], at = h.first_at, from_location = h.from_location,
    to_location = h.to_location, confidence = h.best, corrected = h.all_corrected, authorised_late = h.all_late,
    reason = h.reason
FROM (
    SELECT DISTINCT ON (m.alert)
           m.alert, m.kind, m.severity, m.from_location, m.to_location, m.reason,
           min(m.at) OVER one AS first_at, max(m.confidence) OVER one AS best,
           bool_and(m.corrected) OVER one AS all_corrected, bool_and(m.authorised_late) OVER one AS all_late
    FROM alert_asset AS m
    WHERE m.alert = ANY(%(alerts)s::int8[])
    WINDOW one AS (PARTITION BY m.alert)
    ORDER BY m.alert, m.corrected, m.authorised_late, array_position(ARRAY['critical', 'high', 'low'], m.severity), m.at,
             m.passage
) AS h
WHERE a.id = h.alert;

-- name: add_events
-- The histories of alerts, in order.
INSERT INTO alert_event (alert, at, kind, by, detail)
SELECT e.alert, %(now)s, e.kind, %(by)s, e.detail
FROM unnest(%(alerts)s::int8[], %(kinds)s::text[], %(details)s::text[]) WITH ORDINALITY AS e (alert, kind, detail, n)
ORDER BY e.n;

-- name: add_event
-- The history of an alert.
INSERT INTO alert_event (alert, at, kind, by, detail) VALUES (%(alert)s, %(now)s, %(kind)s, %(by)s, %(detail)s);

-- name: notice
-- An alert about a gateway: opened once, its words renewed, ended or reinstated. RETURNING only if something changed. What
-- had ended and happens again stands as if nobody had taken it.
INSERT INTO alert AS a (incident, kind, severity, state, late, corrected, gateway, at, raised_at, reason)
VALUES (%(incident)s, %(kind)s, %(severity)s, 'open', false, false, %(gateway)s, %(now)s, %(now)s, %(reason)s)
ON CONFLICT (incident) DO UPDATE SET
    corrected = false, reason = excluded.reason,
    at = CASE WHEN a.corrected THEN excluded.at ELSE a.at END,
    state = CASE WHEN a.corrected THEN 'open' ELSE a.state END,
    acknowledged_at = CASE WHEN a.corrected THEN NULL ELSE a.acknowledged_at END,
    acknowledged_by = CASE WHEN a.corrected THEN NULL ELSE a.acknowledged_by END,
    investigating_at = CASE WHEN a.corrected THEN NULL ELSE a.investigating_at END,
    investigating_by = CASE WHEN a.corrected THEN NULL ELSE a.investigating_by END,
    verdict = CASE WHEN a.corrected THEN NULL ELSE a.verdict END,
    verdict_standing = CASE WHEN a.corrected THEN NULL ELSE a.verdict_standing END,
    resolved_at = CASE WHEN a.corrected THEN NULL ELSE a.resolved_at END,
    resolved_by = CASE WHEN a.corrected THEN NULL ELSE a.resolved_by END
WHERE a.corrected OR a.reason <> excluded.reason
RETURNING id, (xmax = 0) AS is_new;

-- name: clear_notice
-- What an alert about a gateway said no longer holds.
UPDATE alert SET corrected = true WHERE incident = %(incident)s AND NOT corrected RETURNING id;

-- name: acknowledge
-- The first acknowledgement stands.
UPDATE alert SET state = 'acknowledged', acknowledged_at = %(now)s, acknowledged_by = %(by)s
WHERE id = %(alert)s AND state IN ('open', 'observed')
RETURNING id;

-- name: acknowledge_act
-- What a person did is in the log.
INSERT INTO act (at, recorded_at, kind, by, detail)
VALUES (%(now)s, %(now)s, 'alert_acknowledged', %(by)s, jsonb_build_object('alert', %(alert)s::int8));

-- name: hold
-- One alert, locked for a step.
SELECT a.state, a.severity, a.portal, p.inside FROM alert AS a LEFT JOIN portal AS p ON p.id = a.portal
WHERE a.id = %(alert)s FOR UPDATE OF a;

-- name: hold_all
-- Alerts, locked in their order.
SELECT id, state, severity FROM alert WHERE id = ANY(%(alerts)s::int8[]) ORDER BY id FOR UPDATE;

-- name: investigate
-- Somebody looks into it.
UPDATE alert SET state = 'investigating', investigating_at = %(now)s, investigating_by = %(by)s WHERE id = %(alert)s;

-- name: add_verdict
-- A verdict; the trigger refuses who quietened the door in this shift.
INSERT INTO alert_verdict (alert, verdict, evidence, at, by, standing, confirm_by, settled_at, settled_by)
VALUES (%(alert)s, %(verdict)s, %(evidence)s::jsonb, %(now)s, %(by)s, %(standing)s, %(confirm_by)s,
        CASE WHEN %(standing)s = 'confirmed' THEN %(now)s::timestamptz END,
        CASE WHEN %(standing)s = 'confirmed' THEN %(by)s END);

-- name: resolve
-- The alert as its verdict says.
UPDATE alert SET state = 'resolved', verdict = %(verdict)s, verdict_standing = %(standing)s, resolved_at = %(now)s,
                 resolved_by = %(by)s
WHERE id = %(alert)s;

-- name: settle_verdict
-- What the world, or a person who opens the alert again, makes of a verdict.
UPDATE alert_verdict SET standing = %(settled)s, settled_at = %(now)s, settled_by = %(by)s
WHERE id = (SELECT id FROM alert_verdict WHERE alert = %(alert)s ORDER BY id DESC LIMIT 1);

-- name: confirm
-- A false read that the world bore out.
UPDATE alert SET verdict_standing = 'confirmed' WHERE id = %(alert)s;

-- name: reopen
-- As if nobody had taken it, and graver.
UPDATE alert SET state = 'open', severity = %(severity)s, least_severity = %(severity)s, reopened = reopened + 1,
                 acknowledged_at = NULL, acknowledged_by = NULL, investigating_at = NULL, investigating_by = NULL,
                 verdict = NULL, verdict_standing = NULL, resolved_at = NULL, resolved_by = NULL
WHERE id = %(alert)s;

-- name: provisional
-- False reads that wait to be borne out.
SELECT alert, confirm_by FROM alert_verdict WHERE standing = 'provisional' ORDER BY alert;

-- name: said_to_have_left
-- What an alert accuses its assets of.
SELECT DISTINCT ON (asset) asset, from_location, to_location, at FROM alert_asset
WHERE alert = %(alert)s AND from_location IS NOT NULL ORDER BY asset, at;

-- name: seen_since
-- Where assets were seen after an instant: at doors, by people, by the antennas of a zone. A zone has its location's id.
SELECT t.asset, p.at, coalesce(p.from_location, d.inside) AS origin, coalesce(p.to_location, d.outside) AS destination,
       p.to_location IS NOT NULL AS crossed
FROM tag AS t
JOIN passage AS p ON p.epc = t.epc AND p.at > %(since)s AND p.at >= t.bound_from AND p.at < coalesce(t.bound_to, 'infinity')
JOIN portal AS d ON d.id = p.portal
WHERE t.asset = ANY(%(assets)s) AND p.final AND p.kind NOT IN ('retracted', 'unresolved')
    AND p.passage NOT IN (SELECT passage FROM alert_asset WHERE alert = %(alert)s)
UNION ALL
SELECT a.asset, a.at, a.location, a.location, false FROM act_standing AS a
WHERE a.asset = ANY(%(assets)s) AND a.at > %(since)s AND a.location IS NOT NULL
    AND (a.kind IN ('placed', 'seen', 'sighted', 'receipt_scanned')
         OR a.kind = 'asset_verified' AND a.detail ->> 'grade' <> 'tag_seen')
    AND a.by <> 'import'
UNION ALL
SELECT t.asset, r.to_at, l.id, l.id, false
FROM presence AS r JOIN location AS l ON l.id = r.zone
CROSS JOIN LATERAL jsonb_array_elements(r.tags) AS heard
JOIN tag AS t ON t.epc = heard ->> 'epc' AND t.bound_to IS NULL
WHERE r.from_at > %(since)s AND r.mode <> 'portal' AND t.asset = ANY(%(assets)s);

-- name: measures
-- Measures that may still matter to a passage that comes late.
SELECT id, portal, kind, mode, reason, by, from_at, until_at, ended_at FROM portal_measure ORDER BY id;

-- name: add_measure
-- A door is quietened; the trigger refuses who resolved its alerts in this shift.
INSERT INTO portal_measure (portal, kind, mode, reason, by, from_at, until_at)
VALUES (%(portal)s, %(kind)s, %(mode)s, %(reason)s, %(by)s, %(from_at)s, %(until_at)s)
RETURNING id;

-- name: end_measure
-- Before its time.
UPDATE portal_measure SET ended_at = %(now)s, ended_by = %(by)s
WHERE id = %(measure)s AND portal = %(portal)s AND ended_at IS NULL AND until_at > %(now)s
RETURNING id;

-- name: step_act
-- What a person did is in the log.
INSERT INTO act (at, recorded_at, kind, subject, by, detail)
VALUES (%(now)s, %(now)s, %(act)s, %(subject)s, %(by)s, %(detail)s::jsonb);

-- name: figures
-- Of each door: alerts since an instant, and what became of them. Only confirmed verdicts are counted as what they say.
SELECT p.id AS portal, p.name, count(a.id) AS alerts,
       count(a.id) FILTER (WHERE a.state IN ('open', 'acknowledged', 'investigating')) AS unresolved,
       count(a.id) FILTER (WHERE a.verdict_standing = 'provisional') AS provisional,
       count(a.id) FILTER (WHERE a.verdict_standing = 'confirmed' AND a.verdict = 'false_read') AS false_reads,
       count(a.id) FILTER (WHERE a.verdict_standing = 'confirmed' AND a.verdict IN ('authorised_late', 'recovered', 'theft'))
           AS right_alerts,
       count(a.id) FILTER (WHERE a.verdict_standing = 'confirmed' AND a.verdict = 'test') AS tests
FROM portal AS p LEFT JOIN alert AS a ON a.portal = p.id AND a.raised_at >= %(since)s AND a.state <> 'observed'
WHERE %(portal)s::text IS NULL OR p.id = %(portal)s
GROUP BY p.id ORDER BY p.id;

-- name: measures_in_force
-- Doors that are quieter now, and until when.
SELECT id, portal, kind, mode, reason, by, from_at, until_at FROM portal_measure
WHERE from_at <= %(now)s AND until_at > %(now)s AND (ended_at IS NULL OR ended_at > %(now)s)
ORDER BY portal, id;

-- name: history
-- What happened to an alert, in order.
SELECT at, kind, by, detail FROM alert_event WHERE alert = %(alert)s ORDER BY id;

-- name: verdicts
-- Every verdict on an alert, in order.
SELECT verdict, evidence, at, by, standing, confirm_by, settled_at, settled_by FROM alert_verdict
WHERE alert = %(alert)s ORDER BY id;
