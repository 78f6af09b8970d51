"""What only a store on disk can meet: crashes, full disks, damage, a second agent, an old copy."""

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from edge.contracts import ContractError, GapRow, StreamMark, decode_row
from edge.outbox import (
    OpenRecord,
    OutboxError,
    OutboxInUseError,
    OutboxSettings,
    OutboxUnavailableError,
    SqliteOutbox,
)
from tests.helpers.uplink import movement

ALL = {"after": 0, "max_rows": 10_000, "max_bytes": 100_000_000}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "outbox.db"


@pytest.fixture
def opened(path):
    """Return an opener; what it opened is closed at the end."""
    made = []

    def opener(at=path):
        made.append(SqliteOutbox(at))
        return made[-1]

    yield opener
    for outbox in made:
        outbox.close()


def rows(outbox, stream="movement"):
    return [decode_row(row.payload) for row in outbox.pending(stream, **ALL)]


def crash_copy(path, to):
    """Copy the files of an open outbox, as a crash would leave them."""
    to.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("", "-wal"):
        if (source := path.with_name(path.name + suffix)).exists():
            shutil.copy(source, to.with_name(to.name + suffix))
    return to


def test_rows_epoch_mark_and_open_passages_survive_a_restart(opened):
    outbox = opened()
    outbox.append("movement", [movement(n) for n in range(1, 6)], opened=[OpenRecord("p", b"x")])
    epoch = outbox.epoch("movement")
    outbox.commit("movement", StreamMark(epoch=epoch, upto=2, above=[[4, 4]]))
    outbox.close()
    again = opened()
    assert again.epoch("movement") == epoch
    assert [row.seq for row in rows(again)] == [3, 5]
    assert again.open_passages() == [OpenRecord("p", b"x")]
    assert again.append("movement", [movement(6)]) == range(6, 7)


def test_what_append_returned_for_is_on_disk_when_the_process_dies(opened, path, tmp_path):
    outbox = opened()
    outbox.append("movement", [movement(1), movement(2)])
    survivor = opened(crash_copy(path, tmp_path / "after" / "outbox.db"))
    assert [row.seq for row in rows(survivor)] == [1, 2]


def test_a_row_is_stored_as_the_bytes_that_are_sent(opened, path):
    outbox = opened()
    outbox.append("movement", [movement(1)])
    [stored] = outbox.pending("movement", **ALL)
    assert path.with_name("outbox.db-wal").read_bytes().count(stored.payload) == 1


@pytest.mark.parametrize(("pragma", "words"), [("max_page_count = 1", "free space"), ("query_only = ON", "read-only")])
def test_a_store_that_cannot_be_written_says_why_and_nothing_is_half_done(opened, pragma, words):
    outbox = opened()
    outbox.append("movement", [movement(1)], opened=[OpenRecord("p", b"x")])
    outbox._db.execute(f"PRAGMA {pragma}")
    big = [movement(n, reason="x" * 20_000) for n in range(2, 20)]
    with pytest.raises(OutboxUnavailableError, match=words):
        outbox.append("movement", big, closed=["p"])
    assert [row.seq for row in rows(outbox)] == [1]
    assert outbox.open_passages() == [OpenRecord("p", b"x")]
    outbox._db.execute("PRAGMA query_only = OFF")
    outbox._db.execute("PRAGMA max_page_count = 1000000")
    assert outbox.append("movement", [movement(2)]) == range(2, 3)


@pytest.mark.parametrize("seed", range(12))
def test_a_log_torn_by_a_power_cut_gives_whole_transactions_from_the_first_and_takes_more(opened, path, tmp_path, seed):
    """The tail of the write-ahead log is cut anywhere, or holds what the card last wrote there."""
    rng = random.Random(seed)
    outbox = opened()
    for start in range(1, 60, 3):
        outbox.append("movement", [movement(n) for n in range(start, start + 3)])
    torn = crash_copy(path, tmp_path / "after" / "outbox.db")
    log = torn.with_name(f"{torn.name}-wal")
    content = log.read_bytes()
    cut = rng.randrange(len(content))
    log.write_bytes(content[:cut] + rng.choice([b"", rng.randbytes(len(content) - cut), bytes(len(content) - cut)]))
    survivor = opened(torn)
    saved = rows(survivor)
    assert [row.reads for row in saved] == list(range(1, len(saved) + 1))
    assert len(saved) % 3 == 0, "half a transaction came back"
    assert survivor.append("movement", [movement(99)]) == range(len(saved) + 1, len(saved) + 2)


