"""Sweeps by the clock, with a reader of the test's own: they wait, yield, go on, and are told as they were."""

import asyncio
import contextlib

import pytest
import structlog

from edge.agent import sweeping
from edge.agent.sweeping import Sweeps
from edge.contracts import Clock, SensorRow, instant
from edge.llrp.reports import empty_batch
from edge.presence import Antenna, DoorSensor, Place, Quiet, SweepSettings
from edge.readers import Chunk, ClockState, ReaderError, SweepResult
from edge.windows import HeldTag, OpenPassage
from tests.helpers.counted import NOON_US, SECOND_US

PLACE = Place("room", "sweep", (Antenna("r1", 1), Antenna("r1", 2)))
A, B = b"\x30\x01", b"\x30\x02"


@pytest.fixture(autouse=True)
def brisk(monkeypatch):
    """Waits of milliseconds; what is measured in them is order, never time."""
    for name in ("LOOK_S", "PEEK_S", "RETRY_S", "ARRIVE_S"):
        monkeypatch.setattr(sweeping, name, 0.002)


class Reader:
    """Sweeps as the test says, one script entry each: (tags, how it ends) or an error; an Event is waited for."""

    def __init__(self, clock, *script) -> None:
        self.clock, self.script, self.wishes, self.ended = clock, list(script), [], asyncio.Event()

    async def sweep(self, wish):
        self.wishes.append(wish)
        tags, how = self.script.pop(0)
        if isinstance(tags, Exception):
            raise tags
        begin_us = self.clock()
        if how == "waits":
            await self.ended.wait()
            how = "yielded"
        self.clock.us += 2 * SECOND_US
        return SweepResult(frozenset(tags), begin_us, self.clock(), how)

    def end_sweep(self):
        self.ended.set()


class Time:
    def __init__(self) -> None:
        self.us = NOON_US

    def __call__(self):  # noqa: ANN204 (the time)
        self.us += SECOND_US
        return self.us


class Counter:
    def __init__(self, *, takes=True, joins=True) -> None:
        self.joins, self.takes, self.told, self.done = joins, takes, [], asyncio.Event()

    def begin_sweep(self, place):
        self.told.append(("begin", place.name))
        return self.takes

    def pause_sweep(self, name, now_us):
        self.told.append(("pause", name))

    def resume_sweep(self, name):
        self.told.append(("resume", self.joins))
        return self.joins

    def swept(self, name, from_us, to_us):
        self.told.append(("swept", to_us - from_us))

    def end_sweep(self, name, end_us, *, complete):
        self.told.append(("end", complete))
        self.done.set()


@contextlib.asynccontextmanager
async def swept(reader, counter, *, sensors=None, **knobs):
    one = SweepSettings(place=PLACE, every_min=1, **{"quiet_s": 1} | knobs)
    sweeps = Sweeps(
        [one],
        lambda: {"r1": reader},
        counter,
        Quiet(sensors or {}, now_us=NOON_US),
        serving={"r1": frozenset({"door"})},
        host_synced=lambda: True,
        now_us=reader.clock,
        log=structlog.get_logger(),
    )
    async with sweeps:
        yield sweeps


def chunk(*rows):
    state = ClockState(source="reader", offset_us=0, spread_us=0, stepped=False)
    return Chunk("r1", NOON_US, empty_batch(0), state, rows)


def passage(portal="door"):
    return OpenPassage(
        passage="p", portal=portal, epc="30", rev=0, started_us=0, last_us=0, reads=3, clock=Clock(source="reader")
    )


async def until(condition):
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError


async def test_a_sweep_asks_each_once_then_everybody_and_is_complete_when_nobody_is_new():
    reader, counter = Reader(Time(), ({A}, "time"), ({A, B}, "silence"), (set(), "silence")), Counter()
    async with swept(reader, counter, doorway_cdbm=((1, -6000),)) as sweeps:
        await asyncio.wait_for(counter.done.wait(), 30)
    assert [wish.target for wish in reader.wishes] == ["single", "single", "dual"]
    assert [wish.found for wish in reader.wishes] == [frozenset(), {A}, {A, B}]
    assert all((wish.ports, wish.doorway_cdbm) == ((1, 2), {1: -6000}) for wish in reader.wishes)
    assert [what for what, _ in counter.told] == ["begin", "swept", "swept", "swept", "end"]
    assert counter.told[-1] == ("end", True)
    assert (sweeps.counters.begun, sweeps.counters.complete, sweeps.counters.yielded) == (1, 1, 0)


