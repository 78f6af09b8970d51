-- name: import
-- An import, and whether it was taken back already.
SELECT a.id, (SELECT min(u.at) FROM act AS u WHERE u.kind = 'import_undone' AND u.subject = a.id::text) AS undone_at
FROM act AS a WHERE a.id = %(import)s AND a.kind = 'registry_imported';

-- name: imports
-- Imports, newest first, with what they read and changed, and whether they were taken back.
SELECT a.id, a.at, a.by, a.detail AS rows,
       (SELECT count(DISTINCT (r.file, r.line)) FROM import_row AS r WHERE r.import = a.id) AS changed,
       u.at AS undone_at, u.by AS undone_by
FROM act AS a LEFT JOIN act AS u ON u.kind = 'import_undone' AND u.subject = a.id::text
WHERE a.kind = 'registry_imported' ORDER BY a.id DESC LIMIT %(limit)s;

-- name: acts
-- The acts that an import brought about.
SELECT id, asset FROM act WHERE cause = %(import)s ORDER BY id;

-- name: later_acts
-- Acts that stand and speak of the same side of the same asset after the import's own did.
SELECT mine.asset, format('%%s was recorded at %%s by %%s', later.kind, later.at, later.by)
FROM act AS mine JOIN act_standing AS later ON later.asset = mine.asset AND later.id > mine.id
    AND (later.kind = mine.kind OR later.kind LIKE 'custody%%' AND mine.kind LIKE 'custody%%')
WHERE mine.cause = %(import)s AND later.cause IS DISTINCT FROM %(import)s
ORDER BY mine.asset, later.id;

-- name: later_crossings
-- Doors that assets went through after the import said where they are.
SELECT DISTINCT ON (mine.asset) mine.asset, format('it passed %%s at %%s', p.portal, p.at)
FROM act AS mine
JOIN tag AS t ON t.asset = mine.asset
JOIN passage AS p ON p.epc = t.epc AND p.final AND p.to_location IS NOT NULL AND p.at > mine.at
    AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
WHERE mine.cause = %(import)s AND mine.kind = 'placed'
ORDER BY mine.asset, p.at;

-- name: void
-- What an import did counts no more.
INSERT INTO act_void (act, voided_by) SELECT id, %(undo)s FROM act WHERE cause = %(import)s;

-- name: users_locations
-- What still needs a location.
SELECT parent, format('location %%s lies in it', id) FROM location WHERE parent = ANY(%(ids)s) AND id <> ALL (%(ids)s)
UNION ALL SELECT unnest(ARRAY[inside, outside]), format('portal %%s leads to it', id) FROM portal
WHERE inside = ANY(%(ids)s) OR outside = ANY(%(ids)s)
UNION ALL SELECT location, format('person %%s is there', id) FROM person WHERE location = ANY(%(ids)s)
UNION ALL SELECT location, format('%%s holds role %%s there', person, role) FROM role_holder WHERE location = ANY(%(ids)s)
UNION ALL SELECT location, format('opening %%s is one of its openings', id) FROM opening WHERE location = ANY(%(ids)s)
UNION ALL SELECT boundary, format('authorisation %%s is for leaving it', id) FROM authorisation
WHERE boundary = ANY(%(ids)s)
UNION ALL SELECT location, format('%%s was recorded there at %%s by %%s', coalesce(kind || ' of ' || asset, kind), at, by)
FROM act_standing WHERE location = ANY(%(ids)s)
UNION ALL SELECT unnest(ARRAY[from_location, to_location]), format('transfer %%s leads from or to it', id) FROM transfer
WHERE from_location = ANY(%(ids)s) OR to_location = ANY(%(ids)s)
UNION ALL SELECT detail ->> 'destination', format('asset %%s is said to be on its way there', asset) FROM act_standing
WHERE kind = 'leg_claimed' AND detail ->> 'destination' = ANY(%(ids)s)
UNION ALL SELECT location, format('asset %%s is there', asset) FROM asset_location WHERE location = ANY(%(ids)s)
UNION ALL SELECT location, format('count schedule %%s plans counts of it: end that first', id) FROM count_schedule
WHERE location = ANY(%(ids)s) AND ended_at IS NULL
UNION ALL SELECT custodian, format('it answers for asset %%s', asset) FROM asset_state
WHERE custody_kind IN ('stockroom', 'vendor') AND custodian = ANY(%(ids)s)
UNION ALL SELECT vendor, format('asset %%s is in repair there: repair %%s is open', asset, id) FROM repair
WHERE closed_at IS NULL AND vendor = ANY(%(ids)s);

