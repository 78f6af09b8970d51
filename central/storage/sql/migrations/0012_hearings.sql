-- Where zone readers and sweeps heard each tag: what stories take from presence, beside crossings and acts.

-- One row a tag, place and UTC day; each hit is [last heard, round from, round to, share, level, swept]. It follows from
-- presence alone, never from what is believed, so that stories which hang on it stay a function of the log.
CREATE TABLE hearing (
    epc text COLLATE "C" NOT NULL,
    location text COLLATE "C" NOT NULL REFERENCES location,
    day date NOT NULL,
    hits jsonb NOT NULL CHECK (jsonb_array_length(hits) > 0),
    PRIMARY KEY (epc, day, location)
);
CREATE INDEX hearing_place ON hearing (location, day);

-- Assets whose stories are to be told again, because they were heard from an instant on. Writers only add.
CREATE TABLE hearing_todo (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL
);

-- What was heard before this migration is folded anew: it is noted on the way.
UPDATE place_fold SET upto = NULL, seen = '';

-- How long assets stay at a place: `gone` of them after `hours`; after `patience_h` without a word one is in doubt there.
-- Apart for those that only the book put there and those that were seen to come: who came of late sooner goes.
CREATE TABLE place_stay (
    location text COLLATE "C" NOT NULL REFERENCES location,
    recorded boolean NOT NULL,
    hours double precision[] NOT NULL,
    gone double precision[] NOT NULL,
    unseen double precision NOT NULL CHECK (unseen BETWEEN 0 AND 1),
    patience_h double precision NOT NULL CHECK (patience_h >= 0),
    as_of timestamptz NOT NULL,
    PRIMARY KEY (location, recorded),
    CHECK (cardinality(hours) = cardinality(gone))
);
-- The same of one asset, by its own earlier stays there. It holds for the stay that began at `since` only.
CREATE TABLE stay_patience (
    asset text COLLATE "C" PRIMARY KEY REFERENCES asset,
    location text COLLATE "C" NOT NULL REFERENCES location,
    since timestamptz NOT NULL,
    patience_h double precision NOT NULL CHECK (patience_h >= 0)
);

-- Beliefs as they stand at an instant: what the story says, and what silence and age say against it. `silent`: readers that
-- normally hear the asset don't any more; `stale`: nothing has told of it for longer than such stays last.
CREATE FUNCTION beliefs(instant timestamptz) RETURNS TABLE (
    asset text, location text, since timestamptz, confidence double precision, basis text, passage uuid, doubt text,
    certain boolean, silent boolean, stale boolean, heard_at timestamptz, listened_at timestamptz, gone double precision,
    reads jsonb, patience_h double precision, unseen double precision
) LANGUAGE sql STABLE AS $$
    SELECT w.asset, w.location, w.since, w.confidence, w.basis, w.passage, w.doubt,
           w.doubt IS NULL AND NOT s.silent AND NOT s.stale, s.silent, s.stale, p.heard_at, p.at, p.gone, p.reads,
           coalesce(o.patience_h, k.patience_h), k.unseen
    FROM asset_location AS w
    LEFT JOIN tag_presence AS p ON p.asset = w.asset AND p.location = w.location AND p.since = w.since
    LEFT JOIN stay_patience AS o ON o.asset = w.asset AND o.location = w.location AND o.since = w.since
    LEFT JOIN place_stay AS k ON k.location = w.location AND k.recorded = (w.basis = 'recorded')
    CROSS JOIN LATERAL (
        SELECT coalesce(p.gone > 0.05 AND p.silent > 0, false) AS silent,
               coalesce(instant > greatest(w.since, p.heard_at)
                                  + coalesce(o.patience_h, k.patience_h) * INTERVAL '1 hour', false) AS stale
    ) AS s
$$;
