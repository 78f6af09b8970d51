-- name: roles
-- Roles as they stand, whole rows.
SELECT to_jsonb(r) FROM role AS r WHERE id = ANY(%(ids)s) ORDER BY id;

-- name: put_roles
-- Write whole rows.
INSERT INTO role (id, name)
SELECT id, name FROM jsonb_populate_recordset(NULL::role, %(rows)s::jsonb)
ON CONFLICT (id) DO UPDATE SET name = excluded.name;

-- name: drop_roles
-- Take back rows that an import made.
DELETE FROM role WHERE id IN (SELECT id FROM jsonb_populate_recordset(NULL::role, %(rows)s::jsonb));

-- name: locations
-- Locations as they stand, whole rows.
SELECT to_jsonb(l) FROM location AS l WHERE id = ANY(%(ids)s) AND withdrawn_at IS NULL ORDER BY id;

-- name: put_locations
-- Write whole rows; parents stand before their children.
INSERT INTO location (id, name, kind, parent, guarded, country, subdivision, timezone, owner_role, withdrawn_at)
SELECT id, name, kind, parent, guarded, country, subdivision, timezone, owner_role, NULL
FROM jsonb_populate_recordset(NULL::location, %(rows)s::jsonb)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, kind = excluded.kind, parent = excluded.parent, guarded = excluded.guarded,
    country = excluded.country, subdivision = excluded.subdivision, timezone = excluded.timezone,
    owner_role = excluded.owner_role, withdrawn_at = NULL;

-- name: drop_locations
-- Acts that were taken back may still name the place: it stays, out of sight.
UPDATE location SET withdrawn_at = %(now)s, parent = NULL, owner_role = NULL
WHERE id IN (SELECT id FROM jsonb_populate_recordset(NULL::location, %(rows)s::jsonb));

-- name: people
-- People as they stand, whole rows.
SELECT to_jsonb(p) FROM person AS p WHERE id = ANY(%(ids)s) ORDER BY id;

-- name: put_people
-- Write whole rows.
INSERT INTO person (id, name, location, active, kind)
SELECT id, name, location, active, coalesce(kind, 'person') FROM jsonb_populate_recordset(NULL::person, %(rows)s::jsonb)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, location = excluded.location, active = excluded.active, kind = excluded.kind;

-- name: drop_people
-- Take back rows that an import made.
DELETE FROM person WHERE id IN (SELECT id FROM jsonb_populate_recordset(NULL::person, %(rows)s::jsonb));

-- name: role_holders
-- Holders as they stand, whole rows.
SELECT to_jsonb(h) FROM role_holder AS h WHERE role = ANY(%(ids)s) ORDER BY role, location, person;

-- name: put_role_holders
-- Write whole rows.
INSERT INTO role_holder (role, location, person)
SELECT role, location, person FROM jsonb_populate_recordset(NULL::role_holder, %(rows)s::jsonb)
ON CONFLICT DO NOTHING;

-- name: drop_role_holders
-- Take holders off.
DELETE FROM role_holder AS h USING jsonb_populate_recordset(NULL::role_holder, %(rows)s::jsonb) AS r
WHERE (h.role, h.person) = (r.role, r.person) AND h.location IS NOT DISTINCT FROM r.location;

-- name: pools
-- Pools as they stand, whole rows.
SELECT to_jsonb(p) FROM pool AS p WHERE id = ANY(%(ids)s) ORDER BY id;

-- name: put_pools
-- Write whole rows.
INSERT INTO pool (id, name, owner)
SELECT id, name, owner FROM jsonb_populate_recordset(NULL::pool, %(rows)s::jsonb)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, owner = excluded.owner;

-- name: drop_pools
-- Take back rows that an import made.
DELETE FROM pool WHERE id IN (SELECT id FROM jsonb_populate_recordset(NULL::pool, %(rows)s::jsonb));

-- name: gateways
-- Gateways as they stand, whole rows.
SELECT to_jsonb(g) FROM gateway AS g WHERE id = ANY(%(ids)s) ORDER BY id;

