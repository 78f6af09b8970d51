-- name: number
-- The id of a new transfer.
SELECT 'T-' || nextval('transfer_number');

-- name: act
-- What a person did about a transfer, a leg or an asset, in the log.
INSERT INTO act (at, recorded_at, kind, asset, location, subject, by, detail)
SELECT %(now)s, %(now)s, %(kind)s, a.asset, %(location)s, %(subject)s, %(by)s, %(detail)s::jsonb
FROM unnest(%(assets)s::text[]) AS a (asset);

-- name: project
-- Transfers as their acts tell them: those named, or all. The first approval and the first cancellation stand.
INSERT INTO transfer AS t (
    id, from_location, to_location, sender, receiver, reason, ticket, cost_centre, escalation_path, requested_by,
    requested_at, approved_by, approved_at, dispatch_until, cancelled_by, cancelled_at
)
SELECT r.subject, r.detail ->> 'from', r.detail ->> 'to', r.detail ->> 'sender', r.detail ->> 'receiver',
       r.detail ->> 'reason', r.detail ->> 'ticket', r.detail ->> 'cost_centre',
       ARRAY(SELECT jsonb_array_elements_text(r.detail -> 'escalation')), r.by, r.at,
       a.by, a.at, (a.detail ->> 'until')::timestamptz, c.by, c.at
FROM act_standing AS r
LEFT JOIN LATERAL (
    SELECT * FROM act_standing AS o WHERE o.subject = r.subject AND o.kind = 'transfer_approved' ORDER BY o.at, o.id LIMIT 1
) AS a ON true
LEFT JOIN LATERAL (
    SELECT * FROM act_standing AS o WHERE o.subject = r.subject AND o.kind = 'transfer_cancelled' ORDER BY o.at, o.id LIMIT 1
) AS c ON true
WHERE r.kind = 'transfer_requested' AND (%(ids)s::text[] IS NULL OR r.subject = ANY(%(ids)s))
ON CONFLICT (id) DO UPDATE SET
    approved_by = excluded.approved_by, approved_at = excluded.approved_at, dispatch_until = excluded.dispatch_until,
    cancelled_by = excluded.cancelled_by, cancelled_at = excluded.cancelled_at;

-- name: project_assets
-- The manifests of transfers: those named, or all.
INSERT INTO transfer_asset (transfer, asset)
SELECT r.subject, jsonb_array_elements_text(r.detail -> 'assets')
FROM act_standing AS r
WHERE r.kind = 'transfer_requested' AND (%(ids)s::text[] IS NULL OR r.subject = ANY(%(ids)s))
ON CONFLICT DO NOTHING;

-- name: lock
-- One transfer, so that two people don't step on it at once.
SELECT id FROM transfer WHERE id = %(id)s FOR UPDATE;

-- name: absent
-- Which of the names given are not registered, and as what they were wanted.
SELECT 'person', p FROM unnest(%(people)s::text[]) AS p WHERE NOT EXISTS (SELECT FROM person WHERE id = p AND active)
UNION ALL
SELECT 'person or role', p FROM unnest(%(parties)s::text[]) AS p
WHERE NOT EXISTS (SELECT FROM person WHERE id = p) AND NOT EXISTS (SELECT FROM role WHERE id = p)
UNION ALL
SELECT 'location', p FROM unnest(%(locations)s::text[]) AS p
WHERE NOT EXISTS (SELECT FROM location WHERE id = p AND withdrawn_at IS NULL)
UNION ALL
SELECT 'asset', p FROM unnest(%(assets)s::text[]) AS p
WHERE NOT EXISTS (SELECT FROM asset WHERE id = p AND withdrawn_at IS NULL);

-- name: bound
-- Assets that are on another transfer which isn't over.
SELECT a.asset, a.transfer FROM transfer_asset AS a JOIN transfer AS t ON t.id = a.transfer
WHERE a.asset = ANY(%(assets)s) AND t.cancelled_at IS NULL
    AND NOT EXISTS (SELECT FROM transit_leg AS l WHERE l.transfer = t.id AND l.asset = a.asset AND l.state = 'received')
ORDER BY a.asset, a.transfer;

-- name: permit
-- An approved transfer may pass the doors on its way.
INSERT INTO authorisation (id, kind, asset, boundary, valid_from, valid_to, reason, recorded_at, requested_by, approved_by)
SELECT %(transfer)s || '.' || md5(a.asset), 'transfer', a.asset, %(boundary)s, %(now)s, %(until)s,
       'transfer ' || %(transfer)s, %(now)s, %(requested_by)s, %(by)s
