-- name: limit_idle
-- A worker that freezes within its transaction must not hold its leases for ever: the server ends it.
SET LOCAL idle_in_transaction_session_timeout = '5s';

-- name: new_positions
-- A stream that comes for the first time starts with nothing committed.
INSERT INTO ingest_position (gateway, stream, epoch, advanced_at)
SELECT k.gateway, k.stream, k.epoch, %(now)s
FROM unnest(%(gateways)s::text[], %(streams)s::text[], %(epochs)s::text[]) AS k (gateway, stream, epoch)
ORDER BY k.gateway, k.stream, k.epoch
ON CONFLICT DO NOTHING;

-- name: lock_positions
-- The lock that makes a second delivery wait until the first is committed, and then find it done.
SELECT p.gateway, p.stream, p.epoch, p.upto,
       (SELECT array_agg(ARRAY[lower(r), upper(r) - 1] ORDER BY lower(r)) FROM unnest(p.above) AS r)
FROM ingest_position AS p
JOIN unnest(%(gateways)s::text[], %(streams)s::text[], %(epochs)s::text[]) AS k (gateway, stream, epoch)
    USING (gateway, stream, epoch)
ORDER BY p.gateway, p.stream, p.epoch
FOR UPDATE OF p;

-- name: save_position
-- Store an advanced position.
UPDATE ingest_position
SET upto = %(upto)s, above = %(above)s::int8multirange, advanced_at = %(now)s
WHERE gateway = %(gateway)s AND stream = %(stream)s AND epoch = %(epoch)s;

-- name: marks
-- Each stream of each registered gateway, in the epoch that advanced last.
SELECT DISTINCT ON (p.gateway, p.stream) p.gateway, p.stream, p.epoch, p.upto,
       (SELECT array_agg(ARRAY[lower(r), upper(r) - 1] ORDER BY lower(r)) FROM unnest(p.above) AS r)
FROM ingest_position AS p
ORDER BY p.gateway, p.stream, p.advanced_at DESC, p.epoch DESC;

-- name: hold_places
-- The doors and places of a batch, kept from being deleted until it is committed: what a foreign key would do row by row.
SELECT id FROM (SELECT id FROM portal WHERE id = ANY(%(portals)s) FOR KEY SHARE) AS p
UNION ALL
SELECT id FROM (SELECT id FROM location WHERE id = ANY(%(places)s) FOR KEY SHARE) AS l;

-- name: add_movements
-- Append rows; of each passage keep the highest revision. The order of the comparison makes any order of arrival end alike.
-- Returns the passages that were known before. Sums of reads stop at the greatest bigint: a reader that counts nonsense, each
-- of which is a number that a row may have, must not keep an hour of its door from being committed. Evidence goes into both
-- tables, and is read as JSON once.
WITH incoming AS (
    SELECT r.*, evidence::jsonb AS told FROM unnest(
        %(gateway)s::text[], %(stream)s::text[], %(epoch)s::text[], %(seq)s::int8[], %(at)s::timestamptz[],
        %(passage)s::uuid[], %(rev)s::int8[], %(final)s::bool[], %(portal)s::text[], %(epc)s::text[], %(tid)s::text[],
        %(kind)s::text[], %(from_location)s::text[], %(to_location)s::text[], %(confidence)s::float8[],
        %(started_at)s::timestamptz[], %(crossed_at)s::timestamptz[], %(ended_at)s::timestamptz[], %(reads)s::int8[],
        %(evidence)s::text[], %(batch)s::text[], %(gate)s::text[], %(clock)s::text[], %(traceparent)s::text[],
        %(reason)s::text[], %(synced)s::bool[]
    ) AS r (
        gateway, stream, epoch, seq, at, passage, rev, final, portal, epc, tid, kind, from_location, to_location,
        confidence, started_at, crossed_at, ended_at, reads, evidence, batch, gate, clock, traceparent, reason, synced
    )
), logged AS (
    INSERT INTO movement (
        gateway, stream, epoch, seq, at, passage, rev, final, portal, epc, tid, kind, from_location, to_location,
        confidence, started_at, crossed_at, ended_at, reads, evidence, batch, gate, clock, traceparent, reason,
        received_at
    )
    SELECT gateway, stream, epoch, seq, at, passage, rev::int4, final, portal, epc, tid, kind, from_location, to_location,
           confidence, started_at, crossed_at, ended_at, reads, told, batch, gate::jsonb, clock::jsonb,
           traceparent, reason, %(received_at)s
    FROM incoming
    ON CONFLICT DO NOTHING
    RETURNING portal, at, kind, final, reads
), rolled AS (
    INSERT INTO portal_hour_counted AS h (portal, hour, kind, passages, reads)
    SELECT portal, date_trunc('hour', at, 'UTC'), kind, count(*), least(sum(reads), 9223372036854775807) FROM logged
    WHERE final
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (portal, hour, kind) DO UPDATE SET
        passages = h.passages + excluded.passages,
        reads = least(h.reads::numeric + excluded.reads, 9223372036854775807)
), kept AS (
    INSERT INTO passage AS p (
        passage, rev, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location, confidence, synced,
        reads, evidence
    )
    SELECT DISTINCT ON (passage)
        passage, rev::int4, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location, confidence,
        synced, reads, told
    FROM incoming
    ORDER BY passage, rev DESC, gateway DESC, epoch DESC, seq DESC
    ON CONFLICT (passage) DO UPDATE SET
        rev = excluded.rev, final = excluded.final, kind = excluded.kind, at = excluded.at, gateway = excluded.gateway,
        epoch = excluded.epoch, seq = excluded.seq, portal = excluded.portal, epc = excluded.epc,
        from_location = excluded.from_location, to_location = excluded.to_location, confidence = excluded.confidence,
        synced = excluded.synced, reads = excluded.reads, evidence = excluded.evidence
    WHERE (excluded.rev, excluded.gateway, excluded.epoch, excluded.seq) > (p.rev, p.gateway, p.epoch, p.seq)
    RETURNING p.passage, p.xmax = 0 AS fresh
)
SELECT DISTINCT passage FROM incoming WHERE passage NOT IN (SELECT passage FROM kept WHERE fresh);

