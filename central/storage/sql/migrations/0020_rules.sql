-- Rules that were asked for and not kept: who agrees to a transfer, what a manifest leaves over.

INSERT INTO act_kind VALUES ('transfer_agreed'), ('transfer_line_cancelled');

-- Both owners agree to a transfer: who answers for the place that it leaves, and who for the place that it goes to. A change
-- of cost centre wants two people. What was approved before had one approval, which stands for both.
ALTER TABLE transfer ADD COLUMN two_managers boolean NOT NULL DEFAULT false;
ALTER TABLE transfer ADD COLUMN sending_by text COLLATE "C" REFERENCES person;
ALTER TABLE transfer ADD COLUMN sending_at timestamptz;
ALTER TABLE transfer ADD COLUMN sending_until timestamptz;
ALTER TABLE transfer ADD COLUMN receiving_by text COLLATE "C" REFERENCES person;
ALTER TABLE transfer ADD COLUMN receiving_at timestamptz;
ALTER TABLE transfer ADD COLUMN receiving_until timestamptz;
UPDATE transfer SET sending_by = approved_by, sending_at = approved_at, sending_until = dispatch_until,
    receiving_by = approved_by, receiving_at = approved_at, receiving_until = dispatch_until;
ALTER TABLE transfer ADD CONSTRAINT transfer_agreed CHECK (
    (sending_by IS NULL) = (sending_at IS NULL) AND (sending_by IS NULL) = (sending_until IS NULL)
    AND (receiving_by IS NULL) = (receiving_at IS NULL) AND (receiving_by IS NULL) = (receiving_until IS NULL)
    AND (approved_by IS NULL OR (sending_by IS NOT NULL AND receiving_by IS NOT NULL)));
ALTER TABLE transfer ADD CONSTRAINT transfer_agreed_by_another CHECK (
    requested_by <> sending_by AND requested_by <> receiving_by);
ALTER TABLE transfer ADD CONSTRAINT transfer_two_managers CHECK (NOT two_managers OR sending_by <> receiving_by);

-- What of a manifest doesn't go after all, or went and never came: by whom, and why. The rest goes on.
ALTER TABLE transfer_asset ADD COLUMN outcome text CHECK (outcome IN ('not_dispatched', 'never_found'));
ALTER TABLE transfer_asset ADD COLUMN cancelled_by text COLLATE "C" REFERENCES person;
ALTER TABLE transfer_asset ADD COLUMN cancelled_at timestamptz;
ALTER TABLE transfer_asset ADD COLUMN cancel_reason text CHECK (cancel_reason <> '');
ALTER TABLE transfer_asset ADD CHECK (
    (outcome IS NULL) = (cancelled_by IS NULL) AND (outcome IS NULL) = (cancelled_at IS NULL)
    AND (outcome IS NULL) = (cancel_reason IS NULL));

-- Who sent it, or scanned it out, doesn't say that it was never found.
CREATE FUNCTION separate_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM transfer AS t WHERE t.id = NEW.subject AND t.sender = NEW."by") OR NEW."by" = (
        SELECT a."by" FROM act_standing AS a
        WHERE a.subject = NEW.subject AND a.kind = 'dispatch_scanned' AND a.asset = NEW.asset
        ORDER BY a.at DESC, a.id DESC LIMIT 1
    ) THEN
        RAISE EXCEPTION '% sent % by transfer %: another person has to say that it was never found',
            NEW."by", NEW.asset, NEW.subject USING CONSTRAINT = 'separation_of_duties', DETAIL = 'own_dispatch';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER act_loss_is_told_by_another BEFORE INSERT ON act
    FOR EACH ROW WHEN (NEW.kind = 'transfer_line_cancelled' AND NEW.detail ->> 'outcome' = 'never_found')
    EXECUTE FUNCTION separate_loss();

-- A gate pass says why, and when the asset is to be back unless it stays away (requirements 17 and 96). Older ones keep what
-- they said: those that named no return are held to be for good.
ALTER TABLE authorisation ADD COLUMN pass_kind text CHECK (pass_kind IN ('returnable', 'non_returnable', 'inter_location'));
UPDATE authorisation SET
    pass_kind = CASE WHEN expected_return IS NULL THEN 'non_returnable' ELSE 'returnable' END,
    reason = CASE WHEN trim(reason) = '' THEN 'not told' ELSE reason END