@pytest.mark.parametrize("seed", range(6))
def test_a_page_torn_by_a_power_cut_costs_its_own_rows_and_they_are_declared(opened, path, tmp_path, seed):
    """Half of one page of the main file holds other bytes: what can be read goes on under another epoch."""
    rng = random.Random(seed)
    outbox = opened()
    for start in range(1, 301, 20):
        outbox.append("movement", [movement(n) for n in range(start, start + 20)])
    epoch = outbox.epoch("movement")
    outbox.close()
    content = bytearray(path.read_bytes())
    page = rng.randrange(1, len(content) // 4096) * 4096
    content[page + 2048 : page + 4096] = rng.randbytes(2048)
    torn = tmp_path / "after" / "outbox.db"
    torn.parent.mkdir()
    torn.write_bytes(content)
    again = opened(torn)
    again.pending("movement", **ALL)  # damage shows when the page is read
    again.append("movement", [movement(1_000)])
    saved, spoilt = [], 0
    for seq, payload in again.pending("movement", **ALL):
        try:
            saved.append(decode_row(payload))
        except ContractError:
            spoilt += 1  # the page's order is whole, a row's bytes aren't: told when it is sent
        else:
            assert saved[-1].seq == seq
    assert saved[-1].reads == 1_000
    gaps = sum(row.count for row in saved if isinstance(row, GapRow))
    assert gaps == again.stats("movement").dropped
    events = {row.reads for row in saved if not isinstance(row, GapRow)}
    assert len(events) + gaps + spoilt == 301, "a row was lost without a word"
    assert (again.epoch("movement") != epoch) == bool(again.stats("movement").set_aside)


def test_outbox_and_its_folder_are_its_owners_alone_whatever_the_umask_is(tmp_path):
    before = os.umask(0)
    try:
        outbox = SqliteOutbox(tmp_path / "data" / "outbox.db", now_us=lambda: 0)
        outbox.append("movement", [movement(1)])
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "data").iterdir()}
        outbox.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert {"outbox.db", "outbox.db-wal", "outbox.db.lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutboxUnavailableError, match=r"file.*data directory"):
        SqliteOutbox(tmp_path / "file" / "outbox.db")


def test_a_second_agent_is_refused_and_the_first_goes_on(opened, path):
    outbox = opened()
    code = f"from pathlib import Path; from edge.outbox import SqliteOutbox; SqliteOutbox(Path({str(path)!r}))"
    second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "OutboxInUseError" in second.stderr
    assert "held by another agent" in second.stderr
    with pytest.raises(OutboxInUseError):
        SqliteOutbox(path)
    assert outbox.append("movement", [movement(1)]) == range(1, 2)


def test_a_file_of_a_later_layout_is_refused_not_touched(opened, path):
    opened().close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OutboxError, match="layout 99"):
        opened()


def test_a_file_that_is_no_database_is_set_aside_counted_and_logged_once(opened, path):
    path.parent.mkdir()
    path.write_bytes(b"garbage " * 1_000)
    with structlog.testing.capture_logs() as logs:
        outbox = opened()
        assert outbox.append("movement", [movement(1)]) == range(1, 2)
    assert outbox.stats("movement").set_aside == 1
    [aside] = [found for found in path.parent.iterdir() if ".damaged-" in found.name and found.suffix[-3:].isdigit()]
    assert aside.read_bytes() == b"garbage " * 1_000
    assert [entry["event"] for entry in logs] == ["outbox file was damaged: set aside, a new epoch begins"]


def test_readable_rows_of_a_damaged_file_move_to_a_new_epoch(opened, path):
    """A page in the middle is overwritten while the agent is down; rows on both sides of it are saved."""
    outbox = opened()
    for start in range(1, 400, 20):
        outbox.append("movement", [movement(n) for n in range(start, start + 20)])
    outbox.commit("movement", StreamMark(epoch=outbox.epoch("movement"), upto=5))
    epoch = outbox.epoch("movement")
    outbox.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    again = opened()
    again.append("movement", [movement(1_000)])
    saved = rows(again)
    assert again.stats("movement").set_aside == 1
    assert again.epoch("movement") != epoch
    assert [row.seq for row in saved] == list(range(1, len(saved) + 1))
    assert [row.reads for row in saved[:50]] == list(range(6, 56))
    assert saved[-1].reads == 1_000


def test_an_old_copy_of_the_store_gives_no_number_twice(opened, path, tmp_path):
    """An SD card restored from an image: the central knows more of this epoch than the store has written."""
    outbox = opened()
    outbox.append("movement", [movement(n) for n in range(1, 4)])
    image = crash_copy(path, tmp_path / "image" / "outbox.db")
    outbox.append("movement", [movement(4), movement(5)])
    mark = StreamMark(epoch=outbox.epoch("movement"), upto=5)
    old = opened(image)
    old.append("movement", [movement(6)])
    with structlog.testing.capture_logs() as logs:
        old.commit("movement", mark)
    assert old.epoch("movement") != mark.epoch
    assert [row.reads for row in rows(old)] == [1, 2, 3, 6]
    assert [entry["event"] for entry in logs] == ["outbox is an old copy: a new epoch begins"]


def test_dropping_is_logged_when_it_starts_and_when_it_ends(path):
    with structlog.testing.capture_logs() as logs:
        outbox = SqliteOutbox(path, OutboxSettings(max_bytes=3_000_000))
        for start in range(1, 8_001, 500):
            outbox.append("movement", [movement(n) for n in range(start, start + 500)])
        outbox.commit("movement", StreamMark(epoch=outbox.epoch("movement"), upto=10))
        outbox.close()
    assert [entry["event"] for entry in logs] == [
        "outbox is full: the oldest rows are dropped",
        "outbox takes rows again without dropping",
    ]


def test_rows_that_may_have_been_sent_are_not_called_alarms_and_a_drop_that_is_taken_back_is_not_told(path):
    """2,000 rows that no one may drop fill it: what is behind them can't go either, and stays."""
    outbox = SqliteOutbox(path, OutboxSettings(max_bytes=1_000_000))
    with structlog.testing.capture_logs() as logs:
        outbox._log = structlog.get_logger()
        with pytest.raises(OutboxUnavailableError) as refused:
            all(outbox.append("movement", [movement(n) for n in range(k, k + 500)]) for k in range(1, 8_001, 500))
    written = outbox.stats("movement").written
    assert f" full of 0 alarms, and {written} rows that may have been sent" in str(refused.value)
    assert (outbox.stats("movement").dropped, logs) == (0, [])
    outbox.close()


def test_threads_are_served_one_at_a_time(opened):
    outbox = opened()
    with ThreadPoolExecutor(4) as pool:
        ranges = list(pool.map(lambda n: outbox.append("movement", [movement(n), movement(n + 1_000)]), range(1, 101)))
    assert sorted(seq for one in ranges for seq in one) == list(range(1, 201))
    assert [row.seq for row in rows(outbox)] == list(range(1, 201))
