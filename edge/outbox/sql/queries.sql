-- add_stream: make a stream where it is missing
INSERT INTO stream (name, epoch) VALUES (:stream, :epoch) ON CONFLICT (name) DO NOTHING;

-- get_stream: one stream's numbers
SELECT epoch, written, upto, above, dropped FROM stream WHERE name = :stream;

-- set_written: note the last number given and the rows dropped so far
UPDATE stream SET written = :written, dropped = dropped + :dropped WHERE name = :stream;

-- add_dropped: count rows that a gap row stands for
UPDATE stream SET dropped = dropped + :dropped WHERE name = :stream;

-- set_mark: keep the central's mark
UPDATE stream SET upto = :upto, above = :above WHERE name = :stream;

-- set_epoch: begin a new epoch with no rows
UPDATE stream SET epoch = :epoch, written = 0, upto = 0, above = '[]' WHERE name = :stream;

-- add_row: store an encoded row under its number; a gap row takes the place of the last row that it covers
INSERT OR REPLACE INTO outbox_row (stream, seq, written_us, urgent, payload)
VALUES (:stream, :seq, :written_us, :urgent, :payload);

-- rows_after: rows beyond a number, in order
SELECT seq, payload FROM outbox_row WHERE stream = :stream AND seq > :after ORDER BY seq;

-- alarms_after: alarms beyond a number, the newest first
SELECT seq, payload, written_us FROM outbox_row
WHERE stream = :stream AND urgent = 1 AND seq > :after ORDER BY seq DESC;

-- droppable_after: rows beyond a number that are no alarm, in order
SELECT seq, payload FROM outbox_row WHERE stream = :stream AND urgent = 0 AND seq > :after ORDER BY seq;

-- kept: how many rows of both streams are kept, and how many of them are alarms
SELECT count(*), coalesce(sum(urgent), 0) FROM outbox_row;

-- written_at: when the first row beyond a number was written
SELECT seq, written_us FROM outbox_row WHERE stream = :stream AND seq > :after ORDER BY seq;

-- lowest: the lowest number kept
SELECT min(seq) FROM outbox_row WHERE stream = :stream;

-- delete_range: forget rows
DELETE FROM outbox_row WHERE stream = :stream AND seq BETWEEN :first AND :last;

-- newest_acknowledged: the newest note of the watermark
SELECT upto, at_us FROM acknowledged WHERE stream = :stream ORDER BY upto DESC LIMIT 1;

-- add_acknowledged: note where the watermark stands
INSERT OR IGNORE INTO acknowledged (stream, upto, at_us) VALUES (:stream, :upto, :at_us);

-- raise_acknowledged: let the newest note stand for a little more
UPDATE acknowledged SET upto = :upto WHERE stream = :stream AND upto = :old;

-- forget_acknowledged_above: the watermark went back
DELETE FROM acknowledged WHERE stream = :stream AND upto > :upto;

-- expired_upto: the highest number whose acknowledgement is older than an instant
SELECT max(upto) FROM acknowledged WHERE stream = :stream AND at_us <= :before_us;

-- open_passage: note a passage as open
INSERT OR REPLACE INTO open_passage (passage, payload) VALUES (:passage, :payload);

-- close_passage: forget an open passage
DELETE FROM open_passage WHERE passage = :passage;

-- open_passages: passages that have not ended
SELECT passage, payload FROM open_passage ORDER BY passage;
