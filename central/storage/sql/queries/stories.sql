-- name: crossings
-- Every final crossing of assets by whichever of their tags, while the tag was on them. A box stands for its asset only
-- until a tag is on the asset itself: from then on the box may go its own way. A tag that was at two doors at once moved
-- nothing there. Where all that is new is newer than the asset's checkpoint (`fresh`), only what came after that.
-- What an asset lies in carries it along, until it is seen apart. OFFSET keeps the planner from reading all passages at once
-- while it takes them to be few: a plan made then stays.
WITH RECURSIVE carrier AS (
    SELECT w.asset, coalesce(k.at, '-infinity') AS after, w.asset COLLATE "C" AS by, '-infinity'::timestamptz AS since,
           'infinity'::timestamptz AS until, false AS carried
    FROM unnest(%(assets)s::text[], %(fresh)s::timestamptz[]) AS w (asset, fresh)
    LEFT JOIN story_checkpoint AS k ON k.asset = w.asset AND (k.base OR k.at < w.fresh)
    UNION ALL
    SELECT c.asset, c.after, a.parent, greatest(c.since, a.parent_since), least(c.until, seen_apart(a.id)), true
    FROM carrier AS c JOIN asset AS a ON a.id = c.by WHERE a.parent IS NOT NULL
)
SELECT c.asset, p.at, p.gateway, p.epoch, p.seq, p.passage, p.portal, p.from_location, p.to_location, p.confidence, p.synced,
       p.epc, c.carried
FROM carrier AS c
JOIN tag AS t ON t.asset = c.by
CROSS JOIN LATERAL (
    SELECT * FROM passage AS o
    WHERE o.epc = t.epc AND o.final AND o.to_location IS NOT NULL AND o.at > c.after AND o.at >= c.since AND o.at < c.until
    OFFSET 0
) AS p
WHERE p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
    AND (t.role <> 'box'
         OR p.at < ALL (SELECT registered_at FROM tag AS own WHERE own.asset = t.asset AND own.role <> 'box'))
    AND p.passage NOT IN (SELECT passage FROM double_passage);

-- name: heard
-- What was heard of assets by whichever of their tags, while the tag was on them, as crossings are. With a checkpoint also
-- the day before it: what was heard elsewhere in the same round tells how far a hearing may be trusted.
SELECT t.asset, t.bound_from, t.bound_to, h.epc, h.location, h.hits, own.since
FROM unnest(%(assets)s::text[], %(fresh)s::timestamptz[]) AS w (asset, fresh)
JOIN tag AS t ON t.asset = w.asset
LEFT JOIN story_checkpoint AS k ON k.asset = w.asset AND (k.base OR k.at < w.fresh)
LEFT JOIN LATERAL (
    SELECT min(o.registered_at) AS since FROM tag AS o WHERE t.role = 'box' AND o.asset = t.asset AND o.role <> 'box'
) AS own ON true
JOIN hearing AS h ON h.epc = t.epc AND h.location IN (SELECT id FROM location WHERE withdrawn_at IS NULL)
    AND h.day >= ((coalesce(k.at, '-infinity') - INTERVAL '2 days') AT TIME ZONE 'UTC')::date
ORDER BY t.asset, h.epc, h.day, h.location;

-- name: acts
-- What people and imports said of assets, and of the transfers that they are on.
WITH wanted AS (
    SELECT w.asset, coalesce(k.at, '-infinity') AS after
    FROM unnest(%(assets)s::text[], %(fresh)s::timestamptz[]) AS w (asset, fresh)
    LEFT JOIN story_checkpoint AS k ON k.asset = w.asset AND (k.base OR k.at < w.fresh)
)
SELECT a.asset, a.at, a.id, a.kind, a.subject, a.location, a.detail
FROM wanted AS w
JOIN act_standing AS a ON a.asset = w.asset AND a.at > w.after
WHERE a.kind = ANY(%(kinds)s)
UNION ALL
SELECT t.asset, a.at, a.id, a.kind, a.subject, a.location, a.detail
FROM wanted AS w
JOIN transfer_asset AS t ON t.asset = w.asset
JOIN act_standing AS a ON a.subject = t.transfer AND a.asset IS NULL AND a.at > w.after
WHERE a.kind IN ('transfer_approved', 'transfer_cancelled');

