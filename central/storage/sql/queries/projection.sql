-- name: lock_assets
-- The assets behind tags and what lies in them, locked in the order of their ids; returns how many, as nobody reads which.
WITH RECURSIVE named AS MATERIALIZED (
    SELECT asset AS id FROM tag WHERE epc = ANY(%(epcs)s)
), carried AS (
    SELECT id FROM asset WHERE parent = ANY(ARRAY(SELECT id FROM named))
    UNION
    SELECT a.id FROM carried AS c JOIN asset AS a ON a.parent = c.id
)
SELECT count(*) FROM (
    SELECT id FROM asset WHERE id = ANY(ARRAY(SELECT id FROM named UNION ALL SELECT id FROM carried))
    ORDER BY id FOR NO KEY UPDATE
) AS locked;

-- name: lock_assets_by_id
-- The same for assets that are named.
SELECT id FROM asset WHERE id = ANY(%(assets)s) ORDER BY id FOR NO KEY UPDATE;

-- name: tags
-- On which assets tags are and were.
SELECT epc, asset, bound_from, bound_to, role, state, tid FROM tag WHERE epc = ANY(%(epcs)s);

-- name: registered
-- Which of tags are on an asset, or ever were.
SELECT DISTINCT epc FROM tag WHERE epc = ANY(%(epcs)s);

-- name: clear
-- First half of a rebuild: forget what follows from the log.
TRUNCATE passage, asset_location, location_counter, transfer, transfer_asset, transit_leg, story_checkpoint,
    portal_hour_counted, story_todo;

-- name: clear_missed
-- What doors missed before a story's base is told by nothing else any more.
DELETE FROM missed_crossing AS m WHERE NOT EXISTS (SELECT FROM story_base AS b WHERE b.asset = m.asset AND m.at <= b.at);

-- name: clear_misread
-- The same of what they misread.
DELETE FROM misread_crossing AS m WHERE NOT EXISTS (SELECT FROM story_base AS b WHERE b.asset = m.asset AND m.at <= b.at);

-- name: rebuild_memory
-- A rebuild sorts the whole log once, and stands alone.
SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '256MB';

-- name: rebuild_passages
-- Second half: the highest revision of each passage, from the log, tag by tag. Indexes are made afterwards.
DO $$
DECLARE
    made text[];
    one text;
BEGIN
    SELECT array_agg(pg_get_indexdef(indexrelid)) INTO made
    FROM pg_index WHERE indrelid = 'passage'::regclass AND NOT indisprimary;
    FOR one IN SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'passage'::regclass AND NOT indisprimary LOOP
        EXECUTE 'DROP INDEX ' || one;
    END LOOP;
    ALTER TABLE passage DROP CONSTRAINT passage_pkey;
    INSERT INTO passage (
        passage, rev, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location, confidence, synced,
        reads, evidence
    )
    SELECT * FROM (
        SELECT DISTINCT ON (passage)
            passage, rev, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location, confidence,
            -- As central.application.clocks has it: what was told of the future is dated when it came, and has no right time.
            coalesce((clock ->> 'host_synced')::bool, true)
                AND (at <> received_at OR coalesce(crossed_at, ended_at, started_at) <= received_at + interval '10 s'),
            reads, evidence
        FROM movement
        ORDER BY passage, rev DESC, gateway DESC, epoch DESC, seq DESC
    ) AS newest
    ORDER BY epc, at, passage;
    ALTER TABLE passage ADD PRIMARY KEY (passage);
    FOREACH one IN ARRAY coalesce(made, '{}') LOOP
        EXECUTE one;
    END LOOP;
END
$$;

-- name: analyze_passages
-- What follows reads them asset by asset.
ANALYZE passage;

-- name: all_assets
-- The next assets after one, for a rebuild in parts.
SELECT id FROM asset WHERE id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: hash
-- One hash over passages, locations, states, counts, transfers, legs and doors' failures; neither arrival times nor counter
-- shards go in.
SELECT md5(concat_ws('|',
    (SELECT string_agg(md5(p::text), '' ORDER BY p.passage) FROM passage AS p),
    (SELECT string_agg(md5(l::text), '' ORDER BY l.asset) FROM asset_location AS l),
    (SELECT string_agg(md5(s::text), '' ORDER BY s.asset) FROM asset_state AS s),
    (SELECT string_agg(location || '=' || total, ',' ORDER BY location)
     FROM (SELECT location, sum(count) AS total FROM location_counter GROUP BY location HAVING sum(count) <> 0) AS c),
    (SELECT string_agg(md5(t::text), '' ORDER BY t.id) FROM transfer AS t),
    (SELECT string_agg(md5(t::text), '' ORDER BY t.transfer, t.asset) FROM transfer_asset AS t),
    (SELECT string_agg(md5(t::text), '' ORDER BY t.asset, t.number) FROM transit_leg AS t),
    (SELECT string_agg(md5(m::text), '' ORDER BY m.asset, m.portal, m.at) FROM missed_crossing AS m),
    (SELECT string_agg(md5(m::text), '' ORDER BY m.passage) FROM misread_crossing AS m)
));
