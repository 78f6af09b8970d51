-- Hearings are forgotten once they are old. What a story made of them until then is kept: from there on it is told, also by a
-- rebuild; what comes later than that about something older changes no story.
CREATE TABLE story_base (
    asset text COLLATE "C" PRIMARY KEY REFERENCES asset,
    at timestamptz NOT NULL,
    state text NOT NULL
);
CREATE FUNCTION base_only_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.at < OLD.at THEN
        RAISE EXCEPTION 'the story of % is settled until %: it can not be settled until % only', OLD.asset, OLD.at, NEW.at;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER story_base_moves_on BEFORE UPDATE ON story_base FOR EACH ROW EXECUTE FUNCTION base_only_moves_on();

-- A checkpoint that is its story's base counts whatever is new.
ALTER TABLE story_checkpoint ADD COLUMN base boolean NOT NULL DEFAULT false;
CREATE INDEX hearing_day ON hearing USING brin (day);

-- What lies in an asset may leave with it: the doors list it by its carrier's permissions, unless it is held itself or was seen
-- apart. Of what lies deeper a door asks the centre.
CREATE OR REPLACE VIEW gate_permit AS
WITH standing AS (
    SELECT a.*, h.asset IS NOT NULL AS held
    FROM authorisation AS a LEFT JOIN gate_held AS h USING (asset)
    WHERE a.withdrawn_at IS NULL AND (h.asset IS NULL OR h.blocks <@ a.despite)
        AND NOT EXISTS (SELECT FROM authorisation_use AS u WHERE u.authorisation = a.id)
), listed AS (
    SELECT asset, boundary, single_use, valid_from, valid_to FROM standing
    UNION ALL
    SELECT c.id, s.boundary, false, greatest(s.valid_from, c.parent_since), s.valid_to
    FROM standing AS s JOIN asset AS c ON c.parent = s.asset
    WHERE c.id NOT IN (SELECT asset FROM gate_held) AND seen_apart(c.id) IS NULL
        AND (s.valid_to IS NULL OR s.valid_to > c.parent_since)
)
SELECT asset, boundary AS scope, CASE WHEN single_use THEN 1 ELSE 0 END AS verdict,
       coalesce((extract(epoch FROM valid_from) * 1000000)::int8, -9223372036854775808) AS from_us,
       coalesce((extract(epoch FROM valid_to) * 1000000)::int8, 9223372036854775807) AS to_us
FROM listed
UNION ALL
-- It would win over the hold's own permission, so where there is one, silence about other boundaries refuses them.
SELECT asset, NULL, 3, -9223372036854775808, 9223372036854775807 FROM gate_held
WHERE asset NOT IN (SELECT asset FROM standing WHERE held);

CREATE FUNCTION note_parent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gate_change (asset) VALUES (NEW.id);
    PERFORM pg_notify('stockgate_gate', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER gate_carried AFTER UPDATE OF parent ON asset FOR EACH ROW
    WHEN (OLD.parent IS DISTINCT FROM NEW.parent) EXECUTE FUNCTION note_parent();
