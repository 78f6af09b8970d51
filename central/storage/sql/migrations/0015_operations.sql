-- What people who run the place set: how often classes of each ABC rank are counted, and counts that the clock opens.

-- A rank's classes are counted every so many months; a schedule looks here each time that it moves on.
CREATE TABLE abc_interval (
    rank text COLLATE "C" PRIMARY KEY CHECK (rank IN ('A', 'B', 'C')),
    months integer NOT NULL CHECK (months BETWEEN 1 AND 60)
);
INSERT INTO abc_interval VALUES ('A', 3), ('B', 6), ('C', 12);

ALTER TABLE count_schedule DROP CONSTRAINT count_schedule_kind_check;
ALTER TABLE count_schedule ADD CONSTRAINT count_schedule_kind_check CHECK (
    kind IN ('quarterly_cycle', 'annual_audit', 'finance_close', 'security_review', 'monthly_control', 'abc_cycle'));
ALTER TABLE count_schedule ADD COLUMN ended_at timestamptz;
-- Each rank has its own interval, so each is a schedule of its own.
ALTER TABLE count_schedule ADD CHECK (kind <> 'abc_cycle' OR cardinality(ranks) = 1);

ALTER TABLE count_run DROP CONSTRAINT count_run_kind_check;
ALTER TABLE count_run ADD CONSTRAINT count_run_kind_check CHECK (
    kind IN ('quarterly_cycle', 'annual_audit', 'finance_close', 'security_review', 'monthly_control', 'spot', 'abc_cycle'));
-- What a schedule opens nobody in particular has started: the clock has.
ALTER TABLE count_run ADD COLUMN schedule bigint REFERENCES count_schedule;
ALTER TABLE count_run DROP CONSTRAINT count_run_check1;
ALTER TABLE count_run ADD CONSTRAINT count_run_started CHECK (
    state IN ('planned', 'cancelled') OR (frozen_at IS NOT NULL AND (started_by IS NOT NULL OR schedule IS NOT NULL)));
