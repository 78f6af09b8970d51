"""Faults in a scenario: each comes at its time, goes at its time, and a wrong one is named."""

import pytest
import structlog
from structlog.testing import capture_logs

from simulator.clock import SimulatedClock
from simulator.engine import Engine
from simulator.faults import Faults, checked, switches
from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.load import parse
from simulator.server.model import ReaderModel
from simulator.truth import Truth
from simulator.world.values import no_reads

BASE = """
name = "faulty"
[[readers]]
id = "r1"
[[readers.antennas]]
port = 1
portal = "door"
position = [1.0, 0.0, 1.0]
aim = [0.0, 0.0, 1.0]
[[portals]]
id = "door"
[tags]
epc_prefix = "30"
"""


class Nothing:
    """A world without tags."""

    residents = ()
    ends_us = None

    def advance(self, reader, until_us, radio):
        return no_reads()

    def take_inputs(self, until_us):
        return []

    def take_crossings(self, until_us):
        return []


def test_a_switch_is_set_for_a_while_and_put_back():
    text = (
        '[[faults]]\nreader = "r1"\nat_s = 2.0\nfor_s = 3.0\nswitches = { no_keepalives = true, stamps = "uptime" }\n'
    )
    text += '[[faults]]\nreader = "r1"\nat_s = 4.0\nswitches = { silent_antennas = [1, 3], refused = { 22 = 401 } }\n'
    steady = [0]
    clock = SimulatedClock(1.0, utc_us=lambda: 0, steady_us=lambda: steady[0])
    plan = parse(BASE + text, "here").fault_plan()
    engine = Engine({"r1": ReaderModel()}, Nothing(), clock, Truth("t", 1, None), structlog.get_logger(), faults=plan)
    device = engine.listeners["r1"].device
    device.inventory.ever_started = True
    seen = []
    for second in range(7):
        steady[0] = 1_000_000 * second
        engine.step()
        faults = device.faults
        seen.append((faults.no_keepalives, faults.stamps, sorted(faults.silent_antennas), faults.refused))
    on, off, silent = (True, "uptime"), (False, "utc"), ([1, 3], {22: 401})
    assert seen == [(*off, [], {})] * 2 + [(*on, [], {})] * 2 + [(*on, *silent)] + [(*off, *silent)] * 2


def test_the_world_waits_for_every_reader_and_says_once_for_which():
    clock = SimulatedClock(1.0, utc_us=lambda: 0, steady_us=lambda: 0)
    readers = {name: ReaderModel() for name in ("r1", "r2", "r3")}
    with capture_logs() as logs:
        engine = Engine(readers, Nothing(), clock, Truth("t", 1, None), structlog.get_logger())
        for name in ("", "r1", "", "r2", "r3", ""):
            if name:
                engine.listeners[name].device.inventory.ever_started = True
            engine.step()
    assert [entry["event"] for entry in logs] == ["waiting for r2, r3 to be started", "scenario begins"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ('reader = "r2"\nat_s = 1\nswitches = { no_keepalives = true }', "reader 'r2' doesn't exist"),
        ('reader = "r1"\nat_s = 1\nswitches = { no_keepalive = true }', "did you mean 'no_keepalives'?"),
        ('reader = "r1"\nat_s = 1\nswitches = { stamps = "utz" }', "stamps = 'utz': Input should be 'utc'"),
        ('reader = "r1"\nat_s = -1\nswitches = { no_keepalives = true }', "at_s"),
        ('reader = "r1"\nat_s = 1\nswitches = {}', "switches"),
    ],
)
def test_a_wrong_fault_is_named_with_its_place(fault, words):
    with pytest.raises(ScenarioError) as caught:
        parse(f"{BASE}[[faults]]\n{fault}\n", "here")
    assert words in str(caught.value)


def test_every_switch_takes_its_own_default_back():
    for switch in switches():
        assert checked(switch.name, getattr(Faults(), switch.name)) == checked(switch.name, switch.default)


def test_every_field_but_the_anchor_of_the_skew_is_a_switch_with_words():
    assert {switch.name for switch in switches()} == set(Faults.__slots__) - {"skew_since_us"}
    assert all(switch.description.endswith(".") and switch.type for switch in switches())
