-- name: seen
-- Passages in their newest, final revision, and the assets behind their tags as the registry has them.
SELECT p.passage, t.asset, p.epc, p.portal, p.kind, p.at, p.from_location, p.to_location, p.synced,
       a.class, a.serial, s.lifecycle, coalesce(s.custody_kind, 'none'), s.custodian,
       EXISTS (SELECT FROM exception AS e WHERE e.asset = t.asset AND e.category = 'missing' AND e.state <> 'closed') AS lost,
       coalesce(
           (SELECT l.due_at FROM loan AS l WHERE l.asset = t.asset AND l.returned_at IS NULL AND l.opened_at <= p.at),
           (SELECT max(o.expected_return) FROM authorisation AS o
            WHERE o.asset = t.asset AND o.kind = 'loan' AND o.withdrawn_at IS NULL
                AND coalesce(o.valid_from, o.recorded_at) <= p.at)) AS loan_due
FROM unnest(%(passages)s::uuid[]) AS w (passage)
CROSS JOIN LATERAL (SELECT * FROM passage AS o WHERE o.passage = w.passage LIMIT 1) AS p
JOIN tag AS t ON t.epc = p.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
JOIN asset AS a ON a.id = t.asset
LEFT JOIN asset_state AS s ON s.asset = t.asset
WHERE p.final
ORDER BY p.passage;

-- name: watched
-- Assets that are odd wherever they are seen: gone by the record, missing, or ever out on loan.
SELECT asset FROM asset_state WHERE asset = ANY(%(assets)s) AND lifecycle IN ('retired', 'disposed')
UNION ALL
SELECT asset FROM exception WHERE asset = ANY(%(assets)s) AND category = 'missing' AND state <> 'closed'
UNION ALL
SELECT asset FROM loan WHERE asset = ANY(%(assets)s) AND returned_at IS NULL
UNION ALL
SELECT asset FROM authorisation WHERE asset = ANY(%(assets)s) AND kind = 'loan' AND withdrawn_at IS NULL;

-- name: visits
-- Passages with those of the same tag right before and after them, within a day: pairs that are judged together. Of a pair
-- at one door there is nothing to judge; it is left out unless something was said of it before.
-- LIMIT makes the planner look passages up one by one, however small it takes the table to be; what came with the batch
-- isn't read again.
WITH touched AS MATERIALIZED (
    SELECT * FROM unnest(%(passages)s::uuid[], %(epcs)s::text[], %(times)s::timestamptz[], %(portals)s::text[],
                         %(synced)s::bool[], %(gateways)s::text[], %(kinds)s::text[], %(started)s::timestamptz[],
                         %(ended)s::timestamptz[])
        AS t (passage, epc, at, portal, synced, gateway, kind, started_at, ended_at)
    UNION ALL
    SELECT p.passage, p.epc, p.at, p.portal, p.synced, p.gateway, p.kind, m.started_at, m.ended_at
    FROM unnest(%(again)s::uuid[]) AS w (passage)
    CROSS JOIN LATERAL (SELECT * FROM passage AS o WHERE o.passage = w.passage LIMIT 1) AS p
    CROSS JOIN LATERAL (
        SELECT o.started_at, o.ended_at FROM movement AS o
        WHERE o.gateway = p.gateway AND o.stream = 'movement' AND o.epoch = p.epoch AND o.seq = p.seq AND o.at = p.at LIMIT 1
    ) AS m
    WHERE p.final
), before AS MATERIALIZED (
    SELECT t.passage AS of, b.*,
           t.portal <> b.portal OR NOT t.synced OR NOT b.synced OR t.passage = ANY(%(again)s::uuid[]) AS judged
    FROM touched AS t
    CROSS JOIN LATERAL (
        SELECT p.passage, p.epc, p.at, p.portal, p.synced, p.gateway, p.kind, p.epoch, p.seq FROM passage AS p
        WHERE p.final AND p.epc = t.epc AND (p.at, p.passage) < (t.at, t.passage) AND p.at > t.at - INTERVAL '1 day'
        ORDER BY p.at DESC, p.passage DESC LIMIT 1
    ) AS b
), after AS MATERIALIZED (
    SELECT t.passage AS of, a.*
    FROM touched AS t
    CROSS JOIN LATERAL (
        SELECT p.passage, p.epc, p.at, p.portal, p.synced, p.gateway, p.kind, p.epoch, p.seq FROM passage AS p
        WHERE p.final AND p.epc = t.epc AND (p.at, p.passage) > (t.at, t.passage) AND p.at < t.at + INTERVAL '1 day'
        ORDER BY p.at, p.passage LIMIT 1
    ) AS a
    WHERE t.passage NOT IN (SELECT passage FROM before)
), pairs AS MATERIALIZED (
    SELECT of, passage, epc, at, portal, synced, gateway, kind, epoch, seq FROM before WHERE judged
    UNION ALL
    SELECT of, passage, epc, at, portal, synced, gateway, kind, epoch, seq FROM after
), near AS (
    SELECT t.passage, t.epc, t.at, t.portal, t.synced, t.gateway, t.kind, t.started_at, t.ended_at FROM touched AS t
    WHERE t.passage IN (SELECT of FROM pairs UNION SELECT passage FROM pairs)
    UNION ALL
    SELECT p.passage, p.epc, p.at, p.portal, p.synced, p.gateway, p.kind, m.started_at, m.ended_at
    FROM (SELECT DISTINCT ON (passage) * FROM pairs WHERE passage NOT IN (SELECT passage FROM touched) ORDER BY passage) AS p
    CROSS JOIN LATERAL (
        SELECT o.started_at, o.ended_at FROM movement AS o
        WHERE o.gateway = p.gateway AND o.stream = 'movement' AND o.epoch = p.epoch AND o.seq = p.seq AND o.at = p.at LIMIT 1
    ) AS m
)
SELECT t.asset, n.passage, n.epc, n.portal, n.gateway, n.started_at, greatest(n.at, coalesce(n.ended_at, n.at)), n.at,
       d.inside, n.synced
