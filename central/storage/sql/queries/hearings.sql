-- name: of_place
-- What a place heard, on some days or (null) on all.
SELECT epc, day, hits FROM hearing WHERE location = %(location)s AND (%(days)s::date[] IS NULL OR day = ANY(%(days)s));

-- name: forget
-- Days of tags that a place did not hear after all.
DELETE FROM hearing AS h USING unnest(%(epc)s::text[], %(day)s::date[]) AS g (epc, day)
WHERE h.location = %(location)s AND h.epc = g.epc AND h.day = g.day;

-- name: save
-- What a place heard of tags on days.
INSERT INTO hearing (location, epc, day, hits)
SELECT %(location)s, * FROM unnest(%(epc)s::text[], %(day)s::date[], %(hits)s::jsonb[])
ON CONFLICT (epc, day, location) DO UPDATE SET hits = excluded.hits;

-- name: todo
-- Have the stories of assets told again that were heard from an instant on. Of one that is held for sure to be there since
-- before, a further hearing changes nothing; one that is taken back (`taken`) may change anything.
INSERT INTO hearing_todo (asset, at)
SELECT t.asset, min(x.at)
FROM unnest(%(epc)s::text[], %(at)s::timestamptz[], %(taken)s::bool[]) AS x (epc, at, taken)
JOIN tag AS t ON t.epc = x.epc AND x.at >= t.bound_from AND (t.bound_to IS NULL OR x.at < t.bound_to)
LEFT JOIN asset_location AS w ON w.asset = t.asset
WHERE x.taken OR w.location IS DISTINCT FROM %(location)s OR w.doubt IS NOT NULL OR w.since > x.at
GROUP BY t.asset ORDER BY t.asset;

-- name: take
-- Take assets whose stories are to be told again, each with the instant from which something is new.
WITH taken AS (
    DELETE FROM hearing_todo
    WHERE id IN (SELECT id FROM hearing_todo ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    RETURNING asset, at
)
SELECT asset, min(at) FROM taken GROUP BY asset ORDER BY asset;
