-- name: places
-- Every location with its counters.
SELECT l.id, l.name, l.parent, coalesce(c.coverage, 'none') AS coverage, coalesce(c.book, 0) AS book,
       coalesce(c.found, 0) AS found, coalesce(c.missing, 0) AS missing, coalesce(c.unexpected, 0) AS unexpected,
       coalesce(c.unknown, 0) AS unknown, c.probability, c.sighted_at, c.as_of
FROM location AS l LEFT JOIN place_count AS c ON c.location = l.id
WHERE l.withdrawn_at IS NULL ORDER BY l.id;

-- name: version
-- What changes whenever the registry does, any place's counters, or what is signed.
SELECT concat_ws('/', (SELECT version FROM registry_version), max(as_of), count(*),
    (SELECT max(signed_at) FROM count_run)) FROM place_count;

-- name: signed
-- Of places the newest signed count that covered them, of all classes.
SELECT DISTINCT ON (p.location) p.location, r.id AS run, r.signed_at AS at, r.signed_by AS by, p.book, p.found, p.missing,
       p.unexpected, p.unknown
FROM count_run AS r JOIN count_place AS p ON p.run = r.id
WHERE r.state = 'signed' AND r.ranks = '{}' AND p.coverage <> 'none' AND p.location = ANY(%(places)s)
ORDER BY p.location, r.signed_at DESC, r.id DESC;

-- name: places_within
-- A location and all below it with their counters.
WITH RECURSIVE below AS (
    SELECT id FROM location WHERE id = %(within)s AND withdrawn_at IS NULL
    UNION ALL
    SELECT l.id FROM below AS b JOIN location AS l ON l.parent = b.id WHERE l.withdrawn_at IS NULL
)
SELECT l.id, l.name, l.parent, coalesce(c.coverage, 'none') AS coverage, coalesce(c.book, 0) AS book,
       coalesce(c.found, 0) AS found, coalesce(c.missing, 0) AS missing, coalesce(c.unexpected, 0) AS unexpected,
       coalesce(c.unknown, 0) AS unknown, c.probability, c.sighted_at, c.as_of
FROM below AS b
CROSS JOIN LATERAL (SELECT * FROM location WHERE id = b.id OFFSET 0) AS l
LEFT JOIN place_count AS c ON c.location = b.id
ORDER BY l.id;

-- name: places_of
-- The same of the assets that have all the words in model, name, class or id. A place's assets are read by its own index,
-- however few or many places there are.
WITH RECURSIVE below AS (
    SELECT id FROM location WHERE id = %(within)s AND withdrawn_at IS NULL
    UNION ALL
    SELECT l.id FROM below AS b JOIN location AS l ON l.parent = b.id WHERE l.withdrawn_at IS NULL
)
SELECT l.id, l.name, l.parent, coalesce(c.coverage, 'none') AS coverage, n.book, n.found, n.missing, n.unexpected, n.unknown,
       c.probability, c.sighted_at, c.as_of
FROM below AS b
CROSS JOIN LATERAL (SELECT * FROM location WHERE id = b.id OFFSET 0) AS l
LEFT JOIN place_count AS c ON c.location = b.id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE p.bucket <> 'unexpected') AS book,
           count(*) FILTER (WHERE p.bucket = 'found') AS found,
           count(*) FILTER (WHERE p.bucket = 'missing') AS missing,
           count(*) FILTER (WHERE p.bucket = 'unexpected') AS unexpected,
           count(*) FILTER (WHERE p.bucket = 'unknown') AS unknown
    FROM (SELECT * FROM place_asset WHERE location = b.id OFFSET 0) AS p
    CROSS JOIN LATERAL (SELECT * FROM asset WHERE id = p.asset OFFSET 0) AS a
    WHERE strpos(lower(concat_ws(' ', a.model, a.name, a.class, a.id)), lower(%(words)s)) > 0
) AS n
ORDER BY l.id;

