-- name: moments
-- What happened to an asset, newest first, of some kinds and before a moment: movements, what was told of it, where readers heard
-- it, transfers, passes, exceptions, alerts, counts. `key` orders what happened at once.
WITH tags AS (
    SELECT epc, bound_from, coalesce(bound_to, 'infinity') AS bound_to FROM tag WHERE asset = %(asset)s
), movement_line AS (
    SELECT p.at, 'movement' AS kind, replace(p.passage::text, '-', '') AS key, jsonb_build_object(
        'passage', replace(p.passage::text, '-', ''), 'rev', p.rev, 'final', p.final, 'kind', p.kind, 'portal', p.portal,
        'from', p.from_location, 'to', p.to_location, 'confidence', p.confidence, 'epc', p.epc, 'reads', m.reads,
        'evidence', m.evidence, 'reason', m.reason) AS data
    FROM (
        SELECT o.* FROM tags AS t CROSS JOIN LATERAL (
            SELECT * FROM passage AS x
            WHERE x.epc = t.epc AND x.at >= t.bound_from AND x.at < t.bound_to AND x.at <= %(before)s
            ORDER BY x.at DESC, x.passage DESC LIMIT %(limit)s + 1
        ) AS o
    ) AS p
    JOIN movement AS m ON m.gateway = p.gateway AND m.stream = 'movement' AND m.epoch = p.epoch AND m.seq = p.seq AND m.at = p.at
    WHERE 'movement' = ANY(%(kinds)s)
), act_line AS (
    SELECT a.at, 'act', lpad(a.id::text, 20, '0'), jsonb_build_object(
        'kind', a.kind, 'by', a.by, 'location', a.location, 'subject', a.subject, 'detail', a.detail,
        'recorded_at', a.recorded_at, 'void', EXISTS (SELECT FROM act_void AS v WHERE v.act = a.id))
    FROM act AS a
    WHERE 'act' = ANY(%(kinds)s) AND a.asset = %(asset)s AND a.at <= %(before)s
        AND a.kind <> 'asset_verified'  -- it stands among the counts
), transfer_act AS (
    SELECT a.at, 'transfer', lpad(a.id::text, 20, '0'), jsonb_build_object(
        'kind', a.kind, 'by', a.by, 'transfer', a.subject, 'detail', a.detail - 'assets', 'recorded_at', a.recorded_at)
    FROM transfer_asset AS t JOIN act AS a ON a.subject = t.transfer AND a.asset IS NULL
    WHERE 'transfer' = ANY(%(kinds)s) AND t.asset = %(asset)s AND a.at <= %(before)s
), leg AS (
    SELECT l.*, jsonb_build_object(
        'transfer', l.transfer, 'from', l.origin, 'to', l.destination, 'sender', l.sender, 'receiver', l.receiver,
        'receipt_due', l.receipt_due, 'basis', l.basis, 'assumed', l.assumed, 'state', l.state, 'ended_in', l.ended_in,
        'ended_by', l.ended_by, 'seen', EXISTS (
            -- By a door of the place that it left; a later door's crossing only shows that it must have left.
            SELECT FROM passage AS p
            WHERE p.passage = l.passage::uuid AND l.origin IN (p.from_location, p.to_location))) AS data
    FROM transit_leg AS l WHERE 'transfer' = ANY(%(kinds)s) AND l.asset = %(asset)s
), leg_line AS (
    SELECT dispatched_at, 'transfer', id || '/0', data || '{"kind": "dispatched"}' FROM leg WHERE dispatched_at <= %(before)s
    UNION ALL
    SELECT ended_at, 'transfer', id || '/1', data || '{"kind": "ended"}' FROM leg WHERE ended_at <= %(before)s
), pass_line AS (
    SELECT a.recorded_at, 'pass', a.id, jsonb_build_object(
        'id', a.id, 'kind', a.kind, 'boundary', a.boundary, 'valid_from', a.valid_from, 'valid_to', a.valid_to,
        'reason', a.reason, 'person', a.person, 'single_use', a.single_use, 'requested_by', a.requested_by,
        'approved_by', a.approved_by, 'withdrawn_at', a.withdrawn_at, 'used_at', u.at, 'used_portal', u.portal)
    FROM authorisation AS a LEFT JOIN authorisation_use AS u ON u.authorisation = a.id
    WHERE 'pass' = ANY(%(kinds)s) AND a.asset = %(asset)s AND a.recorded_at <= %(before)s
), exception_line AS (
    SELECT v.at, 'exception', lpad(v.id::text, 20, '0'), jsonb_build_object(
        'exception', e.id, 'category', e.category, 'severity', e.severity, 'state', e.state, 'location', e.location,
        'kind', v.kind, 'by', v.by, 'detail', v.detail)
    FROM exception AS e JOIN exception_event AS v ON v.exception = e.id
    WHERE 'exception' = ANY(%(kinds)s) AND e.asset = %(asset)s AND v.at <= %(before)s
), alert_line AS (
    SELECT min(x.at), 'alert', lpad(a.id::text, 20, '0'), jsonb_build_object(
        'alert', a.id, 'kind', a.kind, 'severity', a.severity, 'state', a.state, 'portal', a.portal, 'from', a.from_location,
        'to', a.to_location, 'reason', a.reason, 'verdict', a.verdict, 'by', coalesce(a.resolved_by, a.acknowledged_by),
        'assets', (SELECT count(DISTINCT y.asset) FROM alert_asset AS y WHERE y.alert = a.id))
    FROM alert_asset AS x JOIN alert AS a ON a.id = x.alert
    WHERE 'alert' = ANY(%(kinds)s) AND x.asset = %(asset)s
    GROUP BY a.id HAVING min(x.at) <= %(before)s
), count_line AS (
    SELECT v.at, 'count', lpad(v.id::text, 20, '0'), jsonb_build_object(
        'location', v.location, 'how', v.how, 'grade', v.grade, 'confidence', v.confidence, 'evidence', v.evidence,
        'by', v.by, 'run', v.run)
    FROM verification AS v
    WHERE 'count' = ANY(%(kinds)s) AND v.asset = %(asset)s AND v.at <= %(before)s
), heard AS (
    SELECT h.location, (h.hits -> 0 ->> 0)::timestamptz AS first_at, (h.hits -> -1 ->> 0)::timestamptz AS last_at,
           jsonb_array_length(h.hits) AS rounds, (h.hits -> 0 ->> 5)::bool AS swept
    FROM tags AS t JOIN hearing AS h ON h.epc = t.epc AND (h.day + 1) > t.bound_from::date AND h.day <= t.bound_to::date
    WHERE 'hearing' = ANY(%(kinds)s)
), crossing AS (
    SELECT p.at, p.to_location FROM tags AS t
    JOIN passage AS p ON p.epc = t.epc AND p.at >= t.bound_from AND p.at < t.bound_to AND p.final AND p.to_location IS NOT NULL
    WHERE 'hearing' = ANY(%(kinds)s)
), place AS (
    -- Where it is held to be after each crossing and each day's hearing in a room, in their order.
    SELECT first_at AS at, location, true AS heard, last_at, rounds, swept FROM heard
    UNION ALL SELECT at, to_location, false, at, 0, false FROM crossing
    UNION ALL SELECT at, location, false, at, 0, false FROM act_standing
        WHERE 'hearing' = ANY(%(kinds)s) AND asset = %(asset)s AND kind = 'placed' AND location IS NOT NULL
), changed AS (
    SELECT *, lag(location) OVER (ORDER BY at, heard, location) AS before_it FROM place
), stay AS (
    SELECT *, sum((location IS DISTINCT FROM before_it)::int) OVER (ORDER BY at, heard, location) AS number FROM changed
), hearing_line AS (
    SELECT min(at) FILTER (WHERE heard) AS at, 'hearing', location || '/' || number, jsonb_build_object(
        'location', location, 'until', max(last_at) FILTER (WHERE heard), 'rounds', sum(rounds),
        'swept', bool_or(swept), 'from', (array_agg(before_it ORDER BY at, heard))[1],
        'moved', (array_agg(heard ORDER BY at, heard))[1] AND (array_agg(before_it ORDER BY at, heard))[1] IS NOT NULL)
    FROM stay GROUP BY location, number HAVING bool_or(heard) AND min(at) FILTER (WHERE heard) <= %(before)s
), line AS (
    SELECT * FROM movement_line UNION ALL SELECT * FROM act_line UNION ALL SELECT * FROM transfer_act
    UNION ALL SELECT * FROM leg_line UNION ALL SELECT * FROM pass_line UNION ALL SELECT * FROM exception_line
    UNION ALL SELECT * FROM alert_line UNION ALL SELECT * FROM count_line UNION ALL SELECT * FROM hearing_line
)
SELECT at, kind, key, data FROM line
WHERE (at, kind, key) < (%(before)s, %(before_kind)s, %(before_key)s)
ORDER BY at DESC, kind DESC, key DESC LIMIT %(limit)s + 1;
