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

-- A hold, or unwiped data, blocks every permission but its own: one that was given for just that, and that somebody else approved.
ALTER TABLE authorisation ADD COLUMN despite text[] NOT NULL DEFAULT '{}'
    CHECK (despite <@ ARRAY['quarantine', 'legal', 'security', 'recall', 'unwiped']);
ALTER TABLE authorisation ADD CHECK (despite = '{}' OR (requested_by IS NOT NULL AND approved_by IS NOT NULL));

CREATE OR REPLACE VIEW gate_held AS
SELECT asset, holds || CASE WHEN data_state = 'unwiped' THEN ARRAY['unwiped'] ELSE '{}' END AS blocks
FROM asset_state WHERE holds <> '{}' OR data_state = 'unwiped';

CREATE OR REPLACE VIEW gate_permit AS
WITH standing AS (
    SELECT a.*, h.asset IS NOT NULL AS held
    FROM authorisation AS a LEFT JOIN gate_held AS h USING (asset)
    WHERE a.withdrawn_at IS NULL AND (h.asset IS NULL OR h.blocks <@ a.despite)
        AND NOT EXISTS (SELECT FROM authorisation_use AS u WHERE u.authorisation = a.id)
)
SELECT asset, boundary AS scope, CASE WHEN single_use THEN 1 ELSE 0 END AS verdict,
       coalesce((extract(epoch FROM valid_from) * 1000000)::int8, -9223372036854775808) AS from_us,
       coalesce((extract(epoch FROM valid_to) * 1000000)::int8, 9223372036854775807) AS to_us
FROM standing
UNION ALL
-- It would win over the hold's own permission, so where there is one, silence about other boundaries refuses them.
SELECT asset, NULL, 3, -9223372036854775808, 9223372036854775807 FROM gate_held
WHERE asset NOT IN (SELECT asset FROM standing WHERE held);

-- Who placed a hold doesn't release it (separation of duties): a hold that one can lift alone holds nobody up.
CREATE FUNCTION separate_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM act_standing AS s
        WHERE s.asset = NEW.asset AND s.kind = 'hold_set' AND s.subject IS NOT DISTINCT FROM NEW.subject
            AND lower(s.by) = lower(NEW."by")
    ) THEN
        RAISE EXCEPTION '% placed the hold % on %: another person has to release it', NEW."by", NEW.subject, NEW.asset
            USING CONSTRAINT = 'separation_of_duties', DETAIL = 'own_hold';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_is_released_by_another BEFORE INSERT ON act FOR EACH ROW WHEN (NEW.kind = 'hold_released')
    EXECUTE FUNCTION separate_release();

-- An incident holds both verdicts: ours in its kind and reason, and what the door decided.
ALTER TABLE alert_asset ADD COLUMN edge_verdict text CHECK (edge_verdict IN ('allow', 'refuse', 'stale'));

-- Per door: what an old snapshot means, and for assets of a class, or of all with none of their own, whether who carries them has
-- to be named by a badge.
ALTER TABLE portal ADD COLUMN stale text NOT NULL DEFAULT 'refuse' CHECK (stale IN ('refuse', 'trust'));
CREATE TABLE portal_policy (
    portal text COLLATE "C" NOT NULL REFERENCES portal ON DELETE CASCADE,
    class text NOT NULL DEFAULT '',
    needs text NOT NULL CHECK (needs IN ('asset', 'asset+person')),
    PRIMARY KEY (portal, class)
);
INSERT INTO act_kind VALUES ('portal_policy_set');

-- Badges that an access-control system tells of. They are about people: kept apart from the log, and only for a while.
CREATE TABLE badge (
    portal text COLLATE "C" NOT NULL REFERENCES portal ON DELETE CASCADE,
    person text COLLATE "C" NOT NULL CHECK (person <> ''),
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (portal, at, person)
);

ALTER TABLE alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE alert ADD CONSTRAINT alert_kind_check CHECK (kind IN (
    'unauthorised_exit', 'stale_snapshot', 'ambiguous_passage', 'portal_config_mismatch', 'identity_mismatch',
    'retired_but_active', 'lost_seen', 'untagged_issue', 'unknown_tag', 'impossible_travel', 'cloned_tag', 'not_unique',
    'after_hours', 'loaner_overdue', 'portal_bypass', 'portal_dark', 'carried_by_another'));
