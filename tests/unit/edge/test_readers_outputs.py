"""Lights and sirens: patterns over a port, and a reader's outputs on the wire."""

import asyncio
import contextlib
import struct

import pytest

from edge.readers import ReaderError, outputs
from edge.readers.model import OutputSettings
from edge.readers.outputs import Pattern, Step, blinking, play, steady
from tests.helpers import fake_reader as fake
from tests.helpers.fake_reader import FakeReader
from tests.helpers.kept import WAIT_S
from tests.helpers.supervised import agent_of


class Lamps:
    """A port that writes down what it is asked."""

    def __init__(self, *, ends_itself=True, fails=()) -> None:
        self.asked, self.ends_itself, self.fails = [], ends_itself, fails

    async def switch(self, output, on):
        self.asked.append((output, on))
        if output in self.fails:
            raise ReaderError("gone")

    async def pulse(self, output, on_ms):
        self.asked.append((output, on_ms))


async def test_a_blinking_light_is_a_pulse_each_time():
    lamps = Lamps()
    await play(blinking([1], on_ms=10, off_ms=5, times=3), lamps)
    assert lamps.asked == [(1, 10)] * 3


async def test_an_output_that_stays_on_over_steps_gets_one_pulse():
    """A siren that goes on while the light changes must not click off in between."""
    pattern = Pattern((Step(frozenset({1, 2}), 10), Step(frozenset({2}), 20), Step(frozenset(), 5)), times=2)
    lamps = Lamps()
    await play(pattern, lamps)
    assert lamps.asked == [(1, 10), (2, 30), (1, 10), (2, 30)]
    assert pattern.outputs == {1, 2}


async def test_a_pattern_that_is_cut_short_leaves_nothing_on():
    lamps = Lamps(fails=(1,))
    task = asyncio.create_task(play(steady([1, 2], 60_000), lamps))
    await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert lamps.asked[2:] == [(1, False), (2, False)], "each is tried, whatever became of the others"
    assert task.cancelled()


@pytest.mark.parametrize("on_ms", [0, 99, 600_001])
def test_a_pulse_that_no_relay_follows_or_nobody_endures_is_refused(on_ms):
    with pytest.raises(ReaderError, match="from 100 to 600000 ms"):
        outputs.checked_on_ms(on_ms)


def writes(reader):
    """GPOWriteData in the order in which the reader got them: (output, level)."""
    found = []
    for kind, _, payload in reader.received:
        at = payload.find(struct.pack("!HH", 219, 7)) if kind == fake.SET_CONFIG else -1
        if at >= 0:
            output, level = struct.unpack_from("!HB", payload, at + 4)
            found.append((output, level >> 7))
    return found


def modes(reader):
    """ImpinjAdvancedGPOConfiguration in the order in which the reader got them: (output, mode, ms)."""
    head = struct.pack("!II", 25882, 64)
    configs = [payload for kind, _, payload in reader.received if kind == fake.SET_CONFIG and head in payload]
    return [struct.unpack_from("!HHI", payload, payload.index(head) + 8) for payload in configs]


SIREN = (OutputSettings(output=2, inverted=False),)


async def test_outputs_are_off_when_a_session_begins():
    """A client before us may have died with the siren on."""
    async with FakeReader() as reader, agent_of(reader.port, outputs=SIREN) as agent:
        await agent.until_state("connected")
        assert writes(reader) == [(2, 0)]
        assert modes(reader) == [(2, 0, 0)], "and no pulse mode of another client is left"


async def test_a_pulse_is_the_readers_own_where_it_has_a_mode_for_it():
    async with FakeReader() as reader, agent_of(reader.port, outputs=SIREN) as agent:
        await agent.until_state("connected")
        port = agent.supervisor.outputs
        assert port.ends_itself
        await port.pulse(2, 300)
        assert modes(reader)[-1] == (2, 1, 300)
        assert writes(reader)[-1] == (2, 1)
        assert agent.supervisor.health().outputs[0].on
        await agent.until(lambda agent: not agent.supervisor.health().outputs[0].on)
        assert writes(reader)[-1] == (2, 1), "it was the reader who ended it"
        await port.switch(2, on=True)
        assert modes(reader)[-1] == (2, 0, 0), "a switched output must not fall back"


async def test_elsewhere_our_own_task_ends_the_pulse():
    generic = fake.capabilities(vendor=4711, model=1)
    async with FakeReader(capabilities=generic) as reader, agent_of(reader.port, outputs=SIREN) as agent:
        await agent.until_state("connected")
        port = agent.supervisor.outputs
        assert not port.ends_itself
        await port.pulse(2, 100)
        await agent.until(lambda _: writes(reader)[-2:] == [(2, 1), (2, 0)])
        assert modes(reader) == []


async def test_an_inverted_output_is_on_while_low_and_ended_by_us():
    """Impinj's pulse goes up and falls back, so what sounds while low can't be left to it."""
    inverted = (OutputSettings(output=1),)
    async with FakeReader() as reader, agent_of(reader.port, outputs=inverted) as agent:
        await agent.until_state("connected")
        assert writes(reader) == [(1, 1)], "a Speedway's outputs sink: high is off"
        port = agent.supervisor.outputs
        assert not port.ends_itself
        await port.pulse(1, 100)
        await agent.until(lambda _: writes(reader)[-2:] == [(1, 0), (1, 1)])


async def test_a_stop_ends_a_pulse_that_is_ours_to_end():
    generic = fake.capabilities(vendor=4711, model=1)
    async with FakeReader(capabilities=generic) as reader:
        async with agent_of(reader.port, outputs=SIREN) as agent:
            await agent.until_state("connected")
            await agent.supervisor.outputs.pulse(2, 60_000)
        async with asyncio.timeout(WAIT_S):
            await reader.closed.wait()
        assert writes(reader)[-1] == (2, 0)


@pytest.mark.parametrize("how", ["end", "switch"])
async def test_an_output_that_could_not_be_switched_off_is_tried_until_the_reader_says_so(how):
    generic = fake.capabilities(vendor=4711, model=1)
    async with FakeReader(capabilities=generic) as reader, agent_of(reader.port, outputs=SIREN) as agent:
        await agent.until_state("connected")
        port = agent.supervisor.outputs
        await port.pulse(2, 100 if how == "end" else 60_000)
        reader.refuse[fake.SET_CONFIG] = fake.refuse_with(13, 101, "busy")
        if how == "switch":
            with pytest.raises(ReaderError, match="busy"):
                await port.switch(2, on=False)
        before = len(writes(reader))
        await agent.until(lambda _: len(writes(reader)) > before + 3)
        assert agent.supervisor.health().outputs[0].on
        del reader.refuse[fake.SET_CONFIG]
        await agent.until(lambda agent: not agent.supervisor.health().outputs[0].on)
        assert writes(reader)[-1] == (2, 0)
        assert len(agent.said("output can't be switched off: it is tried again, and may still be on")) == 1


async def test_an_output_that_is_not_wired_is_refused_by_name():
    async with FakeReader() as reader, agent_of(reader.port, outputs=SIREN) as agent:
        await agent.until_state("connected")
        with pytest.raises(ReaderError, match=r"output 3 is not among its wired ones \(2\)"):
            await agent.supervisor.outputs.switch(3, on=True)


async def test_without_a_session_outputs_say_why():
    async with agent_of(1) as agent:
        await agent.until_state("lost")
        with pytest.raises(ReaderError, match="not in session"):
            await agent.supervisor.outputs.switch(2, on=True)
