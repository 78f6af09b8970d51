"""Stuck brokers, silent services and programs that die again and again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deploy.standalone.central_client import Snapshot
from deploy.standalone.errors import NoAnswerError
from deploy.standalone.restarts import LIMIT, WITHIN_S, RestartLimit
from deploy.standalone.stuck import StuckBroker
from deploy.standalone.watching import SILENCE_S, Watch

START = datetime(2026, 1, 1, tzinfo=UTC)
WAITING = Snapshot(pending=3, written=10, committed=7, uplink="backlog", health_at=START)


def at(second, snapshot):
    """The snapshot with a health report of this second."""
    return replace(snapshot, health_at=START + timedelta(seconds=second))


def restarts(snapshots):
    """The seconds at which the broker is to be started again, one snapshot a second."""
    stuck = StuckBroker()
    return [second for second, one in enumerate(snapshots) if stuck.note(one, float(second))]


def test_five_restarts_within_a_minute_are_allowed_and_more_later():
    limit = RestartLimit()
    assert [limit.allow(float(second)) for second in range(LIMIT + 1)] == [True] * LIMIT + [False]
    assert limit.allow(WITHIN_S)
    assert not limit.allow(WITHIN_S + 0.5)


def test_a_backlog_that_stands_still_restarts_the_broker_at_most_once_a_minute():
    assert restarts(at(second, WAITING) for second in range(100)) == [20, 80]


def test_a_backlog_that_moves_is_left_alone():
    moving = [replace(at(second, WAITING), committed=second // 15) for second in range(100)]
    assert restarts(moving) == []


@pytest.mark.parametrize("calm", [{"pending": 0}, {"uplink": "live"}])
def test_standing_still_without_a_backlog_is_no_fault(calm):
    assert restarts(replace(at(second, WAITING), **calm) for second in range(100)) == []


def test_an_agent_that_falls_silent_restarts_the_broker_but_one_never_heard_does_not():
    assert restarts([replace(WAITING, pending=0)] * 100) == [45]
    assert restarts([Snapshot()] * 100) == []


class Fake:
    """Stack, client and view in one."""

    def __init__(self, answers) -> None:
        self.answers, self.said, self.restarted = iter(answers), [], []
        self.say, self.restart_broker = self.said.append, self.restarted.append

    def check(self):
        pass

    def tell_space(self, pending):
        self.waiting = pending

    def show(self, snapshot):
        pass

    def snapshot(self):
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def watch(answers, times):
    fake, clock = Fake(answers), iter(times)
    return fake, Watch(fake, fake, fake, lambda: next(clock))


def test_a_silence_is_told_once_and_its_end_as_well():
    silent = NoAnswerError("the central service did not answer")
    fake, one = watch([silent, silent, Snapshot(), Snapshot()], [0.0, 1.0, 2.0, 3.0])
    assert [one.look() for _ in range(4)] == [None, None, Snapshot(), Snapshot()]
    assert fake.said == ["For the moment the central service did not answer", "The central service answers again."]


def test_a_silence_without_end_ends_the_run():
    _, one = watch([NoAnswerError("silent")] * 2, [0.0, SILENCE_S + 1.0])
    assert one.look() is None
    with pytest.raises(NoAnswerError):
        one.look()


def test_a_stuck_broker_is_started_again_with_the_reason():
    fake, one = watch([at(0, WAITING), at(20, WAITING)], [0.0, 20.0])
    one.look()
    one.look()
    assert fake.waiting == 3
    assert fake.restarted == ["3 events wait and none arrived for 20 s"]
