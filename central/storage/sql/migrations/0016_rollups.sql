-- A foreign key looks its parent up for each row, which took a quarter of the time of appending movements. Ingest locks the
-- doors and places of a batch once instead (query log.hold_places); from the other side these triggers say what the keys said.
ALTER TABLE movement DROP CONSTRAINT movement_portal_fkey;
ALTER TABLE movement DROP CONSTRAINT movement_from_location_fkey;
ALTER TABLE movement DROP CONSTRAINT movement_to_location_fkey;

CREATE FUNCTION keep_what_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.id = OLD.id THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'portal' AND EXISTS (SELECT FROM movement WHERE portal = OLD.id)
        OR TG_TABLE_NAME = 'location' AND EXISTS (SELECT FROM movement WHERE OLD.id IN (from_location, to_location)) THEN
        RAISE EXCEPTION '% % is in the log of movements: it can not be taken away', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER portal_that_moved_stays AFTER UPDATE OF id OR DELETE ON portal
    FOR EACH ROW EXECUTE FUNCTION keep_what_moved();
CREATE TRIGGER location_that_moved_stays AFTER UPDATE OF id OR DELETE ON location
    FOR EACH ROW EXECUTE FUNCTION keep_what_moved();

-- What came right before and after a passage of the same tag is asked for each: with the passage in the index nothing is sorted.
CREATE INDEX passage_epc_order ON passage (epc, at, passage);
DROP INDEX passage_epc;

-- Finals by door, hour (UTC) of the event and kind. Ingest adds what it logs in the same statement, so the sums are exact and
-- never late. Read it by the view: the community edition of TimescaleDB has a continuous aggregate behind it instead.
CREATE TABLE portal_hour_counted (
    portal text COLLATE "C" NOT NULL REFERENCES portal,
    hour timestamptz NOT NULL,
    kind text COLLATE "C" NOT NULL,
    passages bigint NOT NULL,
    reads bigint NOT NULL,
    PRIMARY KEY (portal, hour, kind)
);
INSERT INTO portal_hour_counted (portal, hour, kind, passages, reads)
SELECT portal, date_trunc('hour', at, 'UTC'), kind, count(*), sum(reads) FROM movement WHERE final GROUP BY 1, 2, 3;
CREATE VIEW portal_hour AS SELECT portal, hour, kind, passages, reads FROM portal_hour_counted;
CREATE VIEW portal_day AS
    SELECT portal, date_trunc('day', hour, 'UTC') AS day, kind, sum(passages)::bigint AS passages, sum(reads)::bigint AS reads
    FROM portal_hour GROUP BY 1, 2, 3;

-- What readers told of themselves, by hour: heartbeats, those in which they were connected, and reads since the one before.
-- Of the heartbeats themselves only the newest is kept.
CREATE TABLE reader_hour (
    gateway text COLLATE "C" NOT NULL REFERENCES gateway,
    reader text COLLATE "C" NOT NULL,
    hour timestamptz NOT NULL,
    beats bigint NOT NULL,
    connected bigint NOT NULL,
    reads bigint NOT NULL,
    PRIMARY KEY (gateway, reader, hour)
);

-- Retention looks for old rows by when they came; they lie in that order.
CREATE INDEX presence_received ON presence USING brin (received_at);
CREATE INDEX reader_hour_hour ON reader_hour USING brin (hour);