WHERE kind = 'gate_pass';
ALTER TABLE authorisation ADD CONSTRAINT gate_pass_complete CHECK (
    (kind = 'gate_pass') = (pass_kind IS NOT NULL)
    AND (kind <> 'gate_pass' OR (trim(reason) <> '' AND (pass_kind = 'returnable') = (expected_return IS NOT NULL))));

CREATE FUNCTION place_within(place text, around text) RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain AS (
        SELECT id, parent FROM location WHERE id = place
        UNION ALL SELECT l.id, l.parent FROM chain AS c JOIN location AS l ON l.id = c.parent
    )
    SELECT EXISTS (SELECT FROM chain WHERE id = around)
$$;

INSERT INTO act_kind VALUES ('pass_returned');

-- Gate passes on which something went out and isn't back by what was told or seen: since when it is out.
CREATE VIEW pass_out AS
SELECT a.id, a.asset, a.boundary, a.person, a.expected_return, coalesce(x.at, CASE
           WHEN l.since >= coalesce(a.valid_from, a.recorded_at) AND l.since < a.valid_to
               AND NOT place_within(l.location, a.boundary) THEN l.since END) AS left_at,
       l.location, l.since
FROM authorisation AS a
JOIN asset_location AS l ON l.asset = a.asset
CROSS JOIN LATERAL (
    SELECT min(p.at) AS at FROM tag AS t JOIN passage AS p ON p.epc = t.epc
    WHERE t.asset = a.asset AND p.final AND p.to_location IS NOT NULL
        AND p.at >= coalesce(a.valid_from, a.recorded_at) AND p.at < a.valid_to
        AND p.at >= t.bound_from AND (t.bound_to IS NULL OR p.at < t.bound_to)
        AND place_within(p.from_location, a.boundary) AND NOT place_within(p.to_location, a.boundary)
) AS x
WHERE a.kind = 'gate_pass' AND a.expected_return IS NOT NULL
    AND NOT EXISTS (SELECT FROM act_standing AS r WHERE r.subject = 'pass/' || a.id AND r.kind = 'pass_returned');

ALTER TABLE sla_policy DROP CONSTRAINT sla_policy_subject_kind_check;
ALTER TABLE sla_policy ADD CONSTRAINT sla_policy_subject_kind_check
    CHECK (subject_kind IN ('receipt', 'exception_assign', 'exception_close', 'repair', 'loan', 'gate_pass'));
INSERT INTO sla_policy VALUES ('gate_pass', NULL, false, '{0,1,3}', '{owner,security,branch_admin,itam_manager}');