-- name: put_gateways
-- A gateway is registered by the first portal that names it.
INSERT INTO gateway (id, site, registered_at)
SELECT id, site, registered_at FROM jsonb_populate_recordset(NULL::gateway, %(rows)s::jsonb)
ON CONFLICT (id) DO UPDATE SET site = excluded.site;

-- name: drop_gateways
-- Take back rows that an import made: the gateway waits again.
DELETE FROM gateway WHERE id IN (SELECT id FROM jsonb_populate_recordset(NULL::gateway, %(rows)s::jsonb));

-- name: portals
-- Portals as they stand, whole rows.
SELECT to_jsonb(p) FROM portal AS p WHERE id = ANY(%(ids)s) ORDER BY id;

-- name: put_portals
-- Write whole rows; a new door counts from now.
INSERT INTO portal (id, name, gateway, inside, outside, mode, registered_at)
SELECT id, name, gateway, inside, outside, mode, %(now)s
FROM jsonb_populate_recordset(NULL::portal, %(rows)s::jsonb)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, gateway = excluded.gateway, inside = excluded.inside, outside = excluded.outside,
    mode = excluded.mode;

-- name: drop_portals
-- Take back rows that an import made, and what was reckoned of those doors: stories are told anew without them.
WITH gone AS (
    SELECT id FROM jsonb_populate_recordset(NULL::portal, %(rows)s::jsonb)
), missed AS (
    DELETE FROM missed_crossing WHERE portal IN (SELECT id FROM gone)
), measured AS (
    DELETE FROM portal_accuracy WHERE portal IN (SELECT id FROM gone)
), dark AS (
    DELETE FROM portal_outage WHERE portal IN (SELECT id FROM gone)
)
DELETE FROM portal WHERE id IN (SELECT id FROM gone);

-- name: neighbours
-- Neighbours as they stand, whole rows.
SELECT to_jsonb(n) FROM portal_neighbour AS n WHERE portal = ANY(%(ids)s) ORDER BY portal, neighbour;

-- name: put_neighbours
-- Write both directions.
INSERT INTO portal_neighbour (portal, neighbour)
SELECT portal, neighbour FROM jsonb_populate_recordset(NULL::portal_neighbour, %(rows)s::jsonb)
UNION
SELECT neighbour, portal FROM jsonb_populate_recordset(NULL::portal_neighbour, %(rows)s::jsonb)
ON CONFLICT DO NOTHING;

-- name: drop_neighbours
-- Take both directions off.
DELETE FROM portal_neighbour AS n USING jsonb_populate_recordset(NULL::portal_neighbour, %(rows)s::jsonb) AS r
WHERE (n.portal, n.neighbour) IN ((r.portal, r.neighbour), (r.neighbour, r.portal));

-- name: openings
-- Openings as they stand, whole rows.
SELECT to_jsonb(o) FROM opening AS o WHERE id = ANY(%(ids)s) ORDER BY id;

-- name: put_openings
-- Write whole rows.
INSERT INTO opening (id, location, kind, portal)
SELECT id, location, kind, portal FROM jsonb_populate_recordset(NULL::opening, %(rows)s::jsonb)
ON CONFLICT (id) DO UPDATE SET location = excluded.location, kind = excluded.kind, portal = excluded.portal;

-- name: drop_openings
-- Take openings off.
DELETE FROM opening WHERE id IN (SELECT id FROM jsonb_populate_recordset(NULL::opening, %(rows)s::jsonb));

-- name: assets
-- Assets as they stand, whole rows.
SELECT to_jsonb(a) FROM asset AS a WHERE id = ANY(%(ids)s) AND withdrawn_at IS NULL ORDER BY id;

-- name: put_assets
-- Write whole rows; who calls has locked those that exist.
INSERT INTO asset (id, name, class, serial, model, cost_centre, parent, parent_since, withdrawn_at)
SELECT id, name, class, serial, model, cost_centre, parent, parent_since, NULL
FROM jsonb_populate_recordset(NULL::asset, %(rows)s::jsonb)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, class = excluded.class, serial = excluded.serial, model = excluded.model,
    cost_centre = excluded.cost_centre, parent = excluded.parent, parent_since = excluded.parent_since,
    withdrawn_at = NULL;

