"""Tags that stay in the doorway: called once, held, armed again, remembered over a restart."""

import numpy as np
import pytest
import structlog

from edge.agent.journal import Journal
from edge.agent.restart import end_open_passages, hold_on
from edge.outbox import MemoryOutbox, OpenRecord, SqliteOutbox
from edge.windows import HeldTag, WindowClock, Windows, WindowsError, decode_held, encode_open
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.decide import Verdict
from edge.windows.held import LEFT_LONG_AGO_US, NOTE_EVERY_US, Held
from edge.windows.snapshot import Snapshot
from tests.helpers import doorway
from tests.helpers.verdicts import parked_if_settled

SECOND = 1_000_000
HOUR = 3_600 * SECOND
EPC = b"\x07" * 12
IN_THE_DOORWAY = [(1.0, -6.0, 0.0), (5.0, -0.35, 0.0)]


def visit(start_us, *, why=L.LEFT, known=False):
    """A visit of ten seconds; `known`: the tag's level at rest had not been forgotten before it."""
    head = np.zeros(L.HEAD, np.int64)
    head[L.START_US], head[L.LAST_US] = start_us, start_us + 10 * SECOND
    head[L.BASE_CDBM] = -5000 if known else L.NO_BASE
    nothing = np.zeros((0, L.LOG), np.int32)
    return Snapshot(why, start_us + 12 * SECOND, EPC, head, np.zeros((0, L.ANT), np.int64), nothing)


def held(**knobs):
    """A tag that was called parked at 10 s."""
    made = Held(doorway.settings(**knobs))
    assert judge(made, 0, "parked", why=L.SETTLED) == "parked"
    return made


def judge(made, start_us, kind, **about):
    return made.judge("door", visit(start_us, **about), 0, Verdict(kind, 0.9)).kind


@pytest.mark.parametrize("kind", ["parked", "near", "turned_back", None])
def test_a_held_tag_that_stirs_or_leaves_as_it_came_gives_nothing(kind):
    made = held()
    assert judge(made, 60 * SECOND, kind, known=True) is None
    assert judge(made, 3 * HOUR, kind, known=True) is None, "it was never silent for long"
    assert judge(made, 9 * HOUR, "parked", known=True) is None
    assert made.told_less == (1 if kind is None else 3)


@pytest.mark.parametrize("kind", ["in", "out"])
def test_a_crossing_ends_the_holding(kind):
    made = held()
    assert judge(made, 60 * SECOND, kind) == kind
    assert judge(made, 90 * SECOND, "parked") == "parked"


def test_an_unclear_way_is_told_once_the_tag_has_left():
    made = held()
    assert judge(made, 60 * SECOND, "unresolved", why=L.SETTLED, known=True) is None
    assert judge(made, 90 * SECOND, "unresolved", why=L.LEFT, known=True) == "unresolved"


def test_a_later_visit_is_told_but_parked_waits_for_hours_of_silence():
    made = held(rearm_s=14_400, forget_s=600)
    assert judge(made, HOUR, "turned_back") == "turned_back"
    assert judge(made, 2 * HOUR, "parked") is None
    assert judge(made, 7 * HOUR, "parked") == "parked"


def test_of_too_many_the_one_heard_longest_ago_is_let_go():
    made = Held(doorway.settings(max_tags=64))
    for k in range(70):
        made.judge(f"door-{k}", visit(k * SECOND, why=L.SETTLED), 0, Verdict("parked", 0.9))
    kept, _ = made.take_changes()
    assert [tag.portal for tag in kept] == [f"door-{k}" for k in range(6, 70)]


def test_the_disk_is_told_of_beginning_and_end_and_seldom_between():
    made = held()
    assert [tag.heard_us for tag in made.take_changes()[0]] == [10 * SECOND]
    judge(made, 60 * SECOND, "near")
    assert made.take_changes() == ([], [])
    judge(made, NOTE_EVERY_US, "near")
    assert [tag.heard_us for tag in made.take_changes()[0]] == [NOTE_EVERY_US + 10 * SECOND]
    judge(made, NOTE_EVERY_US + 60 * SECOND, "out")
    assert made.take_changes() == ([], [f"held:door:{EPC.hex()}"])


def scene(knots, seconds, rate_hz=60.0):
    made = doorway.Scene(np.random.default_rng(2), seconds=seconds, rate_hz=rate_hz)
    made.movers.append(doorway.Mover(EPC, "parked", knots, -5.0))
    return doorway.batch(made.rows())


def run(windows, batch):
    return windows.feed("r1", batch, arrival_us=None, clock=WindowClock()) + windows.flush()