-- name: doubtful
-- The assets that are doubted in a location and below, the worst first; in a place that wasn't counted that is every asset.
WITH RECURSIVE below AS (
    SELECT id FROM location WHERE id = %(location)s
    UNION ALL
    SELECT l.id FROM below AS b JOIN location AS l ON l.parent = b.id
)
SELECT p.asset, a.name, a.class AS asset_class, a.model, p.location, p.bucket, p.probability, p.seen_at, p.elsewhere, p.since,
       (SELECT v.at FROM verification AS v WHERE v.asset = p.asset ORDER BY v.at DESC, v.id DESC LIMIT 1) AS verified_at,
       (SELECT v.grade FROM verification AS v WHERE v.asset = p.asset ORDER BY v.at DESC, v.id DESC LIMIT 1) AS grade
FROM below AS b
CROSS JOIN LATERAL (SELECT * FROM place_asset WHERE location = b.id AND bucket <> 'found' OFFSET 0) AS p
CROSS JOIN LATERAL (SELECT * FROM asset WHERE id = p.asset OFFSET 0) AS a
WHERE %(words)s::text IS NULL
    OR strpos(lower(concat_ws(' ', a.model, a.name, a.class, a.id)), lower(%(words)s)) > 0
ORDER BY p.bucket = 'missing' DESC, p.bucket = 'unexpected' DESC, p.probability NULLS LAST, p.asset LIMIT %(limit)s;

-- name: plan
-- Plan a count.
INSERT INTO count_run (kind, location, ranks, blind, planned_for, due_on, planned_by, planned_at)
VALUES (%(kind)s, %(location)s, %(ranks)s, %(blind)s, %(planned_for)s, %(due_on)s, %(by)s, %(now)s)
ON CONFLICT (kind, location, planned_for, ranks) WHERE state <> 'cancelled' AND NOT (kind = 'spot' AND state = 'signed')
DO NOTHING
RETURNING id;

-- name: planned
-- The count that was planned already.
SELECT id, blind, planned_by FROM count_run
WHERE kind = %(kind)s AND location = %(location)s AND planned_for = %(planned_for)s AND ranks = %(ranks)s
    AND state <> 'cancelled' AND NOT (kind = 'spot' AND state = 'signed');

-- name: act
-- What was done with a count, in the log.
INSERT INTO act (at, recorded_at, kind, location, subject, by, detail)
SELECT %(now)s, %(now)s, %(kind)s, location, 'count/' || id, %(by)s, %(detail)s::jsonb FROM count_run WHERE id = %(run)s;

-- name: schedule
-- Plan a kind of count again and again.
INSERT INTO count_schedule (kind, location, ranks, blind, next_on, planned_by)
VALUES (%(kind)s, %(location)s, %(ranks)s, %(blind)s, %(planned_for)s, %(by)s)
ON CONFLICT (kind, location, ranks) DO UPDATE SET
    blind = excluded.blind, next_on = excluded.next_on, planned_by = excluded.planned_by, ended_at = NULL;

-- name: schedules
-- Schedules by their next day; `months` lie between two of their counts, where the kind doesn't say it.
SELECT s.id, s.kind, s.location, s.ranks, s.blind, s.next_on, s.planned_by, i.months
FROM count_schedule AS s LEFT JOIN abc_interval AS i ON s.kind = 'abc_cycle' AND i.rank = s.ranks[1]
WHERE s.ended_at IS NULL ORDER BY s.next_on, s.id;

-- name: due_schedules
-- Schedules that have a count due somewhere on earth, locked.
SELECT s.id, s.kind, s.location, s.ranks, s.blind, s.next_on, s.planned_by, i.months
FROM count_schedule AS s LEFT JOIN abc_interval AS i ON s.kind = 'abc_cycle' AND i.rank = s.ranks[1]
WHERE s.ended_at IS NULL AND s.next_on <= %(today)s
    AND EXISTS (SELECT FROM location AS l WHERE l.id = s.location AND l.withdrawn_at IS NULL)
ORDER BY s.id FOR UPDATE OF s SKIP LOCKED;

