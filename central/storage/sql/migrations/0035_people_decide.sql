-- A machine works no exception, and sets neither who hears when nor which days a place works: these are a person's to say.

DROP TRIGGER act_of_a_person ON act;
CREATE TRIGGER act_of_a_person BEFORE INSERT ON act FOR EACH ROW
    WHEN (NEW.kind IN ('transfer_agreed', 'transfer_approved', 'alert_acknowledged', 'alert_investigated', 'alert_resolved',
                       'hold_released', 'transfer_line_cancelled', 'count_signed', 'portal_measured', 'portal_mode_set',
                       'exception_step', 'sla_policy_set', 'calendar_overridden'))
    EXECUTE FUNCTION machine_approves_nothing();

CREATE FUNCTION act_gives_it_to_a_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM want_person(NEW.detail ->> 'owner');
    RETURN NEW;
END
$$;
CREATE TRIGGER act_gives_it_to_a_person BEFORE INSERT ON act FOR EACH ROW
    WHEN (NEW.kind = 'exception_step' AND NEW.detail ->> 'owner' IS NOT NULL) EXECUTE FUNCTION act_gives_it_to_a_person();
