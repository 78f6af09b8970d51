-- name: todo
-- Note presence that came, by zone: the fold takes it from here.
INSERT INTO presence_todo (gateway, zone, mode, from_at, to_at)
SELECT * FROM unnest(
    %(gateway)s::text[], %(zone)s::text[], %(mode)s::text[], %(from_at)s::timestamptz[], %(to_at)s::timestamptz[]);

-- name: waiting
-- Move what zones that lie nowhere told to the list of those that wait for a place.
WITH taken AS (
    DELETE FROM presence_todo AS t
    WHERE t.zone IS NOT NULL
        AND NOT EXISTS (SELECT FROM presence_zone AS z WHERE z.gateway = t.gateway AND z.zone = t.zone)
        AND NOT EXISTS (SELECT FROM location AS l WHERE l.id = t.zone)
    RETURNING gateway, zone, from_at
)
INSERT INTO zone_waiting AS w (gateway, zone, first_at, last_at)
SELECT gateway, zone, min(from_at), max(from_at) FROM taken GROUP BY gateway, zone
ON CONFLICT (gateway, zone) DO UPDATE SET
    first_at = least(w.first_at, excluded.first_at), last_at = greatest(w.last_at, excluded.last_at);

-- name: due
-- Places that are to be folded or counted again: those where presence came first, then those where a round has ended or
-- whose book or doors changed.
SELECT location FROM (
SELECT coalesce(t.location, z.location, t.zone) AS location, 0 AS rank
FROM presence_todo AS t LEFT JOIN presence_zone AS z ON z.gateway = t.gateway AND z.zone = t.zone
WHERE t.zone IS NULL OR z.location IS NOT NULL OR EXISTS (SELECT FROM location AS l WHERE l.id = t.zone)
UNION ALL
SELECT location, 1 FROM place_fold WHERE next_at <= %(now)s
UNION ALL
SELECT s.location, 1 FROM place_seen AS s LEFT JOIN place_fold AS f USING (location) WHERE f.seen IS DISTINCT FROM s.seen
) AS places GROUP BY location ORDER BY min(rank), location LIMIT %(limit)s;

-- name: begin
-- A place that is new to the fold.
INSERT INTO place_fold (location) VALUES (%(location)s) ON CONFLICT DO NOTHING;

-- name: hold
-- Lock a place.
SELECT upto FROM place_fold WHERE location = %(location)s FOR UPDATE;

-- name: seen
-- What the count of a place depends on besides presence, as it stands.
SELECT seen FROM place_seen WHERE location = %(location)s;

-- name: take
-- Take what came of a place's zones.
DELETE FROM presence_todo AS t
WHERE t.location = %(location)s
    OR EXISTS (SELECT FROM presence_zone AS z
               WHERE z.location = %(location)s AND z.gateway = t.gateway AND z.zone = t.zone)
    OR (t.zone = %(location)s
        AND NOT EXISTS (SELECT FROM presence_zone AS z WHERE z.gateway = t.gateway AND z.zone = t.zone))
RETURNING t.gateway || '/' || t.zone, t.mode, t.from_at, t.to_at;

-- name: swept_at
-- When the last sweep of a place ended up to an instant.
SELECT max(p.to_at) FROM presence AS p
WHERE p.mode = 'sweep' AND p.to_at <= %(upto)s
    AND ((p.gateway, p.zone) IN (SELECT z.gateway, z.zone FROM presence_zone AS z WHERE z.location = %(location)s)
         OR (p.zone = %(location)s
             AND NOT EXISTS (SELECT FROM presence_zone AS z WHERE z.gateway = p.gateway AND z.zone = p.zone)));

-- name: spans
-- What a place's zones told of rounds that end after an instant: a zone's begin at most an hour before, a sweep's a day.
SELECT p.gateway || '/' || p.zone AS zone, p.mode, p.from_at, p.to_at, p.antennas, p.tags, p.part, p.parts, p.complete
FROM presence AS p
WHERE p.mode <> 'portal' AND p.to_at > %(after)s - CASE p.mode WHEN 'sweep' THEN INTERVAL '1 day' ELSE INTERVAL '1 hour' END
    AND p.to_at > %(after)s - INTERVAL '1 day'
    AND ((p.gateway, p.zone) IN (SELECT z.gateway, z.zone FROM presence_zone AS z WHERE z.location = %(location)s)
         OR (p.zone = %(location)s
             AND NOT EXISTS (SELECT FROM presence_zone AS z WHERE z.gateway = p.gateway AND z.zone = p.zone)));

