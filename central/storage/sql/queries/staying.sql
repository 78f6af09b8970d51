-- name: stays
-- Stays by place and cohort, in hours: the newest that a door saw begin and end, those that the book began and a door saw
-- end, and those that go on.
SELECT s.location, CASE WHEN EXISTS (
    SELECT FROM authorisation AS u WHERE u.asset = s.asset AND u.kind = 'standing' AND u.withdrawn_at IS NULL
) THEN 'carried' ELSE s.came END AS cohort, s.asset, s.hours, s.ended FROM (
(SELECT location, 'arrived' AS came, asset, extract(epoch FROM until - at) / 3600.0 AS hours, true AS ended FROM (
    SELECT t.asset, p.to_location AS location, p.at, lead(p.at) OVER w AS until, lead(p.from_location) OVER w AS left_from
    FROM passage AS p
    JOIN tag AS t ON t.epc = p.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
    WHERE p.final AND p.to_location IS NOT NULL AND p.at > %(since)s
    WINDOW w AS (PARTITION BY t.asset ORDER BY p.at, p.gateway, p.epoch, p.seq)
) AS x WHERE left_from = location ORDER BY until DESC, asset LIMIT %(most)s)
UNION ALL
(SELECT location, 'recorded', asset, extract(epoch FROM until - at) / 3600.0, true FROM (
    SELECT DISTINCT ON (a.id) a.location, a.asset, a.at, p.at AS until, p.from_location AS left_from
    FROM act_standing AS a
    JOIN tag AS t ON t.asset = a.asset
    JOIN passage AS p ON p.epc = t.epc AND p.at > a.at AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
    WHERE a.kind = 'placed' AND a.at > %(since)s AND p.final AND p.to_location IS NOT NULL
    ORDER BY a.id, p.at, p.gateway, p.epoch, p.seq
) AS x WHERE left_from = location ORDER BY until DESC, asset LIMIT %(most)s)
UNION ALL
(SELECT location, CASE basis WHEN 'recorded' THEN 'recorded' ELSE 'arrived' END, asset, extract(epoch FROM %(now)s - since) / 3600.0, false
 FROM asset_location WHERE since <= %(now)s ORDER BY since DESC, asset LIMIT %(most)s)
) AS s;

-- name: leavings
-- Seen departures from places by each portal, and what the portal saw and missed in all.
SELECT p.from_location, count(*), coalesce(a.crossings, 0), coalesce(a.missed, 0)
FROM passage AS p LEFT JOIN portal_accuracy AS a ON a.portal = p.portal
WHERE p.final AND p.to_location IS NOT NULL AND p.at > %(since)s
GROUP BY p.from_location, p.portal, a.crossings, a.missed ORDER BY p.from_location, p.portal;

-- name: forget_places
-- Places are measured anew.
DELETE FROM place_stay;

-- name: keep_place
-- How long assets stay at a place.
INSERT INTO place_stay (location, cohort, hours, gone, unseen, patience_h, as_of)
VALUES (%(location)s, %(cohort)s, %(hours)s::float8[], %(gone)s::float8[], %(unseen)s, %(patience_h)s, %(now)s);

-- name: places
-- How long assets that were seen to come, or are carried, stay at places.
SELECT location, cohort, hours, gone, unseen FROM place_stay WHERE cohort <> 'recorded';

-- name: forget_patience
-- Each asset is measured anew.
DELETE FROM stay_patience;

-- name: begun
-- Stays that a door or a reader saw begin and that aren't measured, each with the asset's earlier ones at the place.
WITH begun AS (
    SELECT w.asset, w.location, w.since
    FROM asset_location AS w LEFT JOIN stay_patience AS s ON s.asset = w.asset
    WHERE w.basis <> 'recorded' AND (s.location, s.since) IS DISTINCT FROM (w.location, w.since)
    ORDER BY w.asset LIMIT %(limit)s
), passed AS (
    SELECT b.asset, b.location, p.at, p.to_location, lead(p.at) OVER w AS until, lead(p.from_location) OVER w AS left_from
    FROM begun AS b
    JOIN tag AS t ON t.asset = b.asset
    JOIN passage AS p ON p.epc = t.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
    WHERE p.final AND p.to_location IS NOT NULL AND p.at > %(since)s
    WINDOW w AS (PARTITION BY b.asset ORDER BY p.at, p.gateway, p.epoch, p.seq)
)
SELECT b.asset, b.location, b.since, EXISTS (
    SELECT FROM authorisation AS u WHERE u.asset = b.asset AND u.kind = 'standing' AND u.withdrawn_at IS NULL
), coalesce(
    array_agg(extract(epoch FROM p.until - p.at)::float8 / 3600.0) FILTER (WHERE p.left_from = p.to_location), '{}')
FROM begun AS b LEFT JOIN passed AS p ON p.asset = b.asset AND p.to_location = b.location
GROUP BY b.asset, b.location, b.since ORDER BY b.asset;

-- name: keep_patience
-- After how many hours without a word each asset's place is in doubt.
INSERT INTO stay_patience (asset, location, since, patience_h, own_h)
SELECT asset, location, since, patience_h,
       ARRAY(SELECT hours::float8 FROM jsonb_array_elements_text(own_h) AS hours ORDER BY hours::float8)
FROM unnest(%(assets)s::text[], %(locations)s::text[], %(since)s::timestamptz[], %(patience_h)s::float8[],
            %(own_h)s::jsonb[]) AS m (asset, location, since, patience_h, own_h)
ON CONFLICT (asset) DO UPDATE SET
    location = excluded.location, since = excluded.since, patience_h = excluded.patience_h, own_h = excluded.own_h;
