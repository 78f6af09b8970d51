-- name: expect
-- Keep a one-time address, by its hash.
INSERT INTO gateway_capture (command, token_hash, max_bytes, expires_at)
VALUES (%(command)s, %(token_hash)s, %(max_bytes)s, %(expires_at)s);

-- name: address
-- What an address is for, and whether it was used.
SELECT k.command, c.gateway, k.max_bytes, k.expires_at, k.sha256
FROM gateway_capture AS k JOIN gateway_command AS c ON c.id = k.command WHERE k.token_hash = %(token_hash)s;

-- name: receive
-- Keep that a file came, if none had.
UPDATE gateway_capture SET received_at = %(at)s, bytes = %(bytes)s, sha256 = %(sha256)s
WHERE command = %(command)s AND received_at IS NULL AND expires_at > %(at)s
RETURNING command;

-- name: same
-- Whether the very file came before.
SELECT command FROM gateway_capture WHERE command = %(command)s AND sha256 = %(sha256)s;

-- name: drop
-- Keep that files were deleted.
UPDATE gateway_capture SET dropped_at = %(at)s
WHERE command = ANY (%(commands)s::bigint[]) AND received_at IS NOT NULL AND dropped_at IS NULL
RETURNING command;

-- name: captures
-- Captures of a gateway or one by its command, newest first.
SELECT c.id, c.gateway, c.args, c.by, c.given_at, k.expires_at, k.received_at, k.dropped_at, k.bytes, k.sha256,
       c.result, c.problem,
       CASE WHEN k.dropped_at IS NOT NULL THEN 'dropped'
            WHEN k.received_at IS NOT NULL AND c.ok AND c.result ->> 'sha256' IS DISTINCT FROM k.sha256
                THEN 'contradicted'
            WHEN k.received_at IS NOT NULL AND c.ok THEN 'kept'
            WHEN k.received_at IS NOT NULL THEN 'unconfirmed'
            WHEN NOT c.ok THEN 'failed'
            WHEN c.answer_by > %(now)s THEN 'awaited'
            ELSE 'missing' END AS state
FROM gateway_capture AS k JOIN gateway_command AS c ON c.id = k.command
WHERE (%(gateway)s::text IS NULL OR c.gateway = %(gateway)s) AND (%(id)s::bigint IS NULL OR c.id = %(id)s)
ORDER BY c.id DESC LIMIT %(limit)s;

-- name: held
-- Which files should lie in the folder, newest first, and how large they are.
SELECT k.command, k.bytes, k.sha256 FROM gateway_capture AS k
WHERE k.received_at IS NOT NULL AND k.dropped_at IS NULL ORDER BY k.command DESC;
