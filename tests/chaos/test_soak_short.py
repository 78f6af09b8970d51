"""The soak in short: the whole chain of real programs, each kind of harm done at least once."""

import pytest

from tests.chaos.trial import CHANGES, KILLS, MACHINE, Trial

# The trial's own waits end by words that name what didn't come; there are more of them than fit into five minutes.
pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("broker", ["nats", pytest.param("mosquitto", marks=pytest.mark.system("mosquitto"))])
def test_nothing_is_lost_or_doubled_when_any_program_is_killed(broker, tmp_path):
    """Eight seconds of kills; the trial goes on until each program was killed once."""
    outcome = Trial(broker, tmp_path, seed=11, rate=200, kinds=KILLS).hold(8.0)
    assert outcome.passed, outcome.figures()
    assert set(outcome.faults) == set(KILLS)
    assert outcome.verdict.quarantined == 0
    assert outcome.judged.get("refuse", 0) >= 1, outcome.judged


def test_nothing_is_lost_or_doubled_by_a_full_or_read_only_disk_a_clock_that_steps_and_a_half_open_link(tmp_path):
    """The machine's own troubles, which the agent rides out in its memory."""
    kinds = (*MACHINE, "half-open agent-broker")
    outcome = Trial("nats", tmp_path, seed=5, rate=100, kinds=kinds).hold(4.0)
    assert outcome.passed, outcome.figures()
    assert set(outcome.faults) == set(kinds)
    assert outcome.refused >= 1  # else the disk's faults were none


def test_nothing_is_lost_or_doubled_when_the_agent_is_configured_anew_and_some_may_leave_by_now(tmp_path):
    """Its parts are built anew while reads come; each pass is a delta of the gate snapshot."""
    outcome = Trial("nats", tmp_path, seed=3, rate=200, kinds=CHANGES).hold(6.0)
    assert outcome.passed, outcome.figures()
    assert set(outcome.faults) == set(CHANGES)
    assert outcome.renewed >= 1  # else it wasn't configured anew
