-- name: hold_book
-- One at a time for each book and place; the registry, and who imports into it, isn't held up.
SELECT pg_advisory_xact_lock(hashtext('stockgate books'), hashtext(%(source)s));

-- name: hold_place
-- A place, kept from being taken out of the registry until a snapshot for it is committed.
SELECT id FROM location WHERE id = %(location)s AND withdrawn_at IS NULL FOR SHARE;

-- name: of
-- Whose a snapshot is.
SELECT book, location FROM book_snapshot WHERE id = %(snapshot)s;

-- name: same
-- A snapshot that stands of the same book, place and instant.
SELECT id, digest FROM book_snapshot
WHERE book = %(book)s AND location = %(location)s AND taken_at = %(taken_at)s AND withdrawn_at IS NULL;

-- name: add
-- A snapshot and its act.
WITH told AS (
    INSERT INTO act (at, recorded_at, kind, location, subject, by, detail)
    VALUES (%(taken_at)s, %(now)s, 'book_taken', %(location)s, 'book/' || %(book)s, %(by)s,
            jsonb_build_object('digest', %(digest)s::text, 'rows', %(count)s::int, 'complete', %(complete)s::text[]))
)
INSERT INTO book_snapshot (book, location, taken_at, complete, digest, by, recorded_at)
VALUES (%(book)s, %(location)s, %(taken_at)s, %(complete)s, %(digest)s, %(by)s, %(now)s)
RETURNING id;

-- name: add_rows
-- Its rows.
INSERT INTO book_row (snapshot, line, id, asset, serial, active, person, cost_centre, name,
                      leaves_on)
SELECT %(snapshot)s, r.line, r.id, r.asset, r.serial, r.active, r.person, r.cost_centre, r.name, r.leaves_on
FROM jsonb_populate_recordset(NULL::book_row, %(rows)s::jsonb) AS r;

-- name: withdraw
-- A snapshot that counts no more, and its act.
WITH gone AS (
    UPDATE book_snapshot SET withdrawn_at = %(now)s WHERE id = %(snapshot)s AND withdrawn_at IS NULL
    RETURNING id, book, location
), told AS (
    INSERT INTO act (at, recorded_at, kind, location, subject, by, detail)
    SELECT %(now)s, %(now)s, 'book_withdrawn', location, 'book/' || book, %(by)s,
           jsonb_build_object('snapshot', id, 'reason', %(reason)s::text) FROM gone
)
SELECT book, location FROM gone;

-- name: newest
-- The newest snapshot of each book and place, or of one.
SELECT n.id, n.book, n.location, l.name AS location_name, n.taken_at, n.complete, n.by, n.recorded_at
FROM book_newest AS n JOIN location AS l ON l.id = n.location
WHERE (%(book)s::text IS NULL OR n.book = %(book)s) AND (%(location)s::text IS NULL OR n.location = %(location)s)
ORDER BY array_position(ARRAY['far', 'itsm', 'mdm', 'discovery', 'hrms'], n.book), n.location;

-- name: listed
-- Snapshots, the newest first, withdrawn ones too; how many rows each has stands in its act, and needn't be counted.
SELECT s.id, s.book, s.location, s.taken_at, s.complete, s.by, s.recorded_at, s.withdrawn_at,
       coalesce((SELECT (a.detail ->> 'rows')::int8 FROM act AS a
                 WHERE a.subject = 'book/' || s.book AND a.at = s.taken_at AND a.kind = 'book_taken'
                     AND a.location = s.location AND a.detail ->> 'digest' = s.digest
                 ORDER BY a.id DESC LIMIT 1), 0) AS rows
FROM book_snapshot AS s ORDER BY s.id DESC LIMIT %(limit)s;

-- name: rows
-- Rows of a snapshot.
SELECT line, id, asset, serial, active, person, cost_centre, name, leaves_on::text FROM book_row WHERE snapshot = %(snapshot)s ORDER BY line;

-- name: ours
-- All assets as the register has them, and whether they lie at a place or below it; one that lies nowhere does.
WITH RECURSIVE below AS (
    SELECT id FROM location WHERE id = %(location)s
    UNION ALL SELECT l.id FROM below AS b JOIN location AS l ON l.parent = b.id WHERE l.withdrawn_at IS NULL
)
SELECT a.id, coalesce(a.class, ''), s.serial, t.lifecycle, coalesce(t.title, 'owned') = 'owned',
       CASE WHEN t.custody_kind = 'person' THEN t.custodian END, a.cost_centre,
       p.location IS NULL OR p.location IN (SELECT id FROM below)
