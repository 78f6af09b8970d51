-- name: policy
-- What a door asks for: a row a class, at least one.
SELECT p.stale, n.class, n.needs FROM portal AS p LEFT JOIN portal_policy AS n ON n.portal = p.id
WHERE p.id = %(portal)s ORDER BY n.class;

-- name: all_needs
-- What all doors ask for.
SELECT portal, class, needs FROM portal_policy ORDER BY portal, class;

-- name: stale
-- What an old snapshot means at each door.
SELECT id, stale FROM portal;

-- name: set_stale
-- What an old snapshot means at a door.
UPDATE portal SET stale = %(stale)s WHERE id = %(portal)s;

-- name: forget_needs
-- A policy is written whole.
DELETE FROM portal_policy WHERE portal = %(portal)s;

-- name: add_needs
-- What a door asks for.
INSERT INTO portal_policy (portal, class, needs)
SELECT %(portal)s, * FROM unnest(%(classes)s::text[], %(needs)s::text[]);

-- name: add_badges
-- Badges, each once.
INSERT INTO badge (portal, person, at, recorded_at)
SELECT portal, person, at, %(now)s FROM unnest(%(portals)s::text[], %(people)s::text[], %(times)s::timestamptz[])
    AS b (portal, person, at)
ON CONFLICT DO NOTHING;

-- name: forget_badges
-- They are about people.
DELETE FROM badge WHERE at < %(before)s;

-- name: waiting
-- Assets that stand in an alert about who carried them, unless a badge resolved it.
SELECT DISTINCT m.asset FROM alert_asset AS m JOIN alert AS a ON a.id = m.alert
WHERE a.portal = %(portal)s AND m.kind = 'carried_by_another' AND NOT m.corrected
    AND m.at BETWEEN %(first)s AND %(last)s;

-- name: carried
-- Of passages: their asset's class, who had the asset in custody then, and badges that may belong to them: the door's own in the
-- newest revision that tells one, and those of the access-control system.
SELECT c.passage, a.class, CASE WHEN h.detail ->> 'kind' = 'person' THEN h.detail ->> 'custodian' END,
       (SELECT m.evidence ->> 'badge' FROM movement AS m
        WHERE m.passage = c.passage AND m.at BETWEEN c.at - INTERVAL '1 day' AND c.at + INTERVAL '1 day'
            AND m.evidence ->> 'badge' <> '' ORDER BY m.rev DESC LIMIT 1),
       coalesce((SELECT jsonb_agg(jsonb_build_array(b.person, b.at) ORDER BY b.at, b.person) FROM badge AS b
                 WHERE b.portal = c.portal AND b.at BETWEEN c.at - INTERVAL '1 minute' AND c.at + INTERVAL '1 minute'), '[]')
FROM unnest(%(passages)s::uuid[], %(assets)s::text[], %(portals)s::text[], %(times)s::timestamptz[])
    AS c (passage, asset, portal, at)
JOIN asset AS a ON a.id = c.asset
LEFT JOIN LATERAL (
    SELECT s.detail FROM act_standing AS s
    WHERE s.asset = c.asset AND s.kind = 'custody_given' AND s.at <= c.at
    ORDER BY s.at DESC, s.id DESC LIMIT 1
) AS h ON true;
