-- name: number
-- The id of a new transfer.
SELECT 'T-' || nextval('transfer_number');

-- name: act
-- What a person did about a transfer, a leg or an asset, in the log.
INSERT INTO act (at, recorded_at, kind, asset, location, subject, by, detail)
SELECT %(now)s, %(now)s, %(kind)s, a.asset, %(location)s, %(subject)s, %(by)s, %(detail)s::jsonb
FROM unnest(%(assets)s::text[]) AS a (asset);

-- name: project
-- Transfers as their acts tell them: those named, or all. The first word of each side and the first cancellation stand. Older
-- programs wrote an approval alone, which stands for both sides.
INSERT INTO transfer AS t (
    id, from_location, to_location, sender, receiver, reason, ticket, cost_centre, escalation_path, requested_by,
    requested_at, two_managers, sending_by, sending_at, sending_until, receiving_by, receiving_at, receiving_until,
    approved_by, approved_at, dispatch_until, cancelled_by, cancelled_at
)
SELECT r.subject, r.detail ->> 'from', r.detail ->> 'to', r.detail ->> 'sender', r.detail ->> 'receiver',
       r.detail ->> 'reason', r.detail ->> 'ticket', r.detail ->> 'cost_centre',
       ARRAY(SELECT jsonb_array_elements_text(r.detail -> 'escalation')), r.by, r.at,
       coalesce((r.detail ->> 'two_managers')::bool, false),
       coalesce(s.by, a.by), coalesce(s.at, a.at), (coalesce(s.detail, a.detail) ->> 'until')::timestamptz,
       coalesce(w.by, a.by), coalesce(w.at, a.at), (coalesce(w.detail, a.detail) ->> 'until')::timestamptz,
       a.by, a.at, (a.detail ->> 'until')::timestamptz, c.by, c.at
FROM act_standing AS r
LEFT JOIN LATERAL (
    SELECT * FROM act_standing AS o WHERE o.subject = r.subject AND o.kind = 'transfer_approved' ORDER BY o.at, o.id LIMIT 1
) AS a ON true
LEFT JOIN LATERAL (
    SELECT * FROM act_standing AS o
    WHERE o.subject = r.subject AND o.kind = 'transfer_agreed' AND o.detail ->> 'side' = 'sending' ORDER BY o.at, o.id LIMIT 1
) AS s ON true
LEFT JOIN LATERAL (
    SELECT * FROM act_standing AS o
    WHERE o.subject = r.subject AND o.kind = 'transfer_agreed' AND o.detail ->> 'side' = 'receiving'
    ORDER BY o.at, o.id LIMIT 1
) AS w ON true
LEFT JOIN LATERAL (
    SELECT * FROM act_standing AS o WHERE o.subject = r.subject AND o.kind = 'transfer_cancelled' ORDER BY o.at, o.id LIMIT 1
) AS c ON true
WHERE r.kind = 'transfer_requested' AND (%(ids)s::text[] IS NULL OR r.subject = ANY(%(ids)s))
ON CONFLICT (id) DO UPDATE SET
    sending_by = excluded.sending_by, sending_at = excluded.sending_at, sending_until = excluded.sending_until,
    receiving_by = excluded.receiving_by, receiving_at = excluded.receiving_at, receiving_until = excluded.receiving_until,
    approved_by = excluded.approved_by, approved_at = excluded.approved_at, dispatch_until = excluded.dispatch_until,
    cancelled_by = excluded.cancelled_by, cancelled_at = excluded.cancelled_at;