def test_what_stands_in_the_doorway_and_is_pushed_about_is_called_once(monkeypatch):
    """Parked, moved by half a metre twice, taken away on the side that it came from."""
    parked_if_settled(monkeypatch)
    knots = [*IN_THE_DOORWAY, (40.0, -0.35, 0.0), (41.0, -0.6, 0.3), (80.0, -0.6, 0.3), (81.0, -0.3, 0.0)]
    out = run(Windows(doorway.settings(), boot="b"), scene([*knots, (120.0, -0.3, 0.0), (124.0, -6.0, 0.0)], 130.0))
    assert [row.kind for row in out if row.final] == ["parked"]


def test_a_parked_tag_that_is_carried_through_later_is_a_new_passage(monkeypatch):
    parked_if_settled(monkeypatch, otherwise="out")
    knots = [*IN_THE_DOORWAY, (60.0, -0.35, 0.0), (65.0, 6.0, 0.0)]
    out = [row for row in run(Windows(doorway.settings(), boot="b"), scene(knots, 70.0)) if row.final]
    assert [row.kind for row in out] == ["parked", "out"]
    assert out[0].passage != out[1].passage


@pytest.fixture(params=["memory", "sqlite"])
def outbox(request, tmp_path):
    made = MemoryOutbox() if request.param == "memory" else SqliteOutbox(tmp_path / "outbox.db")
    yield made
    made.close()


async def commit(journal):
    journal.stop()
    await journal.run()


async def test_a_restart_holds_on_what_was_parked(outbox, monkeypatch):
    """Parked before the restart; what is left of the stay gives nothing after it, and no passage is ended for it."""
    parked_if_settled(monkeypatch)
    first = Windows(doorway.settings(), boot="b1")
    batch = scene([*IN_THE_DOORWAY, (60.0, -0.35, 0.0), (64.0, -6.0, 0.0)], 70.0)
    half = int(np.searchsorted(batch.last_us, doorway.EPOCH_US + 45 * SECOND))
    rows = first.feed("r1", doorway.cut(batch, 0, half), arrival_us=None, clock=WindowClock())
    assert [row.kind for row in rows if row.final] == ["parked"]
    opened, closed = first.take_open_changes()
    outbox.append("movement", rows, opened=[OpenRecord(one.passage, encode_open(one)) for one in opened], closed=closed)

    log, now_us = structlog.get_logger(), doorway.EPOCH_US + 46 * SECOND
    journal = Journal(outbox, notify=lambda: None, now_us=lambda: now_us, log=log)
    second = Windows(doorway.settings(), boot="b2")
    end_open_passages(journal, log=log)
    held_on = hold_on(second, journal, now_us=now_us, log=log)
    assert [(tag.portal, tag.epc, tag.heard_us) for tag in held_on] == [("door", EPC.hex(), now_us)]
    assert run(second, doorway.cut(batch, half, len(batch))) == []
    await commit(journal)
    assert [record.passage for record in outbox.open_passages()] == [f"held:door:{EPC.hex()}"]


async def test_a_restart_forgets_strange_portals_broken_records_and_what_left_long_ago(outbox):
    old = HeldTag(portal="door", epc="30", since_us=0, heard_us=0)
    now_us = LEFT_LONG_AGO_US + 1
    strange = HeldTag(portal="removed", epc="31", since_us=0, heard_us=now_us)
    records = [OpenRecord(one.passage, encode_open(one)) for one in (old, strange)]
    outbox.append("movement", [], opened=[*records, OpenRecord("held:door:32", b"\xff")])
    log = structlog.get_logger()
    journal = Journal(outbox, notify=lambda: None, now_us=lambda: now_us, log=log)
    assert end_open_passages(journal, log=log) == 0
    assert hold_on(Windows(doorway.settings(), boot="b"), journal, now_us=now_us, log=log) == []
    await commit(journal)
    assert outbox.open_passages() == []


def test_bytes_that_are_no_held_tag_raise_the_room_error():
    with pytest.raises(WindowsError, match="held tag of 2 bytes can't be read"):
        decode_held(b"{}", now_us=0)


@pytest.mark.parametrize("spoilt", [b'"epc":"3x"', b'"heard_us":-1', b'"heard_us":9000000000000000000'])
def test_a_held_tag_that_a_worn_card_has_spoilt_is_not_believed(spoilt):
    """Each would end the agent, at every start anew, when it came to be used."""
    whole = b'{"portal":"door","epc":"30","since_us":0,"heard_us":5}'
    assert decode_held(whole, now_us=5) is not None
    key = spoilt.partition(b":")[0]
    kept = b'"epc":"30"' if key == b'"epc"' else b'"heard_us":5'
    with pytest.raises(WindowsError, match="can't be read"):
        decode_held(whole.replace(kept, spoilt), now_us=5)