-- name: move_schedule
-- A schedule's next day.
UPDATE count_schedule SET next_on = %(next_on)s WHERE id = %(id)s;

-- name: end_schedule
-- Nothing more is planned by a schedule.
UPDATE count_schedule SET ended_at = %(now)s WHERE id = %(id)s AND ended_at IS NULL RETURNING id;

-- name: open_scheduled
-- A schedule's count begins by the clock, if nobody has begun it before, and its book is the one of now.
UPDATE count_run SET state = 'counting', frozen_at = %(now)s, schedule = %(schedule)s, due_on = %(due_on)s
WHERE id = %(run)s AND state = 'planned' RETURNING id;

-- name: has_lines
-- Whether the frozen book of a count has anything.
SELECT EXISTS (SELECT FROM count_line WHERE run = %(run)s);

-- name: intervals
-- How many months lie between counts of each rank.
SELECT rank, months FROM abc_interval ORDER BY rank;

-- name: set_interval
-- Change how often a rank is counted.
UPDATE abc_interval SET months = %(months)s WHERE rank = %(rank)s;

-- name: runs
-- Counts, the newest first.
SELECT id, kind, location, ranks, blind, state, planned_for, due_on, planned_by, frozen_at, submitted_at, submitted_by,
       signed_at, signed_by, note
FROM count_run WHERE %(state)s::text IS NULL OR state = %(state)s ORDER BY id DESC LIMIT %(limit)s;

-- name: run
-- One count.
SELECT id, kind, location, ranks, blind, state, planned_for, due_on, planned_by, frozen_at, submitted_at, submitted_by,
       signed_at, signed_by, note
FROM count_run WHERE id = %(run)s;

-- name: run_places
-- The places of a count; what a blind one expects there isn't shown while it is counted.
SELECT p.location, p.searched_by, p.coverage, p.probability, p.book, p.found, p.missing, p.unexpected, p.unknown, p.net,
       p.gross
FROM count_place AS p WHERE p.run = %(run)s ORDER BY p.location;

-- name: run_lines
-- The lines of a count. A blind one shows what was observed only, until it is submitted.
SELECT l.asset, CASE WHEN r.blind AND r.state = 'counting' THEN NULL ELSE l.booked END AS booked, l.observed,
       l.observed_at, l.observed_by, l.grade, l.evidence, l.tag_silent, l.bucket
FROM count_line AS l JOIN count_run AS r ON r.id = l.run
WHERE l.run = %(run)s AND NOT (r.blind AND r.state = 'counting' AND l.observed IS NULL)
ORDER BY l.asset;

-- name: hold
-- Lock a count.
SELECT id, state, location, frozen_at FROM count_run WHERE id = %(run)s FOR UPDATE;

-- name: start
-- First of three: the count begins, and its book is the one of now.
UPDATE count_run SET state = 'counting', frozen_at = %(now)s, started_by = %(by)s WHERE id = %(run)s;

-- name: freeze_places
-- Second: its places.
INSERT INTO count_place (run, location)
WITH RECURSIVE below AS (
    SELECT location AS id FROM count_run WHERE id = %(run)s
    UNION ALL
    SELECT l.id FROM below AS b JOIN location AS l ON l.parent = b.id WHERE l.withdrawn_at IS NULL
)
SELECT %(run)s, id FROM below;

-- name: freeze_book
-- Third: its lines, one an asset that the book has there and whose class is counted.
INSERT INTO count_line (run, asset, booked)
SELECT p.run, w.asset, w.location
FROM count_place AS p
JOIN count_run AS r ON r.id = p.run
JOIN asset_location AS w ON w.location = p.location
JOIN asset AS a ON a.id = w.asset
JOIN LATERAL (
    SELECT rank FROM class_policy AS c WHERE c.class IN (a.class, '*') ORDER BY c.class = '*' LIMIT 1
) AS c ON true
WHERE p.run = %(run)s AND (r.ranks = '{}' OR c.rank = ANY(r.ranks));