-- name: project_assets
-- The manifests of transfers, and what of them was cancelled: those named, or all.
INSERT INTO transfer_asset AS m (transfer, asset, outcome, cancelled_by, cancelled_at, cancel_reason)
SELECT r.subject, n.asset, c.detail ->> 'outcome', c.by, c.at, c.detail ->> 'reason'
FROM act_standing AS r
CROSS JOIN LATERAL jsonb_array_elements_text(r.detail -> 'assets') AS n (asset)
LEFT JOIN LATERAL (
    SELECT * FROM act_standing AS o
    WHERE o.subject = r.subject AND o.kind = 'transfer_line_cancelled' AND o.asset = n.asset ORDER BY o.at, o.id LIMIT 1
) AS c ON true
WHERE r.kind = 'transfer_requested' AND (%(ids)s::text[] IS NULL OR r.subject = ANY(%(ids)s))
ON CONFLICT (transfer, asset) DO UPDATE SET
    outcome = excluded.outcome, cancelled_by = excluded.cancelled_by, cancelled_at = excluded.cancelled_at,
    cancel_reason = excluded.cancel_reason
WHERE m.outcome IS DISTINCT FROM excluded.outcome;

-- name: lock
-- One transfer, so that two people don't step on it at once.
SELECT id FROM transfer WHERE id = %(id)s FOR UPDATE;

-- name: absent
-- Which of the names given are not registered, and as what they were wanted. A machine sends and receives nothing.
SELECT 'person', p FROM unnest(%(people)s::text[]) AS p WHERE NOT EXISTS (SELECT FROM person WHERE id = p AND active)
UNION ALL
SELECT 'person or role', p FROM unnest(%(parties)s::text[]) AS p
WHERE NOT EXISTS (SELECT FROM person WHERE id = p AND active) AND NOT EXISTS (SELECT FROM role WHERE id = p)
UNION ALL
SELECT 'person or role but a service account', p FROM unnest(%(parties)s::text[]) AS p
WHERE EXISTS (SELECT FROM person WHERE id = p AND active AND kind = 'service') AND NOT EXISTS (SELECT FROM role WHERE id = p)
UNION ALL
SELECT 'location', p FROM unnest(%(locations)s::text[]) AS p
WHERE NOT EXISTS (SELECT FROM location WHERE id = p AND withdrawn_at IS NULL)
UNION ALL
SELECT 'asset', p FROM unnest(%(assets)s::text[]) AS p
WHERE NOT EXISTS (SELECT FROM asset WHERE id = p AND withdrawn_at IS NULL);

-- name: standing
-- What decides whether assets may go by a transfer: (asset, place, whether that is certain, lifecycle, what blocks it, the
-- transfer that it is on, the way that it is on). A hold blocks nothing that has a permission of its own. What of another
-- transfer was cancelled before it left, or was received, is on it no more.
SELECT a.id, b.location, coalesce(b.certain, false), s.lifecycle, coalesce(h.blocks, '{}'), o.transfer, l.id
FROM asset AS a
LEFT JOIN asset_state AS s ON s.asset = a.id
LEFT JOIN beliefs(%(now)s) AS b ON b.asset = a.id
LEFT JOIN gate_held AS h ON h.asset = a.id AND NOT EXISTS (
    SELECT FROM authorisation AS p
    WHERE p.asset = a.id AND p.withdrawn_at IS NULL AND h.blocks <@ p.despite AND (p.valid_to IS NULL OR p.valid_to > %(now)s))
LEFT JOIN LATERAL (
    SELECT m.transfer FROM transfer_asset AS m JOIN transfer AS t ON t.id = m.transfer
    WHERE m.asset = a.id AND t.cancelled_at IS NULL AND m.transfer IS DISTINCT FROM %(but)s::text
        AND m.outcome IS DISTINCT FROM 'not_dispatched'
        AND NOT EXISTS (SELECT FROM transit_leg AS g WHERE g.transfer = t.id AND g.asset = m.asset AND g.state = 'received')
    ORDER BY m.transfer LIMIT 1
) AS o ON true
LEFT JOIN transit_leg AS l ON l.asset = a.id AND l.state IN ('open', 'wrong_destination')
WHERE a.id = ANY(%(assets)s)
ORDER BY a.id;