FROM unnest(%(assets)s::text[]) AS a (asset);

-- name: withdraw
-- What a transfer permitted ends with it.
UPDATE authorisation SET withdrawn_at = %(now)s
WHERE id IN (SELECT %(transfer)s || '.' || md5(a.asset) FROM unnest(%(assets)s::text[]) AS a (asset))
    AND withdrawn_at IS NULL;

-- name: list
-- Transfers, newest first, each with its manifest and how far each asset of it is; manifests of those that are listed only.
SELECT t.id, t.from_location AS from_, t.to_location AS to, t.sender, t.receiver, t.reason, t.ticket, t.cost_centre,
       t.escalation_path, t.requested_by, t.requested_at, t.approved_by, t.approved_at, t.dispatch_until, t.cancelled_by,
       t.cancelled_at, m.assets
FROM (
    SELECT * FROM transfer AS n
    WHERE (%(ids)s::text[] IS NULL OR n.id = ANY(%(ids)s))
        AND (%(asset)s::text IS NULL OR EXISTS (SELECT FROM transfer_asset WHERE transfer = n.id AND asset = %(asset)s))
    ORDER BY n.requested_at DESC, n.id DESC LIMIT %(limit)s
) AS t
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'id', s.id, 'name', s.name, 'state', coalesce(l.state, 'waiting'), 'dispatched_at', l.dispatched_at,
        'basis', l.basis, 'receipt_due', l.receipt_due, 'ended_at', l.ended_at, 'ended_in', l.ended_in) ORDER BY s.id) AS assets
    FROM transfer_asset AS a JOIN asset AS s ON s.id = a.asset
    LEFT JOIN LATERAL (
        SELECT * FROM transit_leg AS l WHERE l.asset = a.asset AND l.transfer = t.id ORDER BY l.number DESC LIMIT 1
    ) AS l ON true
    WHERE a.transfer = t.id
) AS m
ORDER BY t.requested_at DESC, t.id DESC;

-- name: legs
-- Legs with their assets: those under way by due date, or those that ended, newest first.
SELECT l.*, s.name AS asset_name, l.receipt_due < %(now)s AND l.state IN ('open', 'wrong_destination') AS overdue
FROM transit_leg AS l JOIN asset AS s ON s.id = l.asset
WHERE (%(asset)s::text IS NULL OR l.asset = %(asset)s)
    AND (%(under_way)s::bool IS NULL OR (l.state IN ('open', 'wrong_destination')) = %(under_way)s)
ORDER BY CASE WHEN l.state IN ('open', 'wrong_destination') THEN l.receipt_due END, l.ended_at DESC, l.id LIMIT %(limit)s;

-- name: sent_by
-- Who scanned any of a transfer's assets out last.
SELECT DISTINCT last.by FROM (
    SELECT DISTINCT ON (a.asset) a.by FROM act_standing AS a
    WHERE a.subject = %(transfer)s AND a.kind = 'dispatch_scanned' AND a.asset = ANY(%(assets)s)
    ORDER BY a.asset, a.at DESC, a.id DESC
) AS last;

-- name: under_way
-- The leg that an asset is on.
SELECT number, transfer, assumed FROM transit_leg WHERE asset = %(asset)s AND state IN ('open', 'wrong_destination');

-- name: manifests
-- What is missing of transfers of which another part was dispatched a while ago: what the door didn't read.
SELECT t.id, t.from_location, t.dispatched_at, count(*) OVER (PARTITION BY t.id), t.total, a.asset
FROM (
    SELECT t.id, t.from_location, min(l.dispatched_at) AS dispatched_at,
           (SELECT count(*) FROM transfer_asset AS m WHERE m.transfer = t.id) AS total
    FROM transfer AS t JOIN transit_leg AS l ON l.transfer = t.id AND l.state <> 'returned_to_origin'
    WHERE t.cancelled_at IS NULL
    GROUP BY t.id
) AS t
JOIN transfer_asset AS a ON a.transfer = t.id
WHERE t.dispatched_at <= %(before)s AND NOT EXISTS (
    SELECT FROM transit_leg AS l WHERE l.transfer = t.id AND l.asset = a.asset AND l.state <> 'returned_to_origin')
ORDER BY t.id, a.asset;

-- name: manifest_assets
-- The assets of transfers that could be dispatched lately.
SELECT DISTINCT a.asset FROM transfer AS t JOIN transfer_asset AS a ON a.transfer = t.id
WHERE t.dispatch_until > %(since)s ORDER BY a.asset;
