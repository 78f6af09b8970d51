-- The gate snapshot: what each gateway was sent, and what changed since.

-- The part that an EPC belongs to: the first nine bits of the SHA-256 over its bytes (edge.contracts.gate.bucket_of).
CREATE FUNCTION gate_bucket(epc text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (get_byte(sha256(decode(epc, 'hex')), 0) << 1) | (get_byte(sha256(decode(epc, 'hex')), 1) >> 7);

CREATE INDEX tag_gate_bucket ON tag (gate_bucket(epc));

-- Tags that stand for their assets at a door.
CREATE VIEW gate_tag AS
SELECT epc, asset, gate_bucket(epc) AS bucket FROM tag WHERE bound_to IS NULL AND state = 'active';

-- A hold blocks every permission of its asset, and so do data that nobody wiped.
CREATE VIEW gate_held AS
SELECT asset FROM asset_state WHERE holds <> '{}' OR data_state = 'unwiped';

-- What opens boundaries for an asset, or none of them, by the verdicts' codes (edge.contracts.gate.VERDICTS); instants in UTC microseconds.
CREATE VIEW gate_permit AS
SELECT asset, boundary AS scope, CASE WHEN single_use THEN 1 ELSE 0 END AS verdict,
       coalesce((extract(epoch FROM valid_from) * 1000000)::int8, -9223372036854775808) AS from_us,
       coalesce((extract(epoch FROM valid_to) * 1000000)::int8, 9223372036854775807) AS to_us
FROM authorisation
WHERE withdrawn_at IS NULL AND asset NOT IN (SELECT asset FROM gate_held)
UNION ALL
SELECT asset, NULL, 3, -9223372036854775808, 9223372036854775807 FROM gate_held;

-- What changed of that. A gateway's generation covers the changes that its base could see; the rest is its delta. Without a
-- boundary the change concerns all of them; without an EPC it concerns all tags of the asset.
CREATE TABLE gate_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    asset text COLLATE "C" NOT NULL,
    epc text COLLATE "C",
    boundary text COLLATE "C"
);
CREATE INDEX gate_change_xid ON gate_change (xid);

CREATE FUNCTION note_permit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO gate_change (asset, boundary) SELECT DISTINCT asset, boundary FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO gate_change (asset, boundary) SELECT DISTINCT asset, boundary FROM old_rows;
    ELSE
        INSERT INTO gate_change (asset, boundary)
        SELECT asset, boundary FROM (TABLE new_rows EXCEPT TABLE old_rows) AS now_so
        UNION SELECT asset, boundary FROM (TABLE old_rows EXCEPT TABLE new_rows) AS was_so;
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('stockgate_gate', '');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER gate_new AFTER INSERT ON authorisation
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_permit();
CREATE TRIGGER gate_changed AFTER UPDATE ON authorisation
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_permit();
CREATE TRIGGER gate_gone AFTER DELETE ON authorisation
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note_permit();

CREATE FUNCTION note_tag() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO gate_change (asset, epc) SELECT asset, epc FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO gate_change (asset, epc) SELECT asset, epc FROM old_rows;
    ELSE
        INSERT INTO gate_change (asset, epc)
        SELECT asset, epc FROM (TABLE new_rows EXCEPT TABLE old_rows) AS now_so
        UNION SELECT asset, epc FROM (TABLE old_rows EXCEPT TABLE new_rows) AS was_so;
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('stockgate_gate', '');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER gate_new AFTER INSERT ON tag
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_tag();
CREATE TRIGGER gate_changed AFTER UPDATE ON tag
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_tag();
CREATE TRIGGER gate_gone AFTER DELETE ON tag
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note_tag();

CREATE FUNCTION note_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.holds = '{}' AND NEW.data_state IS DISTINCT FROM 'unwiped' THEN
        RETURN NULL;
    END IF;
    INSERT INTO gate_change (asset) VALUES (NEW.asset);
    PERFORM pg_notify('stockgate_gate', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER gate_new AFTER INSERT ON asset_state FOR EACH ROW EXECUTE FUNCTION note_hold();
CREATE TRIGGER gate_changed AFTER UPDATE OF holds, data_state ON asset_state FOR EACH ROW
    WHEN ((OLD.holds, OLD.data_state) IS DISTINCT FROM (NEW.holds, NEW.data_state)) EXECUTE FUNCTION note_hold();

CREATE FUNCTION note_registry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('stockgate_gate', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER gate_registry AFTER UPDATE ON registry_version
    FOR EACH STATEMENT EXECUTE FUNCTION note_registry();

-- The newest generation of each gateway, and the delta that goes with it, as they were signed. Both numbers only rise. A
-- snapshot keeps no import from being taken back: should its gateway come again, the broker tells how far the numbers were.
CREATE TABLE gate_generation (
    gateway text COLLATE "C" PRIMARY KEY REFERENCES gateway ON DELETE CASCADE,
    generation bigint NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
    n bigint NOT NULL CHECK (n >= 1),
    base pg_snapshot NOT NULL,
    geometry text NOT NULL,
    key text NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    entries bigint NOT NULL,
    manifest bytea NOT NULL,
    delta bytea NOT NULL,
    delta_at timestamptz NOT NULL,
    CHECK (issued_at < expires_at)
);

CREATE FUNCTION only_rise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.generation, NEW.n) <= (OLD.generation, OLD.n) THEN
        RAISE EXCEPTION 'gate of %: generation % n % does not come after generation % n %',
            OLD.gateway, NEW.generation, NEW.n, OLD.generation, OLD.n;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER gate_counters_rise BEFORE UPDATE ON gate_generation FOR EACH ROW EXECUTE FUNCTION only_rise();

-- Each part as it was last sent: an unchanged one isn't sent again, and keeps the number of the generation that it came with.
CREATE TABLE gate_part (
    gateway text COLLATE "C" NOT NULL REFERENCES gateway ON DELETE CASCADE,
    part integer NOT NULL CHECK (part BETWEEN 0 AND 511),
    generation bigint NOT NULL,
    sha256 text NOT NULL,
    entries bigint NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (gateway, part)
);
