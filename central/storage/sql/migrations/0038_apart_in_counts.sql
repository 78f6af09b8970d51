-- What people saw in a count while the book had it elsewhere, and not in the count's own book. The exceptions open when the
-- count is handed in or given up: before, they would tell who counts what the book says.
CREATE TABLE count_apart (
    run bigint NOT NULL REFERENCES count_run,
    asset text COLLATE "C" NOT NULL REFERENCES asset,
    booked text COLLATE "C" NOT NULL REFERENCES location,
    seen text COLLATE "C" NOT NULL REFERENCES location,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (run, asset)
);

-- Assets whose stories this version tells otherwise than the one before: verifications move and doubt places, and what is
-- seen at a transfer's goal receives it. The job that looks at due dates tells them again, once.
CREATE TABLE story_todo (asset text COLLATE "C" PRIMARY KEY REFERENCES asset);
INSERT INTO story_todo (asset)
SELECT asset FROM act WHERE kind = 'asset_verified' AND asset IS NOT NULL AND detail ->> 'grade' IS DISTINCT FROM 'tag_seen'
UNION SELECT asset FROM transit_leg;
