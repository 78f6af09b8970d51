-- What a signed count calls missing, said of each asset: its story doubts the place from then on.

INSERT INTO act_kind VALUES ('counted_missing');
