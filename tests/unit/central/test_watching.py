"""Notice of imports, over a store that the test changes."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from central.application import watching
from central.application.errors import StoreUnavailable
from central.application.feed import Feed
from central.application.views import LocationView
from central.application.watching import RegistryWatch
from tests.helpers.central import until


class FakeStore:
    """A registry's version and counts; both ports at once."""

    def __init__(self) -> None:
        self.version = 1
        self.counts = {"stockroom": 3, "hall": 0}
        self.down = False

    async def registry(self):
        if self.down:
            raise StoreUnavailable("gone")
        return SimpleNamespace(version=self.version)

    async def locations(self):
        common = {"kind": "zone", "parent": None, "guarded": False, "counted_at": None}
        return [LocationView(id=name, name=name, count=count, **common) for name, count in self.counts.items()]


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def heard():
    """A feed, and what it told, as (kind, location, count)."""
    told, feed = [], Feed(lambda: 1)

    def note(kind, data):
        found = json.loads(data)
        told.append((kind, found["id"], found["count"]))

    feed.publish = note
    return feed, told


async def test_an_import_tells_the_counts_that_changed_and_no_other(store, heard):
    feed, told = heard
    watch = RegistryWatch(store, store, feed)
    await watch.look()
    store.version, store.counts = 2, {"stockroom": 2, "hall": 0, "annex": 1}
    await watch.look()
    await watch.look()
    assert told == [("location", "stockroom", 2), ("location", "annex", 1)]


async def test_counts_that_move_without_an_import_are_left_to_ingest(store, heard):
    feed, told = heard
    watch = RegistryWatch(store, store, feed)
    await watch.look()
    store.counts["hall"] = 5
    await watch.look()
    assert told == []


async def test_an_import_made_while_the_database_was_out_of_reach_is_told_afterwards(store, heard, monkeypatch):
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.001)
    feed, told = heard
    watch = RegistryWatch(store, store, feed)
    await watch.look()
    store.down, store.version, store.counts = True, 2, {"stockroom": 9}
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0.01)
    assert told == []
    store.down = False
    await until(lambda: told)
    task.cancel()
    assert told == [("location", "stockroom", 9)]
