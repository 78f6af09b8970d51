-- Rules that the program keeps, kept here too, whatever program asks. Rows that stand already stay as they are.

-- Who sent something doesn't receive it: neither the person that the transfer names, nor who scanned it out last.
CREATE FUNCTION separate_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM transfer AS t WHERE t.id = NEW.subject AND t.sender = NEW."by") OR NEW."by" = (
        SELECT a."by" FROM act_standing AS a
        WHERE a.subject = NEW.subject AND a.kind = 'dispatch_scanned' AND a.asset = NEW.asset
        ORDER BY a.at DESC, a.id DESC LIMIT 1
    ) THEN
        RAISE EXCEPTION '% sent % by transfer %: another person has to receive it', NEW."by", NEW.asset, NEW.subject
            USING CONSTRAINT = 'separation_of_duties', DETAIL = 'own_dispatch';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER act_receipt_is_of_another BEFORE INSERT ON act
    FOR EACH ROW WHEN (NEW.kind = 'receipt_scanned') EXECUTE FUNCTION separate_receipt();

-- A way without a name on its escalation path is one of which nobody hears.
ALTER TABLE transfer ADD CONSTRAINT transfer_path_named
    CHECK (array_position(escalation_path, NULL) IS NULL AND array_position(escalation_path, '') IS NULL) NOT VALID;
ALTER TABLE transit_leg ADD CONSTRAINT transit_leg_path_named
    CHECK (array_position(escalation_path, NULL) IS NULL AND array_position(escalation_path, '') IS NULL) NOT VALID;

-- Nothing is verified before it was seen, give or take a clock.
ALTER TABLE verification ADD CONSTRAINT verification_past
    CHECK (at <= recorded_at + INTERVAL '5 minutes') NOT VALID;
