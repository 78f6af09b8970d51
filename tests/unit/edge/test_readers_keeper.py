"""What keeps devices in session, and how their losses become rows."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.contracts import instant, instant_us
from edge.readers.errors import ReaderClosedError, ReaderSilentError, ReaderUnreachableError
from edge.readers.keeper import Keeper, full_jitter_s
from edge.readers.losses import PERIOD_US, LossLog
from edge.readers.model import ReaderCounters
from tests.helpers.kept import kept

START_US = 1_800_000_000_000_000


@given(attempt=st.integers(0, 1_000), seed=st.integers(0, 2**32))
def test_waits_spread_below_a_bound_that_doubles_and_stops(attempt, seed):
    wait_s = full_jitter_s(attempt, base_s=0.5, max_s=30.0, rng=random.Random(seed))
    assert 0.0 <= wait_s <= min(30.0, 0.5 * 2**attempt)


def test_the_first_loss_is_told_at_once_and_further_ones_together():
    log = LossLog("r1")
    log.add("garbled", START_US, START_US + 5, 1)
    (row,) = log.due(START_US + 5)
    assert (row.reason, row.from_, row.to, row.count) == ("garbled", instant(START_US), instant(START_US + 5), 1)
    log.add("garbled", START_US + 10, START_US + 20, 2)
    log.add("garbled", START_US + 30, START_US + 40, 3)
    assert log.due(START_US + 40) == []
    (row,) = log.due(START_US + 5 + PERIOD_US)
    assert (row.from_, row.to, row.count) == (instant(START_US + 10), instant(START_US + 40), 5)
    assert log.due(START_US + 3 * PERIOD_US) == []


def test_a_session_that_ends_writes_what_is_open():
    log = LossLog("r1")
    for number in range(3):
        log.add("garbled", START_US + number, START_US + number, None)
        log.due(START_US)
    (row,) = log.due(START_US, all_of_them=True)
    assert row.count is None


@given(
    losses=st.lists(st.tuples(st.integers(0, 30_000_000), st.integers(0, 5_000_000), st.integers(1, 9)), max_size=40)
)
def test_no_loss_is_left_out_and_no_span_is_longer_than_what_it_stands_for(losses):
    log, rows, now_us = LossLog("r1"), [], START_US
    for pause_us, span_us, count in losses:
        now_us += pause_us
        log.add("garbled", now_us - span_us, now_us, count)
        rows += log.due(now_us)
    rows += log.due(now_us, all_of_them=True)
    assert sum(row.count for row in rows) == sum(count for _, _, count in losses)
    if losses:
        assert max(instant_us(row.to) for row in rows) == now_us
    assert all(row.from_ <= row.to for row in rows)


class Scripted:
    """A session that ends as it is told."""

    problem = who = ""
    heard_us = START_US

    def __init__(self, error, begins) -> None:
        self.error, self.begins = error, begins

    def antennas(self):
        return []

    async def run(self, started):
        if self.begins:
            started()
        raise self.error


def scripted(script, *, sink, now_us, rng, log):
    """A keeper of sessions by a script, whose last line repeats."""
    lines = iter(script)
    state = {"last": None}

    def make(*, tell, lost_at_us):
        state["last"] = next(lines, state["last"])
        return Scripted(*state["last"])

    return Keeper(
        "d1", "here", profile="test", make=make, counters=ReaderCounters(), backoff_base_s=0.001, backoff_max_s=0.002,
        now_us=now_us, rng=rng, log=log,
    )  # fmt: skip


async def test_a_loss_is_told_once_for_each_cause():
    script = [
        (ReaderUnreachableError("absent"), False),
        (ReaderUnreachableError("absent"), False),
        (ReaderSilentError("silent"), False),
        (ReaderClosedError("pulled"), True),
        (ReaderUnreachableError("absent"), False),
    ]
    async with kept(scripted, script) as agent:
        await agent.until(lambda agent: len(agent.said("reader lost")) == 4)
        told = [entry["cause"] for entry in agent.said("reader lost")]
        assert told == ["ReaderUnreachableError", "ReaderSilentError", "ReaderClosedError", "ReaderUnreachableError"]
        health = await agent.until_state("lost")
        assert health.since == instant(START_US), "the last proof of life"
        assert health.profile == "test"


async def test_an_error_that_is_no_readers_ends_the_keeper():
    """A fault of ours must not be retried in silence."""
    with pytest.raises(KeyError):
        async with kept(scripted, [(KeyError("ours"), False)]) as agent:
            await agent.keeper.run()