-- name: drop_assets
-- Acts that were taken back still name the asset: it stays, out of sight.
UPDATE asset SET withdrawn_at = %(now)s, parent = NULL, parent_since = NULL
WHERE id IN (SELECT id FROM jsonb_populate_recordset(NULL::asset, %(rows)s::jsonb));

-- name: serials
-- Serials as they stand, whole rows.
SELECT to_jsonb(s) FROM asset_serial AS s WHERE asset = ANY(%(ids)s) ORDER BY asset, from_at;

-- name: put_serials
-- Write whole rows; those that end stand before those that begin.
INSERT INTO asset_serial (asset, serial, from_at, to_at)
SELECT asset, serial, from_at, to_at FROM jsonb_populate_recordset(NULL::asset_serial, %(rows)s::jsonb)
ON CONFLICT (asset, from_at) DO UPDATE SET serial = excluded.serial, to_at = excluded.to_at;

-- name: drop_serials
-- Take back rows that an import made.
DELETE FROM asset_serial AS s USING jsonb_populate_recordset(NULL::asset_serial, %(rows)s::jsonb) AS r
WHERE (s.asset, s.from_at) = (r.asset, r.from_at);

-- name: tags
-- Bindings as they stand, whole rows.
SELECT to_jsonb(t) FROM tag AS t WHERE epc = ANY(%(ids)s) ORDER BY epc, bound_from;

-- name: put_tags
-- Write whole rows; those that end stand before those that begin.
INSERT INTO tag (epc, asset, role, registered_at, tid, bound_from, bound_to, state)
SELECT epc, asset, role, registered_at, tid, bound_from, bound_to, state
FROM jsonb_populate_recordset(NULL::tag, %(rows)s::jsonb)
ON CONFLICT (epc, bound_from) DO UPDATE SET
    asset = excluded.asset, role = excluded.role, registered_at = excluded.registered_at, tid = excluded.tid,
    bound_to = excluded.bound_to, state = excluded.state;

-- name: drop_tags
-- Take back rows that an import made.
DELETE FROM tag AS t USING jsonb_populate_recordset(NULL::tag, %(rows)s::jsonb) AS r
WHERE (t.epc, t.bound_from) = (r.epc, r.bound_from);

-- name: authorisations
-- Authorisations as they stand, whole rows.
SELECT to_jsonb(a) FROM authorisation AS a WHERE id = ANY(%(ids)s) ORDER BY id;

-- name: put_authorisations
-- Write whole rows. What says the same as before keeps the time at which it was recorded.
INSERT INTO authorisation AS a (id, kind, asset, boundary, valid_from, valid_to, reason, recorded_at, person, single_use,
                                expected_return, requested_by, approved_by, withdrawn_at, despite, pass_kind)
SELECT id, kind, asset, boundary, valid_from, valid_to, reason, recorded_at, person, single_use, expected_return,
       requested_by, approved_by, withdrawn_at, coalesce(despite, '{}'), pass_kind
FROM jsonb_populate_recordset(NULL::authorisation, %(rows)s::jsonb)
ON CONFLICT (id) DO UPDATE SET
    kind = excluded.kind, asset = excluded.asset, boundary = excluded.boundary, valid_from = excluded.valid_from,
    valid_to = excluded.valid_to, reason = excluded.reason, person = excluded.person, single_use = excluded.single_use,
    expected_return = excluded.expected_return, requested_by = excluded.requested_by,
    approved_by = excluded.approved_by, withdrawn_at = excluded.withdrawn_at, despite = excluded.despite,
    pass_kind = excluded.pass_kind,
    recorded_at = CASE
        WHEN (a.kind, a.asset, a.boundary, a.valid_from, a.valid_to, a.person, a.single_use, a.despite)
            IS DISTINCT FROM (excluded.kind, excluded.asset, excluded.boundary, excluded.valid_from, excluded.valid_to,
                              excluded.person, excluded.single_use, excluded.despite)
        THEN excluded.recorded_at ELSE a.recorded_at END;