-- As before, and gate passes of which something is out.
CREATE OR REPLACE FUNCTION obligation(named text[] DEFAULT NULL) RETURNS TABLE (
    kind text, subject text, asset text, location text, start timestamptz, due_at timestamptz, answerable text, path text[]
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    -- A leg whose dispatch is only assumed starts no clock.
    SELECT 'receipt', l.id, l.asset, coalesce(l.destination, l.origin), l.dispatched_at, l.receipt_due, l.receiver,
           l.escalation_path
    FROM transit_leg AS l
    WHERE l.state IN ('open', 'wrong_destination') AND NOT 'dispatched_at' = ANY (l.assumed)
        AND (named IS NULL OR l.id = ANY (named))
    UNION ALL
    SELECT 'exception_assign', e.id::text, e.asset, e.location, e.opened_at, e.assign_by, e.owner_role, '{}'::text[]
    FROM exception AS e WHERE e.state = 'open' AND (named IS NULL OR e.id::text = ANY (named))
    UNION ALL
    SELECT 'exception_close', e.id::text, e.asset, e.location, e.opened_at, e.due_at, coalesce(e.owner, e.owner_role),
           '{}'::text[]
    FROM exception AS e
    WHERE e.state NOT IN ('closed', 'accepted_risk') AND (named IS NULL OR e.id::text = ANY (named))
    UNION ALL
    SELECT 'repair', r.id, r.asset, r.location, r.opened_at, r.overdue_at, 'service_desk', '{}'::text[]
    FROM repair AS r WHERE r.closed_at IS NULL AND (named IS NULL OR r.id = ANY (named))
    UNION ALL
    SELECT 'loan', l.id, l.asset, l.location, l.opened_at, l.due_at, l.person, '{}'::text[]
    FROM loan AS l WHERE l.returned_at IS NULL AND (named IS NULL OR l.id = ANY (named))
    UNION ALL
    SELECT 'gate_pass', o.id, o.asset, o.boundary, o.left_at, greatest(o.expected_return, o.left_at + INTERVAL '1 second'),
           o.person, '{}'::text[]
    FROM pass_out AS o
    WHERE o.left_at IS NOT NULL AND (named IS NULL OR o.id = ANY (named));
END
$$;

-- Machines that tell us things act in a name of their own, which approves nothing.
ALTER TABLE person ADD COLUMN kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service'));
INSERT INTO act_kind VALUES ('setting_told'), ('authorised');

CREATE FUNCTION want_person(who text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM person WHERE id = who AND kind = 'service') THEN
        RAISE EXCEPTION '% is a service account: a person has to do this', who
            USING CONSTRAINT = 'separation_of_duties', DETAIL = 'service_account';
    END IF;
END
$$;

-- Who did it, and who approved it where another says so.
CREATE FUNCTION machine_approves_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM want_person(NEW."by");
    RETURN NEW;
END
$$;
CREATE TRIGGER act_of_a_person BEFORE INSERT ON act FOR EACH ROW
    WHEN (NEW.kind IN ('transfer_agreed', 'transfer_approved', 'alert_acknowledged', 'alert_investigated', 'alert_resolved',
                       'hold_released', 'transfer_line_cancelled', 'count_signed', 'portal_measured', 'portal_mode_set')
          OR NEW.kind = 'exception_step' AND NEW.detail ->> 'step' IN ('approve', 'close'))
    EXECUTE FUNCTION machine_approves_nothing();
CREATE TRIGGER verdict_of_a_person BEFORE INSERT ON alert_verdict FOR EACH ROW EXECUTE FUNCTION machine_approves_nothing();

CREATE FUNCTION act_approved_by_a_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM want_person(NEW.detail ->> 'approved_by');
    RETURN NEW;
END
$$;
CREATE TRIGGER act_approved_by_a_person BEFORE INSERT ON act FOR EACH ROW
    WHEN (NEW.detail ->> 'approved_by' IS NOT NULL) EXECUTE FUNCTION act_approved_by_a_person();

-- Told after the row is there: what stands may be written again, whoever became a machine since.
CREATE FUNCTION authorisation_approved_by_a_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM want_person(NEW.approved_by);
    RETURN NULL;
END
$$;
CREATE TRIGGER authorisation_approved_by_a_person AFTER INSERT ON authorisation FOR EACH ROW
    WHEN (NEW.approved_by IS NOT NULL) EXECUTE FUNCTION authorisation_approved_by_a_person();
CREATE TRIGGER authorisation_approved_by_another_person AFTER UPDATE ON authorisation FOR EACH ROW
    WHEN (NEW.approved_by IS DISTINCT FROM OLD.approved_by) EXECUTE FUNCTION authorisation_approved_by_a_person();

-- What a door has to show before it may be louder. Shares are upper ends of 95 % intervals.
CREATE TABLE promotion_policy (
    mode text PRIMARY KEY CHECK (mode IN ('notify', 'alarm')),
    least_days integer NOT NULL CHECK (least_days BETWEEN 0 AND 366),
    least_crossings integer NOT NULL CHECK (least_crossings >= 0),
    most_missed double precision NOT NULL CHECK (most_missed BETWEEN 0 AND 1),
    most_false double precision NOT NULL CHECK (most_false BETWEEN 0 AND 1),
    least_walks integer NOT NULL CHECK (least_walks >= 0),
    most_walk_faults double precision NOT NULL CHECK (most_walk_faults BETWEEN 0 AND 1)
);
INSERT INTO promotion_policy VALUES ('notify', 5, 30, 0.4, 0.2, 20, 0.2), ('alarm', 14, 300, 0.25, 0.03, 20, 0.2);
INSERT INTO act_kind VALUES ('portal_mode_set'), ('portal_commissioned'), ('promotion_policy_set');

-- Only a second person lets a door be louder than it shows.
CREATE FUNCTION separate_promotion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.detail ->> 'overridden' IS NOT NULL AND (
        NEW.detail ->> 'approved_by' IS NULL OR lower(NEW.detail ->> 'approved_by') = lower(NEW."by")
        OR EXISTS (SELECT FROM person WHERE id = NEW.detail ->> 'approved_by' AND (NOT active OR kind = 'service'))
    ) THEN
        RAISE EXCEPTION '% may not be made louder than it shows by % alone: another person has to approve it',
            NEW.subject, NEW."by" USING CONSTRAINT = 'separation_of_duties', DETAIL = 'own_promotion';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER act_promotion_is_approved_by_another BEFORE INSERT ON act
    FOR EACH ROW WHEN (NEW.kind = 'portal_mode_set') EXECUTE FUNCTION separate_promotion();
