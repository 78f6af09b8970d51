-- name: version
-- Rises with every import.
SELECT version FROM registry_version;

-- name: locations
-- All locations.
SELECT id, name, kind, parent, guarded FROM location;

-- name: portals
-- All portals.
SELECT id, name, gateway, inside, outside, mode FROM portal;

-- name: gateways
-- All registered gateways.
SELECT id, site FROM gateway;

-- name: lock
-- One import at a time; ingest goes on meanwhile.
SELECT version FROM registry_version FOR UPDATE;

-- name: bump
-- Tell ingest to read the registry again.
UPDATE registry_version SET version = version + 1;

-- name: known_assets
-- Ids that an import may refer to.
SELECT id FROM asset;

-- name: known_tags
-- Which asset each tag is on.
SELECT epc, asset FROM tag;

-- name: upsert_location
-- Register a location or change it.
INSERT INTO location (id, name, kind, parent, guarded)
VALUES (%(id)s, %(name)s, %(kind)s, %(parent)s, %(guarded)s)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, kind = excluded.kind, parent = excluded.parent, guarded = excluded.guarded;

-- name: upsert_gateway
-- A gateway is registered by the first portal that names it.
INSERT INTO gateway (id, site, registered_at) VALUES (%(id)s, %(site)s, %(now)s)
ON CONFLICT (id) DO UPDATE SET site = excluded.site;

-- name: upsert_portal
-- Register a portal or change it.
INSERT INTO portal (id, name, gateway, inside, outside, mode)
VALUES (%(id)s, %(name)s, %(gateway)s, %(inside)s, %(outside)s, %(mode)s)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, gateway = excluded.gateway, inside = excluded.inside, outside = excluded.outside,
    mode = excluded.mode;

-- name: upsert_asset
-- Register an asset or change it.
INSERT INTO asset (id, name, class, serial) VALUES (%(id)s, %(name)s, %(class)s, %(serial)s)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, class = excluded.class, serial = excluded.serial;

-- name: upsert_tag
-- Bind a tag to an asset; the import has made sure that it isn't on another. Only a tag that comes off or onto a box is
-- registered anew: the same sheet again changes nothing.
INSERT INTO tag AS t (epc, asset, role, registered_at, bound_from)
VALUES (%(epc)s, %(asset)s, %(role)s, %(now)s, 'epoch')
ON CONFLICT (epc, bound_from) DO UPDATE SET
    role = excluded.role,
    registered_at = CASE WHEN (t.role = 'box') = (excluded.role = 'box') THEN t.registered_at
                         ELSE excluded.registered_at END;

-- name: upsert_authorisation
-- Register an authorisation. The same one again keeps the time at which it was recorded. RETURNING if it is new or changed.
INSERT INTO authorisation AS a (id, kind, asset, boundary, valid_from, valid_to, reason, recorded_at)
VALUES (%(id)s, 'standing', %(asset)s, %(boundary)s, %(valid_from)s, %(valid_to)s, %(reason)s, %(now)s)
ON CONFLICT (id) DO UPDATE SET
    asset = excluded.asset, boundary = excluded.boundary, valid_from = excluded.valid_from, valid_to = excluded.valid_to,
    reason = excluded.reason, recorded_at = excluded.recorded_at
WHERE (a.asset, a.boundary, a.valid_from, a.valid_to)
    IS DISTINCT FROM (excluded.asset, excluded.boundary, excluded.valid_from, excluded.valid_to)
RETURNING asset;

-- name: place
-- Record where an asset is said to be, unless the last record says the same: an old file must not undo what doors saw.
INSERT INTO act (at, recorded_at, kind, asset, location, by)
SELECT %(now)s, %(now)s, 'placed', %(asset)s, %(location)s, 'import'
WHERE %(location)s IS DISTINCT FROM (
    SELECT location FROM act WHERE kind = 'placed' AND asset = %(asset)s ORDER BY at DESC, id DESC LIMIT 1
);

-- name: imported
-- An import is an act.
INSERT INTO act (at, recorded_at, kind, by, detail)
VALUES (%(now)s, %(now)s, 'registry_imported', 'import', %(detail)s::jsonb);