-- name: drop_authorisations
-- Take back rows that an import made.
DELETE FROM authorisation WHERE id IN (SELECT id FROM jsonb_populate_recordset(NULL::authorisation, %(rows)s::jsonb));

-- name: opening_hours
-- Opening hours as they stand, whole rows.
SELECT to_jsonb(h) FROM location_hours AS h WHERE location = ANY(%(ids)s) ORDER BY location, days;

-- name: put_opening_hours
-- Write whole rows.
INSERT INTO location_hours (location, days, opens, closes)
SELECT location, days, opens, closes FROM jsonb_populate_recordset(NULL::location_hours, %(rows)s::jsonb)
ON CONFLICT (location, days) DO UPDATE SET opens = excluded.opens, closes = excluded.closes;

-- name: drop_opening_hours
-- Take hours off.
DELETE FROM location_hours AS h USING jsonb_populate_recordset(NULL::location_hours, %(rows)s::jsonb) AS r
WHERE (h.location, h.days) = (r.location, r.days);

-- name: travel_times
-- Travel times as they stand, in minutes, the pair in order.
SELECT jsonb_build_object('one', one, 'other', other, 'minutes', (extract(epoch FROM fastest) / 60)::float8)
FROM site_travel WHERE one = ANY(%(ids)s) ORDER BY one, other;

-- name: put_travel_times
-- Write whole rows, the pair in order.
INSERT INTO site_travel (one, other, fastest)
SELECT one, other, make_interval(secs => minutes * 60)
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (one text, other text, minutes float8)
ON CONFLICT (one, other) DO UPDATE SET fastest = excluded.fastest;

-- name: drop_travel_times
-- Take travel times off: distance counts again, where it is known.
DELETE FROM site_travel AS t USING jsonb_to_recordset(%(rows)s::jsonb) AS r (one text, other text)
WHERE (t.one, t.other) = (r.one, r.other);

-- name: calendar_overrides
-- Overrides that stand.
SELECT jsonb_build_object('day', day, 'country', country, 'subdivision', subdivision, 'location', location,
                          'status', status, 'reason', reason, 'by', by)
FROM calendar_override_standing WHERE day::text = ANY(%(ids)s) ORDER BY day, id;

-- name: put_calendar_overrides
-- Record overrides and the acts that tell of them; what stands already isn't said again.
WITH asked AS (
    SELECT r.* FROM jsonb_populate_recordset(NULL::calendar_override, %(rows)s::jsonb) AS r
    WHERE NOT EXISTS (
        SELECT FROM calendar_override_standing AS o
        WHERE o.day = r.day AND o.status = r.status AND o.reason = r.reason
            AND (o.country, o.subdivision, o.location) IS NOT DISTINCT FROM (r.country, r.subdivision, r.location))
), told AS (
    INSERT INTO act (at, recorded_at, kind, location, by, detail)
    SELECT %(now)s, %(now)s, 'calendar_overridden', location, by, jsonb_strip_nulls(jsonb_build_object(
        'day', day, 'status', status, 'country', country, 'subdivision', subdivision, 'reason', reason))
    FROM asked
    RETURNING id, location, detail
)
INSERT INTO calendar_override (day, status, country, subdivision, location, reason, by, recorded_at, act)
SELECT a.day, a.status, a.country, a.subdivision, a.location, a.reason, a.by, %(now)s, t.id
FROM asked AS a JOIN told AS t ON t.location IS NOT DISTINCT FROM a.location AND t.detail = jsonb_strip_nulls(
    jsonb_build_object('day', a.day, 'status', a.status, 'country', a.country, 'subdivision', a.subdivision,
                       'reason', a.reason));

