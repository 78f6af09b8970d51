"""How long a request is waited for, as its error tells it."""

import asyncio
import time

import pytest

from edge.llrp.messages.answers import AddROSpecResponse
from edge.llrp.messages.commands import GetReport
from edge.readers.errors import ReaderSilentError
from edge.readers.requests import PATIENCE, Requests

TIMEOUT_S = 0.1


async def asked(busy_s, *, slept_s):
    """Ask what nobody answers, while this process sleeps for a while."""
    requests = Requests("reader r1", lambda _data: None, timeout_s=TIMEOUT_S, busy_s=busy_s)
    asking = asyncio.create_task(requests.ask_frame(GetReport(), AddROSpecResponse))
    await asyncio.sleep(0)
    time.sleep(slept_s)  # noqa: ASYNC251 (as on a machine that lets others run)
    with pytest.raises(ReaderSilentError) as told:
        await asking
    return str(told.value)


@pytest.mark.parametrize("slept_s", [0.0, 5 * TIMEOUT_S])
async def test_who_reports_for_ever_had_all_of_the_patience_however_long_we_slept(slept_s):
    """Reports came all the time: the words blamed the reader for the moment in which we fell asleep."""
    loop = asyncio.get_running_loop()
    assert (await asked(loop.time, slept_s=slept_s)).endswith(f" within {PATIENCE * TIMEOUT_S:g} s")


@pytest.mark.parametrize("slept_s", [0.0, 5 * TIMEOUT_S])
async def test_who_says_nothing_had_the_time_of_one_answer(slept_s):
    assert (await asked(lambda: 0.0, slept_s=slept_s)).endswith(f" within {TIMEOUT_S:g} s")
