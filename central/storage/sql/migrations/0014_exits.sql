-- Alerts are heard of in every process, whoever committed them.

-- A notice names the alert; who hears it reads the alert as it stands. The server sends the same notice of a transaction once.
CREATE FUNCTION tell_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('stockgate_alert', NEW.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER alert_is_told AFTER INSERT OR UPDATE ON alert FOR EACH ROW EXECUTE FUNCTION tell_alert();

-- On which exit an authorisation for one use was spent, by what doors told so far: from then on no door may honour it. It follows
-- from passages and authorisations.
CREATE TABLE authorisation_use (
    authorisation text COLLATE "C" PRIMARY KEY REFERENCES authorisation ON DELETE CASCADE,
    passage uuid NOT NULL,
    portal text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL
);

CREATE FUNCTION note_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gate_change (asset, boundary)
    SELECT asset, boundary FROM authorisation WHERE id = coalesce(NEW.authorisation, OLD.authorisation);
    PERFORM pg_notify('stockgate_gate', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER gate_used AFTER INSERT OR DELETE ON authorisation_use FOR EACH ROW EXECUTE FUNCTION note_use();

CREATE OR REPLACE VIEW gate_permit AS
SELECT asset, boundary AS scope, CASE WHEN single_use THEN 1 ELSE 0 END AS verdict,
       coalesce((extract(epoch FROM valid_from) * 1000000)::int8, -9223372036854775808) AS from_us,
       coalesce((extract(epoch FROM valid_to) * 1000000)::int8, 9223372036854775807) AS to_us
FROM authorisation AS a
WHERE withdrawn_at IS NULL AND asset NOT IN (SELECT asset FROM gate_held)
    AND NOT EXISTS (SELECT FROM authorisation_use AS u WHERE u.authorisation = a.id)
UNION ALL
SELECT asset, NULL, 3, -9223372036854775808, 9223372036854775807 FROM gate_held;
