-- name: known
-- Whether any migration was ever applied here.
SELECT to_regclass('schema_migration') IS NOT NULL;

-- name: applied
-- The migrations that were applied.
SELECT name FROM schema_migration;
