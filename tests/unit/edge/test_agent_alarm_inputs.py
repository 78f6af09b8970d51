"""What fire alarms and an access controller's relays say on inputs, before it is a row."""

import pytest
import structlog

from edge.agent.alarm_inputs import AlarmInputs
from edge.agent.chatter import CALM_US, MOST_CHANGES
from edge.agent.pipeline import sense_rows, window_clock
from edge.config import AlarmInput
from edge.contracts import LossRow, SensorRow, instant
from edge.llrp.reports import empty_batch
from edge.outbox import is_urgent
from edge.readers import Chunk, ClockState
from edge.signals import Signals
from tests.helpers.signals import NOW_US, steady_us, until

CLOCK = ClockState(source="host", offset_us=0, spread_us=0, stepped=False)
INPUTS = {
    ("b1", 4): AlarmInput("fire", None, active_high=False),
    ("b1", 5): AlarmInput("held", "east", active_high=True),
}


def row(gpi, kind, *, state, reader="b1"):
    """An input's level."""
    return SensorRow(seq=0, reader=reader, gpi=gpi, kind=kind, state=state, at=instant(NOW_US))


@pytest.fixture
def found():
    """What was told of fires, and what came out."""
    fires, chunks = [], []

    async def sink(chunk):
        chunks.append(chunk)

    return alarm_inputs(sink, lambda *told: fires.append(told)), fires, chunks


def alarm_inputs(sink, fire, clock_us=steady_us):
    """The inputs at their sink."""
    log = structlog.get_logger()
    return AlarmInputs(INPUTS, fire=fire, sink=sink, now_us=lambda: NOW_US + 5, steady_us=clock_us, log=log)


def chunk(*rows):
    """A chunk with rows alone."""
    return Chunk("b1", NOW_US, empty_batch(0), CLOCK, rows)


async def test_a_broken_loop_is_a_fire_and_the_row_says_so(found):
    """Wired as normally closed: low is an alarm, and so is a wire that broke."""
    inputs, fires, chunks = found
    await inputs.sink(chunk(row(4, "fire", state=True)))
    await inputs.sink(chunk(row(4, "fire", state=False), row(5, "held", state=True)))
    assert fires == [("b1", 4, False), ("b1", 4, True)]
    said = [(one.kind, one.state, one.portal) for one in chunks[1].rows]
    assert said == [("fire", True, None), ("held", True, "east")]


async def test_all_other_rows_pass_as_they_are(found):
    inputs, fires, chunks = found
    loss = LossRow(seq=0, reader="b1", reason="-", from_=instant(1), to=instant(2))
    plain = chunk(row(1, "beam", state=True), row(4, "door", state=True, reader="b2"), loss)
    await inputs.sink(plain)
    assert chunks == [plain]
    assert fires == []


def test_alarms_are_no_evidence_of_passages():
    sensed = []

    class Windows:
        def sense(self, reader, gpi, kind, **_more):
            sensed.append((reader, gpi, kind))

    rows = (row(4, "fire", state=True), row(5, "held", state=True), row(1, "beam", state=True))
    sense_rows(Windows(), chunk(*rows), window_clock(CLOCK, host_synced=True))
    assert sensed == [("b1", 1, "beam")]


@pytest.mark.parametrize(("kind", "urgent"), [("fire", True), ("forced", True), ("held", True), ("door", False)])
def test_alarms_go_before_backlog_and_their_ends_wait(kind, urgent):
    assert is_urgent(row(4, kind, state=True)) == urgent
    assert not is_urgent(row(4, kind, state=False))


async def test_a_fire_input_mutes_signals():
    signals = Signals(
        (),
        {},
        serving={},
        now_us=lambda: NOW_US,
        steady_us=steady_us,
        local=lambda _us: None,
        log=structlog.get_logger(),
    )

    async def sink(_chunk):
        pass

    inputs = alarm_inputs(sink, lambda device, gpi, on: signals.fire(device, gpi, active=on))
    await inputs.sink(chunk(row(4, "fire", state=False)))
    assert signals.on_fire
    await inputs.sink(chunk(row(4, "fire", state=True)))
    assert not signals.on_fire


class Bench:
    """Inputs on a clock that the test sets, in steps of 150 ms while one chatters."""

    def __init__(self) -> None:
        self.us, self.fires, self.rows = 0, [], []
        self.inputs = alarm_inputs(self._sink, lambda *told: self.fires.append(told), lambda: self.us)

    async def _sink(self, chunk):
        self.rows += [(one.gpi, one.state) for one in chunk.rows]

    async def chatter(self, gpi, kind, changes, step_us=150_000):
        """Let an input change as often, from low on."""
        for number in range(changes):
            self.us += step_us
            await self.inputs.sink(chunk(row(gpi, kind, state=bool(number % 2))))


async def test_an_input_that_chatters_is_told_once_and_held_as_an_alarm_until_it_is_calm():
    """Each change of a loose wire was an alarm and a row, three a second."""
    bench = Bench()
    with structlog.testing.capture_logs() as logs:
        await bench.chatter(5, "held", 2_001)
        assert len(bench.rows) == MOST_CHANGES + 2
        assert bench.rows[-1] == (5, True)
        assert bench.inputs.trouble("b1") == "input 5 (held) chatters and is held as an alarm"
        assert bench.inputs.trouble("b2") == ""
        bench.us += CALM_US - 1
        await bench.inputs.settle()
        assert bench.rows[-1] == (5, True)
        bench.us += 1
        await bench.inputs.settle()
        await bench.inputs.settle()
    assert bench.rows[MOST_CHANGES + 1 :] == [(5, True), (5, False)]
    assert bench.inputs.trouble("b1") == ""
    assert (bench.inputs.counters.chattered, bench.inputs.counters.held) == (1, 2_001 - MOST_CHANGES - 2)
    assert [one["event"] for one in logs] == [
        "alarm input chatters: it is held as an alarm until it has stood for a minute",
        "alarm input is calm again",
    ]


@pytest.mark.parametrize("changes", [500, 501])
async def test_sirens_are_muted_while_a_fire_input_chatters_whatever_it_says(changes):
    """It may be a fire: they were muted and unmuted as often as it changed."""
    bench = Bench()
    await bench.chatter(4, "fire", changes)
    told = len(bench.fires)
    assert told <= MOST_CHANGES + 2
    assert bench.fires[-1] == ("b1", 4, True)
    assert bench.inputs.trouble("b1").endswith("all sirens are muted")
    bench.us += CALM_US
    await bench.inputs.settle()
    active = changes % 2 == 1
    assert bench.fires[told:] == ([] if active else [("b1", 4, False)])
    assert bench.rows[-1] == (4, active)
    await bench.chatter(4, "fire", 3)
    assert bench.fires[-1] == ("b1", 4, True)


async def test_what_changes_now_and_then_is_told_each_time():
    """Five alarms a minute, each with its end; a level that a session tells again is no change."""
    bench = Bench()
    await bench.chatter(5, "held", 200, step_us=7_000_000)
    for _ in range(50):
        await bench.inputs.sink(chunk(row(5, "held", state=True)))
    assert len(bench.rows) == 250
    assert bench.inputs.counters.chattered == 0


async def test_the_end_of_chattering_needs_no_news_of_the_device(monkeypatch):
    """A wire that was mended says nothing more."""
    monkeypatch.setattr("edge.agent.alarm_inputs.LOOK_S", 0.01)
    bench = Bench()
    async with bench.inputs:
        await bench.chatter(5, "held", 51)
        bench.us += CALM_US
        await until(lambda: bench.rows[-1] == (5, False))
