"""The command `test-tag`: what a door makes of a tag that is nobody's, told to the guard, and nothing changed by it."""

import asyncio

import msgspec
import numpy as np
import pytest
import structlog

from edge.agent.guard_test import GuardTest
from edge.agent.orders import OnLookers
from edge.agent.pipeline import Pipeline
from edge.commands import OrderError
from edge.contracts import Clock, Evidence, MovementRow, event_id, instant
from edge.gate import Gate, Unlit, Uses
from edge.llrp.reports import empty_batch
from edge.readers import Chunk, ClockState
from tests.helpers.gate_messages import DOOR, NOW, entry, epc, give, messages, store
from tests.helpers.signals import rule, running

LOG = structlog.get_logger()
NOBODYS = "e2801160600002"
LIMIT_S = 20.0
SECOND = 1_000_000


def chunk(tags, *, reader="r1", arrival_us=NOW):
    """Reads of (epc, antenna, rssi in 1/100 dBm or None)."""
    batch = empty_batch(len(tags))
    for row, (tag, antenna, heard) in enumerate(tags):
        raw = bytes.fromhex(tag)
        batch.epc[row, : len(raw)] = np.frombuffer(raw, np.uint8)
        batch.epc_bits[row], batch.antenna[row], batch.seen_count[row] = len(raw) * 8, antenna, 2
        batch.rssi_cdbm[row] = -32768 if heard is None else heard
    return Chunk(reader, arrival_us, batch, ClockState("reader", 0, 0, stepped=False))


def passage(kind="out", *, tag=NOBODYS, final=True, rev=1, crossed_us=NOW - SECOND // 4, portal="door"):
    """A row of the windows."""
    name = "b" * 32
    crossed = kind in {"in", "out"}
    return MovementRow(
        seq=0, id=event_id(name, rev), passage=name, rev=rev, final=final, at=instant(crossed_us), portal=portal,
        epc=tag, kind=kind, confidence=0.9, started_at=instant(crossed_us - SECOND), reads=12,
        clock=Clock(source="reader"), evidence=Evidence(antennas=[]),
        crossed_at=instant(crossed_us) if crossed else None, ended_at=None if crossed else instant(crossed_us),
    )  # fmt: skip


class Windows:
    """Gives the rows that it is told to give."""

    shed = 0

    def __init__(self) -> None:
        self.rows = []

    def feed(self, *_args, **_knobs):
        rows, self.rows = self.rows, []
        return rows

    def pass_until(self, _us):
        return []

    def take_open_changes(self):
        return [], []


class Journal:
    """Keeps rows."""

    def __init__(self) -> None:
        self.rows = []

    def add(self, rows, **_knobs):
        self.rows += rows


class Bench:
    """A door of two antennas with the test before its gate."""

    def __init__(self, signals, snapshot) -> None:
        self.windows, self.journal, self.snapshot = Windows(), Journal(), snapshot
        gate = Gate(
            lambda: self.snapshot, Unlit(), uses=Uses(), keep_uses=lambda _bytes: None, now_us=lambda: NOW, log=LOG
        )
        self.pipeline = Pipeline(
            self.windows, self.journal, ports={"r1": (1, 2), "r2": (1,)}, host_synced=lambda: True, log=LOG, gate=gate
        )
        self.onlookers = OnLookers(self.pipeline.sink)
        test = GuardTest(
            {"door": [("r1", 1), ("r1", 2)], "new": [("r2", 1)]},
            self.onlookers,
            self.pipeline,
            snapshot=lambda: self.snapshot,
            signals=signals,
            now_us=lambda: NOW,
        )
        self.order = test.by_name()["test-tag"]

    async def walk(self, *chunks, **args):
        """Order a test and let (chunk, rows) pass meanwhile."""
        told = {"portal": "door", "epc": NOBODYS, "seconds": 1} | args
        order = asyncio.create_task(self.order(told))
        await asyncio.sleep(0.02)
        for one, rows in chunks:
            self.windows.rows = list(rows)
            await self.onlookers.sink(one)
        async with asyncio.timeout(LIMIT_S):
            return await order


@pytest.fixture
def held(tmp_path):
    """Returns a snapshot with what else its manifest says."""

    def make(*entries, generation=1, **more):
        made = store(tmp_path / str(generation), LOG)
        give(made, messages(generation, entries, **{"doors": (DOOR,), **more}))
        return made.snapshot

    return make


READS = [(NOBODYS, 1, -5000), (NOBODYS, 1, -4500), (NOBODYS, 2, None), (epc(1), 1, -3000), ("e2801160600003", 2, -10)]


async def test_a_guard_hears_what_the_door_heard_and_decided(held):
    """Reads and best level of each antenna, the kind, the milliseconds, the verdict, and which outputs would act."""
    async with running(rule(1, "light"), rule(2)) as (signals, lamps):
        bench = Bench(signals, held(entry(1)))
        told = await bench.walk((chunk(READS), []), (chunk([]), [passage()]), (chunk([]), [passage("in")]))
    assert told == {
        "portal": "door",
        "epc": NOBODYS,
        "heard": True,
        "antenna r1/1 reads": 4,
        "antenna r1/1 best cdbm": -4500,
        "antenna r1/2 reads": 2,
        "decided": "out",
        "confidence percent": 90,
        "decision ms": 250,
        "verdict": "refuse: no permission to leave stockroom is valid now",
        "mode": "alarm",
        "lights and sirens": "light, output 1 of b1, siren, output 2 of b1",
    }
    assert lamps.asked == [], "nobody asked for a sound"
    assert bench.journal.rows == [], "a tag that is nobody's gives no event, tested or not"


async def test_the_first_crossing_counts_and_a_provisional_is_enough(held):
    """Its milliseconds are those of the light; a `near` before it is no crossing."""
    async with running() as (signals, _):
        rows = [passage("near"), passage(final=False, rev=1), passage(final=True, rev=2, crossed_us=NOW - SECOND)]
        told = await Bench(signals, held()).walk(*((chunk([]), [row]) for row in rows))
    assert (told["decided"], told["decision ms"], told["heard"]) == ("out", 250, False)
    assert told["lights and sirens"] == "none"


async def test_a_tag_that_nobody_carries_or_that_stays_is_told_so(held):
    async with running() as (signals, _):
        bench = Bench(signals, held())
        assert (await bench.walk())["decided"] == "nothing"
        told = await bench.walk((chunk(READS), [passage("turned_back"), passage(tag=epc(1)), passage(portal="new")]))
        assert (told["decided"], "verdict" in told) == ("turned_back", True)
        inward = await bench.walk((chunk([]), [passage("in")]))
        assert inward["verdict"] == "none: nothing that is guarded was left"


@pytest.mark.parametrize(("mode", "sounded"), [("alarm", True), ("notify", False), ("observe", False)])
async def test_the_siren_sounds_if_the_guard_asks_and_the_door_is_in_alarm(held, mode, sounded):
    """Once for a walk, whatever revisions come."""
    async with running(rule(2)) as (signals, _):
        bench = Bench(signals, held(doors=({**DOOR, "mode": mode},)))
        rows = [passage(final=False), passage(final=True, rev=2)]
        told = await bench.walk(*((chunk([]), [row]) for row in rows), sound=True)
        assert (told["sounded"], told["mode"]) == (sounded, mode)
        assert signals.counters.acted == int(sounded)
    assert ("none" in told["lights and sirens"]) == (not sounded)


async def test_a_fire_alarm_mutes_a_test_too(held):
    async with running(rule(1, "light"), rule(2)) as (signals, _):
        signals.fire("r1", 1, active=True)
        told = await Bench(signals, held()).walk((chunk([]), [passage()]), sound=True)
        assert told["lights and sirens"] == "light, output 1 of b1; muted now: siren, output 2 of b1"


async def test_late_reads_sound_nothing(held):
    async with running(rule(2)) as (signals, _):
        told = await Bench(signals, held()).walk((chunk([]), [passage(crossed_us=NOW - 11 * SECOND)]), sound=True)
        assert (told["sounded"], signals.counters.acted) == (False, 0)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"epc": epc(1)}, "an asset's tag"),
        ({"epc": epc(77)}, "an asset's tag"),
        ({"epc": "zz"}, "not hexadecimal"),
        ({"epc": ""}, "empty"),
        ({"portal": "nowhere"}, "this gateway has door, new"),
        ({"portal": "new"}, "names no door new"),
        ({"seconds": 61}, "from 1 to 60"),
        ({"sound": "yes"}, "true or false"),
        ({"x": 1}, "unknown argument"),
    ],
)
async def test_an_asset_is_no_test_and_other_refusals(held, args, words):
    """A listed tag, and one of our own prefix that isn't listed, are the gate's business alone."""
    async with running() as (signals, _):
        bench = Bench(signals, held(entry(1)))
        with pytest.raises(OrderError, match=words):
            await bench.walk(**args)


