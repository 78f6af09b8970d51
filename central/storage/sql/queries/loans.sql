-- name: told
-- Write an act about a loan or a repair.
INSERT INTO act (at, recorded_at, kind, subject, asset, location, by, detail)
VALUES (%(at)s, %(now)s, %(kind)s, %(subject)s, %(asset)s, %(location)s, %(by)s, %(detail)s::jsonb);

-- name: asset
-- An asset, if it is registered.
SELECT id FROM asset WHERE id = %(asset)s AND withdrawn_at IS NULL;

-- name: person
-- A person who is registered and active.
SELECT id FROM person WHERE id = %(person)s AND active;

-- name: holds_role
-- Whether an active person, no machine, has a role, everywhere or at one of the places.
SELECT EXISTS (
    SELECT FROM role_holder AS h JOIN person AS p ON p.id = h.person
    WHERE h.role = %(role)s AND h.person = %(person)s AND p.active AND p.kind = 'person'
        AND (h.location IS NULL OR h.location = ANY (%(places)s::text[]))
);

-- name: project_loans
-- Loans as their acts tell them: all, or those named.
INSERT INTO loan AS l (id, asset, person, incident, location, opened_at, due_on, due_at, calendar, extended, approved_by,
                       returned_at)
SELECT substr(o.subject, length('loan/') + 1), o.asset, o.detail ->> 'person', o.detail ->> 'incident', o.location, o.at,
       (coalesce(x.detail, o.detail) ->> 'due_on')::date, (coalesce(x.detail, o.detail) ->> 'due_at')::timestamptz,
       coalesce(x.detail, o.detail) ->> 'calendar', coalesce(x.times, 0), x.detail ->> 'approved_by', r.at
FROM act_standing AS o
LEFT JOIN LATERAL (
    SELECT a.detail, count(*) OVER ()::int AS times FROM act_standing AS a
    WHERE a.kind = 'loan_extended' AND a.subject = o.subject ORDER BY a.recorded_at DESC, a.id DESC LIMIT 1
) AS x ON true
LEFT JOIN LATERAL (
    SELECT min(a.at) AS at FROM act_standing AS a WHERE a.kind = 'loan_returned' AND a.subject = o.subject
) AS r ON true
WHERE o.kind = 'loan_opened' AND (%(subjects)s::text[] IS NULL OR o.subject = ANY (%(subjects)s))
ON CONFLICT (id) DO UPDATE SET
    due_on = excluded.due_on, due_at = excluded.due_at, calendar = excluded.calendar, extended = excluded.extended,
    approved_by = excluded.approved_by, returned_at = excluded.returned_at;

-- name: project_repairs
-- Repairs as their acts tell them: all, or those named.
INSERT INTO repair AS r (id, asset, vendor, rma, location, opened_at, expected_return, overdue_at, calendar, closed_at,
                         outcome)
SELECT substr(o.subject, length('repair/') + 1), o.asset, o.detail ->> 'vendor', o.detail ->> 'rma', o.location, o.at,
       (o.detail ->> 'expected_return')::date, (o.detail ->> 'overdue_at')::timestamptz, o.detail ->> 'calendar', c.at,
       c.detail ->> 'outcome'
FROM act_standing AS o
LEFT JOIN LATERAL (
    SELECT a.at, a.detail FROM act_standing AS a
    WHERE a.kind = 'repair_closed' AND a.subject = o.subject ORDER BY a.recorded_at, a.id LIMIT 1
) AS c ON true
WHERE o.kind = 'repair_opened' AND (%(subjects)s::text[] IS NULL OR o.subject = ANY (%(subjects)s))
ON CONFLICT (id) DO UPDATE SET closed_at = excluded.closed_at, outcome = excluded.outcome;

-- name: clear_loans
-- Forget loans, to make them anew from their acts.
DELETE FROM loan;

-- name: clear_repairs
-- Forget repairs, to make them anew from their acts.
DELETE FROM repair;

-- name: loan
-- One loan.
SELECT id, asset, person, incident, location, opened_at, due_on, due_at, calendar, extended, approved_by, returned_at
FROM loan WHERE id = %(id)s;

-- name: loan_of
-- The open loan of an asset.
SELECT id FROM loan WHERE asset = %(asset)s AND returned_at IS NULL;

-- name: loans
-- Loans: open ones by due date, or those that were returned, newest first.
SELECT id, asset, person, incident, location, opened_at, due_on, due_at, calendar, extended, approved_by, returned_at
FROM loan
WHERE (returned_at IS NULL) = %(open)s AND (%(asset)s::text IS NULL OR asset = %(asset)s)
ORDER BY returned_at DESC NULLS FIRST, due_at, id
LIMIT %(limit)s;

-- name: repair
-- One repair.
SELECT id, asset, vendor, rma, location, opened_at, expected_return, overdue_at, calendar, closed_at, outcome
FROM repair WHERE id = %(id)s;

-- name: repair_of
-- The open repair of an asset.
SELECT id FROM repair WHERE asset = %(asset)s AND closed_at IS NULL;

-- name: repairs
-- Repairs: open ones, the oldest first, or closed ones, newest first.
SELECT id, asset, vendor, rma, location, opened_at, expected_return, overdue_at, calendar, closed_at, outcome
FROM repair
WHERE (closed_at IS NULL) = %(open)s AND (%(asset)s::text IS NULL OR asset = %(asset)s)
ORDER BY closed_at DESC NULLS FIRST, opened_at, id
LIMIT %(limit)s;