-- name: find
-- The asset that somebody saw: by its id, a tag on it then, or the serial that it bore then.
SELECT id FROM asset WHERE id = %(asset)s AND withdrawn_at IS NULL
UNION
SELECT asset FROM tag WHERE epc = %(epc)s AND bound_from <= %(at)s AND (bound_to IS NULL OR bound_to > %(at)s)
UNION
SELECT asset FROM asset_serial
WHERE lower(serial) = lower(%(serial)s) AND from_at <= %(at)s AND (to_at IS NULL OR to_at > %(at)s)
UNION
SELECT a.id FROM asset AS a
WHERE lower(a.serial) = lower(%(serial)s) AND NOT EXISTS (SELECT FROM asset_serial AS s WHERE s.asset = a.id);

-- name: location
-- Whether a location is registered.
SELECT id FROM location WHERE id = %(location)s AND withdrawn_at IS NULL;

-- name: person
-- A person who is registered and active.
SELECT id FROM person WHERE id = %(person)s AND active;

-- name: observe
-- An observation into its line: the higher grade counts, of equal ones the later. A tag is silent where a person saw the
-- asset and antennas that should have heard it didn't. What is of a class that isn't counted has no line.
INSERT INTO count_line AS l (run, asset, booked, observed, observed_at, observed_by, grade, evidence, confidence, tag_silent)
SELECT r.id, a.id, NULL, %(location)s, %(at)s, %(by)s, %(grade)s, %(evidence)s, %(confidence)s, EXISTS (
    SELECT FROM tag_presence AS t
    WHERE t.asset = a.id AND t.location = %(location)s AND t.gone >= 0.5 AND t.silent >= 2)
FROM count_run AS r JOIN asset AS a ON a.id = %(asset)s
JOIN LATERAL (
    SELECT rank FROM class_policy AS c WHERE c.class IN (a.class, '*') ORDER BY c.class = '*' LIMIT 1
) AS c ON true
WHERE r.id = %(run)s AND (r.ranks = '{}' OR c.rank = ANY(r.ranks))
ON CONFLICT (run, asset) DO UPDATE SET
    observed = excluded.observed, observed_at = excluded.observed_at, observed_by = excluded.observed_by,
    grade = excluded.grade, evidence = excluded.evidence, confidence = excluded.confidence,
    tag_silent = excluded.tag_silent
WHERE l.observed IS NULL
    OR (grade_rank(excluded.grade), excluded.observed_at) >= (grade_rank(l.grade), l.observed_at);

-- name: searched
-- Somebody has searched all of a place.
UPDATE count_place SET searched_by = %(by)s, searched_at = %(now)s WHERE run = %(run)s AND location = %(location)s
RETURNING location;

-- name: add_radio
-- What antennas heard since the start, and what they and the doors still answer for, into lines that nobody observed.
UPDATE count_line AS l SET
    observed = l.booked, observed_by = 'radio', grade = 'tag_seen', confidence = coalesce(a.probability, w.confidence),
    observed_at = coalesce(a.seen_at, w.since),
    evidence = CASE WHEN a.seen_at >= r.frozen_at THEN 'heard at ' || l.booked
                    WHEN a.seen_at IS NOT NULL THEN 'heard at ' || l.booked || ' before, its doors up since'
                    ELSE 'came in through a door of ' || l.booked || ', its doors up since' END
FROM place_asset AS a, asset_location AS w, count_run AS r
WHERE l.run = %(run)s AND l.observed IS NULL AND r.id = l.run AND a.location = l.booked AND a.asset = l.asset
    AND a.bucket = 'found' AND w.asset = l.asset AND w.location = l.booked;

-- name: add_radio_elsewhere
-- The same for what was heard at another place of the count since the start.
INSERT INTO count_line AS l (run, asset, booked, observed, observed_at, observed_by, grade, evidence, confidence)
SELECT DISTINCT ON (a.asset)
    r.id, a.asset, NULL, a.location, a.seen_at, 'radio', 'tag_seen', 'heard at ' || a.location, coalesce(a.probability, 0.99)
