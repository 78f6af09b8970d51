-- What the service was told: places, doors, gateways, assets, tags and who may take what where.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted: write a new act instead', TG_TABLE_NAME;
END
$$;

CREATE TABLE registry_version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL DEFAULT 1
);
INSERT INTO registry_version DEFAULT VALUES;

CREATE TABLE location (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('country', 'region', 'site', 'building', 'zone',
                                       'vendor', 'repair', 'disposal', 'remote', 'exterior')),
    parent text COLLATE "C" REFERENCES location,
    guarded boolean NOT NULL,
    CHECK (parent <> id)
);

CREATE TABLE gateway (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[a-z0-9-]{1,40}$'),
    site text COLLATE "C" NOT NULL CHECK (site ~ '^[a-z0-9-]{1,40}$'),
    registered_at timestamptz NOT NULL
);

CREATE TABLE portal (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    name text NOT NULL CHECK (name <> ''),
    gateway text COLLATE "C" NOT NULL REFERENCES gateway,
    inside text COLLATE "C" NOT NULL REFERENCES location,
    outside text COLLATE "C" NOT NULL REFERENCES location,
    mode text NOT NULL CHECK (mode IN ('observe', 'notify', 'alarm')),
    CHECK (inside <> outside)
);

CREATE TABLE asset (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    name text NOT NULL CHECK (name <> ''),
    class text NOT NULL,
    serial text
);

CREATE TABLE tag (
    epc text COLLATE "C" PRIMARY KEY CHECK (epc ~ '^([0-9a-f]{2}){1,62}$'),
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    role text NOT NULL CHECK (role IN ('body', 'lid', 'box'))
);
CREATE INDEX tag_asset ON tag (asset);

CREATE TABLE authorisation (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,80}$'),
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    boundary text COLLATE "C" NOT NULL REFERENCES location,
    valid_from timestamptz,
    valid_to timestamptz,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CHECK (valid_from < valid_to)
);
CREATE INDEX authorisation_asset ON authorisation (asset);
