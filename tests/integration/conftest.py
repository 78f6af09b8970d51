"""A central or broker of its own for each test that asks for one."""

import pytest

from tests.helpers.brokers import BROKERS
from tests.helpers.central import central, registered_database


@pytest.fixture
def dsn():
    """A database with the sample's registry; a module that wants another one says so itself."""
    with registered_database() as dsn:
        yield dsn


@pytest.fixture
async def one(dsn):
    """The central on it."""
    async with central(dsn) as opened:
        yield opened


@pytest.fixture(params=["nats", pytest.param("mosquitto", marks=pytest.mark.system("mosquitto"))])
def broker(request, tmp_path):
    """A running broker; a module that wants one kind alone says so itself."""
    (tmp_path / "broker").mkdir()
    started = BROKERS[request.param](tmp_path / "broker")
    started.start()
    yield started
    started.stop()
