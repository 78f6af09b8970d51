"""What follows a report waits a moment in the socket, so that a reader's single reports come many a wake-up."""

import asyncio
from itertools import pairwise

import pytest

from edge.readers import link as links
from edge.readers.link import GATHER_S, Link
from tests.helpers.fake_reader import KEEPALIVE, message, report, tag
from tests.helpers.kept import WAIT_S

REPORTS = 100


@pytest.fixture
async def joined():
    """A link, what it received, and the reader's end of the connection."""
    chunks, lost, accepted = [], [], asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), "127.0.0.1", 0)
    link = Link(
        max_frame_bytes=1 << 20,
        received=lambda chunk: chunks.append((chunk.messages, asyncio.get_running_loop().time())),
        lost=lost.append,
    )
    await asyncio.get_running_loop().create_connection(lambda: link, *server.sockets[0].getsockname())
    writer = await accepted
    yield link, chunks, lost, writer
    link.close()
    writer.close()
    server.close()
    await asyncio.sleep(0.01)


async def until(holds):
    """Wait for it."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110 - a condition of many kinds, polled by a test
            await asyncio.sleep(0.005)


def messages(chunks):
    return sum(count for count, _ in chunks)


async def test_reports_sent_one_by_one_come_together_and_none_is_lost(joined):
    """However slowly this machine sends them, a wake-up is as far from the one before as it should be."""
    _, chunks, _, writer = joined
    begun_s = asyncio.get_running_loop().time()
    for _ in range(REPORTS):
        writer.write(report(tag()))
        await asyncio.sleep(0.002)
    await until(lambda: messages(chunks) == REPORTS)
    assert len(chunks) <= 2 + (chunks[-1][1] - begun_s) / (0.9 * GATHER_S)
    gaps_s = [after - before for (_, before), (_, after) in pairwise(chunks)]
    assert min(gaps_s) >= 0.9 * GATHER_S


async def test_other_messages_alone_do_not_wait(joined, monkeypatch):
    """They would have to wait for longer than this test has patience."""
    monkeypatch.setattr(links, "GATHER_S", 2 * WAIT_S)
    _, chunks, _, writer = joined
    for sent in range(1, 6):
        writer.write(message(KEEPALIVE, 9))
        await until(lambda sent=sent: messages(chunks) == sent)


async def test_pause_outlasts_the_gathering(joined):
    link, chunks, _, writer = joined
    writer.write(report(tag()))
    await until(lambda: messages(chunks) == 1)
    link.pause()
    writer.write(report(tag()))
    await asyncio.sleep(3 * GATHER_S)
    assert messages(chunks) == 1
    link.resume()
    await until(lambda: messages(chunks) == 2)


async def test_end_of_the_connection_is_seen_after_the_last_report(joined):
    _, chunks, lost, writer = joined
    writer.write(report(tag()))
    await until(lambda: messages(chunks) == 1)
    writer.write(report(tag()))
    writer.close()
    await until(lambda: lost)
    assert messages(chunks) == 2
