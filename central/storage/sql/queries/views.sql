-- name: locations
-- Locations with the number of assets directly in them.
SELECT l.id, l.name, l.kind, l.parent, l.guarded, coalesce(sum(c.count), 0)::int8 AS count, max(c.counted_at) AS counted_at
FROM location AS l LEFT JOIN location_counter AS c ON c.location = l.id
WHERE l.withdrawn_at IS NULL AND (%(ids)s::text[] IS NULL OR l.id = ANY(%(ids)s))
GROUP BY l.id ORDER BY l.id;

-- name: locations_json
-- All of them as one text, in the form of the API: it is asked for all day, and each place as an object of ours costs more
-- than all of the counting. A place without a counter yet was never counted.
SELECT coalesce(string_agg(json_build_object(
    'id', l.id, 'name', l.name, 'kind', l.kind, 'parent', l.parent, 'guarded', l.guarded, 'count', coalesce(c.count, 0),
    'counted_at', to_char(c.counted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text, ',' ORDER BY l.id), '')
FROM location AS l
LEFT JOIN (
    SELECT location, sum(count)::int8 AS count, max(counted_at) AS counted_at FROM location_counter GROUP BY location
) AS c ON c.location = l.id
WHERE l.withdrawn_at IS NULL;

-- name: assets
-- Assets by id; the search looks into id, name, class, serials (past ones too), EPC and TID.
SELECT a.id, a.name, a.class AS asset_class, a.serial, w.location, w.since, w.confidence, w.basis, w.certain, w.doubt,
       g.state AS transit, w.passage, w.silent, w.stale, w.heard_at, w.gone, w.reads, w.patience_h, w.unseen
FROM asset AS a LEFT JOIN beliefs(%(now)s) AS w ON w.asset = a.id
LEFT JOIN transit_leg AS g ON g.asset = a.id AND g.state IN ('open', 'wrong_destination')
WHERE a.withdrawn_at IS NULL AND (%(location)s::text IS NULL OR w.location = %(location)s COLLATE "C")
    AND (%(query)s::text IS NULL
         OR strpos(lower(concat_ws(' ', a.id, a.name, a.class, a.serial)), lower(%(query)s)) > 0
         OR EXISTS (SELECT FROM asset_serial AS s WHERE s.asset = a.id AND strpos(lower(s.serial), lower(%(query)s)) > 0)
         OR EXISTS (SELECT FROM tag WHERE tag.asset = a.id AND strpos(concat_ws(' ', tag.epc, tag.tid), lower(%(query)s)) > 0))
ORDER BY a.id LIMIT %(limit)s;

-- name: asset
-- One asset.
SELECT a.id, a.name, a.class AS asset_class, a.serial, w.location, w.since, w.confidence, w.basis, w.certain, w.doubt,
       g.state AS transit, w.passage, w.silent, w.stale, w.heard_at, w.gone, w.reads, w.patience_h, w.unseen
FROM asset AS a LEFT JOIN beliefs(%(now)s) AS w ON w.asset = a.id
LEFT JOIN transit_leg AS g ON g.asset = a.id AND g.state IN ('open', 'wrong_destination')
WHERE a.id = %(asset)s AND a.withdrawn_at IS NULL;

-- name: assets_by_id
-- The assets named, by id.
SELECT a.id, a.name, a.class AS asset_class, a.serial, w.location, w.since, w.confidence, w.basis, w.certain, w.doubt,
       g.state AS transit, w.passage, w.silent, w.stale, w.heard_at, w.gone, w.reads, w.patience_h, w.unseen
FROM asset AS a LEFT JOIN beliefs(%(now)s) AS w ON w.asset = a.id
LEFT JOIN transit_leg AS g ON g.asset = a.id AND g.state IN ('open', 'wrong_destination')
WHERE a.id = ANY(%(ids)s) AND a.withdrawn_at IS NULL ORDER BY a.id;

-- name: movements_in
-- All revisions of passages that stand in runs of streams, oldest first.
SELECT m.passage, m.rev, m.final, m.at, m.portal, m.kind, m.from_location AS from_, m.to_location AS to, m.confidence,
       m.reads, m.evidence, m.epc, t.asset
FROM unnest(%(gateways)s::text[], %(epochs)s::text[], %(firsts)s::int8[], %(lasts)s::int8[], %(starts)s::timestamptz[],
            %(ends)s::timestamptz[]) AS r (gateway, epoch, first, last, from_at, to_at)
JOIN movement AS m
    ON m.gateway = r.gateway AND m.stream = 'movement' AND m.epoch = r.epoch AND m.seq BETWEEN r.first AND r.last
        AND m.at BETWEEN r.from_at AND r.to_at AND m.at BETWEEN %(first_at)s AND %(last_at)s
LEFT JOIN tag AS t ON t.epc = m.epc AND m.at >= t.bound_from AND (t.bound_to IS NULL OR m.at < t.bound_to)
ORDER BY m.at, m.passage, m.rev;

-- name: movements
-- The newest revision of each passage, newest first: of everything, or of one portal.
SELECT p.passage, p.rev, p.final, p.at, p.portal, p.kind, p.from_location AS from_, p.to_location AS to, p.confidence,
       p.reads, p.evidence, p.epc, t.asset
FROM (
    SELECT o.* FROM passage AS o
    WHERE %(portal)s::text IS NULL OR o.portal = %(portal)s
    ORDER BY o.at DESC, o.passage LIMIT %(limit)s
) AS p
LEFT JOIN tag AS t ON t.epc = p.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
ORDER BY p.at DESC, p.passage;

-- name: movements_of
-- The same of one asset, maybe at one portal: the newest of each of its tags while the tag was on it, and of those the newest.
SELECT n.passage, n.rev, n.final, n.at, n.portal, n.kind, n.from_location AS from_, n.to_location AS to, n.confidence,
       n.reads, n.evidence, n.epc, n.asset
FROM (
    SELECT t.asset, p.*
    FROM tag AS t
    CROSS JOIN LATERAL (
        SELECT * FROM passage AS o
        WHERE o.epc = t.epc AND o.at >= t.bound_from AND (t.bound_to IS NULL OR o.at < t.bound_to)
            AND (%(portal)s::text IS NULL OR o.portal = %(portal)s)
        ORDER BY o.at DESC, o.passage DESC LIMIT %(limit)s
    ) AS p
    WHERE t.asset = %(asset)s
    ORDER BY p.at DESC, p.passage DESC LIMIT %(limit)s
) AS n
ORDER BY n.at DESC, n.passage;

-- name: portals
-- Doors by id, with the site of the gateway that watches them.
SELECT p.id, p.name, g.site, p.gateway, p.inside, p.outside, p.mode
FROM portal AS p JOIN gateway AS g ON g.id = p.gateway ORDER BY p.id;

-- name: alerts
-- Alerts by state, newest first, or the gravest first and of those the newest; what an observing portal would have raised
-- shows among all. Assets are looked up for those only that are answered.
SELECT a.*, m.assets
FROM (
    SELECT * FROM alert AS o
    WHERE %(state)s = 'all' OR o.state = %(state)s
    ORDER BY CASE WHEN %(gravest)s THEN array_position(ARRAY['critical', 'high', 'low'], o.severity) END,
             o.raised_at DESC, o.id DESC
    LIMIT %(limit)s OFFSET %(skip)s
) AS a
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'id', s.id, 'name', s.name, 'class', s.class, 'epc', x.epc, 'passage', replace(x.passage::text, '-', ''),
        'at', x.at, 'confidence', x.confidence, 'corrected', x.corrected, 'location', w.location,
        'since', w.since, 'edge', x.edge_verdict) ORDER BY x.at, s.id, x.passage) AS assets
    FROM alert_asset AS x JOIN asset AS s ON s.id = x.asset LEFT JOIN asset_location AS w ON w.asset = s.id
    WHERE x.alert = a.id
) AS m ON true
ORDER BY CASE WHEN %(gravest)s THEN array_position(ARRAY['critical', 'high', 'low'], a.severity) END,
         a.raised_at DESC, a.id DESC;

