"""The farewell of a connection, cut short."""

import asyncio

import pytest
import structlog

from edge.readers import ReaderSettings
from edge.readers.connection import Connection


class Silent(asyncio.Transport):
    """Takes everything and answers nothing."""

    aborted = False

    def write(self, _data):
        pass

    def abort(self):
        self.aborted = True


async def test_farewell_that_is_cancelled_still_closes_the_link():
    """A stop that doesn't wait for the farewell's answers leaves no open connection behind, and no unheard error."""
    settings = ReaderSettings(id="r1", host="127.0.0.1", port=1, antennas=(1,))
    connection = Connection(
        settings,
        None,
        received=lambda *_: None,
        stray=lambda _: None,
        bad=lambda _: None,
        log=structlog.get_logger(),
    )
    transport = Silent()
    connection._link.connection_made(transport)
    connection._greeted.set_result(None)
    leaving = asyncio.create_task(connection.hang_up([]))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert transport.aborted
    assert connection.lost.cancelled()
