"""Random lives of both stores against a model, with crash-and-reopen as a rule for the one on disk."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.contracts import StreamMark, decode_row
from edge.outbox import MemoryOutbox, OpenRecord, SqliteOutbox
from tests.helpers.uplink import movement

ALL = {"max_rows": 10_000, "max_bytes": 100_000_000}
STREAM = st.sampled_from(["movement", "presence"])
PASSAGES = st.sets(st.sampled_from("abc"))
SETTINGS = settings(max_examples=40, stateful_step_count=25, deadline=None)


class OutboxLife(RuleBasedStateMachine):
    """The model: what was appended, what the central covers, what is open."""

    def make(self):
        raise NotImplementedError

    def reopened(self, outbox):
        raise NotImplementedError

    @initialize()
    def begin(self):
        self.outbox = self.make()
        self.appended = {"movement": [], "presence": []}
        self.covered = {"movement": set(), "presence": set()}
        self.open = {}
        self.count = 0

    def teardown(self):
        if hasattr(self, "outbox"):
            self.outbox.close()

    @rule(stream=STREAM, count=st.integers(0, 5), opened=PASSAGES, closed=PASSAGES)
    def append(self, stream, count, opened, closed):
        rows = []
        for _ in range(count):
            self.count += 1
            rows.append(movement(self.count))
        records = [OpenRecord(name, str(self.count).encode()) for name in sorted(opened)]
        numbers = self.outbox.append(stream, rows, opened=records, closed=sorted(closed))
        assert numbers == range(len(self.appended[stream]) + 1, len(self.appended[stream]) + 1 + count)
        self.appended[stream] += [row.reads for row in rows]
        self.open |= {record.passage: record.payload for record in records}
        for passage in closed:
            self.open.pop(passage, None)

    @rule(stream=STREAM, data=st.data())
    def commit(self, stream, data):
        """Any mark, forward or back."""
        written = len(self.appended[stream])
        covered = data.draw(st.sets(st.integers(1, written)) if written else st.just(set()))
        if data.draw(st.booleans()):
            covered |= self.covered[stream]
        gained = len(covered) - len(self.covered[stream])
        above = [[seq, seq] for seq in covered]
        freed = self.outbox.commit(stream, StreamMark(epoch=self.outbox.epoch(stream), upto=0, above=above))
        assert freed == max(gained, 0)
        self.covered[stream] = covered

    @rule(stream=STREAM)
    def forget_by_another_epoch(self, stream):
        assert self.outbox.commit(stream, StreamMark(epoch="other", upto=3)) == 0
        self.covered[stream] = set()

    @rule(stream=STREAM, after=st.integers(0, 30), limit=st.integers(1, 10))
    def read_a_part(self, stream, after, limit):
        wanted = [seq for seq in self.pending(stream) if seq > after][:limit]
        rows = self.outbox.pending(stream, after=after, max_rows=limit, max_bytes=10**9)
        assert [row.seq for row in rows] == wanted

    @rule()
    def crash_and_reopen(self):
        self.outbox = self.reopened(self.outbox)

    @invariant()
    def everything_uncovered_is_pending_and_as_written(self):
        for stream in ("movement", "presence") if hasattr(self, "outbox") else ():
            rows = [decode_row(row.payload) for row in self.outbox.pending(stream, after=0, **ALL)]
            wanted = [(seq, self.appended[stream][seq - 1]) for seq in self.pending(stream)]
            assert [(row.seq, row.reads) for row in rows] == wanted
            stats = self.outbox.stats(stream)
            assert (stats.written, stats.pending) == (len(self.appended[stream]), len(wanted))
            assert (stats.oldest_us is None) == (not wanted)

    @invariant()
    def open_passages_are_as_noted(self):
        if hasattr(self, "outbox"):
            assert dict(self.outbox.open_passages()) == self.open

    def pending(self, stream):
        return [seq for seq in range(1, len(self.appended[stream]) + 1) if seq not in self.covered[stream]]


class SqliteLife(OutboxLife):
    """The files are copied as they lie, without closing, and opened elsewhere."""

    def make(self):
        self.root = Path(tempfile.mkdtemp(prefix="sg-outbox-"))
        self.crashes = 0
        return SqliteOutbox(self.root / "0.db")

    def reopened(self, outbox):
        source = self.root / f"{self.crashes}.db"
        self.crashes += 1
        copy = self.root / f"{self.crashes}.db"
        for suffix in ("", "-wal"):
            if source.with_name(source.name + suffix).exists():
                shutil.copy(source.with_name(source.name + suffix), copy.with_name(copy.name + suffix))
        again = SqliteOutbox(copy)
        outbox.close()
        return again

    def teardown(self):
        super().teardown()
        if hasattr(self, "root"):
            shutil.rmtree(self.root)


class MemoryLife(OutboxLife):
    """Memory has no crash to come back from: the same store goes on."""

    def make(self):
        return MemoryOutbox()

    def reopened(self, outbox):
        return outbox


TestSqliteLife = SqliteLife.TestCase
TestSqliteLife.settings = SETTINGS
TestMemoryLife = MemoryLife.TestCase
TestMemoryLife.settings = SETTINGS