-- name: other_cost_centre
-- Whether any of the assets has another cost centre than the one named.
SELECT EXISTS (SELECT FROM asset WHERE id = ANY(%(assets)s) AND cost_centre IS DISTINCT FROM %(cost_centre)s::text);

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
       t.escalation_path, t.requested_by, t.requested_at, t.two_managers, t.sending_by, t.sending_at, t.sending_until,
       t.receiving_by, t.receiving_at, t.receiving_until, t.approved_by, t.approved_at, t.dispatch_until, t.cancelled_by,
       t.cancelled_at, m.assets
FROM (
    SELECT * FROM transfer AS n
    WHERE (%(ids)s::text[] IS NULL OR n.id = ANY(%(ids)s))
        AND (%(asset)s::text IS NULL OR EXISTS (SELECT FROM transfer_asset WHERE transfer = n.id AND asset = %(asset)s))
    ORDER BY n.requested_at DESC, n.id DESC LIMIT %(limit)s
) AS t
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'id', s.id, 'name', s.name, 'dispatched_at', l.dispatched_at, 'state', CASE
            WHEN a.outcome = 'not_dispatched' AND coalesce(l.state, 'returned_to_origin') = 'returned_to_origin' THEN 'cancelled'
            WHEN a.outcome = 'never_found' AND l.state IS DISTINCT FROM 'received' THEN 'never_found'
            ELSE coalesce(l.state, 'waiting') END,
        'basis', l.basis, 'receipt_due', l.receipt_due, 'ended_at', l.ended_at, 'ended_in', l.ended_in,
        'cancelled_by', a.cancelled_by, 'cancelled_at', a.cancelled_at, 'cancel_reason', a.cancel_reason)
        ORDER BY s.id) AS assets
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

-- name: awaited
-- The approved transfers of assets: (asset, id, from, to, sender, receiver, who scanned it out last, whether it came).
SELECT m.asset, t.id, t.from_location, t.to_location, t.sender, t.receiver, d.by,
       EXISTS (SELECT FROM transit_leg AS l WHERE l.transfer = t.id AND l.asset = m.asset AND l.state = 'received')
FROM transfer_asset AS m JOIN transfer AS t ON t.id = m.transfer
LEFT JOIN LATERAL (
    SELECT a.by FROM act_standing AS a
    WHERE a.subject = t.id AND a.kind = 'dispatch_scanned' AND a.asset = m.asset ORDER BY a.at DESC, a.id DESC LIMIT 1
) AS d ON true
WHERE m.asset = ANY(%(assets)s) AND m.outcome IS DISTINCT FROM 'not_dispatched'
    AND t.approved_at IS NOT NULL AND t.cancelled_at IS NULL
ORDER BY t.id, m.asset;

-- name: under_way
-- The leg that an asset is on.
SELECT number, transfer, assumed, origin FROM transit_leg WHERE asset = %(asset)s AND state IN ('open', 'wrong_destination');

-- name: manifests
-- What is missing of transfers of which another part was dispatched a while ago: what the door didn't read.
SELECT t.id, t.from_location, t.dispatched_at, count(*) OVER (PARTITION BY t.id), t.total, a.asset
FROM (
    SELECT t.id, t.from_location, min(l.dispatched_at) AS dispatched_at,
           (SELECT count(*) FROM transfer_asset AS m WHERE m.transfer = t.id AND m.outcome IS NULL) AS total
    FROM transfer AS t JOIN transit_leg AS l ON l.transfer = t.id AND l.state <> 'returned_to_origin'
    WHERE t.cancelled_at IS NULL
    GROUP BY t.id
) AS t
JOIN transfer_asset AS a ON a.transfer = t.id
WHERE t.dispatched_at <= %(before)s AND a.outcome IS NULL AND NOT EXISTS (
    SELECT FROM transit_leg AS l WHERE l.transfer = t.id AND l.asset = a.asset AND l.state <> 'returned_to_origin')
ORDER BY t.id, a.asset;

-- name: manifest_assets
-- The assets of transfers that could be dispatched lately.
SELECT DISTINCT a.asset FROM transfer AS t JOIN transfer_asset AS a ON a.transfer = t.id
WHERE t.dispatch_until > %(since)s ORDER BY a.asset;
