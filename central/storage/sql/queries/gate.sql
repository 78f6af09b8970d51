-- name: held
-- The newest generation and delta of every gateway.
SELECT gateway, generation, n, base::text, geometry, key, issued_at, expires_at, entries, manifest, delta
FROM gate_generation;

-- name: base
-- What this transaction can see.
SELECT pg_current_snapshot()::text;

-- name: news
-- What changed since an earlier look; the empty boundary stands for all of them.
SELECT DISTINCT coalesce(boundary, '') FROM gate_change
WHERE xid >= pg_snapshot_xmin(%(since)s::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, %(since)s::pg_snapshot);

-- name: dirty
-- EPCs whose entries may differ from those of a generation.
WITH fresh AS (
    SELECT asset, epc FROM gate_change
    WHERE xid >= pg_snapshot_xmin(%(base)s::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, %(base)s::pg_snapshot)
        AND (boundary IS NULL OR boundary = ANY(%(scopes)s::text[]))
)
SELECT epc FROM fresh WHERE epc IS NOT NULL
UNION
SELECT tag.epc FROM fresh JOIN tag USING (asset)
UNION
SELECT tag.epc FROM fresh JOIN asset AS c ON c.parent = fresh.asset JOIN tag ON tag.asset = c.id WHERE fresh.epc IS NULL;

-- name: entries
-- The entries of some EPCs at a gateway's boundaries, as (epc, verdict, boundary, from, to). Assets that may leave nothing are
-- listed as refused, unless their EPC is under one of our own prefixes, where silence means no.
WITH opened AS (
    SELECT * FROM unnest(%(boundaries)s::text[], %(scopes)s::text[]) AS o (boundary, scope)
), known AS (
    SELECT epc, asset FROM gate_tag WHERE epc = ANY(%(epcs)s::text[])
), entry AS (
    SELECT DISTINCT k.epc, p.verdict, o.boundary, p.from_us, p.to_us
    FROM known AS k JOIN gate_permit AS p USING (asset) LEFT JOIN opened AS o USING (scope)
    WHERE p.to_us > %(now_us)s AND (o.boundary IS NOT NULL OR p.scope IS NULL)
)
SELECT * FROM entry
UNION ALL
SELECT k.epc, 2, NULL, -9223372036854775808, 9223372036854775807
FROM known AS k
WHERE NOT EXISTS (SELECT FROM entry AS e WHERE e.epc = k.epc)
    AND NOT EXISTS (SELECT FROM unnest(%(lows)s::text[], %(highs)s::text[]) AS own (low, high)
                    WHERE k.epc >= own.low COLLATE "C" AND k.epc < own.high COLLATE "C");

-- name: parts
-- The same for whole parts, packed as edge.contracts.gate lays them out: (part, number of entries, boundaries, entries).
WITH opened AS (
    SELECT * FROM unnest(%(boundaries)s::text[], %(scopes)s::text[]) AS o (boundary, scope)
), known AS MATERIALIZED (
    SELECT epc, asset, bucket FROM gate_tag
    WHERE %(parts)s::int[] IS NULL OR bucket = ANY(%(parts)s::int[])
), permit AS MATERIALIZED (
    SELECT DISTINCT k.bucket, k.epc, p.verdict, o.boundary, p.from_us, p.to_us
    FROM known AS k JOIN gate_permit AS p USING (asset) LEFT JOIN opened AS o USING (scope)
    WHERE p.to_us > %(now_us)s AND (o.boundary IS NOT NULL OR p.scope IS NULL)
), entry AS MATERIALIZED (
    SELECT * FROM permit
    UNION ALL
    SELECT k.bucket, k.epc, 2, NULL, -9223372036854775808, 9223372036854775807
    FROM known AS k
    WHERE NOT EXISTS (SELECT FROM permit AS p WHERE p.epc = k.epc)
        AND NOT EXISTS (SELECT FROM unnest(%(lows)s::text[], %(highs)s::text[]) AS own (low, high)
                        WHERE k.epc >= own.low COLLATE "C" AND k.epc < own.high COLLATE "C")
), place AS (
    SELECT bucket, boundary, row_number() OVER (PARTITION BY bucket ORDER BY boundary COLLATE "C") - 1 AS place
    FROM (SELECT DISTINCT bucket, boundary FROM entry WHERE boundary IS NOT NULL) AS used
)
SELECT e.bucket, count(*),
       coalesce((SELECT array_agg(p.boundary ORDER BY p.place) FROM place AS p WHERE p.bucket = e.bucket), '{}'),
       string_agg(
           set_byte('\x00'::bytea, 0, octet_length(e.epc) / 2) || decode(e.epc, 'hex')
               || set_byte('\x00'::bytea, 0, e.verdict) || int2send(coalesce(p.place, -1)::int2)
               || int8send(e.from_us) || int8send(e.to_us),
           ''::bytea
           ORDER BY e.epc COLLATE "C", coalesce(e.boundary, '') COLLATE "C", e.from_us, e.to_us,
                    (ARRAY[0, 1, 3, 2])[e.verdict + 1]
       )
