-- Ingest workers: each gateway is served by one of them at a time, and who lost it can't commit.

-- A worker is alive while the session that holds the advisory lock of its number is, and its word is young enough.
CREATE TABLE ingest_worker (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    since timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- `fence` rises whenever a gateway is given to a worker: a commit names the fence that it holds. The empty gateway stands for
-- all that nobody registered. Rows outlive their workers, so that fences never start again.
CREATE TABLE ingest_lease (
    gateway text COLLATE "C" PRIMARY KEY,
    worker integer,
    fence bigint NOT NULL DEFAULT 0 CHECK (fence >= 0),
    taken_at timestamptz
);
CREATE INDEX ingest_lease_worker ON ingest_lease (worker);

CREATE FUNCTION fences_rise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.worker IS DISTINCT FROM OLD.worker AND NEW.worker IS NOT NULL AND NEW.fence <= OLD.fence THEN
        RAISE EXCEPTION 'the lease of gateway % changes hands with fence % after %', OLD.gateway, NEW.fence, OLD.fence;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER ingest_fences_rise BEFORE UPDATE ON ingest_lease FOR EACH ROW EXECUTE FUNCTION fences_rise();

-- What was tried again after a fix: committed rows leave a mark, so that nobody looks for a row that is gone.
ALTER TABLE quarantine ADD COLUMN retried_at timestamptz;
ALTER TABLE quarantine ADD COLUMN retries integer NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN settled_at timestamptz;
CREATE INDEX quarantine_waiting ON quarantine (last_at DESC) WHERE settled_at IS NULL;
INSERT INTO act_kind VALUES ('quarantine_retried');