FROM asset AS a
LEFT JOIN asset_serial AS s ON s.asset = a.id AND s.to_at IS NULL
LEFT JOIN asset_state AS t ON t.asset = a.id
LEFT JOIN asset_location AS p ON p.asset = a.id
WHERE a.withdrawn_at IS NULL ORDER BY a.id;

-- name: holdings
-- What people answer for, each asset once a person, by the nearest reason; and whether the person, or else the asset, is of
-- a place or below it: who is of nowhere is.
WITH RECURSIVE below AS (
    SELECT id FROM location WHERE id = %(location)s
    UNION ALL SELECT l.id FROM below AS b JOIN location AS l ON l.parent = b.id WHERE l.withdrawn_at IS NULL
)
SELECT DISTINCT ON (h.asset, h.person) h.asset, h.person, a.cost_centre, h.how = 'loan',
       coalesce(p.location, l.location) IS NULL OR coalesce(p.location, l.location) IN (SELECT id FROM below)
FROM person_holding AS h
JOIN asset AS a ON a.id = h.asset
LEFT JOIN person AS p ON p.id = h.person
LEFT JOIN asset_location AS l ON l.asset = h.asset
ORDER BY h.asset, h.person, h.rank, h.how;

-- name: person
-- Whether somebody is registered.
SELECT id FROM person WHERE id = %(person)s;

-- name: held
-- What a person answers for, and where it is.
SELECT DISTINCT ON (h.asset) h.asset, a.name, h.how, l.location
FROM person_holding AS h JOIN asset AS a ON a.id = h.asset LEFT JOIN asset_location AS l ON l.asset = h.asset
WHERE h.person = %(person)s ORDER BY h.asset, h.rank;

-- name: open_about
-- What is open about assets, or was opened since a person had one.
SELECT e.id, e.category, e.severity, e.asset, e.state FROM exception AS e
WHERE e.state NOT IN ('closed', 'accepted_risk') AND (e.asset = ANY(%(assets)s) OR EXISTS (
    SELECT FROM exception_occurrence AS o WHERE o.exception = e.id AND o.evidence ->> 'custodian' = %(person)s))
ORDER BY e.id;

-- name: said
-- What a book says since when, as far as it is still to be dealt with, was accepted, or closed after a snapshot was taken.
SELECT o.category, o.asset, o.location, o.key, o.at
FROM exception_occurrence AS o JOIN exception AS e ON e.id = o.exception
WHERE o.source = %(source)s AND o.withdrawn_at IS NULL
    AND (e.state <> 'closed' OR e.decided_at >= %(taken_at)s)
ORDER BY o.at;

-- name: overdue
-- Mismatches of finance's register that were open beyond their date at an instant, by severity.
SELECT count(*) FILTER (WHERE o.severity = 'critical'), count(*) FILTER (WHERE o.severity = 'high'),
       count(*) FILTER (WHERE o.severity NOT IN ('critical', 'high'))
FROM exception_occurrence AS o JOIN exception AS e ON e.id = o.exception
WHERE o.source LIKE 'book/far/%%' AND o.recorded_at <= %(at)s AND o.due_at < %(at)s
    AND (o.withdrawn_at IS NULL OR o.withdrawn_at > %(at)s) AND (e.decided_at IS NULL OR e.decided_at > %(at)s);

-- name: in_time
-- Unknown devices that fell due in a period, and those that were put right or closed by then.
SELECT count(*), count(*) FILTER (WHERE least(o.withdrawn_at, e.decided_at) <= o.due_at)
FROM exception_occurrence AS o JOIN exception AS e ON e.id = o.exception
WHERE o.source LIKE 'book/discovery/%%' AND o.category = 'unknown_device'
    AND o.due_at > %(since)s AND o.due_at <= %(at)s;

-- name: where
-- Where assets are held to be.
SELECT asset, location FROM asset_location WHERE asset = ANY(%(assets)s) AND location IS NOT NULL;
