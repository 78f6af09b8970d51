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
