-- name: version
-- Rises with every import.
SELECT version FROM registry_version;

-- name: locations
-- All locations.
SELECT id, name, kind, parent, guarded, country, subdivision, timezone, owner_role FROM location
WHERE withdrawn_at IS NULL;

-- name: portals
-- All portals.
SELECT id, name, gateway, inside, outside, mode FROM portal;

-- name: portals_since
-- Since when the registry has had portals; those that aren't named it has had always.
SELECT id, registered_at FROM portal WHERE registered_at IS NOT NULL;

-- name: gateways
-- All registered gateways.
SELECT id, site FROM gateway;

-- name: zones
-- Where somebody said that a gateway's zones lie.
SELECT gateway, zone, location FROM presence_zone;

-- name: lock
-- One import at a time; ingest goes on meanwhile.
SELECT version FROM registry_version FOR UPDATE;

-- name: bump
-- Tell ingest to read the registry again.
UPDATE registry_version SET version = version + 1;

-- name: roles
-- Ids of roles.
SELECT id FROM role;

-- name: people
-- Ids of people, whether they are active, and whether it is a person or a machine.
SELECT id, active, kind FROM person;

-- name: pools
-- Ids of pools.
SELECT id FROM pool;

-- name: openings
-- All openings of all places.
SELECT id, location, kind, portal FROM opening ORDER BY id;

-- name: neighbours
-- Neighbours of portals, each pair in both directions.
SELECT portal, neighbour FROM portal_neighbour ORDER BY portal, neighbour;

-- name: assets
-- Which of these assets there are.
SELECT id FROM asset WHERE id = ANY(%(assets)s) AND withdrawn_at IS NULL;

-- name: parents
-- What these assets lie in, and that in turn.
WITH RECURSIVE up AS (
    SELECT id, parent FROM asset WHERE id = ANY(%(assets)s) AND parent IS NOT NULL
    UNION
    SELECT a.id, a.parent FROM up JOIN asset AS a ON a.id = up.parent WHERE a.parent IS NOT NULL
)
SELECT id, parent FROM up;

-- name: bindings
-- The bindings of these tags, past ones too.
SELECT epc, asset, bound_from, bound_to, role, state, tid FROM tag WHERE epc = ANY(%(epcs)s) ORDER BY epc, bound_from;

-- name: placed
-- Where the last record that stands put these assets: an old file must not undo what doors saw.
SELECT DISTINCT ON (asset) asset, location FROM act_standing
WHERE kind = 'placed' AND asset = ANY(%(assets)s) ORDER BY asset, at DESC, id DESC;

-- name: utc
-- Rows as JSON have one form, wherever the server stands.
SET LOCAL TimeZone = 'UTC';