-- name: stays
-- Who stayed at a place at any time after an instant: those who are there by the book, and those who were, by the log; whether
-- it is a door that was as sure, which cohort it is of, and how long their earlier stays lasted.
WITH touched AS (
    SELECT DISTINCT t.asset
    FROM passage AS p
    JOIN tag AS t ON t.epc = p.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
    WHERE p.final AND p.to_location IS NOT NULL AND p.at > %(after)s AND %(location)s IN (p.from_location, p.to_location)
), event AS (
    SELECT c.asset, p.at, p.gateway, p.epoch, p.seq, p.to_location AS place, p.confidence
    FROM touched AS c
    JOIN tag AS t ON t.asset = c.asset
    JOIN passage AS p ON p.epc = t.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
    WHERE p.final AND p.to_location IS NOT NULL
    UNION ALL
    SELECT c.asset, a.at, '', '', a.id, a.location, 1.0
    FROM touched AS c JOIN act_standing AS a ON a.asset = c.asset AND a.kind = 'placed'
), dated AS (
    SELECT *, lead(at) OVER (PARTITION BY asset ORDER BY at, gateway, epoch, seq) AS until FROM event
)
SELECT d.asset, d.at AS since, d.confidence, d.until, d.gateway <> '' AS by_door,
       CASE WHEN EXISTS (
           SELECT FROM authorisation AS u WHERE u.asset = d.asset AND u.kind = 'standing' AND u.withdrawn_at IS NULL
       ) THEN 'carried' WHEN d.gateway = '' THEN 'recorded' ELSE 'arrived' END AS cohort,
       '{}'::float8[] AS own_h
FROM dated AS d LEFT JOIN asset_location AS l ON l.asset = d.asset
WHERE d.place = %(location)s AND d.until > greatest(%(after)s, d.at)
    AND (l.location IS DISTINCT FROM %(location)s OR d.until <= l.since)
UNION ALL
SELECT w.asset, w.since, w.confidence, NULL, w.passage IS NOT NULL AND w.doubt IS NULL,
       CASE WHEN EXISTS (
           SELECT FROM authorisation AS u WHERE u.asset = w.asset AND u.kind = 'standing' AND u.withdrawn_at IS NULL
       ) THEN 'carried' WHEN w.basis = 'recorded' THEN 'recorded' ELSE 'arrived' END,
       coalesce(o.own_h, '{}')
FROM asset_location AS w
LEFT JOIN stay_patience AS o ON o.asset = w.asset AND o.location = w.location AND o.since = w.since
WHERE w.location = %(location)s
ORDER BY 1, 2;

-- name: usual
-- How long assets stay at a place, by cohort, and which share of those who leave no door sees.
SELECT cohort, hours, gone, unseen FROM place_stay WHERE location = %(location)s;

-- name: tags_of
-- The tags that stand for assets: a box only where there is no other.
SELECT t.asset, array_agg(t.epc ORDER BY t.epc)
FROM tag AS t
WHERE t.asset = ANY(%(assets)s) AND t.state = 'active' AND t.bound_to IS NULL
    AND (t.role <> 'box' OR NOT EXISTS (SELECT FROM tag AS own WHERE own.asset = t.asset AND own.role <> 'box'
                                            AND own.state = 'active' AND own.bound_to IS NULL))
GROUP BY t.asset;

-- name: known
-- What is known of assets at a place.
SELECT asset, since, at, there, gone, faded, heard_at, silent, reads, away
FROM tag_presence WHERE location = %(location)s AND asset = ANY(%(assets)s);

-- name: strangers
-- Tags that were heard at a place where the book hasn't got their assets.
SELECT epc, first_at, last_at, rounds, swept FROM stranger WHERE location = %(location)s;

-- name: fold_anew
-- Have every place folded from its beginning.
UPDATE place_fold SET upto = NULL, seen = '';

-- name: forget_known
-- A place is folded anew: first of three.
DELETE FROM tag_presence WHERE location = %(location)s;

-- name: forget_sightings
-- Second of three.
DELETE FROM sighting WHERE location = %(location)s;

-- name: forget_strangers
-- Third of three.
DELETE FROM stranger WHERE location = %(location)s;

-- name: save_known
-- Store what is known of assets at a place.
INSERT INTO tag_presence AS t (location, asset, since, at, there, gone, faded, heard_at, silent, reads, away)
SELECT %(location)s, * FROM unnest(
    %(asset)s::text[], %(since)s::timestamptz[], %(at)s::timestamptz[], %(there)s::float8[], %(gone)s::float8[],
    %(faded)s::float8[], %(heard_at)s::timestamptz[], %(silent)s::int[], %(reads)s::jsonb[], %(away)s::float8[]
) ON CONFLICT (location, asset) DO UPDATE SET
    since = excluded.since, at = excluded.at, there = excluded.there, gone = excluded.gone, faded = excluded.faded,
    heard_at = excluded.heard_at, silent = excluded.silent, reads = excluded.reads, away = excluded.away;

