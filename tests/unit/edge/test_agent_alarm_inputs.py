"""What fire alarms and an access controller's relays say on inputs, before it is a row."""

import pytest
import structlog

from edge.agent.alarm_inputs import AlarmInputs
from edge.agent.pipeline import sense_rows, window_clock
from edge.config import AlarmInput
from edge.contracts import LossRow, SensorRow, instant
from edge.llrp.reports import empty_batch
from edge.outbox import is_urgent
from edge.readers import Chunk, ClockState
from edge.signals import Signals
from tests.helpers.signals import NOW_US, steady_us

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

    return AlarmInputs(INPUTS, fire=lambda *told: fires.append(told), sink=sink), fires, chunks


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

    inputs = AlarmInputs(INPUTS, fire=lambda device, gpi, on: signals.fire(device, gpi, active=on), sink=sink)
    await inputs.sink(chunk(row(4, "fire", state=False)))
    assert signals.on_fire
    await inputs.sink(chunk(row(4, "fire", state=True)))
    assert not signals.on_fire
