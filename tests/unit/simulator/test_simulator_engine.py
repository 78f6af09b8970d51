"""The engine gives each reader its reads and inputs in the order of their times, without sockets or sleep."""

import struct

import structlog
from structlog.testing import LogCapture

from simulator.clock import SimulatedClock
from simulator.engine import Engine, models
from simulator.scenarios.load import load
from simulator.server.model import ReaderModel
from simulator.server.wire import Message, tlv
from simulator.truth import Truth
from simulator.world.values import InputChange, no_reads

BEGUN_US = 1_700_000_000_000_000


class Beam:
    """A source whose beam is broken from 1.2345 s to 3 s, and which notes when it was asked for reads."""

    residents = ()
    ends_us = None

    def __init__(self) -> None:
        self.asked = []
        self._inputs = [InputChange(at_us, "r1", 2, high) for at_us, high in ((1_234_500, True), (3_000_000, False))]

    def advance(self, reader, until_us, radio):
        self.asked.append((reader, until_us, radio is not None))
        return no_reads()

    def take_inputs(self, until_us):
        due = [change for change in self._inputs if change.at_us <= until_us]
        self._inputs = self._inputs[len(due) :]
        return due

    def take_crossings(self, until_us):
        return []


def engine(source):
    steady = [0]
    clock = SimulatedClock(1.0, utc_us=lambda: BEGUN_US, steady_us=lambda: steady[0])
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[LogCapture()])
    made = Engine({name: ReaderModel() for name in ("r1", "r2")}, source, clock, Truth("t", 1, None), log)

    def step(at_us):
        steady[0] = at_us
        made.step()

    return made, step


def waiting_for_input(device, now):
    """Give a reader a client whose ROSpec starts and stops by input 2."""
    device.connect(now)
    start = b"\3" + tlv(181, struct.pack(">HBI", 2, 0x80, 0))
    stop = struct.pack(">BI", 2, 0) + tlv(181, struct.pack(">HBI", 2, 0, 0))
    ai = tlv(183, struct.pack(">HH", 1, 0) + tlv(184, struct.pack(">BI", 0, 0)) + tlv(186, struct.pack(">HB", 1, 1)))
    spec = tlv(177, struct.pack(">IBB", 1, 0, 0) + tlv(178, tlv(179, start) + tlv(182, stop)) + ai)
    events = tlv(244, tlv(245, struct.pack(">HB", 1, 0x80)))
    config = b"\0" + events + tlv(225, struct.pack(">HBB", 2, 0x80, 0))
    for kind, body in ((3, config), (20, spec), (24, struct.pack(">I", 1))):
        device.receive(Message(kind, 1, body), now)


def test_an_input_starts_and_stops_reading_at_its_own_time_between_two_steps():
    """Reads up to the beam's time are of a reader that is still, those after it of one that runs."""
    source = Beam()
    made, step = engine(source)
    told = []
    for listener in made.listeners.values():
        waiting_for_input(listener.device, listener.now())
    made.listeners["r1"]._send = told.extend
    for at_us in (0, 1_000_000, 2_000_000, 2_500_000, 3_500_000):
        step(at_us)
    assert [(until_us, runs) for reader, until_us, runs in source.asked if reader == "r1"] == [
        (0, False),
        (1_000_000, False),
        (1_234_500, False),
        (2_000_000, True),
        (2_500_000, True),
        (3_000_000, True),
        (3_500_000, False),
    ]
    assert not any(runs for reader, _, runs in source.asked if reader == "r2")
    stamps = [struct.unpack_from(">Q", event, 18)[0] for event in told if event[1] & 0xFF == 63]
    assert stamps == [BEGUN_US + 1_234_500, BEGUN_US + 3_000_000]


def test_with_more_readers_a_step_is_rarer_up_to_a_limit():
    ticks = []
    for count in (1, 40, 100, 200, 1000):
        log = structlog.wrap_logger(structlog.PrintLogger(), processors=[LogCapture()])
        readers = {f"r{number}": ReaderModel() for number in range(count)}
        ticks.append(Engine(readers, Beam(), SimulatedClock(1.0), Truth("t", 1, None), log)._tick_s)
    assert ticks == [0.01, 0.01, 0.025, 0.05, 0.05]


def test_models_are_those_that_the_scenario_names():
    found = models(load("office").readers)
    assert {model.model for model in found.values()} == {2_001_002}
    assert all(model.traits.hopping for model in found.values())
