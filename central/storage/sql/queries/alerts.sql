-- name: accused
-- Which passages stand in an alert.
SELECT passage FROM alert_asset WHERE passage = ANY(%(passages)s::uuid[]);

-- name: cases
-- The passages of assets that stand in an alert.
SELECT m.passage, m.asset, m.epc, a.portal, m.at FROM alert_asset AS m JOIN alert AS a ON a.id = m.alert
WHERE m.asset = ANY(%(assets)s) AND a.portal IS NOT NULL;

-- name: revisions
-- All revisions of passages. A passage's revisions lie within a day of each other, so few partitions are read.
SELECT passage, rev, final, kind, at, from_location, to_location, confidence, batch, gate ->> 'verdict'
FROM movement
WHERE passage = ANY(%(passages)s::uuid[])
    AND at BETWEEN %(first)s::timestamptz - INTERVAL '1 day' AND %(last)s::timestamptz + INTERVAL '1 day'
ORDER BY passage, rev, gateway, epoch, seq;

-- name: authorisations
-- Who may take assets out of what, and when: until the end or until withdrawn.
SELECT id, asset, boundary, valid_from, least(valid_to, withdrawn_at), recorded_at
FROM authorisation WHERE asset = ANY(%(assets)s);

-- name: member
-- How a passage stands in an alert now.
SELECT alert, corrected, authorised_late FROM alert_asset WHERE passage = %(passage)s;

-- name: open_alert
-- One alert an incident.
INSERT INTO alert (incident, kind, severity, state, late, gateway, portal, from_location, to_location, at, raised_at,
                   confidence, reason)
VALUES (%(incident)s, %(kind)s, %(severity)s, %(state)s, %(late)s, %(gateway)s, %(portal)s, %(from_location)s,
        %(to_location)s, %(at)s, %(now)s, %(confidence)s, %(reason)s)
ON CONFLICT (incident) DO NOTHING
RETURNING id;

-- name: alert_of
-- The alert of an incident.
SELECT id FROM alert WHERE incident = %(incident)s FOR UPDATE;

-- name: save_member
-- A passage joins its alert, or its finding changed; RETURNING tells whether anything did.
INSERT INTO alert_asset AS m (passage, alert, asset, epc, kind, severity, at, from_location, to_location, confidence,
                              corrected, authorised_late, reason)
VALUES (%(passage)s, %(alert)s, %(asset)s, %(epc)s, %(kind)s, %(severity)s, %(at)s, %(from_location)s, %(to_location)s,
        %(confidence)s, %(corrected)s, %(authorised_late)s, %(reason)s)
ON CONFLICT (passage) DO UPDATE SET
    kind = excluded.kind, severity = excluded.severity, at = excluded.at, from_location = excluded.from_location,
    to_location = excluded.to_location, confidence = excluded.confidence, corrected = excluded.corrected,
    authorised_late = excluded.authorised_late, reason = excluded.reason
WHERE (m.kind, m.severity, m.at, m.confidence, m.corrected, m.authorised_late, m.reason)
    IS DISTINCT FROM (excluded.kind, excluded.severity, excluded.at, excluded.confidence, excluded.corrected,
                      excluded.authorised_late, excluded.reason)
RETURNING alert;

-- name: restate
-- An alert says what its gravest member says: one that still stands before one that was corrected.
UPDATE alert AS a
SET kind = h.kind, severity = h.severity, at = h.first_at, from_location = h.from_location,
    to_location = h.to_location, confidence = h.best, corrected = h.all_corrected, authorised_late = h.all_late,
    reason = h.reason
FROM (
    SELECT m.kind, m.severity, m.from_location, m.to_location, m.reason,
           min(m.at) OVER () AS first_at, max(m.confidence) OVER () AS best,
           bool_and(m.corrected) OVER () AS all_corrected, bool_and(m.authorised_late) OVER () AS all_late
    FROM alert_asset AS m
    WHERE m.alert = %(alert)s
    ORDER BY m.corrected, m.authorised_late, array_position(ARRAY['critical', 'high', 'low'], m.severity), m.at, m.passage
    LIMIT 1
) AS h
WHERE a.id = %(alert)s;

-- name: add_event
-- The history of an alert.
INSERT INTO alert_event (alert, at, kind, by, detail) VALUES (%(alert)s, %(now)s, %(kind)s, %(by)s, %(detail)s);

-- name: notice
-- An alert about a gateway: opened once, its words renewed, ended or reinstated. RETURNING only if something changed.
INSERT INTO alert AS a (incident, kind, severity, state, late, corrected, gateway, at, raised_at, reason)
VALUES (%(incident)s, %(kind)s, %(severity)s, 'open', false, false, %(gateway)s, %(now)s, %(now)s, %(reason)s)
ON CONFLICT (incident) DO UPDATE SET corrected = false, reason = excluded.reason
WHERE a.corrected OR a.reason <> excluded.reason
RETURNING id, (xmax = 0) AS is_new;

-- name: clear_notice
-- What an alert about a gateway said no longer holds.
UPDATE alert SET corrected = true WHERE incident = %(incident)s AND NOT corrected RETURNING id;

-- name: acknowledge
-- The first acknowledgement stands.
UPDATE alert SET state = 'acknowledged', acknowledged_at = %(now)s, acknowledged_by = %(by)s
WHERE id = %(alert)s AND state <> 'acknowledged'
RETURNING id;

-- name: acknowledge_act
-- What a person did is in the log.
INSERT INTO act (at, recorded_at, kind, by, detail)
VALUES (%(now)s, %(now)s, 'alert_acknowledged', %(by)s, jsonb_build_object('alert', %(alert)s::int8));