-- name: carried
-- What lies in assets, however deep, with the outermost of them that is named.
WITH RECURSIVE carried AS (
    SELECT a.id, a.parent AS by FROM asset AS a WHERE a.parent = ANY(%(assets)s)
    UNION
    SELECT a.id, c.by FROM carried AS c JOIN asset AS a ON a.parent = c.id
)
SELECT id, min(by) FROM carried GROUP BY id ORDER BY id;

-- name: companions
-- Assets that lie in others: in which, since when they are seen apart from it, and where they are.
SELECT a.id, a.parent, seen_apart(a.id), l.location
FROM asset AS a LEFT JOIN asset_location AS l ON l.asset = a.id
WHERE a.id = ANY(%(assets)s) AND a.parent IS NOT NULL ORDER BY a.id;

-- name: frozen
-- Due dates that were worked out before; they hold whatever the calendar says now.
SELECT asset, start, business_days, location, due, calendar FROM frozen_due WHERE asset = ANY(%(assets)s);

-- name: checkpoints
-- From where stories may be told on.
SELECT k.asset, k.state
FROM unnest(%(assets)s::text[], %(fresh)s::timestamptz[]) AS w (asset, fresh)
JOIN story_checkpoint AS k ON k.asset = w.asset AND (k.base OR k.at < w.fresh);

-- name: keep_checkpoints
-- The newest point from which each story may be told on; null where there is none any more.
WITH told AS (
    SELECT * FROM unnest(%(assets)s::text[], %(marks)s::timestamptz[], %(states)s::text[]) AS t (asset, at, state)
), gone AS (
    DELETE FROM story_checkpoint WHERE asset IN (SELECT asset FROM told WHERE at IS NULL)
)
INSERT INTO story_checkpoint AS k (asset, at, state) SELECT asset, at, state FROM told WHERE at IS NOT NULL
ON CONFLICT (asset) DO UPDATE SET at = excluded.at, state = excluded.state, base = false
WHERE (k.at, k.state) IS DISTINCT FROM (excluded.at, excluded.state);

-- name: freeze
-- Keep due dates; the first that was worked out stands.
INSERT INTO frozen_due (asset, start, business_days, location, due, calendar)
SELECT * FROM unnest(%(assets)s::text[], %(starts)s::timestamptz[], %(business_days)s::int4[], %(locations)s::text[],
                     %(dues)s::timestamptz[], %(calendars)s::text[])
ON CONFLICT DO NOTHING;

-- name: place
-- Where assets are held to be now, and the counters of the places that they left and came to.
WITH told AS (
    SELECT * FROM unnest(
        %(assets)s::text[], %(shards)s::int2[], %(locations)s::text[], %(since)s::timestamptz[], %(confidence)s::float8[],
        %(basis)s::text[], %(passages)s::uuid[], %(doubts)s::text[]
    ) AS t (asset, shard, location, since, confidence, basis, passage, doubt)
), before AS (
    SELECT asset, location FROM asset_location WHERE asset = ANY(%(assets)s)
), gone AS (
    DELETE FROM asset_location WHERE asset IN (SELECT asset FROM told WHERE location IS NULL)
), now_at AS (
    INSERT INTO asset_location AS l (asset, location, since, confidence, basis, passage, doubt)
    SELECT asset, location, since, confidence, basis, passage, doubt FROM told WHERE location IS NOT NULL
    ON CONFLICT (asset) DO UPDATE SET
        location = excluded.location, since = excluded.since, confidence = excluded.confidence, basis = excluded.basis,
        passage = excluded.passage, doubt = excluded.doubt
    WHERE (l.location, l.since, l.confidence, l.basis, l.passage, l.doubt) IS DISTINCT FROM
        (excluded.location, excluded.since, excluded.confidence, excluded.basis, excluded.passage, excluded.doubt)
), moved AS (
    SELECT b.location, t.shard, -1 AS by FROM before AS b JOIN told AS t USING (asset)
    WHERE t.location IS DISTINCT FROM b.location
    UNION ALL
    SELECT t.location, t.shard, 1 FROM told AS t LEFT JOIN before AS b USING (asset)
    WHERE t.location IS NOT NULL AND t.location IS DISTINCT FROM b.location
)
INSERT INTO location_counter AS c (location, shard, count, counted_at)
SELECT location, shard, sum(by), %(now)s FROM moved GROUP BY location, shard ORDER BY location, shard
ON CONFLICT (location, shard) DO UPDATE SET count = c.count + excluded.count, counted_at = excluded.counted_at
RETURNING location;

