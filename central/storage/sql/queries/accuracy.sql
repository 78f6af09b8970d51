-- name: tallies
-- What each door saw in a span, how often an asset came back through the same door next, and what is held against it.
SELECT p.id, coalesce(c.crossings, 0), coalesce(c.pairs, 0), coalesce(m.missed, 0), coalesce(r.misread, 0)
FROM portal AS p
LEFT JOIN (
    SELECT portal, count(*) AS crossings,
           count(*) FILTER (WHERE before_portal = portal AND before_to = from_location) AS pairs
    FROM (
        SELECT portal, from_location, lag(portal) OVER w AS before_portal, lag(to_location) OVER w AS before_to
        FROM passage
        WHERE final AND to_location IS NOT NULL AND at > %(since)s AND at <= %(until)s
        WINDOW w AS (PARTITION BY epc ORDER BY at, gateway, epoch, seq)
    ) AS x
    GROUP BY portal
) AS c ON c.portal = p.id
LEFT JOIN (
    SELECT portal, count(*) AS missed FROM missed_crossing
    WHERE at > %(since)s AND at <= %(until)s AND share > %(whole)s GROUP BY portal
) AS m ON m.portal = p.id
LEFT JOIN (
    SELECT portal, count(*) AS misread FROM misread_crossing WHERE at > %(since)s AND at <= %(until)s GROUP BY portal
) AS r ON r.portal = p.id
ORDER BY p.id;

-- name: shared
-- Crossings that one of several doors missed; how many there were of each such set of doors.
SELECT portals, shares, count(*) FROM (
    SELECT array_agg(portal ORDER BY portal) AS portals, array_agg(share ORDER BY portal) AS shares
    FROM missed_crossing
    WHERE at > %(since)s AND at <= %(until)s AND share <= %(whole)s
    GROUP BY asset, at
) AS x
GROUP BY portals, shares ORDER BY portals, shares;

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
-- What doors are measured to miss and misread, by door.
SELECT a.*, p.name FROM portal_accuracy AS a JOIN portal AS p ON p.id = a.portal
WHERE %(portal)s::text IS NULL OR a.portal = %(portal)s ORDER BY a.portal;
