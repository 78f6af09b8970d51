-- What changed is heard of in every process, whoever committed it: notices name it, who hears one reads how it stands. A notice
-- takes at most 8,000 bytes, so many names are told in several, and more than anybody could follow as "read the lists anew". The
-- server sends the same notice of a transaction once, and all notices in one order to all who listen.

CREATE OR REPLACE FUNCTION tell_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('stockgate_feed', jsonb_build_object('alert', NEW.id)::text);
    RETURN NULL;
END
$$;

CREATE FUNCTION tell_names(kind text, names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    most CONSTANT integer := 1000;
    a_notice CONSTANT integer := 80;
BEGIN
    IF cardinality(names) > most THEN
        PERFORM pg_notify('stockgate_feed', '{"anew": true}');
        RETURN;
    END IF;
    FOR part IN 1 .. coalesce(cardinality(names), 0) BY a_notice LOOP
        PERFORM pg_notify('stockgate_feed', jsonb_build_object(kind, to_jsonb(names[part : part + a_notice - 1]))::text);
    END LOOP;
END
$$;

CREATE FUNCTION tell_assets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_names('assets', ARRAY(SELECT DISTINCT asset FROM changed LIMIT 1001));
    RETURN NULL;
END
$$;
CREATE TRIGGER asset_location_is_told_new AFTER INSERT ON asset_location REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_assets();
CREATE TRIGGER asset_location_is_told AFTER UPDATE ON asset_location REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_assets();
CREATE TRIGGER asset_location_is_told_gone AFTER DELETE ON asset_location REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_assets();

CREATE FUNCTION tell_locations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_names('locations', ARRAY(SELECT DISTINCT location FROM changed LIMIT 1001));
    RETURN NULL;
END
$$;
CREATE TRIGGER location_counter_is_told_new AFTER INSERT ON location_counter REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_locations();
CREATE TRIGGER location_counter_is_told AFTER UPDATE ON location_counter REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_locations();
CREATE TRIGGER location_counter_is_told_gone AFTER DELETE ON location_counter REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_locations();

CREATE FUNCTION tell_gateway() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('stockgate_feed', jsonb_build_object('gateways', jsonb_build_array(NEW.gateway))::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER gateway_is_told AFTER INSERT OR UPDATE ON gateway_state FOR EACH ROW EXECUTE FUNCTION tell_gateway();

CREATE FUNCTION tell_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('stockgate_feed', '{"anew": true}');
    RETURN NULL;
END
$$;
CREATE TRIGGER registry_is_told AFTER UPDATE ON registry_version FOR EACH ROW EXECUTE FUNCTION tell_anew();
CREATE TRIGGER asset_location_is_told_anew AFTER TRUNCATE ON asset_location FOR EACH STATEMENT EXECUTE FUNCTION tell_anew();
