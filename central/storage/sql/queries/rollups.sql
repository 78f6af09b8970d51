-- name: portal_hours
-- Finals of a door by hour and kind, newest first.
SELECT hour AS at, kind, passages, reads FROM portal_hour
WHERE portal = %(portal)s AND hour >= %(since)s AND hour < %(until)s ORDER BY hour DESC, kind LIMIT %(limit)s;

-- name: portal_days
-- The same by day (UTC).
SELECT day AS at, kind, passages, reads FROM portal_day
WHERE portal = %(portal)s AND day >= date_trunc('day', %(since)s::timestamptz, 'UTC') AND day < %(until)s
ORDER BY day DESC, kind LIMIT %(limit)s;

-- name: reader_hours
-- What readers of a gateway told of themselves, newest first.
SELECT reader, hour AS at, beats, connected, reads FROM reader_hour
WHERE gateway = %(gateway)s AND hour >= %(since)s AND hour < %(until)s ORDER BY hour DESC, reader LIMIT %(limit)s;

-- name: recount
-- The hours of doors anew, from the log; sums of reads stop where those of ingest do.
INSERT INTO portal_hour_counted (portal, hour, kind, passages, reads)
SELECT portal, date_trunc('hour', at, 'UTC'), kind, count(*), least(sum(reads), 9223372036854775807) FROM movement
WHERE final GROUP BY 1, 2, 3;

-- name: forget_presence
-- A part of the presence rows that are too old to be looked at.
DELETE FROM presence WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM presence WHERE received_at < %(before)s LIMIT %(limit)s
));

-- name: forget_reader_hours
-- A part of the readers' hours that are too old.
DELETE FROM reader_hour WHERE ctid = ANY(ARRAY(SELECT ctid FROM reader_hour WHERE hour < %(before)s LIMIT %(limit)s));
