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