-- name: users_assets
-- What still needs an asset.
SELECT asset, format('tag %%s is on it', epc) FROM tag WHERE asset = ANY(%(ids)s)
UNION ALL SELECT asset, format('authorisation %%s is for it', id) FROM authorisation WHERE asset = ANY(%(ids)s)
UNION ALL SELECT parent, format('asset %%s belongs to it', id) FROM asset
WHERE parent = ANY(%(ids)s) AND id <> ALL (%(ids)s)
UNION ALL SELECT asset, format('transfer %%s is about it', transfer) FROM transfer_asset WHERE asset = ANY(%(ids)s)
UNION ALL SELECT asset, format('alert %%s names it', alert) FROM alert_asset WHERE asset = ANY(%(ids)s)
UNION ALL SELECT asset, format('%%s was recorded at %%s by %%s', kind, at, by) FROM act_standing
WHERE asset = ANY(%(ids)s);

-- name: users_tags
-- What a tag that goes has done while it was on its asset, and the alerts that name it.
SELECT r.epc, format('it passed %%s at %%s', p.portal, p.at)
FROM jsonb_populate_recordset(NULL::tag, %(rows)s::jsonb) AS r
CROSS JOIN LATERAL (
    SELECT portal, at FROM passage
    WHERE epc = r.epc AND at >= greatest(r.bound_from, r.registered_at) AND (r.bound_to IS NULL OR at < r.bound_to)
    ORDER BY at LIMIT 1
) AS p;

-- name: users_portals
-- What still needs a portal.
SELECT i.portal, format('tags passed it, last at %%s', p.at)
FROM unnest(%(ids)s::text[]) AS i (portal)
CROSS JOIN LATERAL (SELECT at FROM passage WHERE portal = i.portal ORDER BY at DESC, passage LIMIT 1) AS p
UNION ALL SELECT portal, format('opening %%s is this portal', id) FROM opening WHERE portal = ANY(%(ids)s)
UNION ALL SELECT portal, format('portal %%s is its neighbour', neighbour) FROM portal_neighbour WHERE portal = ANY(%(ids)s)
UNION ALL SELECT portal, format('alert %%s names it', id) FROM alert WHERE portal = ANY(%(ids)s)
UNION ALL SELECT portal, format('%%s told it to be quieter from %%s to %%s', by, from_at, until_at) FROM portal_measure
WHERE portal = ANY(%(ids)s)
UNION ALL SELECT m.portal, format('asset %%s is held to have passed it unseen before %%s, which is settled', m.asset, m.at)
FROM missed_crossing AS m JOIN story_base AS b ON b.asset = m.asset AND m.at <= b.at WHERE m.portal = ANY(%(ids)s);

-- name: users_gateways
-- What still needs a gateway.
SELECT gateway, format('portal %%s is watched by it', id) FROM portal WHERE gateway = ANY(%(ids)s)
UNION ALL SELECT DISTINCT gateway, 'it has sent rows' FROM ingest_position WHERE gateway = ANY(%(ids)s);

-- name: users_people
-- What still needs a person.
SELECT person, format('they hold role %%s', role) FROM role_holder WHERE person = ANY(%(ids)s)
UNION ALL SELECT owner, format('they own pool %%s', id) FROM pool WHERE owner = ANY(%(ids)s)
UNION ALL SELECT i.person, format('authorisation %%s names them', a.id)
FROM authorisation AS a JOIN unnest(%(ids)s::text[]) AS i (person)
    ON i.person IN (a.person, a.requested_by, a.approved_by)