-- name: save_sightings
-- Store when a place was listened to.
INSERT INTO sighting (location, from_at, to_at, mode, probability)
SELECT %(location)s, * FROM unnest(
    %(from_at)s::timestamptz[], %(to_at)s::timestamptz[], %(mode)s::text[], %(probability)s::float8[]
) ON CONFLICT (location, to_at, from_at, mode) DO UPDATE SET probability = excluded.probability;

-- name: save_strangers
-- Store strangers, and have the places of their assets counted again.
WITH saved AS (
    INSERT INTO stranger AS s (location, epc, first_at, last_at, rounds, swept)
    SELECT %(location)s, * FROM unnest(
        %(epc)s::text[], %(first_at)s::timestamptz[], %(last_at)s::timestamptz[], %(rounds)s::bigint[], %(swept)s::bool[]
    ) ON CONFLICT (location, epc) DO UPDATE SET
        first_at = excluded.first_at, last_at = excluded.last_at, rounds = excluded.rounds, swept = excluded.swept
    WHERE (s.last_at, s.rounds, s.swept) IS DISTINCT FROM (excluded.last_at, excluded.rounds, excluded.swept)
    RETURNING epc
)
INSERT INTO presence_todo (location)
SELECT DISTINCT w.location
FROM saved JOIN tag AS t ON t.epc = saved.epc AND t.bound_to IS NULL JOIN asset_location AS w ON w.asset = t.asset
WHERE w.location <> %(location)s;

-- name: save_fold
-- Remember how far a place is folded.
UPDATE place_fold SET upto = %(upto)s, next_at = %(next_at)s, seen = %(seen)s WHERE location = %(location)s;

-- name: doors
-- A place's openings: whether all of them are watched, of which portals they are, and when each was dark.
SELECT CASE WHEN count(o.id) = 0 THEN (SELECT count(*) > 0 FROM portal WHERE %(location)s IN (inside, outside))
            ELSE bool_and(o.kind <> 'unmonitored') END AS closed
FROM opening AS o WHERE o.location = %(location)s;

-- name: dark
-- When a door of a place was dark since an instant.
SELECT o.from_at, coalesce(o.to_at, %(now)s) AS to_at
FROM portal AS p JOIN portal_outage AS o ON o.portal = p.id
WHERE %(location)s IN (p.inside, p.outside) AND coalesce(o.to_at, %(now)s) > %(since)s AND o.from_at < %(now)s;

-- name: ledger_from
-- Where the ledger of a place begins to be made anew: the last sighted line that began before an instant.
SELECT max(from_at) FROM coverage WHERE location = %(location)s AND kind = 'sighted' AND from_at <= %(before)s;

-- name: sightings
-- When a place was listened to since an instant.
SELECT from_at, to_at, probability FROM sighting WHERE location = %(location)s AND to_at > %(since)s;

-- name: forget_ledger
-- The ledger is made anew from an instant: first half.
DELETE FROM coverage WHERE location = %(location)s AND from_at >= %(since)s;

-- name: save_ledger
-- Second half.
INSERT INTO coverage (location, from_at, to_at, kind, probability)
SELECT %(location)s, * FROM unnest(
    %(from_at)s::timestamptz[], %(to_at)s::timestamptz[], %(kind)s::text[], %(probability)s::float8[]);

-- name: book
-- The book of a place, and what is known of each asset there and elsewhere.
SELECT w.asset, w.since, w.basis <> 'recorded' AND w.certain AS observed, e.location AS elsewhere, e.last_at, (
    SELECT max(v.at) FROM verification AS v
    WHERE v.asset = w.asset AND v.location = w.location AND v.at >= w.since AND v.how NOT IN ('portal', 'zone', 'sweep')
) AS verified_at, CASE WHEN EXISTS (
    SELECT FROM authorisation AS u WHERE u.asset = w.asset AND u.kind = 'standing' AND u.withdrawn_at IS NULL
) THEN 'carried' WHEN w.basis = 'recorded' THEN 'recorded' ELSE 'arrived' END AS cohort, coalesce(o.own_h, '{}') AS own_h
FROM asset_location AS w
LEFT JOIN stay_patience AS o ON o.asset = w.asset AND o.location = w.location AND o.since = w.since
LEFT JOIN LATERAL (
    SELECT s.location, s.last_at FROM tag AS t JOIN stranger AS s ON s.epc = t.epc
    WHERE t.asset = w.asset AND t.bound_to IS NULL AND s.location <> w.location AND s.last_at > w.since
        AND (s.swept OR s.rounds >= %(least_rounds)s)
    ORDER BY s.last_at DESC LIMIT 1
) AS e ON true
WHERE w.location = %(location)s ORDER BY w.asset;