FROM entry AS e LEFT JOIN place AS p ON p.bucket = e.bucket AND p.boundary = e.boundary
GROUP BY e.bucket;

-- name: sent_parts
-- The parts of a gateway as they were last sent.
SELECT part, generation, sha256, entries, bytes FROM gate_part WHERE gateway = %(gateway)s ORDER BY part;

-- name: open_generation
-- Keep a new generation, unless another publisher was faster. RETURNING whether it is kept.
INSERT INTO gate_generation AS g (
    gateway, generation, n, base, geometry, key, issued_at, expires_at, entries, manifest, delta, delta_at
) VALUES (
    %(gateway)s, %(generation)s, 1, %(base)s::pg_snapshot, %(geometry)s, %(key)s, %(issued_at)s, %(expires_at)s,
    %(entries)s, %(manifest)s, %(delta)s, %(issued_at)s
)
ON CONFLICT (gateway) DO UPDATE SET
    generation = excluded.generation, n = 1, base = excluded.base, geometry = excluded.geometry, key = excluded.key,
    issued_at = excluded.issued_at, expires_at = excluded.expires_at, entries = excluded.entries,
    manifest = excluded.manifest, delta = excluded.delta, delta_at = excluded.delta_at
WHERE g.generation = %(previous)s
RETURNING true;

-- name: drop_parts
-- The list of parts is written whole with each generation.
DELETE FROM gate_part WHERE gateway = %(gateway)s;

-- name: keep_parts
-- Parts as they are sent now.
INSERT INTO gate_part (gateway, part, generation, sha256, entries, bytes)
SELECT %(gateway)s, * FROM unnest(
    %(numbers)s::int[], %(generations)s::int8[], %(digests)s::text[], %(entries)s::int8[], %(bytes)s::int8[]
);

-- name: forget_changes
-- Changes that every gateway's generation covers; without generations nothing is sent, and none is needed.
DELETE FROM gate_change
WHERE xid < (SELECT min(pg_snapshot_xmin(base)::text::int8)::text::xid8 FROM gate_generation);

-- name: advance_delta
-- Keep a new delta, unless another publisher was faster. RETURNING whether it is kept.
UPDATE gate_generation SET n = %(n)s, delta = %(delta)s, delta_at = %(now)s
WHERE gateway = %(gateway)s AND generation = %(generation)s AND n = %(n)s - 1
RETURNING true;

-- name: overview
-- What each registered gateway was sent.
SELECT g.id, g.site, s.generation, s.n, s.issued_at, s.expires_at, s.delta_at, s.key, s.entries,
       (SELECT count(*) FROM gate_part AS p WHERE p.gateway = g.id),
       (SELECT coalesce(sum(bytes), 0)::int8 FROM gate_part AS p WHERE p.gateway = g.id)
FROM gateway AS g LEFT JOIN gate_generation AS s ON s.gateway = g.id
ORDER BY g.id;
