-- Other books as they stood once: finance's register, tickets, managed devices, the network, HR's people. The newest one of
-- each book and place counts; what it and our register say differently stands in the exception queue.

INSERT INTO act_kind VALUES ('book_taken'), ('book_withdrawn');

-- `location` is what the book is responsible for, with all below it; `complete` names the classes of assets of which it has
-- every one there ('*' for all): only of those is it a mismatch that the book lacks one.
CREATE TABLE book_snapshot (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book text NOT NULL CHECK (book IN ('far', 'itsm', 'mdm', 'discovery', 'hrms')),
    location text COLLATE "C" NOT NULL REFERENCES location,
    taken_at timestamptz NOT NULL,
    complete text[] NOT NULL,
    digest text COLLATE "C" NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    by text COLLATE "C" NOT NULL CHECK (by <> ''),
    recorded_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    CHECK (taken_at <= recorded_at + INTERVAL '5 minutes')
);
CREATE UNIQUE INDEX book_snapshot_one ON book_snapshot (book, location, taken_at) WHERE withdrawn_at IS NULL;

CREATE TABLE book_row (
    snapshot bigint NOT NULL REFERENCES book_snapshot,
    line integer NOT NULL CHECK (line > 1),
    id text NOT NULL CHECK (id <> ''),
    asset text,
    serial text,
    active boolean NOT NULL,
    person text,
    cost_centre text,
    name text NOT NULL,
    PRIMARY KEY (snapshot, id)
);
CREATE TRIGGER book_row_is_append_only BEFORE UPDATE OR DELETE ON book_row
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A snapshot stays as it came; it is only withdrawn, once.
CREATE FUNCTION snapshot_only_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.withdrawn_at IS NOT NULL OR to_jsonb(NEW) - 'withdrawn_at' <> to_jsonb(OLD) - 'withdrawn_at' THEN
        RAISE EXCEPTION 'snapshot % stays as it came', OLD.id;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER book_snapshot_is_only_withdrawn BEFORE UPDATE ON book_snapshot
    FOR EACH ROW EXECUTE FUNCTION snapshot_only_withdrawn();
CREATE TRIGGER book_snapshot_stays BEFORE DELETE ON book_snapshot FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The newest of each book and place.
CREATE VIEW book_newest AS
SELECT DISTINCT ON (book, location) * FROM book_snapshot WHERE withdrawn_at IS NULL
ORDER BY book, location, taken_at DESC, id DESC;