-- name: alerts_by_id
-- The alerts named, oldest first.
SELECT a.*, m.assets
FROM alert AS a
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'id', s.id, 'name', s.name, 'class', s.class, 'epc', x.epc, 'passage', replace(x.passage::text, '-', ''),
        'at', x.at, 'confidence', x.confidence, 'corrected', x.corrected, 'location', w.location,
        'since', w.since, 'edge', x.edge_verdict) ORDER BY x.at, s.id, x.passage) AS assets
    FROM alert_asset AS x JOIN asset AS s ON s.id = x.asset LEFT JOIN asset_location AS w ON w.asset = s.id
    WHERE x.alert = a.id
) AS m ON true
WHERE a.id = ANY(%(ids)s)
ORDER BY a.id;

-- name: gateways
-- Registered gateways, and those that speak and wait to be registered.
SELECT coalesce(s.site, g.site) AS site, coalesce(s.gateway, g.id) AS gateway,
       g.id IS NOT NULL AND (s.site IS NULL OR s.site = g.site) AS registered,
       coalesce(s.online, false) AS online, coalesce(s.stopped, false) AS stopped, s.last_seen, s.health,
       g.site AS registered_site
FROM gateway AS g FULL JOIN gateway_state AS s ON s.gateway = g.id
WHERE %(names)s::text[] IS NULL OR coalesce(s.gateway, g.id) = ANY(%(names)s)
ORDER BY 2, 1;