FROM count_run AS r JOIN count_place AS p ON p.run = r.id
JOIN place_asset AS a ON a.location = p.location AND a.bucket = 'unexpected' AND a.seen_at >= r.frozen_at
JOIN asset AS s ON s.id = a.asset
JOIN LATERAL (
    SELECT rank FROM class_policy AS c WHERE c.class IN (s.class, '*') ORDER BY c.class = '*' LIMIT 1
) AS c ON true
WHERE r.id = %(run)s AND (r.ranks = '{}' OR c.rank = ANY(r.ranks))
ORDER BY a.asset, a.seen_at DESC
ON CONFLICT (run, asset) DO UPDATE SET
    observed = excluded.observed, observed_at = excluded.observed_at, observed_by = excluded.observed_by,
    grade = excluded.grade, evidence = excluded.evidence, confidence = excluded.confidence
WHERE l.observed IS NULL;

-- name: lines
-- The lines of a count, each with what the perpetual count says of it where it is booked.
SELECT l.asset, l.booked, l.observed, l.observed_at, l.observed_by, l.grade, l.evidence, l.confidence, a.bucket, l.tag_silent
FROM count_line AS l LEFT JOIN place_asset AS a ON a.location = l.booked AND a.asset = l.asset
WHERE l.run = %(run)s ORDER BY l.asset;

-- name: covered
-- How each place was covered: searched, sighted since the start, trusted for its doors, or not at all.
SELECT p.location,
       CASE WHEN p.searched_at IS NOT NULL THEN 'searched'
            WHEN c.sighted_at >= r.frozen_at AND c.coverage <> 'none' THEN 'sighted'
            WHEN c.coverage <> 'none' THEN 'balanced'
            ELSE 'none' END AS coverage,
       CASE WHEN p.searched_at IS NULL THEN c.probability END AS probability
FROM count_place AS p JOIN count_run AS r ON r.id = p.run LEFT JOIN place_count AS c ON c.location = p.location
WHERE p.run = %(run)s ORDER BY p.location;

-- name: save_buckets
-- The lines' buckets.
UPDATE count_line AS l SET bucket = x.bucket
FROM unnest(%(asset)s::text[], %(bucket)s::text[]) AS x(asset, bucket) WHERE l.run = %(run)s AND l.asset = x.asset;

-- name: save_place
-- A place's result.
UPDATE count_place SET
    coverage = %(coverage)s, probability = %(probability)s, book = %(book)s, found = %(found)s, missing = %(missing)s,
    unexpected = %(unexpected)s, unknown = %(unknown)s, net = %(net)s, gross = %(gross)s
WHERE run = %(run)s AND location = %(location)s;

-- name: submit
-- From here on its lines never change.
UPDATE count_run SET state = 'submitted', submitted_at = %(now)s, submitted_by = %(by)s WHERE id = %(run)s;

-- name: sign
-- The branch owner's signature.
UPDATE count_run SET state = 'signed', signed_at = %(now)s, signed_by = %(by)s, note = %(note)s WHERE id = %(run)s;

-- name: cancel
-- Given up.
UPDATE count_run SET state = 'cancelled', note = %(note)s WHERE id = %(run)s;

-- name: verify_radio
-- What antennas saw becomes verifications, once somebody has signed for the count.
INSERT INTO verification (asset, at, location, how, grade, confidence, evidence, by, run, recorded_at)
SELECT l.asset, l.observed_at, l.observed, 'zone', 'tag_seen', l.confidence, 'count/' || l.run || ': ' || l.evidence,
       %(by)s, l.run, %(now)s
FROM count_line AS l WHERE l.run = %(run)s AND l.observed_by = 'radio';

-- name: verify
-- An asset was seen.
INSERT INTO verification (asset, at, location, how, grade, confidence, evidence, by, run, recorded_at)
VALUES (%(asset)s, %(at)s, %(location)s, %(how)s, %(grade)s, %(confidence)s, %(evidence)s, %(by)s, %(run)s, %(now)s);

