-- name: lock
-- A door, for us alone.
SELECT id FROM portal WHERE id = %(portal)s FOR NO KEY UPDATE;

-- name: doors
-- Doors with what is known of each since it has its mode: its last change of mode or, without one, its first passage.
SELECT p.id, p.name, p.mode, coalesce(m.at, f.first), coalesce(d.days, 0), coalesce(d.crossings, 0), x.miss_rate_high,
       coalesce(w.wrong, 0), c.at, (c.detail ->> 'walks')::int, (c.detail ->> 'faults')::int, m.at, m.by, m.detail
FROM portal AS p
LEFT JOIN LATERAL (
    SELECT a.at, a.by, a.detail FROM act_standing AS a
    WHERE a.kind = 'portal_mode_set' AND a.subject = 'portal/' || p.id ORDER BY a.at DESC, a.id DESC LIMIT 1
) AS m ON true
LEFT JOIN LATERAL (SELECT min(h.hour) AS first FROM portal_hour AS h WHERE h.portal = p.id) AS f ON true
LEFT JOIN LATERAL (
    SELECT count(DISTINCT date_trunc('day', h.hour, 'UTC')) AS days,
           coalesce(sum(h.passages) FILTER (WHERE h.kind IN ('in', 'out')), 0)::bigint AS crossings
    FROM portal_hour AS h WHERE h.portal = p.id AND h.hour >= date_trunc('hour', coalesce(m.at, '-infinity'), 'UTC')
) AS d ON true
LEFT JOIN portal_accuracy AS x ON x.portal = p.id AND x.crossings > 0
LEFT JOIN LATERAL (
    SELECT count(*) AS wrong FROM alert AS a
    WHERE a.portal = p.id AND a.verdict = 'false_read' AND a.raised_at >= coalesce(m.at, '-infinity')
) AS w ON true
LEFT JOIN LATERAL (
    SELECT a.at, a.detail FROM act_standing AS a
    WHERE a.kind = 'portal_commissioned' AND a.subject = 'portal/' || p.id ORDER BY a.at DESC, a.id DESC LIMIT 1
) AS c ON true
WHERE %(portal)s::text IS NULL OR p.id = %(portal)s
ORDER BY p.id;

-- name: policies
-- What each mode wants.
SELECT mode, least_days, least_crossings, most_missed, most_false, least_walks, most_walk_faults FROM promotion_policy
ORDER BY mode DESC;

-- name: set_mode
-- A door's mode.
UPDATE portal SET mode = %(mode)s WHERE id = %(portal)s;

-- name: set_policy
-- What a mode wants.
UPDATE promotion_policy SET
    least_days = %(least_days)s, least_crossings = %(least_crossings)s, most_missed = %(most_missed)s,
    most_false = %(most_false)s, least_walks = %(least_walks)s, most_walk_faults = %(most_walk_faults)s
WHERE mode = %(mode)s;

-- name: told
-- What a person told of a door.
INSERT INTO act (at, recorded_at, kind, subject, by, detail)
VALUES (%(at)s, %(now)s, %(act)s, %(subject)s, %(by)s, %(detail)s::jsonb);
