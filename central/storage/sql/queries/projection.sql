-- name: lock_assets
-- The assets behind tags, locked in the order of their ids.
SELECT id FROM asset WHERE id IN (SELECT asset FROM tag WHERE epc = ANY(%(epcs)s)) ORDER BY id FOR NO KEY UPDATE;

-- name: lock_assets_by_id
-- The same for assets that are named.
SELECT id FROM asset WHERE id = ANY(%(assets)s) ORDER BY id FOR NO KEY UPDATE;

-- name: tags
-- On which assets tags are and were.
SELECT epc, asset, bound_from, bound_to, role, state, tid FROM tag WHERE epc = ANY(%(epcs)s);

-- name: project
-- An asset is where its newest crossing or recorded act put it, in the order (at, gateway, epoch, seq); counters follow.
-- A box stands for its asset only until a tag is on the asset itself: from then on the box may go its own way.
WITH wanted AS (
    SELECT unnest(%(assets)s::text[]) AS asset
), candidate AS (
    SELECT w.asset, c.to_location AS location, c.at, c.gateway, c.epoch, c.seq, c.confidence, 'observed' AS basis, c.passage
    FROM wanted AS w
    JOIN tag AS t ON t.asset = w.asset
    CROSS JOIN LATERAL (
        SELECT * FROM passage AS p
        WHERE p.epc = t.epc AND p.final AND p.to_location IS NOT NULL
            AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
            AND (t.role <> 'box'
                 OR p.at < ALL (SELECT registered_at FROM tag AS own WHERE own.asset = t.asset AND own.role <> 'box'))
        ORDER BY p.at DESC, p.gateway DESC, p.epoch DESC, p.seq DESC
        LIMIT 1
    ) AS c
    UNION ALL
    SELECT w.asset, a.location, a.at, '', '', a.id, 1.0, 'recorded', NULL
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT * FROM act_standing AS s WHERE kind = 'placed' AND s.asset = w.asset ORDER BY s.at DESC, s.id DESC LIMIT 1
    ) AS a
), newest AS (
    SELECT DISTINCT ON (asset) * FROM candidate ORDER BY asset, at DESC, gateway DESC, epoch DESC, seq DESC
), before AS (
    SELECT asset, location FROM asset_location WHERE asset = ANY(%(assets)s)
), gone AS (
    DELETE FROM asset_location
    WHERE asset = ANY(%(assets)s) AND asset NOT IN (SELECT asset FROM newest)
), now_at AS (
    INSERT INTO asset_location AS l (asset, location, since, confidence, basis, passage)
    SELECT asset, location, at, confidence, basis, passage FROM newest
    ON CONFLICT (asset) DO UPDATE SET
        location = excluded.location, since = excluded.since, confidence = excluded.confidence, basis = excluded.basis,
        passage = excluded.passage
    WHERE (l.location, l.since, l.confidence, l.basis, l.passage)
        IS DISTINCT FROM (excluded.location, excluded.since, excluded.confidence, excluded.basis, excluded.passage)
), moved AS (
    SELECT b.location, -1 AS by FROM before AS b LEFT JOIN newest AS n USING (asset)
    WHERE n.location IS DISTINCT FROM b.location
    UNION ALL
    SELECT n.location, 1 FROM newest AS n LEFT JOIN before AS b USING (asset)
    WHERE n.location IS DISTINCT FROM b.location
)
INSERT INTO location_counter AS c (location, shard, count, counted_at)
SELECT location, %(shard)s, sum(by), %(now)s FROM moved GROUP BY location ORDER BY location
ON CONFLICT (location, shard) DO UPDATE SET count = c.count + excluded.count, counted_at = excluded.counted_at
RETURNING location;

-- name: clear
-- First half of a rebuild: forget what follows from the log.
TRUNCATE passage, asset_location, location_counter;

-- name: rebuild_passages
-- Second half: the highest revision of each passage, from the log.
INSERT INTO passage (
    passage, rev, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location, confidence
)
SELECT DISTINCT ON (passage)
    passage, rev, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location, confidence
FROM movement
ORDER BY passage, rev DESC, gateway DESC, epoch DESC, seq DESC;

-- name: all_assets
-- Every asset, for a rebuild.
SELECT id FROM asset ORDER BY id;

-- name: hash
-- One hash over passages, locations, states and counts; neither arrival times nor counter shards go in.
SELECT md5(
    coalesce((SELECT string_agg(md5(p::text), '' ORDER BY p.passage) FROM passage AS p), '')
    || coalesce((SELECT string_agg(md5(l::text), '' ORDER BY l.asset) FROM asset_location AS l), '')
    || coalesce((SELECT string_agg(md5(s::text), '' ORDER BY s.asset) FROM asset_state AS s), '')
    || coalesce((
        SELECT string_agg(location || '=' || total, ',' ORDER BY location)
        FROM (SELECT location, sum(count) AS total FROM location_counter GROUP BY location HAVING sum(count) <> 0) AS c
    ), '')
);
