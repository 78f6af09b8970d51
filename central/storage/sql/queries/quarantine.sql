-- name: waiting
-- Items that nobody settled, oldest first.
SELECT id, topic, payload, octet_length(payload) = payload_bytes, gateway, stream, epoch, seq
FROM quarantine
WHERE settled_at IS NULL AND (%(ids)s::int8[] IS NULL OR id = ANY(%(ids)s::int8[]))
ORDER BY id LIMIT %(limit)s;

-- name: still
-- Lock items; those that another retry settled meanwhile are left out.
SELECT id FROM quarantine WHERE id = ANY(%(ids)s::int8[]) AND settled_at IS NULL ORDER BY id FOR UPDATE;

-- name: note
-- An empty problem settles an item; else the newest reason stands.
UPDATE quarantine AS q SET
    retried_at = %(now)s, retries = q.retries + 1,
    settled_at = CASE WHEN o.problem = '' THEN %(now)s::timestamptz END,
    reason = CASE WHEN o.problem = '' THEN q.reason ELSE o.problem END
FROM unnest(%(ids)s::int8[], %(problems)s::text[]) AS o (id, problem)
WHERE q.id = o.id AND q.settled_at IS NULL;

-- name: act
-- Who tried again what.
INSERT INTO act (at, recorded_at, kind, by, detail)
VALUES (%(now)s, %(now)s, 'quarantine_retried', %(by)s, %(detail)s::jsonb);
