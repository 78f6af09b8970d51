-- name: legs
-- What is under way at, from or to a location and all below it (or anywhere), by due date. `due_on` is the destination's day.
WITH RECURSIVE below AS (
    SELECT id FROM location WHERE id = %(location)s
    UNION ALL SELECT l.id FROM below AS b JOIN location AS l ON l.parent = b.id
)
SELECT l.id, l.asset, s.name AS asset_name, s.class, l.transfer, l.origin, o.name AS origin_name, l.destination,
       d.name AS destination_name, l.sender, coalesce(sp.name, sr.name, l.sender) AS sender_name, l.receiver,
       coalesce(rp.name, rr.name, l.receiver) AS receiver_name, l.dispatched_at, l.receipt_due,
       (l.receipt_due AT TIME ZONE coalesce(i.timezone, 'UTC'))::date AS due_on, l.calendar, l.basis, l.assumed, l.state,
       l.ended_in AS astray_in, e.name AS astray_in_name, l.ended_at AS astray_at, l.receipt_due < %(now)s AS overdue,
       l.escalation_path, told.recipient AS told, told.fired_at AS told_at
FROM transit_leg AS l
JOIN asset AS s ON s.id = l.asset
JOIN location AS o ON o.id = l.origin
LEFT JOIN location AS d ON d.id = l.destination
LEFT JOIN location AS e ON e.id = l.ended_in
LEFT JOIN location_inherited AS i ON i.id = coalesce(l.destination, l.origin)
LEFT JOIN person AS sp ON sp.id = l.sender
LEFT JOIN role AS sr ON sr.id = l.sender
LEFT JOIN person AS rp ON rp.id = l.receiver
LEFT JOIN role AS rr ON rr.id = l.receiver
LEFT JOIN LATERAL (
    SELECT f.recipient, f.fired_at FROM deadline AS f
    WHERE f.subject_kind = 'receipt' AND f.subject = l.id AND f.due_at = l.receipt_due AND f.fired_at IS NOT NULL
    ORDER BY f.at DESC, f.id DESC LIMIT 1
) AS told ON true
WHERE l.state IN ('open', 'wrong_destination')
    AND (%(location)s::text IS NULL OR EXISTS (SELECT FROM below AS b WHERE b.id IN (l.origin, l.destination, l.ended_in)))
ORDER BY l.receipt_due, l.id LIMIT %(limit)s;

-- name: totals
-- The same over all of it, whatever the list's limit: assets under way, overdue, undeclared, at a wrong place, inferred.
WITH RECURSIVE below AS (
    SELECT id FROM location WHERE id = %(location)s
    UNION ALL SELECT l.id FROM below AS b JOIN location AS l ON l.parent = b.id
)
SELECT count(*) AS under_way,
       count(*) FILTER (WHERE l.receipt_due < %(now)s) AS overdue,
       count(*) FILTER (WHERE l.transfer IS NULL AND 'receiver' = ANY (l.assumed)) AS undeclared,
       count(*) FILTER (WHERE l.state = 'wrong_destination') AS astray,
       count(*) FILTER (WHERE l.basis = 'inferred') AS inferred
FROM transit_leg AS l
WHERE l.state IN ('open', 'wrong_destination')
    AND (%(location)s::text IS NULL OR EXISTS (SELECT FROM below AS b WHERE b.id IN (l.origin, l.destination, l.ended_in)));

-- name: manifests
-- Of transfers: what they are for, how many assets they name, which of them nobody dispatched, and which came back.
SELECT t.id, t.reason, t.ticket, t.from_location, f.name, t.to_location, w.name, count(*) AS total,
       count(*) FILTER (WHERE g.state = 'received') AS received,
       coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name) ORDER BY s.id) FILTER (WHERE g.state IS NULL), '[]'),
       coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name) ORDER BY s.id)
                FILTER (WHERE g.state = 'returned_to_origin'), '[]')
FROM transfer AS t
JOIN location AS f ON f.id = t.from_location
JOIN location AS w ON w.id = t.to_location
JOIN transfer_asset AS a ON a.transfer = t.id AND a.outcome IS DISTINCT FROM 'not_dispatched'
JOIN asset AS s ON s.id = a.asset
LEFT JOIN LATERAL (
    SELECT l.state FROM transit_leg AS l
    WHERE l.asset = a.asset AND l.transfer = t.id ORDER BY l.number DESC LIMIT 1
) AS g ON true
WHERE t.id = ANY(%(ids)s)
GROUP BY t.id, f.name, w.name;

-- name: location
-- Whether a location is registered.
SELECT id FROM location WHERE id = %(location)s AND withdrawn_at IS NULL;
