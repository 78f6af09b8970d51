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
