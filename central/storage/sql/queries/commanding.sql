-- name: gateway
-- Where a registered gateway is, and whether it is connected.
SELECT g.site, coalesce(s.online, false)
FROM gateway AS g LEFT JOIN gateway_state AS s ON s.gateway = g.id AND s.site = g.site WHERE g.id = %(gateway)s;

-- name: may
-- Whether somebody active has one of the roles, anywhere.
SELECT EXISTS (
    SELECT FROM role_holder AS h JOIN person AS p ON p.id = h.person AND p.active
    WHERE h.person = %(by)s AND h.role = ANY (%(roles)s::text[]));

-- name: bearer
-- The asset that bears a tag now.
SELECT t.asset FROM tag AS t WHERE t.epc = %(epc)s AND t.bound_to IS NULL;

-- name: give
-- Keep a command that is about to be sent.
INSERT INTO gateway_command (nonce, gateway, name, args, by, key, given_at, expires_at, answer_by)
VALUES (%(nonce)s, %(gateway)s, %(name)s, %(args)s::jsonb, %(by)s, %(key)s, %(given_at)s, %(expires_at)s, %(answer_by)s)
RETURNING id;

-- name: answer
-- Keep the first answer to a command of ours.
UPDATE gateway_command SET answered_at = %(at)s, ok = %(ok)s, problem = %(problem)s, result = %(result)s::jsonb
WHERE nonce = %(nonce)s AND gateway = %(gateway)s AND name = %(name)s AND answered_at IS NULL
RETURNING id;

-- name: told
-- What somebody ordered, or a gateway answered.
INSERT INTO act (at, recorded_at, kind, subject, by, detail)
VALUES (%(at)s, %(at)s, %(act)s, %(subject)s, %(by)s, %(detail)s::jsonb);

-- name: commands
-- Commands to a gateway or one by its id, newest first.
SELECT c.id, c.gateway, c.name, c.args, c.by, c.given_at, c.expires_at, c.answered_at, c.problem, c.result,
       CASE WHEN c.ok THEN 'done' WHEN NOT c.ok THEN 'refused' WHEN c.answer_by > %(now)s THEN 'waiting'
            ELSE 'unanswered' END AS state
FROM gateway_command AS c
WHERE (%(gateway)s::text IS NULL OR c.gateway = %(gateway)s) AND (%(id)s::bigint IS NULL OR c.id = %(id)s)
ORDER BY c.id DESC LIMIT %(limit)s;
