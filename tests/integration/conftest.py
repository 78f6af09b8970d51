"""A central of its own for each test that asks for one."""

import pytest

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