-- name: forget_legs
-- Legs are written anew: an earlier event may renumber them.
DELETE FROM transit_leg WHERE asset = ANY(%(assets)s);

-- name: add_legs
-- The legs of assets, in their order.
INSERT INTO transit_leg (
    asset, number, transfer, origin, destination, sender, receiver, dispatched_at, receipt_due, calendar, escalation_path,
    basis, assumed, state, ended_at, ended_in, ended_by, passage
)
SELECT r.asset, r.number, r.transfer, r.origin, r.destination, r.sender, r.receiver, r.dispatched_at, r.receipt_due,
       r.calendar, r.escalation_path, r.basis, r.assumed, r.state, r.ended_at, r.ended_in, r.ended_by, r.passage
FROM jsonb_to_recordset(%(legs)s::jsonb) AS r (
    asset text, number int4, transfer text, origin text, destination text, sender text, receiver text,
    dispatched_at timestamptz, receipt_due timestamptz, calendar text, escalation_path text[], basis text, assumed text[],
    state text, ended_at timestamptz, ended_in text, ended_by text, passage text
)
ORDER BY r.asset, r.number;

-- name: forget_missed
-- Shares that no story tells any more; a story that was told on tells nothing of what is older.
WITH told AS MATERIALIZED (
    SELECT * FROM unnest(%(of)s::text[], %(portals)s::text[], %(times)s::timestamptz[], %(shares)s::float8[])
        AS t (asset, portal, at, share)
), gone AS MATERIALIZED (
    SELECT m.asset, m.portal, m.at
    FROM unnest(%(assets)s::text[], %(begins)s::timestamptz[]) AS w (asset, begin)
    CROSS JOIN LATERAL (SELECT * FROM missed_crossing AS o WHERE o.asset = w.asset AND o.at > w.begin OFFSET 0) AS m
    WHERE NOT EXISTS (SELECT FROM told AS t WHERE (t.asset, t.portal, t.at, t.share) = (m.asset, m.portal, m.at, m.share))
)
DELETE FROM missed_crossing AS m USING gone AS g WHERE (m.asset, m.portal, m.at) = (g.asset, g.portal, g.at);

-- name: add_missed
-- Shares in crossings that nobody saw; what stands already is left alone, and read asset by asset: a story that isn't settled
-- tells all of its shares again.
WITH known AS MATERIALIZED (
    SELECT m.asset, m.portal, m.at
    FROM unnest(%(assets)s::text[]) AS w (asset)
    CROSS JOIN LATERAL (SELECT * FROM missed_crossing AS o WHERE o.asset = w.asset OFFSET 0) AS m
)
INSERT INTO missed_crossing (asset, portal, at, share)
SELECT * FROM unnest(%(of)s::text[], %(portals)s::text[], %(times)s::timestamptz[], %(shares)s::float8[])
    AS t (asset, portal, at, share)
WHERE NOT EXISTS (SELECT FROM known AS k WHERE (k.asset, k.portal, k.at) = (t.asset, t.portal, t.at))
ON CONFLICT DO NOTHING;

-- name: forget_misread
-- Crossings of assets that no story doubts any more.
DELETE FROM misread_crossing AS m
USING unnest(%(assets)s::text[], %(begins)s::timestamptz[]) AS w (asset, begin)
WHERE m.asset = w.asset AND m.at > w.begin AND m.passage <> ALL (%(passages)s::text[]);

