"""A gateway is upgraded with a filled outbox: files that earlier versions wrote, frozen, are opened and drained.

There is one layout so far, so there is no step from one to the next; whoever makes a second finds here what must not be
lost, and freezes it with `python -m tests.helpers.frozen_outbox`.
"""

import sqlite3
from contextlib import closing

import pytest
import structlog

from edge.agent.journal import Journal
from edge.agent.restart import end_open_passages, hold_on
from edge.contracts import decode_row
from edge.outbox import STREAMS, OutboxError, SqliteOutbox, inspect
from edge.outbox.queries import SCHEMA_VERSION
from edge.uplink import UplinkSettings
from edge.uplink.pump import Pump
from tests.helpers.frozen_outbox import FROZEN, dump, fill, thaw
from tests.helpers.uplink import NOW_US, KeepingCentral, movement

LOG = structlog.get_logger()
frozen = pytest.mark.parametrize("file", sorted(FROZEN.glob("outbox-layout-*.sql")), ids=lambda file: file.stem)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outbox.db"


def content(path):
    """Rows by stream and number, and each stream's epoch, last number and mark, by SQL alone."""
    with closing(sqlite3.connect(path)) as db:
        found = "SELECT seq, payload FROM outbox_row WHERE stream = ?"
        rows = {stream: dict(db.execute(found, (stream,))) for stream in STREAMS}
        marks = {name: mark for name, *mark in db.execute("SELECT name, epoch, written, upto, above FROM stream")}
    return rows, marks


def central_that_holds(rows, outbox):
    """A central that has what the frozen file says that it acknowledged."""
    central = KeepingCentral()
    for stream in STREAMS:
        waiting = {row.seq for row in outbox.pending(stream, after=0, max_rows=10_000, max_bytes=10**8)}
        held = {seq: payload for seq, payload in rows[stream].items() if seq not in waiting}
        central.kept[stream], central.newest[stream] = {outbox.epoch(stream): held}, outbox.epoch(stream)
    return central


@frozen
def test_a_filled_outbox_of_an_earlier_version_is_drained_and_nothing_is_lost_or_renumbered(file, path):
    thaw(file.read_text(), path)
    rows, marks = content(path)
    assert all(rows[stream] for stream in STREAMS)
    with closing(SqliteOutbox(path, now_us=lambda: NOW_US)) as outbox:
        assert [outbox.epoch(stream) for stream in STREAMS] == [marks[stream][0] for stream in STREAMS]
        central = central_that_holds(rows, outbox)
        pump = Pump(outbox, "hq", "gw-1", UplinkSettings(url="mqtt://localhost"), LOG)
        pump.connected(0.0)
        pump.heard(central.watermark(), 0.0)
        while not pump.drained():
            messages = pump.due(0.0, NOW_US, 10)
            assert messages, "rows wait that are not sent"
            for message in messages:
                central.take(message.payload)
            pump.heard(central.watermark(), 0.0)
        for stream in STREAMS:
            assert central.kept[stream] == {marks[stream][0]: rows[stream]}
            assert [decode_row(payload).seq for payload in rows[stream].values()] == sorted(rows[stream])
            assert outbox.append(stream, [movement(1)]).start == marks[stream][1] + 1
        assert central.twice == 0
        assert outbox.stats("movement").set_aside == 0


@frozen
async def test_what_an_earlier_version_left_open_gets_its_end_and_what_it_held_is_held(file, path):
    thaw(file.read_text(), path)

    class Windows:
        def hold(self, tags):
            self.tags = list(tags)
            return []

    windows = Windows()
    with closing(SqliteOutbox(path, now_us=lambda: NOW_US)) as outbox:
        journal = Journal(outbox, notify=lambda: None, now_us=lambda: NOW_US, log=LOG)
        assert end_open_passages(journal, log=LOG) == 1
        hold_on(windows, journal, now_us=NOW_US, log=LOG)
        journal.stop()
        await journal.run()
        [final] = outbox.pending("movement", after=content(path)[1]["movement"][1] - 1, max_rows=9, max_bytes=10**6)
        row = decode_row(final.payload)
        assert (row.kind, row.final, row.rev, row.passage) == ("unresolved", True, 2, "a" * 32)
        assert [one.epc for one in windows.tags] == ["3034257bf7194e4000000002"]
        assert [one.passage for one in outbox.open_passages()] == [windows.tags[0].passage]


def test_todays_layout_is_frozen(tmp_path, path):
    """Its tables are those that today's code makes: another layout has another number, and a file of its own."""
    fill(path)
    made = dump(path)
    kept = (FROZEN / f"outbox-layout-{SCHEMA_VERSION}.sql").read_text()
    thaw(kept, tmp_path / "kept.db")
    assert layout(tmp_path / "kept.db") == layout(path)
    assert made.splitlines()[-1] == kept.splitlines()[-1]


def layout(path):
    """Tables and indexes as they were made."""
    with closing(sqlite3.connect(path)) as db:
        return sorted(db.execute("SELECT type, name, sql FROM sqlite_master").fetchall())


@frozen
def test_an_outbox_of_a_later_version_is_refused_in_words_and_not_touched(file, path):
    thaw(file.read_text(), path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    words = f"layout {SCHEMA_VERSION + 1}, this agent knows {SCHEMA_VERSION}: run the version that wrote it until"
    with pytest.raises(OutboxError, match=words):
        SqliteOutbox(path)
    assert not inspect(path).known
    assert path.read_bytes() == before
    assert sorted(one.name for one in path.parent.iterdir()) == ["outbox.db", "outbox.db.lock"]
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    with closing(SqliteOutbox(path)) as outbox:
        assert outbox.stats("movement").written == content(path)[1]["movement"][1]
