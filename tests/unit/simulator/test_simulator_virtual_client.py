"""The virtual client of a recording: what it asks of readers of both makes, and why it gives one up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.faults import Faults
from simulator.runs.client import Stage, VirtualClient, attempt_status, parsed, response_status
from simulator.runs.requests import Inventory, requests
from simulator.server.device import ReaderDevice
from simulator.server.model import ReaderModel, zebra_fx9600
from simulator.server.now import Now


def now(at_us=0):
    """One moment of a reader without faults."""
    return Now(1_700_000_000_000_000 + at_us, at_us)


def converse(device, client):
    """Let both talk until they have said all; return the requests' types."""
    asked = []
    heard = device.connect(now())
    while heard:
        said = client.receive(heard, 0)
        asked += [parsed(one).type for one in said]
        heard = [answer for one in said for answer in device.receive(parsed(one), now())]
    return asked


@pytest.mark.parametrize(("model", "impinj"), [(ReaderModel(), True), (zebra_fx9600(), False)])
def test_the_client_sets_up_readers_of_both_makes(model, impinj):
    """All is accepted, and the inventory runs on the ports that were asked for."""
    device = ReaderDevice(model, bytes(8))
    client = VirtualClient(Inventory(antennas=(1, 3), session=1, impinj=impinj), 0)
    converse(device, client)
    assert (client.stage, client.problem) == (Stage.READING, "")
    assert device.radio().antennas == (1, 3)
    spec = device.inventory.active
    assert spec.aispecs[0].commands[1].session == 1
    assert spec.report.content.impinj_phase == impinj


def test_a_triggered_reader_waits_for_its_input():
    """It is set up and doesn't read, until the input calls, and then for so long."""
    device = ReaderDevice(ReaderModel(), bytes(8))
    client = VirtualClient(Inventory(antennas=(1,), inputs=(2,), trigger=(2, True, 5000)), 0)
    converse(device, client)
    assert client.stage is Stage.READING
    assert device.radio() is None
    device.gpi(2, now(), high=True)
    assert device.radio() is not None
    device.tick(now(5_100_000))
    assert device.radio() is None


def test_the_client_acknowledges_keepalives_and_ignores_answers_to_others():
    """Stale responses and events come between a request and its answer."""
    device = ReaderDevice(ReaderModel(), bytes(8), Faults(interleave=True, stale_responses=True))
    client = VirtualClient(Inventory(antennas=(1,)), 0)
    asked = converse(device, client)
    assert client.stage is Stage.READING
    assert asked.count(72) == len([one for one in requests(Inventory(antennas=(1,))) if one.kind != 1023])


@pytest.mark.parametrize(
    ("faults", "problem"),
    [
        (Faults(refused={20: 111}), "ADD_ROSPEC was refused, LLRP status 111"),
        (Faults(attempt_status=2), "the reader turned us away, connection attempt status 2"),
        (Faults(unknown=frozenset({3})), "SET_READER_CONFIG was refused, LLRP status 109"),
        (Faults(greeting="bytes", greeting_bytes=b"hello"), "what the reader says is no LLRP"),
    ],
)
def test_the_client_says_why_a_session_failed(faults, problem):
    """Refused, turned away, no LLRP."""
    device = ReaderDevice(ReaderModel(), bytes(8), faults)
    client = VirtualClient(Inventory(antennas=(1,)), 0)
    if away := device.turns_away(now()):
        client.receive(away, 0)
    else:
        converse(device, client)
    assert (client.stage, client.problem) == (Stage.FAILED, problem)


def test_the_client_gives_up_a_reader_that_does_not_answer():
    """After five seconds, no earlier."""
    device = ReaderDevice(ReaderModel(), bytes(8), Faults(deaf=frozenset({3})))
    client = VirtualClient(Inventory(antennas=(1,)), 0)
    converse(device, client)
    client.tick(5_000_000)
    assert client.stage is Stage.SETTING_UP
    client.tick(5_000_001)
    assert (client.stage, client.problem) == (Stage.FAILED, "the reader doesn't answer")


def test_vendors_extensions_that_are_refused_are_gone_on_without():
    """As an agent does; the selector then is refused, which ends it."""
    device = ReaderDevice(ReaderModel(), bytes(8), Faults(refused={21: 100, 41: 100}))
    client = VirtualClient(Inventory(antennas=(1,)), 0)
    converse(device, client)
    assert client.stage is Stage.READING


@given(st.binary(max_size=64))
def test_any_bytes_of_a_reader_are_taken(data):
    """What isn't what it should be gives no status, and no other error."""
    assert attempt_status(data) is None or attempt_status(data) >= 0
    assert response_status(13, data) >= 0
    VirtualClient(Inventory(antennas=(1,)), 0).receive([data], 0)