async def test_a_sweep_without_airtime_left_is_told_as_incomplete():
    reader, counter = Reader(Time(), ({A}, "time"), ({B}, "time")), Counter()
    async with swept(reader, counter, airtime_s=4):
        await asyncio.wait_for(counter.done.wait(), 30)
    assert counter.told[-1] == ("end", False)
    assert reader.wishes[0].timeout_ms == 4000
    assert reader.wishes[1].timeout_ms < 4000


@pytest.mark.parametrize("stirs", ["passage", "door"])
async def test_a_sweep_stops_when_something_moves_at_its_door_and_goes_on_later(stirs):
    door = SensorRow(seq=0, reader="b1", gpi=1, kind="door", state=True, at=instant(0))
    shut = SensorRow(seq=0, reader="b1", gpi=1, kind="door", state=False, at=instant(0))
    reader, counter = Reader(Time(), ({A}, "waits"), ({A}, "silence"), ({A, B}, "silence")), Counter()
    async with swept(reader, counter, sensors={("b1", 1): DoorSensor("door", "door", active_high=True)}) as sweeps:
        await until(lambda: reader.wishes)
        sweeps.stir(chunk(), [passage("elsewhere"), HeldTag(portal="door", epc="30", since_us=0, heard_us=0)], [])
        await asyncio.sleep(0.01)
        assert not reader.ended.is_set(), "another door, and what only stands in this one, stop nothing"
        if stirs == "door":
            sweeps.stir(chunk(door), [], [])
        else:
            sweeps.stir(chunk(), [passage()], [])
        assert reader.ended.is_set()
        await asyncio.sleep(0.1)
        assert len(reader.wishes) == 1, "while the door is open, or somebody is in it, it waits"
        sweeps.stir(chunk(shut), [], ["p"])
        await asyncio.wait_for(counter.done.wait(), 30)
    assert [what for what, _ in counter.told] == ["begin", "swept", "pause", "resume", "swept", "swept", "end"]
    assert counter.told[-1] == ("end", True)
    assert sweeps.counters.yielded == 1


async def test_after_a_long_pause_a_sweep_is_told_as_it_is_and_begins_anew():
    script = (({A}, "silence"), ({A}, "yielded"), ({B}, "silence"), ({B}, "silence"))
    reader, counter = Reader(Time(), *script), Counter(joins=False)
    async with swept(reader, counter):
        await until(lambda: counter.told[-1:] == [("end", True)])
    assert [what for what, _ in counter.told] == [
        "begin", "swept", "swept", "pause", "resume", "end", "begin", "swept", "swept", "end",
    ]  # fmt: skip
    assert ("end", False) in counter.told
    assert [(wish.target, wish.found) for wish in reader.wishes][2] == ("single", frozenset())


async def test_a_sweep_is_given_up_where_its_door_is_never_quiet():
    reader, counter = Reader(Time(), ({A}, "yielded")), Counter()
    async with swept(reader, counter) as sweeps:
        real, asyncio.timeout = asyncio.timeout, lambda _: real(0.05)
        try:
            while not reader.wishes:
                sweeps.stir(chunk(), [], [])
                await asyncio.sleep(0.001)
            sweeps.stir(chunk(), [passage()], [])
            await counter.done.wait()
        finally:
            asyncio.timeout = real
    assert counter.told[-1] == ("end", False)


async def test_a_reader_that_is_not_there_is_asked_again_and_the_sweep_begins_with_its_first_run():
    gone = ReaderError("reader r1 is not in session")
    reader, counter = Reader(Time(), (gone, ""), (gone, ""), ({A}, "silence"), ({A}, "silence")), Counter()
    async with swept(reader, counter) as sweeps:
        await until(lambda: counter.told[-1:] == [("end", True)])
    assert [what for what, _ in counter.told][-5:] == ["end", "begin", "swept", "swept", "end"]
    assert (sweeps.counters.refused, sweeps.counters.begun) == (2, 1)


async def test_time_that_was_told_already_is_not_swept():
    reader, counter = Reader(Time()), Counter(takes=False)
    async with swept(reader, counter):
        await until(lambda: counter.told)
        await asyncio.sleep(0.02)
    assert not reader.wishes