FROM near AS n
JOIN portal AS d ON d.id = n.portal
JOIN tag AS t ON t.epc = n.epc AND n.at >= t.bound_from AND (t.bound_to IS NULL OR n.at < t.bound_to)
WHERE n.kind NOT IN ('retracted', 'unresolved')
ORDER BY n.epc, n.at, n.passage;

-- name: chips
-- Every passage of tags in which the chip told its number, with the chip that the tag was bound with.
SELECT t.asset, t.tid, d.inside, p.passage, p.epc, m.tid, p.at
FROM passage AS p
JOIN movement AS m
    ON m.gateway = p.gateway AND m.stream = 'movement' AND m.epoch = p.epoch AND m.seq = p.seq AND m.at = p.at
JOIN portal AS d ON d.id = p.portal
JOIN tag AS t ON t.epc = p.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
WHERE p.epc = ANY(%(epcs)s) AND p.final AND m.tid IS NOT NULL
ORDER BY p.epc, p.at, p.passage;

-- name: once_bound
-- On which asset tags were last that are on none now.
SELECT DISTINCT ON (epc) epc, asset FROM tag WHERE epc = ANY(%(epcs)s) ORDER BY epc, bound_from DESC;

-- name: hours
-- When assets of a class may move.
SELECT class, days, opens, closes FROM class_hours;

-- name: place_hours
-- When places are open.
SELECT location, days, opens, closes FROM location_hours ORDER BY location, days;

-- name: timezones
-- The time zone of each location, its own or inherited.
SELECT id, timezone FROM location_inherited WHERE timezone IS NOT NULL;

-- name: spots
-- Where sites lie.
SELECT location, latitude, longitude FROM site_position;

-- name: travel
-- The fastest way between two sites.
SELECT one, other, fastest FROM site_travel;

-- name: set_hours
-- When assets of a class may move, from now on.
INSERT INTO class_hours (class, days, opens, closes) VALUES (%(class)s, %(days)s::smallint[], %(opens)s, %(closes)s)
ON CONFLICT (class) DO UPDATE SET days = excluded.days, opens = excluded.opens, closes = excluded.closes;

-- name: drop_hours
-- They may move at any time again.
DELETE FROM class_hours WHERE class = %(class)s RETURNING class;

-- name: drop_place_hours
-- What was told of a place's hours.
DELETE FROM location_hours WHERE location = %(location)s;

