-- What a signed count calls missing, said of each asset: its story doubts the place from then on.

INSERT INTO act_kind VALUES ('counted_missing');

-- Once a spot count is signed the place may be counted again on that day; a schedule's kinds come once.
DROP INDEX count_run_once;
CREATE UNIQUE INDEX count_run_once ON count_run (kind, location, planned_for, ranks)
    WHERE state <> 'cancelled' AND NOT (kind = 'spot' AND state = 'signed');