-- name: verified_act
-- The same in the log.
INSERT INTO act (at, recorded_at, kind, asset, location, by, detail)
VALUES (%(at)s, %(now)s, 'asset_verified', %(asset)s, %(location)s, %(by)s,
        jsonb_build_object('how', %(how)s::text, 'grade', %(grade)s::text, 'evidence', %(evidence)s::text)
            || %(more)s::jsonb);

-- name: seen_with_act
-- What lies in an asset that somebody saw, in the log.
INSERT INTO act (at, recorded_at, kind, asset, location, by, detail)
SELECT %(at)s, %(now)s, 'seen', p.id, %(location)s, %(by)s,
       jsonb_build_object('how', %(how)s::text, 'with', p.parent) || %(more)s::jsonb
FROM asset AS p WHERE p.id = %(asset)s;

-- name: apart
-- Assets that were seen elsewhere than where the book has them since before; what is under way may be anywhere, and of what
-- this count has in its own book its result tells.
SELECT s.asset, w.location, s.location, s.at
FROM unnest(%(assets)s::text[], %(locations)s::text[], %(times)s::timestamptz[]) AS s (asset, location, at)
JOIN asset_location AS w ON w.asset = s.asset AND w.location <> s.location AND w.since <= s.at
WHERE NOT EXISTS (SELECT FROM transit_leg AS t WHERE t.asset = s.asset AND t.state IN ('open', 'wrong_destination'))
    AND NOT EXISTS (SELECT FROM count_line AS l WHERE l.run = %(run)s AND l.asset = s.asset AND l.booked IS NOT NULL)
ORDER BY s.asset, s.at;

-- name: keep_apart
-- They wait for the count to be handed in. Where it was booked before the count moved it stands, and where it was seen last.
INSERT INTO count_apart AS k (run, asset, booked, seen, seen_at)
SELECT DISTINCT ON (asset) %(run)s, asset, booked, seen, at
FROM unnest(%(assets)s::text[], %(booked)s::text[], %(seen)s::text[], %(times)s::timestamptz[]) AS f (asset, booked, seen, at)
ORDER BY asset, at DESC
ON CONFLICT (run, asset) DO UPDATE SET seen = excluded.seen, seen_at = excluded.seen_at
WHERE excluded.seen_at >= k.seen_at;

-- name: apart_so_far
-- What was kept of that.
SELECT asset, booked, seen, seen_at FROM count_apart WHERE run = %(run)s ORDER BY asset;

-- name: missing
-- The assets that a count calls missing.
SELECT asset FROM count_line WHERE run = %(run)s AND bucket = 'missing' ORDER BY asset;

-- name: missing_acts
-- That it looked for each of them in vain, in the log: when their place was searched, or the count was submitted.
INSERT INTO act (at, recorded_at, kind, asset, location, subject, by, detail)
SELECT coalesce(p.searched_at, r.submitted_at), %(now)s, 'counted_missing', l.asset, l.booked, 'count/' || l.run, %(by)s, '{}'
FROM count_line AS l JOIN count_run AS r ON r.id = l.run
JOIN count_place AS p ON p.run = l.run AND p.location = l.booked
WHERE l.run = %(run)s AND l.bucket = 'missing' ORDER BY l.asset;

-- name: count_again
-- The places that an asset's verification may change: where it was seen, and where the book has it.
INSERT INTO presence_todo (location)
SELECT %(location)s UNION SELECT location FROM asset_location WHERE asset = %(asset)s;

-- name: verified
-- An asset's last verification that its class accepts.
SELECT least_grade, valid_days, at, location, how, grade, confidence, evidence, valid_until
FROM asset_verification WHERE asset = %(asset)s;

-- name: verifications
-- What was recorded of an asset's verifications, newest first.
SELECT at, location, how, grade, confidence, evidence, by FROM verification
WHERE asset = %(asset)s ORDER BY at DESC, id DESC LIMIT 50;
