-- name: tallies
-- Doors, and how many of their crossings others contradict in a span.
SELECT p.id, p.inside, p.outside, coalesce(r.misread, 0)
FROM portal AS p
LEFT JOIN (
    SELECT portal, count(*) AS misread FROM misread_crossing WHERE at > %(since)s AND at <= %(until)s GROUP BY portal
) AS r ON r.portal = p.id
ORDER BY p.id;

-- name: sightings
-- How often which sighting of an asset followed on which, in a span; a first one has none before it. Crossings of tags of
-- one asset that follow each other within ten seconds are one. What the book says is where an asset began, and no sighting
-- (`seen` is false). Where antennas heard an asset last is one, at each place; all others of theirs confirm what is known.
WITH event AS (
    SELECT t.asset, p.at, p.gateway, p.epoch, p.seq, p.epc, p.portal, p.to_location AS place, true AS seen
    FROM passage AS p
    JOIN tag AS t ON t.epc = p.epc AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
    WHERE p.final AND p.to_location IS NOT NULL AND p.at > %(since)s AND p.at <= %(until)s
    UNION ALL
    SELECT a.asset, a.at, '', '', a.id, NULL, NULL, a.location, a.kind <> 'placed'
    FROM act_standing AS a
    WHERE (a.kind IN ('placed', 'seen', 'dispatch_scanned', 'receipt_scanned')
            OR a.kind = 'asset_verified' AND a.detail ->> 'grade' <> 'tag_seen')
        AND a.asset IS NOT NULL
        AND a.location IS NOT NULL AND a.at > %(since)s AND a.at <= %(until)s
    UNION ALL
    SELECT k.asset, k.heard_at, '', '', 0, NULL, NULL, k.location, true
    FROM tag_presence AS k WHERE k.heard_at > %(since)s AND k.heard_at <= %(until)s
    UNION ALL
    SELECT t.asset, s.last_at, '', '', 0, NULL, NULL, s.location, true
    FROM stranger AS s JOIN tag AS t ON t.epc = s.epc AND t.bound_to IS NULL AND t.state = 'active'
    WHERE s.last_at > %(since)s AND s.last_at <= %(until)s AND (s.swept OR s.rounds >= %(least_rounds)s)
), followed AS (
    SELECT *, lag(portal) OVER w AS last_portal, lag(place) OVER w AS last_place, lag(epc) OVER w AS last_epc,
           lag(at) OVER w AS last_at
    FROM event WINDOW w AS (PARTITION BY asset ORDER BY at, gateway, epoch, seq, place)
)
SELECT last_portal, last_place, portal, place, count(*)
FROM followed
WHERE seen AND NOT (
    portal IS NOT NULL AND last_portal IS NOT NULL AND (portal, place) = (last_portal, last_place) AND epc <> last_epc
    AND at - last_at <= INTERVAL '10 seconds'
)
GROUP BY last_portal, last_place, portal, place
ORDER BY last_portal, last_place, portal, place;

-- name: keep
-- The newest measurement of a door.
INSERT INTO portal_accuracy (
    portal, since, until, crossings, missed, miss_rate, miss_rate_low, miss_rate_high, missed_month, missed_month_low,
    missed_month_high, misread, misread_month, misread_month_low, misread_month_high
) VALUES (
    %(portal)s, %(since)s, %(until)s, %(crossings)s, %(missed)s, %(miss_rate)s, %(miss_rate_low)s, %(miss_rate_high)s,
    %(missed_month)s, %(missed_month_low)s, %(missed_month_high)s, %(misread)s, %(misread_month)s, %(misread_month_low)s,
    %(misread_month_high)s
)
ON CONFLICT (portal) DO UPDATE SET
    since = excluded.since, until = excluded.until, crossings = excluded.crossings, missed = excluded.missed,
    miss_rate = excluded.miss_rate, miss_rate_low = excluded.miss_rate_low, miss_rate_high = excluded.miss_rate_high,
    missed_month = excluded.missed_month, missed_month_low = excluded.missed_month_low,
    missed_month_high = excluded.missed_month_high, misread = excluded.misread, misread_month = excluded.misread_month,
    misread_month_low = excluded.misread_month_low, misread_month_high = excluded.misread_month_high;

-- name: list
-- What doors are measured to miss and misread, by door. Of a door that saw nobody it isn't known: it may be idle, and what
-- others show to have been missed falls on it by likelihood alone.
SELECT a.portal, p.name, a.since, a.until, a.crossings, a.missed, k.miss_rate, k.miss_rate_low, k.miss_rate_high,
       k.missed_month, k.missed_month_low, k.missed_month_high, a.misread, a.misread_month, a.misread_month_low,
       a.misread_month_high
FROM portal_accuracy AS a JOIN portal AS p ON p.id = a.portal
LEFT JOIN portal_accuracy AS k ON k.portal = a.portal AND k.crossings > 0
WHERE %(portal)s::text IS NULL OR a.portal = %(portal)s ORDER BY a.portal;
