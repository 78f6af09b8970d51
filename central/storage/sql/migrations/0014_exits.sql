-- Alerts are heard of in every process, whoever committed them.

-- A notice names the alert; who hears it reads the alert as it stands. The server sends the same notice of a transaction once.
CREATE FUNCTION tell_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('stockgate_alert', NEW.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER alert_is_told AFTER INSERT OR UPDATE ON alert FOR EACH ROW EXECUTE FUNCTION tell_alert();
