"""Commands that blind a doorway are refused where they would keep it blind."""

import asyncio

import pytest

from edge.agent.blinding import APART_S, Blinding
from edge.agent.orders import OnLookers
from edge.commands import TooSoonError


class Time:
    """A clock that a test sets."""

    us = 0

    def __call__(self) -> int:
        return self.us


def test_a_reader_is_left_in_peace_between_two_commands_and_other_readers_are_not_concerned():
    now = Time()
    blinding = Blinding(now)
    with blinding.of("r1"):
        now.us = 60_000_000
        with pytest.raises(TooSoonError, match="another command blinds reader r1 now"), blinding.of("r1"):
            pass
        with blinding.of("r2"):
            pass
    now.us += 12_000_000
    with pytest.raises(TooSoonError, match=r"12 s ago: .* watched for 30 s between"):
        blinding.of("r1").__enter__()
    now.us += (APART_S - 12) * 1_000_000
    with blinding.of("r1"):
        pass


def test_a_command_that_failed_has_blinded_all_the_same():
    blinding = Blinding(Time())
    with pytest.raises(ZeroDivisionError), blinding.of("r1"):
        raise ZeroDivisionError
    with pytest.raises(TooSoonError):
        blinding.of("r1").__enter__()


async def test_a_reader_is_surveyed_once_at_a_time():
    onlookers = OnLookers(lambda _: asyncio.sleep(0))
    first = asyncio.create_task(onlookers.survey("r1", 60))
    await asyncio.sleep(0)
    with pytest.raises(TooSoonError, match="r1 is being surveyed already"):
        await onlookers.survey("r1", 1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await onlookers.survey("r1", 0)
