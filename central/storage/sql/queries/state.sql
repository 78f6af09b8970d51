-- name: acts
-- The acts that assets' axes are made of.
SELECT asset, at, kind, subject, detail, recorded_at FROM act_standing
WHERE asset = ANY(%(assets)s) AND kind = ANY(%(kinds)s) ORDER BY asset;

-- name: told
-- Assets of whose state anything was ever told.
SELECT DISTINCT asset FROM act WHERE asset IS NOT NULL AND kind = ANY(%(kinds)s) AND asset > %(after)s
ORDER BY asset LIMIT %(limit)s;

-- name: clear
-- First half of a rebuild.
TRUNCATE asset_state;

-- name: forget
-- Assets of which nothing is told any more.
DELETE FROM asset_state WHERE asset = ANY(%(assets)s);

-- name: save
-- Write folded states.
INSERT INTO asset_state (asset, lifecycle, lifecycle_since, custody_kind, custodian, custody_since,
                         custody_acknowledged_at, condition, data_state, title, title_holder, title_return_on, holds)
SELECT asset, lifecycle, lifecycle_since, custody_kind, custodian, custody_since, custody_acknowledged_at, condition,
       data_state, title, title_holder, title_return_on, holds
FROM jsonb_populate_recordset(NULL::asset_state, %(rows)s::jsonb)
ON CONFLICT (asset) DO UPDATE SET
    lifecycle = excluded.lifecycle, lifecycle_since = excluded.lifecycle_since, custody_kind = excluded.custody_kind,
    custodian = excluded.custodian, custody_since = excluded.custody_since,
    custody_acknowledged_at = excluded.custody_acknowledged_at, condition = excluded.condition,
    data_state = excluded.data_state, title = excluded.title, title_holder = excluded.title_holder,
    title_return_on = excluded.title_return_on, holds = excluded.holds;

-- name: states
-- States as they are projected.
SELECT asset, lifecycle, lifecycle_since, custody_kind, custodian, custody_since, custody_acknowledged_at, condition,
       data_state, title, title_holder, title_return_on, holds
FROM asset_state WHERE asset = ANY(%(assets)s);

-- name: add_acts
-- Append acts; RETURNING their ids.
INSERT INTO act (at, recorded_at, kind, asset, location, subject, by, detail, cause)
SELECT at, recorded_at, kind, asset, location, subject, by, coalesce(detail, '{}'), cause
FROM jsonb_populate_recordset(NULL::act, %(acts)s::jsonb)
RETURNING id;
