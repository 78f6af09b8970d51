-- Captures that gateways send up: the one-time address of each, by its hash alone, and what came to it. The files lie in the
-- service's data folder. Receiving, fetching and dropping one are acts.

INSERT INTO act_kind VALUES ('capture_received'), ('capture_fetched'), ('capture_dropped');

CREATE TABLE gateway_capture (
    command bigint PRIMARY KEY REFERENCES gateway_command,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    max_bytes bigint NOT NULL CHECK (max_bytes > 0),
    expires_at timestamptz NOT NULL,
    received_at timestamptz,
    bytes bigint CHECK (bytes BETWEEN 1 AND max_bytes),
    sha256 text COLLATE "C" CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    dropped_at timestamptz,
    CHECK ((received_at IS NULL) = (bytes IS NULL) AND (bytes IS NULL) = (sha256 IS NULL)),
    CHECK (received_at IS NOT NULL OR dropped_at IS NULL)
);

-- An address is used once, and what came to it stays what it was.
CREATE FUNCTION keep_capture() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.command, OLD.token_hash, OLD.max_bytes, OLD.expires_at)
        IS DISTINCT FROM (NEW.command, NEW.token_hash, NEW.max_bytes, NEW.expires_at)
        OR (OLD.received_at IS NOT NULL AND (OLD.received_at, OLD.bytes, OLD.sha256)
            IS DISTINCT FROM (NEW.received_at, NEW.bytes, NEW.sha256))
        OR (OLD.dropped_at IS NOT NULL AND OLD.dropped_at IS DISTINCT FROM NEW.dropped_at) THEN
        RAISE EXCEPTION 'capture % came as it did, once', OLD.command;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER gateway_capture_is_kept BEFORE UPDATE ON gateway_capture FOR EACH ROW EXECUTE FUNCTION keep_capture();
CREATE TRIGGER gateway_capture_stays BEFORE DELETE ON gateway_capture FOR EACH ROW EXECUTE FUNCTION refuse_change();
