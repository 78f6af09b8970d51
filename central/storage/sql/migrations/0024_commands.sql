-- Commands to gateways, and what they answered. Giving one and its answer are acts; this is the list that people look at.

INSERT INTO act_kind VALUES ('command_given'), ('command_answered');

-- A gateway may leave the registry, what was asked of it stays.
CREATE TABLE gateway_command (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    nonce text COLLATE "C" NOT NULL UNIQUE CHECK (nonce ~ '^[0-9a-f]{32}$'),
    gateway text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    args jsonb NOT NULL,
    by text NOT NULL CHECK (by <> ''),
    key text COLLATE "C" NOT NULL,
    given_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    answered_at timestamptz,
    ok boolean,
    problem text,
    result jsonb,
    CHECK ((answered_at IS NULL) = (ok IS NULL) AND (ok IS NULL) = (problem IS NULL) AND (ok IS NULL) = (result IS NULL)),
    CHECK (given_at < expires_at AND expires_at <= answer_by)
);
CREATE INDEX gateway_command_newest ON gateway_command (gateway, id DESC);

-- An answer comes once, and nothing else of a command changes.
CREATE FUNCTION keep_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.answered_at IS NOT NULL OR (OLD.nonce, OLD.gateway, OLD.name, OLD.args, OLD."by", OLD.given_at)
        IS DISTINCT FROM (NEW.nonce, NEW.gateway, NEW.name, NEW.args, NEW."by", NEW.given_at) THEN
        RAISE EXCEPTION 'command % was given and answered as it stands', OLD.id;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER gateway_command_is_kept BEFORE UPDATE ON gateway_command FOR EACH ROW EXECUTE FUNCTION keep_command();
CREATE TRIGGER gateway_command_stays BEFORE DELETE ON gateway_command FOR EACH ROW EXECUTE FUNCTION refuse_change();