async def test_without_a_snapshot_nobody_knows_whose_a_tag_is():
    async with running() as (signals, _):
        with pytest.raises(OrderError, match="holds no snapshot"):
            await Bench(signals, None).walk()


async def test_a_tag_that_becomes_an_assets_meanwhile_ends_the_test(held):
    """And its event goes to the journal, judged as any other's."""
    async with running() as (signals, _):
        bench = Bench(signals, held())
        order = asyncio.create_task(bench.order({"portal": "door", "epc": NOBODYS, "seconds": 20}))
        await asyncio.sleep(0.02)
        with pytest.raises(OrderError, match="one at a time"):
            await bench.order({"portal": "door", "epc": NOBODYS})
        bench.snapshot = held(entry(NOBODYS, "refuse", None), generation=2)
        bench.windows.rows = [passage()]
        await bench.onlookers.sink(chunk(READS))
        async with asyncio.timeout(LIMIT_S):
            with pytest.raises(OrderError, match="an asset's tag"):
                await order
        [row] = bench.journal.rows
        assert row.gate.verdict == "refuse"


async def test_a_test_that_fails_keeps_no_passage_from_the_journal(held):
    class Broken:
        def would_show(self, *_):
            raise ZeroDivisionError

        judged = would_show

    bench = Bench(Broken(), held())
    theirs = passage(tag=epc(5))
    with pytest.raises(OrderError, match="failed: ZeroDivisionError"):
        await bench.walk((chunk(READS), [passage(), theirs]), sound=True)
    [row] = bench.journal.rows
    assert msgspec.structs.replace(row, gate=None) == theirs