-- name: add_misread
-- Crossings that others contradict.
INSERT INTO misread_crossing AS m (passage, asset, portal, at, kind)
SELECT * FROM unnest(%(passages)s::text[], %(of)s::text[], %(portals)s::text[], %(times)s::timestamptz[],
                     %(kinds)s::text[])
ON CONFLICT (passage) DO UPDATE SET
    asset = excluded.asset, portal = excluded.portal, at = excluded.at, kind = excluded.kind
WHERE (m.asset, m.portal, m.at, m.kind) IS DISTINCT FROM (excluded.asset, excluded.portal, excluded.at, excluded.kind);

-- name: due
-- Assets with something that falls due in a span, a receipt or the end of a transfer's window, and those that an upgrade
-- tells otherwise.
SELECT asset FROM transit_leg
WHERE state IN ('open', 'wrong_destination') AND receipt_due > %(after)s AND receipt_due <= %(now)s
UNION
SELECT a.asset FROM transfer AS t JOIN transfer_asset AS a ON a.transfer = t.id
WHERE t.cancelled_at IS NULL AND a.outcome IS NULL AND t.dispatch_until > %(after)s AND t.dispatch_until <= %(now)s
UNION
SELECT asset FROM story_todo;

-- name: told_again
-- They are told as this version tells them.
DELETE FROM story_todo WHERE asset = ANY(%(assets)s);

-- name: unsettled
-- Assets whose stories hang on how places are joined: a changed registry may tell them otherwise.
SELECT asset FROM asset_location WHERE basis = 'inferred' OR doubt IS NOT NULL
UNION SELECT asset FROM missed_crossing
UNION SELECT asset FROM misread_crossing
UNION SELECT asset FROM transit_leg;

-- name: gaps
-- Ways out of places that no portal watches.
SELECT id, location, kind FROM opening WHERE kind <> 'portal' ORDER BY id;

-- name: owner_roles
-- Who answers for places, where it stands with the place itself.
SELECT id, owner_role FROM location WHERE owner_role IS NOT NULL;

-- name: restart
-- Stories that would be told from the beginning begin at their base, if they have one: what led there is forgotten.
INSERT INTO story_checkpoint AS k (asset, at, state, base)
SELECT b.asset, b.at, b.state, true
FROM unnest(%(assets)s::text[], %(fresh)s::timestamptz[]) AS w (asset, fresh)
JOIN story_base AS b ON b.asset = w.asset
LEFT JOIN story_checkpoint AS o ON o.asset = w.asset
WHERE o.at IS NULL OR o.at >= w.fresh
ON CONFLICT (asset) DO UPDATE SET at = excluded.at, state = excluded.state, base = true;

-- name: aged
-- The next assets of which something was heard before a day.
SELECT DISTINCT t.asset FROM hearing AS h JOIN tag AS t ON t.epc = h.epc
WHERE h.day < %(day)s AND t.asset > %(after)s ORDER BY t.asset LIMIT %(limit)s;

-- name: settle
-- Keep how stories stood at their bases; the newer one stands.
INSERT INTO story_base AS b (asset, at, state)
SELECT * FROM unnest(%(assets)s::text[], %(marks)s::timestamptz[], %(states)s::text[])
ON CONFLICT (asset) DO UPDATE SET at = excluded.at, state = excluded.state WHERE b.at < excluded.at;

-- name: forget_heard
-- What was heard before a day of assets' tags, as far as every asset that the tag was on has a base that needs it no more.
DELETE FROM hearing AS h USING tag AS own
WHERE own.asset = ANY(%(assets)s) AND h.epc = own.epc AND h.day < %(day)s AND NOT EXISTS (
    SELECT FROM tag AS t LEFT JOIN story_base AS b ON b.asset = t.asset
    WHERE t.epc = h.epc AND (b.at IS NULL OR h.day >= ((b.at - INTERVAL '2 days') AT TIME ZONE 'UTC')::date)
);

-- name: forget_strangers
-- What was heard before a day of tags that are on nothing.
DELETE FROM hearing AS h WHERE h.day < %(day)s AND NOT EXISTS (SELECT FROM tag AS t WHERE t.epc = h.epc);