-- name: quarantined
-- What waits in the quarantine, newest first, with the beginning of each payload.
SELECT id, topic, reason, at, last_at, times, gateway, stream, seq, payload_bytes, substring(payload FOR 400) AS payload
FROM quarantine WHERE settled_at IS NULL ORDER BY last_at DESC, id DESC LIMIT %(limit)s;

-- name: totals
-- Totals over everything; `duplicated` counts stored rows, so that it finds what the unique keys would have let through.
SELECT
    (SELECT count(*) FROM passage WHERE final) AS movements,
    (SELECT count(*) FROM passage WHERE final AND to_location IS NOT NULL) AS crossings,
    (SELECT count(*) FROM alert WHERE state <> 'observed') AS alerts,
    (SELECT count(*) FROM alert_asset AS m JOIN alert AS a ON a.id = m.alert
     WHERE m.kind = 'unauthorised_exit' AND NOT m.corrected AND a.state <> 'observed') AS unauthorised_exits,
    (SELECT count(DISTINCT p.epc) FROM passage AS p WHERE NOT EXISTS (SELECT FROM tag WHERE tag.epc = p.epc))
        AS unknown_tags,
    (SELECT count(*) FROM quarantine WHERE settled_at IS NULL) AS quarantined,
    (SELECT count(*) FROM quarantine WHERE seq IS NOT NULL AND settled_at IS NULL) AS rejected,
    (SELECT coalesce(sum(count), 0)::int8 FROM gap) AS gaps,
    (SELECT (count(*) - count(DISTINCT (gateway, stream, epoch, seq))) FROM movement) AS duplicated;

-- name: streams
-- What is committed of each stream.
SELECT p.gateway, p.stream, p.epoch, p.upto,
       (SELECT array_agg(ARRAY[lower(r), upper(r) - 1] ORDER BY lower(r)) FROM unnest(p.above) AS r) AS above
FROM ingest_position AS p ORDER BY p.gateway, p.stream, p.advanced_at, p.epoch;

-- name: ping
-- Is the database there, and migrated?
SELECT version FROM registry_version;
