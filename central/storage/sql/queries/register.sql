-- name: asset
-- One asset with the assets that lie in it.
SELECT a.id, a.name, a.class, a.serial, a.model, a.cost_centre, a.parent, a.parent_since,
       coalesce((SELECT array_agg(c.id ORDER BY c.id) FROM asset AS c WHERE c.parent = a.id), '{}') AS children
FROM asset AS a WHERE a.id = %(asset)s AND a.withdrawn_at IS NULL;

-- name: tags
-- The tags that are or were on an asset.
SELECT epc, tid, role, state, bound_from, bound_to FROM tag WHERE asset = %(asset)s ORDER BY bound_from DESC, epc;

-- name: serials
-- The serials that an asset bears or bore.
SELECT serial, from_at, to_at FROM asset_serial WHERE asset = %(asset)s ORDER BY from_at DESC;

-- name: authorisations
-- Authorisations, newest first, all or an asset's.
SELECT id, kind, asset, boundary, valid_from, valid_to, reason, recorded_at, person, single_use, expected_return,
       requested_by, approved_by, withdrawn_at, despite, pass_kind
FROM authorisation WHERE %(asset)s::text IS NULL OR asset = %(asset)s
ORDER BY recorded_at DESC, id LIMIT %(limit)s;

-- name: acts
-- What was told of an asset, newest first.
SELECT a.id, a.at, a.recorded_at, a.kind, a.location, a.subject, a.by, a.detail,
       EXISTS (SELECT FROM act_void AS v WHERE v.act = a.id) AS void
FROM act AS a WHERE a.asset = %(asset)s ORDER BY a.at DESC, a.id DESC LIMIT %(limit)s;

-- name: counted
-- What perpetual counts say of an asset: of the place where the book has it, and of one that it isn't booked in. Outside, where
-- nothing counts, they say nothing.
SELECT p.location, p.bucket, p.probability, p.seen_at, p.elsewhere, p.tag_silent, p.since
FROM place_asset AS p JOIN location AS l ON l.id = p.location
WHERE p.asset = %(asset)s AND (p.bucket <> 'unknown' OR l.kind <> 'exterior') ORDER BY p.bucket = 'unexpected', p.location;

-- name: people
-- People by id.
SELECT id, name, location, active, kind FROM person ORDER BY id;

-- name: not_acting
-- Which of the names are no active person and no active service account.
SELECT n.name FROM unnest(%(names)s::text[]) AS n (name)
WHERE NOT EXISTS (SELECT FROM person AS p WHERE p.id = n.name AND p.active);

-- name: roles
-- Roles by id, with who holds them.
SELECT r.id, r.name, coalesce((
    SELECT jsonb_agg(jsonb_build_object('location', h.location, 'person', h.person) ORDER BY h.location, h.person)
    FROM role_holder AS h WHERE h.role = r.id), '[]') AS holders
FROM role AS r ORDER BY r.id;

-- name: holders
-- Who holds a role where.
SELECT role, location, person FROM role_holder WHERE role = %(role)s;