UNION ALL SELECT i.person, format('transfer %%s names them', t.id)
FROM transfer AS t JOIN unnest(%(ids)s::text[]) AS i (person)
    ON i.person IN (t.sender, t.receiver, t.requested_by, t.approved_by, t.cancelled_by)
    OR i.person = ANY (t.escalation_path)
UNION ALL SELECT i.person, format('they send or receive asset %%s', a.asset)
FROM act_standing AS a JOIN unnest(%(ids)s::text[]) AS i (person) ON i.person IN (a.detail ->> 'sender', a.detail ->> 'receiver')
WHERE a.kind = 'leg_claimed'
UNION ALL SELECT i.person, format('loan %%s names them', l.id)
FROM loan AS l JOIN unnest(%(ids)s::text[]) AS i (person) ON i.person IN (l.person, l.approved_by)
UNION ALL SELECT i.person, format('exception %%s names them', e.id)
FROM exception AS e JOIN unnest(%(ids)s::text[]) AS i (person) ON i.person IN (e.owner, e.proposed_by, e.decided_by)
UNION ALL SELECT i.person, format('count %%s names them', c.id)
FROM count_run AS c JOIN unnest(%(ids)s::text[]) AS i (person)
    ON i.person IN (c.planned_by, c.started_by, c.submitted_by, c.signed_by)
UNION ALL SELECT custodian, format('they answer for asset %%s', asset) FROM asset_state
WHERE custody_kind = 'person' AND custodian = ANY(%(ids)s)
UNION ALL SELECT i.person, format('they have alert %%s, which is not resolved', a.id)
FROM alert AS a JOIN unnest(%(ids)s::text[]) AS i (person) ON i.person IN (a.acknowledged_by, a.investigating_by)
WHERE a.state IN ('acknowledged', 'investigating')
UNION ALL SELECT planned_by, format('they planned a %%s of %%s', kind, location) FROM count_schedule
WHERE planned_by = ANY(%(ids)s);

-- name: users_roles
-- What still needs a role. The paths of deadlines that nobody set name roles that a register may lack.
SELECT owner_role, format('location %%s is owned by it', id) FROM location WHERE owner_role = ANY(%(ids)s)
UNION ALL SELECT role, format('%%s holds it', person) FROM role_holder WHERE role = ANY(%(ids)s)
UNION ALL SELECT i.role, format('transfer %%s names it', t.id)
FROM transfer AS t JOIN unnest(%(ids)s::text[]) AS i (role)
    ON i.role IN (t.sender, t.receiver) OR i.role = ANY (t.escalation_path)
UNION ALL SELECT i.role, format('deadlines of kind %%s escalate to it', s.subject_kind)
FROM sla_policy AS s JOIN unnest(%(ids)s::text[]) AS i (role) ON i.role = ANY (s.path)
WHERE EXISTS (SELECT FROM act_standing AS a WHERE a.kind = 'sla_policy_set' AND a.subject = s.subject_kind);

-- name: users_pools
-- What still needs a pool.
SELECT custodian, format('it answers for asset %%s', asset) FROM asset_state
WHERE custody_kind = 'pool' AND custodian = ANY(%(ids)s);

-- name: users_authorisations
-- Doors that an asset went through while it was valid and told: what it allowed can't be taken back.
SELECT r.id, format('asset %%s passed %%s at %%s while it was valid: withdraw it instead', r.asset, p.portal, p.at)
FROM jsonb_populate_recordset(NULL::authorisation, %(rows)s::jsonb) AS r
CROSS JOIN LATERAL (
    SELECT p.portal, p.at FROM tag AS t JOIN passage AS p ON p.epc = t.epc
    WHERE t.asset = r.asset AND p.final AND p.to_location IS NOT NULL
        AND p.at >= greatest(r.recorded_at, r.valid_from) AND (r.valid_to IS NULL OR p.at < r.valid_to)
    ORDER BY p.at LIMIT 1
) AS p;
