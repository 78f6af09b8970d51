-- name: places
-- The country, subdivision and time zone of every location, its own or inherited.
SELECT id, country, subdivision, timezone FROM location_inherited;

-- name: overrides
-- All overrides, the oldest first.
SELECT id, day, status, recorded_at, country, subdivision, location, reason FROM calendar_override ORDER BY id;

-- name: taken
-- What was taken into use since when, the oldest first, with the days that differ from the week.
SELECT t.country, t.subdivision, t.since, v.source, v.last_day, v.weekend,
       coalesce((SELECT array_agg(c.day ORDER BY c.day) FROM calendar AS c WHERE c.version = v.version), '{}'),
       coalesce((SELECT array_agg(c.working ORDER BY c.day) FROM calendar AS c WHERE c.version = v.version), '{}'),
       coalesce((SELECT array_agg(c.name ORDER BY c.day) FROM calendar AS c WHERE c.version = v.version), '{}')
FROM calendar_taken AS t JOIN calendar_version AS v USING (version)
ORDER BY t.since;

-- name: keep_version
-- Keep a calendar's head; RETURNING if it is new.
INSERT INTO calendar_version (version, country, subdivision, source, last_day, weekend)
VALUES (%(version)s, %(country)s, %(subdivision)s, %(source)s, %(last_day)s, %(weekend)s)
ON CONFLICT DO NOTHING
RETURNING version;

-- name: keep_days
-- Keep the days of a calendar that differ from its week.
INSERT INTO calendar (version, day, working, name)
SELECT %(version)s, * FROM unnest(%(days)s::date[], %(working)s::bool[], %(names)s::text[])
ON CONFLICT DO NOTHING;

-- name: override
-- Record an override, and the act that tells of it.
WITH told AS (
    INSERT INTO act (at, recorded_at, kind, location, by, detail)
    VALUES (%(now)s, %(now)s, 'calendar_overridden', %(location)s, %(by)s, jsonb_strip_nulls(jsonb_build_object(
        'day', %(day)s::date, 'status', %(status)s::text, 'country', %(country)s::text,
        'subdivision', %(subdivision)s::text, 'reason', %(reason)s::text)))
    RETURNING id
)
INSERT INTO calendar_override (day, status, country, subdivision, location, reason, by, recorded_at, act)
SELECT %(day)s, %(status)s, %(country)s, %(subdivision)s, %(location)s, %(reason)s, %(by)s, %(now)s, id FROM told
RETURNING id;

-- name: take
-- Count by a published calendar from an instant on, and tell of it by an act.
WITH told AS (
    INSERT INTO act (at, recorded_at, kind, by, detail)
    VALUES (%(since)s, %(now)s, 'calendar_taken', 'calendars', jsonb_strip_nulls(jsonb_build_object(
        'country', %(country)s::text, 'subdivision', %(subdivision)s::text, 'version', %(version)s::text)))
    RETURNING id
)
INSERT INTO calendar_taken (country, subdivision, since, version, act)
SELECT %(country)s, %(subdivision)s, %(since)s, %(version)s, id FROM told;

-- name: listed
-- Overrides, the newest first, of all days from one on.
SELECT id, day, status, country, subdivision, location, reason, by, recorded_at
FROM calendar_override
WHERE day >= %(from_day)s
ORDER BY id DESC
LIMIT %(limit)s;
