-- name: join
-- A worker comes.
INSERT INTO ingest_worker (name, since, expires_at) VALUES (%(name)s, now(), now() + make_interval(secs => %(life_s)s))
RETURNING number;

-- name: live
-- Hold on to the number for as long as the session lasts.
SELECT pg_try_advisory_lock(%(class)s, %(number)s);

-- name: renew
-- The worker still lives; no row means that the others gave it up.
UPDATE ingest_worker SET expires_at = now() + make_interval(secs => %(life_s)s) WHERE number = %(number)s RETURNING number;

-- name: bury
-- Forget workers whose session ended or whose word is too old; one who holds a commit's lock on a lease ends on its own first.
DELETE FROM ingest_worker AS w
WHERE w.number <> %(number)s AND (w.expires_at < now() OR NOT EXISTS (
    SELECT FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::int8 = %(class)s
        AND l.objid::int8 = w.number
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
));

-- name: list
-- Every registered gateway has a lease, and so have the strangers.
INSERT INTO ingest_lease (gateway)
SELECT id FROM gateway WHERE NOT EXISTS (SELECT FROM ingest_lease AS l WHERE l.gateway = id)
UNION ALL SELECT '' WHERE NOT EXISTS (SELECT FROM ingest_lease WHERE gateway = '')
ON CONFLICT DO NOTHING;

-- name: share
-- How many leases are a worker's fair share, rounded up.
SELECT ceil((SELECT count(*) FROM ingest_lease)::numeric / greatest((SELECT count(*) FROM ingest_worker), 1))::int;

-- name: claim
-- Take leases that nobody alive holds, as many as are wanted. A commit under the old fence is waited for by whom comes next.
WITH free AS (
    SELECT gateway FROM ingest_lease AS l
    WHERE l.worker IS NULL OR NOT EXISTS (SELECT FROM ingest_worker AS w WHERE w.number = l.worker)
    ORDER BY gateway
    LIMIT greatest(%(wanted)s, 0)
    FOR UPDATE SKIP LOCKED
)
UPDATE ingest_lease AS l SET worker = %(number)s, fence = l.fence + 1, taken_at = now()
FROM free WHERE l.gateway = free.gateway;

-- name: release
-- Give up leases.
UPDATE ingest_lease SET worker = NULL WHERE worker = %(number)s AND (%(all)s OR gateway = ANY(%(gateways)s::text[]));

-- name: held
-- What a worker holds.
SELECT gateway, fence FROM ingest_lease WHERE worker = %(number)s ORDER BY gateway;

-- name: leave
-- A worker goes.
DELETE FROM ingest_worker WHERE number = %(number)s;

-- name: hold
-- Of the leases that a commit relies on, those that stand, held until the commit ends: nobody can take them meanwhile.
SELECT l.gateway FROM ingest_lease AS l
JOIN unnest(%(gateways)s::text[], %(fences)s::int8[]) AS mine (gateway, fence) USING (gateway, fence)
WHERE l.worker = %(number)s
ORDER BY l.gateway
FOR KEY SHARE OF l;
