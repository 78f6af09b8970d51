-- Lists of passages show what was heard: it stands with the passage, so that nobody looks for each in the log. A rebuild
-- writes passages tag by tag, and what an asset did last is read from few pages then.
ALTER TABLE passage ADD COLUMN reads bigint, ADD COLUMN evidence jsonb;
UPDATE passage AS p SET reads = m.reads, evidence = m.evidence
FROM movement AS m
WHERE m.gateway = p.gateway AND m.stream = 'movement' AND m.epoch = p.epoch AND m.seq = p.seq AND m.at = p.at;
ALTER TABLE passage ALTER COLUMN reads SET NOT NULL, ALTER COLUMN evidence SET NOT NULL;

-- Whether an asset was ever lent is asked for all that a batch saw, and few ever were.
CREATE INDEX authorisation_loan ON authorisation (asset) WHERE kind = 'loan' AND withdrawn_at IS NULL;

-- Sums of a door's reads stop at the greatest bigint (query log.add_movements), also those of a day.
CREATE OR REPLACE VIEW portal_day AS
    SELECT portal, date_trunc('day', hour, 'UTC') AS day, kind, sum(passages)::bigint AS passages,
           least(sum(reads), 9223372036854775807)::bigint AS reads
    FROM portal_hour GROUP BY 1, 2, 3;