-- name: set_place_hours
-- When a place is open, from now on.
INSERT INTO location_hours (location, days, opens, closes)
SELECT %(location)s, h.* FROM unnest(%(days)s::text[], %(opens)s::time[], %(closes)s::time[]) AS h;

-- name: travel_told
-- How long ways between sites take.
SELECT one, other, extract(epoch FROM fastest)::float8 AS fastest_s FROM site_travel ORDER BY one, other;

-- name: set_spot
-- Where a site lies.
INSERT INTO site_position (location, latitude, longitude) VALUES (%(location)s, %(latitude)s, %(longitude)s)
ON CONFLICT (location) DO UPDATE SET latitude = excluded.latitude, longitude = excluded.longitude;

-- name: set_travel
-- The fastest way between two sites, the pair in order.
INSERT INTO site_travel (one, other, fastest)
VALUES (least(%(one)s::text COLLATE "C", %(other)s), greatest(%(one)s::text COLLATE "C", %(other)s),
        make_interval(secs => %(fastest_s)s))
ON CONFLICT (one, other) DO UPDATE SET fastest = excluded.fastest;

-- name: sighted
-- Something that is no door of ours saw an asset somewhere.
INSERT INTO act (at, recorded_at, kind, asset, location, by, detail)
VALUES (%(at)s, %(now)s, 'sighted', %(asset)s, %(location)s, %(by)s, %(detail)s::jsonb)
RETURNING id;

-- name: book
-- Where the book has an asset, and since when.
SELECT location, since FROM asset_location WHERE asset = %(asset)s;

-- name: crossings_since
-- From where to where doors saw an asset go.
SELECT p.from_location, p.to_location
FROM tag AS t JOIN passage AS p ON p.epc = t.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
WHERE t.asset = %(asset)s AND p.final AND p.to_location IS NOT NULL AND p.at > %(since)s;

-- name: words
-- The newest word of each registered gateway.
SELECT s.gateway, s.online, s.stopped, s.last_seen, s.health -> 'portals'
FROM gateway_state AS s JOIN gateway AS g ON g.id = s.gateway AND g.site = s.site;

-- name: open_outages
-- Doors that are known to be dark and why, locked: one watcher at a time says what is.
SELECT portal, from_at, reason, whole, planned FROM portal_outage WHERE to_at IS NULL ORDER BY portal FOR UPDATE;

-- name: lock_outages
-- Two watchers must not open the same outage twice.
SELECT pg_advisory_xact_lock(1398095180, 8);

-- name: open_outage
-- A door that nobody watches any more.
INSERT INTO portal_outage (portal, from_at, reason, whole, planned)
VALUES (%(portal)s, %(since)s, %(reason)s, %(whole)s, %(planned)s);

-- name: worsen_outage
-- What was planned went wrong.
UPDATE portal_outage SET reason = %(reason)s, planned = false WHERE portal = %(portal)s AND to_at IS NULL;

-- name: end_outage
-- It is watched again.
UPDATE portal_outage SET to_at = greatest(from_at, %(now)s) WHERE portal = %(portal)s AND to_at IS NULL;

-- name: outages
-- When doors were not watched, newest first; those that last stand first.
SELECT o.portal, p.name, o.from_at, o.to_at, o.reason, o.planned,
       (SELECT count(*) FROM asset_doubt AS d WHERE d.portal = o.portal AND d.from_at = o.from_at) AS doubtful
FROM portal_outage AS o JOIN portal AS p ON p.id = o.portal
ORDER BY o.to_at DESC NULLS FIRST, o.from_at DESC, o.id DESC LIMIT %(limit)s;

-- name: doubtful
-- Assets that could have passed a door while nobody watched it, and have not been seen since.
SELECT DISTINCT ON (asset) asset, location, portal, from_at, to_at FROM asset_doubt
WHERE %(location)s::text IS NULL OR location = %(location)s ORDER BY asset, from_at DESC, portal LIMIT %(limit)s;

-- name: told
-- Who told which setting.
INSERT INTO act (at, recorded_at, kind, subject, by, detail)
VALUES (%(now)s, %(now)s, 'setting_told', %(subject)s, %(by)s, %(detail)s::jsonb);
