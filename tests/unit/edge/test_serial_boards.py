"""Relay boards, beams and door contacts: bytes of the manuals, and boards on a pty."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.contracts import SensorRow
from edge.readers import GpiSettings
from edge.readers.errors import ReaderError, ReaderRefusedError, ReaderUnreachableError
from edge.readers.serial import Board, BoardSettings, lcus, line, modbus
from edge.readers.serial.debounce import Debouncer
from tests.helpers.fake_serial import FakeLcus, FakeModbusBoard, crc_modbus, modbus_frame
from tests.helpers.kept import kept

ON, OFF = True, False
LINKS = pytest.mark.parametrize("link", ["whole", "bytes", "split"])


@pytest.fixture
def path(tmp_path):
    """Where the board is plugged in."""
    return tmp_path / "ttyUSB1"


def running(path, protocol="modbus", **knobs):
    """Run a board at the path."""
    knobs = {"outputs": 8, "answer_timeout_s": 0.1, "backoff_base_s": 0.01, "backoff_max_s": 0.05} | knobs
    return kept(Board, BoardSettings(id="b1", serial=str(path), protocol=protocol, **knobs))


@pytest.mark.parametrize(
    ("made", "published"),
    [
        (modbus.encode(modbus.switch(1, 1, on=True)), "01050000ff008c3a"),
        (modbus.encode(modbus.switch(1, 1, on=False)), "010500000000cdca"),
        (modbus.encode(modbus.switch(1, 4, on=True)), "01050003ff007c3a"),
        (modbus.encode(modbus.read_bits(1, modbus.Function.READ_COILS, 8)), "0101000000083dcc"),
        (modbus.encode(modbus.timed_on(1, 1, 700)), "0105020000078db0"),
        (lcus.switch(1, on=True), "a00101a2"),
        (lcus.switch(1, on=False), "a00100a1"),
    ],
)
def test_orders_are_those_of_the_manuals(made, published):
    assert made.hex() == published


def test_published_answer_about_relays_is_read():
    """Relays 1 and 7 are on."""
    (frame,) = modbus.framer().feed(bytes.fromhex("0101014191b8"))
    assert modbus.bits(frame, 8) == [True, False, False, False, False, False, True, False]


def test_crc_is_the_published_one():
    """CRC-16/MODBUS of "123456789" is 0x4B37."""
    assert modbus.crc16(b"123456789") == crc_modbus(b"123456789") == 0x4B37


@given(data=st.binary(max_size=600), cuts=st.lists(st.integers(0, 600), max_size=8))
def test_cuts_never_change_the_frames(data, cuts):
    stream = data + modbus_frame(1, 2, 1, 5) + data[:5]
    whole, cut = modbus.framer(), modbus.framer()
    expected, found, at = whole.feed(stream), [], 0
    for stop in [*sorted(cuts), len(stream)]:
        found += cut.feed(stream[at:stop])
        at = max(at, stop)
    assert found == expected
    assert found + cut.idle() == expected + whole.idle()
    assert (cut.pending, cut.skipped_bytes) == (0, whole.skipped_bytes)


@LINKS
async def test_all_outputs_are_off_when_the_board_is_found_and_when_the_agent_stops(path, link):
    async with FakeModbusBoard(path, link=link) as board:
        async with running(path) as agent:
            await agent.until_state("connected")
            assert board.relays == [False] * 8
            await agent.keeper.switch(3, ON)
            assert board.relays[2]
        assert board.relays == [False] * 8


@LINKS
async def test_a_pulse_ends_in_the_board_where_it_can(path, link):
    async with FakeModbusBoard(path, link=link) as board, running(path, timed_outputs=True) as agent:
        await agent.until_state("connected")
        assert agent.keeper.ends_itself
        await agent.keeper.pulse(2, 750)
        assert board.orders[-1] == (0x201, 8), "rounded up to tenths of a second"
        assert [one.on for one in agent.keeper.health().outputs[:3]] == [False, True, False]
        assert board.relays[1]
        await agent.until(lambda _: not board.relays[1])
        assert board.orders[-1] == (0x201, 8), "the host sent nothing more"
        assert not any(one.on for one in agent.keeper.health().outputs)


@pytest.mark.parametrize("kind", ["modbus", "lcus"])
async def test_a_pulse_is_ended_by_us_elsewhere(path, kind):
    fake = FakeModbusBoard(path) if kind == "modbus" else FakeLcus(path)
    on = (lambda: fake.relays[0]) if kind == "modbus" else (lambda: fake.relays.get(1))
    async with fake, running(path, kind) as agent:
        await agent.until_state("connected")
        assert not agent.keeper.ends_itself
        await agent.keeper.pulse(1, 150)
        await agent.until(lambda _: on())
        await agent.until(lambda _: not on())


async def test_the_last_order_for_an_output_wins(path):
    async with FakeModbusBoard(path) as board, running(path) as agent:
        await agent.until_state("connected")
        await agent.keeper.pulse(1, 100)
        await agent.keeper.switch(1, ON)
        await agent.keeper.pulse(2, 10_000)
        await agent.keeper.switch(2, OFF)
        await asyncio.sleep(0.25)
        assert board.relays[:2] == [True, False], "the end of the first pulse was called off"


@pytest.mark.parametrize("how", ["end", "switch"])
async def test_an_order_to_be_off_that_is_lost_is_given_until_the_board_has_said_so(path, how):
    """A second of noise on the bus took the one order, and the siren sounded until the plug was pulled."""
    async with FakeModbusBoard(path) as board, running(path) as agent:
        await agent.until_state("connected")
        await agent.keeper.pulse(1, 200 if how == "end" else 60_000)
        board.misses = 7
        if how == "switch":
            with pytest.raises(ReaderError):
                await agent.keeper.switch(1, OFF)
        assert agent.keeper.health().outputs[0].on, "as long as the board has not said otherwise"
        await agent.until(lambda _: not board.relays[0])
        await agent.until(lambda agent: not agent.keeper.health().outputs[0].on)
        await agent.until(lambda agent: agent.said("output is off now"))


async def test_a_pulse_whose_answer_is_lost_is_ended(path):
    """The relay may have closed all the same."""
    async with FakeModbusBoard(path) as board, running(path) as agent:
        await agent.until_state("connected")
        board.say, say = (lambda _data: None), board.say
        with pytest.raises(ReaderError):
            await agent.keeper.pulse(1, 60_000)
        assert board.relays[0]
        board.say = say
        await agent.until(lambda _: not board.relays[0])


async def test_lcus_orders_reach_the_relays(path):
    async with FakeLcus(path) as board, running(path, "lcus", outputs=2) as agent:
        await agent.until_state("connected")
        await agent.until(lambda _: board.relays == {1: False, 2: False})
        await agent.keeper.switch(2, ON)
        await agent.until(lambda _: board.relays == {1: False, 2: True})
        board.pull()
        await agent.until_state("lost")
        assert "is the cable still in" in agent.said("reader lost")[0]["problem"]


async def test_an_lcus_board_that_says_nothing_is_told_more_than_once_to_be_off(path):
    """What it obeyed it doesn't tell, so an order that noise took can't be missed."""
    async with FakeLcus(path) as board, running(path, "lcus", outputs=1) as agent:
        await agent.until_state("connected")
        await agent.keeper.pulse(1, 100)
        await agent.until(lambda _: board.relays == {1: True})
        board.orders.clear()
        await agent.until(lambda _: board.orders == [(1, 0)] * 3)


async def test_an_absent_board_switches_nothing_and_says_so(path):
    async with running(path) as agent:
        await agent.until_state("lost")
        with pytest.raises(ReaderUnreachableError, match=r"output 1 was not switched: .* plug it in"):
            await agent.keeper.switch(1, ON)
        async with FakeModbusBoard(path) as board:
            await agent.until_state("connected")
            await agent.keeper.switch(1, ON)
            assert board.relays[0]


async def test_what_a_board_has_not_or_refuses_is_told(path):
    async with FakeModbusBoard(path, timed=False) as _, running(path, timed_outputs=True, outputs=8) as agent:
        await agent.until_state("connected")
        with pytest.raises(ReaderRefusedError, match="has no output 9: it has 8"):
            await agent.keeper.switch(9, ON)
        with pytest.raises(ReaderRefusedError, match="it has no such channel"):
            await agent.keeper.pulse(1, 500)
        with pytest.raises(ReaderError, match="a pulse of 50 ms"):
            await agent.keeper.pulse(1, 50)


async def test_a_silent_board_is_told_with_what_to_check(path):
    async with FakeModbusBoard(path, silent=True) as _, running(path, answer_timeout_s=0.02) as agent:
        problem = (await agent.until_state("lost")).problem
        assert "is this Modbus unit 1 at 9600 baud" in problem
        assert len(agent.said("reader lost")) == 1


@pytest.mark.parametrize(("lose", "garble"), [(0.01, 0.0), (0.0, 0.01)])
async def test_a_noisy_bus_asks_again(path, lose, garble):
    async with FakeModbusBoard(path) as board, running(path, answer_timeout_s=0.5) as agent:
        await agent.until_state("connected")
        board.lose, board.garble = lose, garble
        for number in range(20):
            await agent.keeper.switch(1 + number % 8, ON)
        assert all(board.relays)


@LINKS
async def test_beams_and_contacts_on_inputs_become_rows_without_bounces(path, link):
    """A bounce is seen by one look; what lasts, by all looks of a time that no pause of ours makes of one look."""
    gpis = (GpiSettings(port=1, kind="beam", debounce_ms=500), GpiSettings(port=5, kind="door", debounce_ms=60))
    async with FakeModbusBoard(path, link=link) as board, running(path, gpis=gpis) as agent:
        await agent.until(lambda agent: len(agent.rows) == 2)
        board.inputs[4] = True
        await agent.until(lambda agent: len(agent.rows) == 3)
        board.inputs[0] = True
        await agent.until(lambda _, looks=board.looks: board.looks > looks)
        board.inputs[0] = False
        await asyncio.sleep(0.6)
        rows = [(row.gpi, row.kind, row.state) for row in agent.rows if isinstance(row, SensorRow)]
        assert rows == [(1, "beam", False), (5, "door", False), (5, "door", True)]
        assert {row.reader for row in agent.rows} == {"b1"}


async def test_a_bare_serial_port_serves_as_inputs(path, monkeypatch):
    """A pty has no control lines, so their states are put in place of the ioctl."""
    states = {1: False}
    monkeypatch.setattr(line.Line, "inputs", lambda _self, numbers: {number: states[number] for number in numbers})
    gpis = (GpiSettings(port=1, kind="beam"),)
    async with FakeLcus(path) as _, running(path, "lines", outputs=0, gpis=gpis) as agent:
        await agent.until(lambda agent: len(agent.rows) == 1)
        states[1] = True
        await agent.until(lambda agent: [row.state for row in agent.rows] == [False, True])


@given(looks=st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=60))
def test_debounced_changes_alternate_and_stood_for_their_time(looks):
    """Each change stood from its instant for the whole time, and the next differs."""
    debouncer, at_us, changes, seen = Debouncer({1: 40}), 0, [], []
    for pause_us, state in looks:
        at_us += pause_us
        seen.append((at_us, state))
        changes += [(change, at_us) for change in debouncer.feed(at_us, {1: state})]
    states = [change.state for change, _ in changes]
    assert all(a != b for a, b in itertools.pairwise(states))
    for change, certain_us in changes[1:]:
        stood = [state for look_us, state in seen if change.at_us < look_us < certain_us]
        assert certain_us - change.at_us >= 40
        assert all(state == change.state for state in stood)
