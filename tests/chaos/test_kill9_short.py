"""The kill -9 trial in short: the whole chain of real programs, each killed at least once."""

import pytest

from tests.chaos.trial import Trial


@pytest.mark.parametrize("broker", ["nats", pytest.param("mosquitto", marks=pytest.mark.system("mosquitto"))])
def test_nothing_is_lost_or_doubled_when_broker_edge_and_central_are_killed(broker, tmp_path):
    """Eight seconds of kills; the trial goes on until each program was killed once."""
    outcome = Trial(broker, tmp_path, seed=11, rate=200).hold(8.0)
    assert outcome.passed, outcome.figures()
    assert min(outcome.kills.values()) >= 1
    assert outcome.verdict.quarantined == 0