-- name: add_sensor
-- An input changed state, or an access controller told something of a door.
INSERT INTO sensor (gateway, stream, epoch, seq, at, reader, gpi, kind, state, portal, received_at)
VALUES (%(gateway)s, %(stream)s, %(epoch)s, %(seq)s, %(at)s, %(reader)s, %(gpi)s, %(kind)s, %(state)s, %(portal)s,
        %(received_at)s)
ON CONFLICT DO NOTHING;

-- name: add_loss
-- A reader lost reads.
INSERT INTO loss (gateway, stream, epoch, seq, reader, reason, from_at, to_at, count, received_at)
VALUES (%(gateway)s, %(stream)s, %(epoch)s, %(seq)s, %(reader)s, %(reason)s, %(from_at)s, %(to_at)s, %(count)s,
        %(received_at)s)
ON CONFLICT DO NOTHING;

-- name: add_gap
-- The edge had to drop rows.
INSERT INTO gap (gateway, stream, epoch, seq, first, last, reason, count, received_at)
VALUES (%(gateway)s, %(stream)s, %(epoch)s, %(seq)s, %(first)s, %(last)s, %(reason)s, %(count)s, %(received_at)s)
ON CONFLICT DO NOTHING;

-- name: add_presence
-- What a zone heard.
INSERT INTO presence (gateway, stream, epoch, seq, from_at, to_at, zone, mode, antennas, tags, part, parts, complete,
                      received_at)
VALUES (%(gateway)s, %(stream)s, %(epoch)s, %(seq)s, %(from_at)s, %(to_at)s, %(zone)s, %(mode)s, %(antennas)s::jsonb,
        %(tags)s::jsonb, %(part)s, %(parts)s, %(complete)s, %(received_at)s)
ON CONFLICT DO NOTHING;

-- name: quarantine
-- Keep what could not be read; the same bytes at the same place again are counted.
INSERT INTO quarantine AS q (topic, digest, reason, payload, payload_bytes, gateway, stream, epoch, seq, at, last_at)
VALUES (%(topic)s, %(digest)s, %(reason)s, %(payload)s, %(payload_bytes)s, %(gateway)s, %(stream)s, %(epoch)s, %(seq)s,
        %(at)s, %(at)s)
ON CONFLICT (topic, digest, epoch, seq) DO UPDATE SET
    times = q.times + 1, last_at = excluded.last_at, reason = excluded.reason, settled_at = NULL;

-- name: saw_gateway
-- The newest word from a gateway; a heartbeat is counted in the hours of its readers, with what they read since the one before.
WITH told AS (
    SELECT DISTINCT ON (r ->> 'id') r ->> 'id' AS reader, r ->> 'state' AS state, (r ->> 'reads')::int8 AS reads
    FROM jsonb_array_elements(%(health)s::jsonb -> 'readers') AS r
    WHERE EXISTS (SELECT FROM gateway AS g WHERE g.id = %(gateway)s AND g.site = %(site)s)
), before AS (
    SELECT r ->> 'id' AS reader, max((r ->> 'reads')::int8) AS reads
    FROM gateway_state AS s CROSS JOIN LATERAL jsonb_array_elements(s.health -> 'readers') AS r
    WHERE s.site = %(site)s AND s.gateway = %(gateway)s AND s.health ->> 'boot' = %(health)s::jsonb ->> 'boot'
    GROUP BY 1
), counted AS (
    INSERT INTO reader_hour AS h (gateway, reader, hour, beats, connected, reads)
    SELECT %(gateway)s, t.reader, date_trunc('hour', %(at)s::timestamptz, 'UTC'), 1, (t.state = 'connected')::int,
           CASE WHEN t.reads >= b.reads THEN t.reads - b.reads ELSE t.reads END
    FROM told AS t LEFT JOIN before AS b USING (reader)
    ON CONFLICT (gateway, reader, hour) DO UPDATE SET
        beats = h.beats + 1, connected = h.connected + excluded.connected,
        reads = least(h.reads::numeric + excluded.reads, 9223372036854775807)
)
INSERT INTO gateway_state AS g (site, gateway, online, stopped, last_seen, birth, health)
VALUES (%(site)s, %(gateway)s, %(online)s, %(stopped)s, %(at)s, %(birth)s::jsonb, %(health)s::jsonb)
ON CONFLICT (site, gateway) DO UPDATE SET
    online = excluded.online, stopped = excluded.stopped, last_seen = greatest(g.last_seen, excluded.last_seen),
    birth = coalesce(excluded.birth, g.birth), health = coalesce(excluded.health, g.health);

-- name: tell
-- Tell all processes what this transaction changes; it is told when the transaction commits.
SELECT pg_notify(%(channel)s, notice) FROM unnest(%(notices)s::text[]) AS notice;