-- name: guests
-- Assets that were heard at a place that isn't where the book has them.
SELECT t.asset, s.epc, s.first_at, s.last_at, s.rounds, s.swept, w.since, p.heard_at
FROM stranger AS s
JOIN tag AS t ON t.epc = s.epc AND t.bound_to IS NULL AND t.state = 'active' AND t.role <> 'box'
LEFT JOIN asset_location AS w ON w.asset = t.asset
LEFT JOIN tag_presence AS p ON p.asset = w.asset AND p.location = w.location AND p.since = w.since
WHERE s.location = %(location)s AND w.location IS DISTINCT FROM %(location)s
ORDER BY t.asset, s.last_at;

-- name: counted
-- The buckets of a place as they stand.
SELECT asset, bucket, elsewhere, tag_silent FROM place_asset WHERE location = %(location)s;

-- name: forget_assets
-- Assets that no longer count at a place.
DELETE FROM place_asset WHERE location = %(location)s AND NOT asset = ANY(%(asset)s);

-- name: save_assets
-- The bucket of each asset of a place; `since` is when it came into it.
INSERT INTO place_asset AS a (location, asset, bucket, probability, seen_at, elsewhere, tag_silent, since)
SELECT %(location)s, x.*, %(now)s FROM unnest(
    %(asset)s::text[], %(bucket)s::text[], %(probability)s::float8[], %(seen_at)s::timestamptz[], %(elsewhere)s::text[],
    %(tag_silent)s::bool[]
) AS x
ON CONFLICT (location, asset) DO UPDATE SET
    since = CASE WHEN a.bucket = excluded.bucket THEN a.since ELSE excluded.since END,
    bucket = excluded.bucket, probability = excluded.probability, seen_at = excluded.seen_at,
    elsewhere = excluded.elsewhere, tag_silent = excluded.tag_silent
WHERE (a.bucket, a.probability, a.seen_at, a.elsewhere, a.tag_silent) IS DISTINCT FROM
    (excluded.bucket, excluded.probability, excluded.seen_at, excluded.elsewhere, excluded.tag_silent);

-- name: save_count
-- The counters of a place.
INSERT INTO place_count (location, coverage, probability, sighted_at, book, found, missing, unexpected, unknown, as_of)
VALUES (%(location)s, %(coverage)s, %(probability)s, %(sighted_at)s, %(book)s, %(found)s, %(missing)s, %(unexpected)s,
        %(unknown)s, %(now)s)
ON CONFLICT (location) DO UPDATE SET
    coverage = excluded.coverage, probability = excluded.probability, sighted_at = excluded.sighted_at,
    book = excluded.book, found = excluded.found, missing = excluded.missing, unexpected = excluded.unexpected,
    unknown = excluded.unknown, as_of = excluded.as_of;

-- name: place_zone
-- Say where a zone lies.
INSERT INTO presence_zone (gateway, zone, location) VALUES (%(gateway)s, %(zone)s, %(location)s)
ON CONFLICT (gateway, zone) DO UPDATE SET location = excluded.location;

-- name: zone_placed_act
-- The same in the log.
INSERT INTO act (at, recorded_at, kind, location, subject, by, detail)
VALUES (%(now)s, %(now)s, 'zone_placed', %(location)s, %(gateway)s || '/' || %(zone)s, %(by)s, '{}');

-- name: replay_zone
-- Have all that a zone told folded again, there and where it lay before.
INSERT INTO presence_todo (gateway, zone, mode, from_at, to_at)
SELECT DISTINCT ON (mode) gateway, zone, mode, from_at, to_at FROM presence
WHERE gateway = %(gateway)s AND zone = %(zone)s AND mode <> 'portal' ORDER BY mode, to_at;

-- name: no_longer_waiting
-- A zone that has a place waits no more.
DELETE FROM zone_waiting WHERE gateway = %(gateway)s AND zone = %(zone)s;

-- name: zones
-- Zones that have a place, and those that speak and wait for one.
SELECT gateway, zone, location, NULL::timestamptz AS first_at, NULL::timestamptz AS last_at FROM presence_zone
UNION ALL
SELECT gateway, zone, NULL, first_at, last_at FROM zone_waiting
ORDER BY 1, 2;

-- name: fold_before
-- Have the place where a zone lay before folded again without it: all of its other zones told.
INSERT INTO presence_todo (gateway, zone, mode, from_at, to_at)
SELECT DISTINCT ON (p.gateway, p.zone, p.mode) p.gateway, p.zone, p.mode, p.from_at, p.to_at
FROM presence_zone AS old JOIN presence_zone AS z ON z.location = old.location AND z.zone <> old.zone
JOIN presence AS p ON p.gateway = z.gateway AND p.zone = z.zone AND p.mode <> 'portal'
WHERE old.gateway = %(gateway)s AND old.zone = %(zone)s AND old.location <> %(location)s
ORDER BY p.gateway, p.zone, p.mode, p.to_at;