-- name: drop_calendar_overrides
-- The published calendar counts again from now on; what was said stays in the log.
WITH asked AS (
    SELECT r.* FROM jsonb_populate_recordset(NULL::calendar_override, %(rows)s::jsonb) AS r
), told AS (
    INSERT INTO act (at, recorded_at, kind, location, by, detail)
    SELECT %(now)s, %(now)s, 'calendar_overridden', location, by, jsonb_strip_nulls(jsonb_build_object(
        'day', day, 'status', 'published', 'country', country, 'subdivision', subdivision, 'reason', reason))
    FROM asked
    RETURNING id, location, detail
)
INSERT INTO calendar_override (day, status, country, subdivision, location, reason, by, recorded_at, act)
SELECT a.day, 'published', a.country, a.subdivision, a.location, a.reason, a.by, %(now)s, t.id
FROM asked AS a JOIN told AS t ON t.location IS NOT DISTINCT FROM a.location AND t.detail = jsonb_strip_nulls(
    jsonb_build_object('day', a.day, 'status', 'published', 'country', a.country, 'subdivision', a.subdivision,
                       'reason', a.reason));

-- name: portal_mutes
-- Doors that are quietened, as they stand.
SELECT jsonb_build_object('portal', portal, 'from_at', from_at, 'until_at', until_at, 'mode', mode, 'reason', reason,
                          'by', by)
FROM portal_measure WHERE portal = ANY(%(ids)s) AND ended_at IS NULL ORDER BY portal, from_at, id;

-- name: put_portal_mutes
-- Quieten doors; the trigger refuses who resolved their alerts in this shift. Another until, mode or reason is a new one.
WITH asked AS (
    SELECT r.* FROM jsonb_populate_recordset(NULL::portal_measure, %(rows)s::jsonb) AS r
    WHERE NOT EXISTS (
        SELECT FROM portal_measure AS m
        WHERE (m.portal, m.from_at, m.until_at, m.mode, m.reason) = (r.portal, r.from_at, r.until_at, r.mode, r.reason)
            AND m.ended_at IS NULL)
), replaced AS (
    UPDATE portal_measure AS m SET ended_at = %(now)s, ended_by = a.by
    FROM asked AS a WHERE (m.portal, m.from_at) = (a.portal, a.from_at) AND m.ended_at IS NULL
), told AS (
    INSERT INTO act (at, recorded_at, kind, subject, by, detail)
    SELECT %(now)s, %(now)s, 'portal_measured', 'portal/' || portal, by, jsonb_build_object(
        'kind', CASE WHEN mode = 'observe' THEN 'muted' ELSE 'demoted' END, 'mode', mode, 'reason', reason,
        'from_at', from_at, 'until_at', until_at)
    FROM asked
)
INSERT INTO portal_measure (portal, kind, mode, reason, by, from_at, until_at)
SELECT portal, CASE WHEN mode = 'observe' THEN 'muted' ELSE 'demoted' END, mode, reason, by, from_at, until_at FROM asked;

-- name: drop_portal_mutes
-- The doors' own modes count again from now on.
WITH ended AS (
    UPDATE portal_measure AS m SET ended_at = %(now)s, ended_by = r.by
    FROM jsonb_populate_recordset(NULL::portal_measure, %(rows)s::jsonb) AS r
    WHERE (m.portal, m.from_at, m.until_at) = (r.portal, r.from_at, r.until_at) AND m.ended_at IS NULL
    RETURNING m.id, m.portal, r.by
)
INSERT INTO act (at, recorded_at, kind, subject, by, detail)
SELECT %(now)s, %(now)s, 'portal_measure_ended', 'portal/' || portal, by, jsonb_build_object('measure', id) FROM ended;

-- name: note
-- What an import changed.
INSERT INTO import_row (import, kind, key, file, line, before, after)
SELECT %(import)s, r.kind, r.key, r.file, r.line, nullif(r.before, 'null'), nullif(r.after, 'null')
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (kind text, key text, file text, line int, before jsonb, after jsonb);

-- name: noted
-- What an import changed, as it was noted.
SELECT kind, key, file, line, before, after FROM import_row WHERE import = %(import)s ORDER BY file, line, kind, key;
