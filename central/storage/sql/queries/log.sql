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

-- name: add_movements
-- Append rows; of each passage keep the highest revision. The order of the comparison makes any order of arrival end alike.
-- Arrays go as binary: escaping JSON in a text array took half of the client's time.
WITH incoming AS (
    SELECT * FROM unnest(
        %(gateway)b::text[], %(stream)b::text[], %(epoch)b::text[], %(seq)b::int8[], %(at)b::timestamptz[],
        %(passage)b::uuid[], %(rev)b::int8[], %(final)b::bool[], %(portal)b::text[], %(epc)b::text[], %(tid)b::text[],
        %(kind)b::text[], %(from_location)b::text[], %(to_location)b::text[], %(confidence)b::float8[],
        %(started_at)b::timestamptz[], %(crossed_at)b::timestamptz[], %(ended_at)b::timestamptz[], %(reads)b::int8[],
        %(evidence)b::text[], %(batch)b::text[], %(gate)b::text[], %(clock)b::text[], %(traceparent)b::text[],
        %(reason)b::text[]
    ) AS r (
        gateway, stream, epoch, seq, at, passage, rev, final, portal, epc, tid, kind, from_location, to_location,
        confidence, started_at, crossed_at, ended_at, reads, evidence, batch, gate, clock, traceparent, reason
    )
), logged AS (
    INSERT INTO movement (
        gateway, stream, epoch, seq, at, passage, rev, final, portal, epc, tid, kind, from_location, to_location,
        confidence, started_at, crossed_at, ended_at, reads, evidence, batch, gate, clock, traceparent, reason,
        received_at
    )
    SELECT gateway, stream, epoch, seq, at, passage, rev::int4, final, portal, epc, tid, kind, from_location, to_location,
           confidence, started_at, crossed_at, ended_at, reads, evidence::jsonb, batch, gate::jsonb, clock::jsonb,
           traceparent, reason, %(received_at)s
    FROM incoming
    ON CONFLICT DO NOTHING
)
INSERT INTO passage AS p (
    passage, rev, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location, confidence, synced
)
SELECT DISTINCT ON (passage)
    passage, rev::int4, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location, confidence,
    coalesce((clock::jsonb ->> 'host_synced')::bool, true)
FROM incoming
ORDER BY passage, rev DESC, gateway DESC, epoch DESC, seq DESC
ON CONFLICT (passage) DO UPDATE SET
    rev = excluded.rev, final = excluded.final, kind = excluded.kind, at = excluded.at, gateway = excluded.gateway,
    epoch = excluded.epoch, seq = excluded.seq, portal = excluded.portal, epc = excluded.epc,
    from_location = excluded.from_location, to_location = excluded.to_location, confidence = excluded.confidence,
    synced = excluded.synced
WHERE (excluded.rev, excluded.gateway, excluded.epoch, excluded.seq) > (p.rev, p.gateway, p.epoch, p.seq);

-- name: add_sensor
-- A beam or door contact changed state.
INSERT INTO sensor (gateway, stream, epoch, seq, at, reader, gpi, kind, state, received_at)
VALUES (%(gateway)s, %(stream)s, %(epoch)s, %(seq)s, %(at)s, %(reader)s, %(gpi)s, %(kind)s, %(state)s, %(received_at)s)
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
-- The newest word from a gateway.
INSERT INTO gateway_state AS g (site, gateway, online, stopped, last_seen, birth, health)
VALUES (%(site)s, %(gateway)s, %(online)s, %(stopped)s, %(at)s, %(birth)s::jsonb, %(health)s::jsonb)
ON CONFLICT (site, gateway) DO UPDATE SET
    online = excluded.online, stopped = excluded.stopped, last_seen = greatest(g.last_seen, excluded.last_seen),
    birth = coalesce(excluded.birth, g.birth), health = coalesce(excluded.health, g.health);
