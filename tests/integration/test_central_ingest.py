"""Ingest over a fake broker on a real PostgreSQL: watermarks, sessions, a database that goes and comes."""

import asyncio
import contextlib
import json

import pytest

from central.application.errors import StoreUnavailable
from central.ingest import waiting, worker
from edge.contracts import topic
from tests.helpers.central import (
    GATEWAY,
    START,
    central,
    envelope,
    epc,
    ingesting,
    movement,
    registered_database,
    until,
)

MOVEMENT = topic("hq", GATEWAY, "movement")
MARK = topic("hq", GATEWAY, "watermark")
BIRTH = {
    "online": True, "boot": "b", "version": "1",
    "portals": [
        {"id": "stockroom-a-door", "inside": "stockroom-a", "outside": "corridor", "layout": "two-sided"},
        {"id": "main-entrance", "inside": "corridor", "outside": "street", "layout": "two-sided"},
    ],
}  # fmt: skip


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


def marks(link, where=MARK):
    return [payload for name, payload in link.published if name == where]


def upto(link):
    found = [mark["streams"]["movement"]["upto"] for mark in marks(link) if "movement" in mark["streams"]]
    return found[-1] if found else 0


async def test_the_watermark_follows_the_commit(one):
    async with ingesting(one) as (link, *_):
        link.connect()
        link.deliver(MOVEMENT, envelope([movement(1), movement(2, kind="near")]))
        await until(lambda: upto(link) == 2)
        assert marks(link)[-1]["streams"]["movement"] == {"epoch": "e1", "upto": 2, "above": []}
        assert await one.sql("SELECT count(*) FROM movement") == [(2,)]


async def test_each_connect_opens_a_session_and_tells_every_registered_gateway(one):
    await one.take(movement(1))
    async with ingesting(one) as (link, *_):
        link.connect()
        await until(lambda: marks(link))
        await until(lambda: marks(link, topic("hq", "hq-west-1", "watermark")))
        first = marks(link)[-1]
        assert first["streams"]["movement"]["upto"] == 1
        link.connect()
        await until(lambda: marks(link)[-1]["session"] != first["session"])


async def test_watermarks_are_repeated(one):
    async with ingesting(one, watermark_s=0.02) as (link, *_):
        link.connect()
        await until(lambda: len(marks(link)) > 4)
        assert len({mark["session"] for mark in marks(link)[1:]}) == 1


async def test_a_hole_is_told_until_it_is_filled(one):
    async with ingesting(one) as (link, *_):
        link.connect()
        link.deliver(MOVEMENT, envelope([movement(3, kind="near"), movement(4, kind="near")]))
        await until(lambda: marks(link) and marks(link)[-1]["streams"])
        assert marks(link)[-1]["streams"]["movement"] == {"epoch": "e1", "upto": 0, "above": [[3, 4]]}
        link.deliver(MOVEMENT, envelope([movement(1, kind="near"), movement(2, kind="near")]))
        await until(lambda: upto(link) == 4)


async def test_the_epoch_that_advanced_last_is_told(one):
    async with ingesting(one) as (link, *_):
        link.connect()
        link.deliver(MOVEMENT, envelope([movement(1, kind="near")], epoch="old"))
        await until(lambda: upto(link) == 1)
        link.deliver(MOVEMENT, envelope([movement(1, kind="near", after_s=5)], epoch="new"))
        await until(lambda: marks(link)[-1]["streams"]["movement"]["epoch"] == "new")


class FailingLog:
    """The store, down for its first transactions; the last of them waits until it may fail."""

    def __init__(self, log, failures) -> None:
        self._log, self.failures, self.last_may_fail = log, failures, asyncio.Event()

    def __getattr__(self, name):  # noqa: ANN204 (whatever the store has)
        return getattr(self._log, name)

    @contextlib.asynccontextmanager
    async def transaction(self):
        async with self._log.transaction() as transaction:
            yield transaction
            if self.failures:
                if self.failures == 1:
                    await self.last_may_fail.wait()
                self.failures -= 1
                raise StoreUnavailable("the server went away before the commit")


async def test_nothing_is_promised_while_the_database_is_down_and_all_once_it_is_back(one, monkeypatch):
    monkeypatch.setattr(worker, "RETRY_FIRST_S", 0.01)
    log = FailingLog(one.log, failures=3)
    async with ingesting(one, log=log) as (link, ingest, _feed, metrics):
        link.connect()
        link.deliver(MOVEMENT, envelope([movement(1), movement(2, tag=epc(2))]))
        await until(lambda: log.failures == 1)
        assert upto(link) == 0
        assert "not available" in ingest.problem
        log.last_may_fail.set()
        await until(lambda: upto(link) == 2)
        await until(lambda: ingest.problem == "")
        assert metrics.registry.get_sample_value("stockgate_commit_retries_total") == 3
    assert await one.counts() == {"corridor": 3}


async def test_messages_beyond_the_queue_are_put_off_and_counted(one, monkeypatch):
    monkeypatch.setattr(waiting, "MAX_QUEUED", 3)
    async with ingesting(one) as (link, _ingest, _feed, metrics):
        for seq in range(1, 6):
            link.deliver(MOVEMENT, envelope([movement(seq, kind="near", after_s=seq)]))
        link.connect()
        await until(lambda: upto(link) == 3)
        assert metrics.registry.get_sample_value("stockgate_messages_put_off_total") == 2
        for seq in (4, 5):
            link.deliver(MOVEMENT, envelope([movement(seq, kind="near", after_s=seq)]))
        await until(lambda: upto(link) == 5)


async def test_garbage_is_quarantined_counted_and_visible_and_the_next_message_commits(one):
    async with ingesting(one) as (link, _ingest, _feed, metrics):
        link.connect()
        for payload in (b"\xff\x00", b"{}", b"\xff\x00"):
            link.deliver(MOVEMENT, payload)
        link.deliver(topic("hq", GATEWAY, "state"), b"not json")
        link.deliver(MOVEMENT, envelope([movement(1, kind="near")]))
        await until(lambda: upto(link) == 1)
        # What has no place in a stream goes another lane than the rows.
        await until(lambda: metrics.registry.get_sample_value("stockgate_quarantined_total") == 4)
    items = await one.views.quarantined(10)
    assert sorted(item.times for item in items) == [1, 1, 2]
    assert any("\\xff" in item.payload for item in items)


async def test_every_malformed_word_of_a_burst_is_quarantined_and_the_newest_good_one_stands(one):
    state = topic("hq", GATEWAY, "state")
    nul = json.dumps(BIRTH | {"version": "1\0"}).encode()
    async with ingesting(one) as (link, _ingest, _feed, metrics):
        link.connect()
        for payload in (b"one", json.dumps(BIRTH).encode(), b"two", b"three", nul):
            link.deliver(state, payload)
        async with _until_listed(one, GATEWAY, lambda gateway: gateway.online):
            pass
        await until(lambda: metrics.registry.get_sample_value("stockgate_quarantined_total") == 4)
    assert {item.payload for item in await one.views.quarantined(10)} == {"one", "two", "three", nul.decode()}


async def test_malformed_words_beyond_what_is_held_are_counted(one, monkeypatch):
    monkeypatch.setattr(worker, "MAX_MALFORMED", 2)
    async with ingesting(one) as (link, _ingest, _feed, metrics):
        link.connect()
        for number in range(5):
            link.deliver(topic("hq", GATEWAY, "health"), str(number).encode())
        await until(lambda: metrics.registry.get_sample_value("stockgate_quarantined_total") == 2)
        assert metrics.registry.get_sample_value("stockgate_malformed_dropped_total") == 3


async def test_an_unregistered_gateway_waits_in_sight_until_a_portal_names_it(one):
    stranger = topic("hq", "new-gw", "movement")
    async with ingesting(one, watermark_s=0.05) as (link, *_):
        link.connect()
        link.deliver(stranger, envelope([movement(1, gateway="new-gw", portal="new-door")], gateway="new-gw"))
        async with _until_listed(one, "new-gw") as gateway:
            assert (gateway.registered, gateway.online) == (False, True)
        assert not marks(link, topic("hq", "new-gw", "watermark"))
        await one.import_(
            portals="id,name,site,gateway,inside,outside,mode\nnew-door,New,hq,new-gw,stockroom-a,corridor,\n"
        )
        await until(lambda: marks(link, topic("hq", "new-gw", "watermark")))
        link.deliver(stranger, envelope([movement(1, gateway="new-gw", portal="new-door")], gateway="new-gw"))
        await until(lambda: marks(link, topic("hq", "new-gw", "watermark"))[-1]["streams"])
    assert await one.where("LT-0001") == "corridor"


async def test_a_gateway_that_speaks_for_another_site_than_its_portals_is_told_where_they_name_it(one):
    async with ingesting(one) as (link, *_):
        link.connect()
        link.deliver(topic("pune", "new-gw", "movement"), envelope([movement(1, gateway="new-gw")], gateway="new-gw"))
        async with _until_listed(one, "new-gw") as gateway:
            assert (gateway.registered, gateway.registered_site) == (False, None)
        await one.import_(
            portals="id,name,site,gateway,inside,outside,mode\nnew-door,New,hq,new-gw,stockroom-a,corridor,\n"
        )
        (gateway,) = await one.views.gateways(["new-gw"])
        assert (gateway.site, gateway.registered, gateway.registered_site) == ("pune", False, "hq")


async def test_births_heartbeats_and_wills_show_and_portals_are_compared(one):
    state, health = topic("hq", GATEWAY, "state"), topic("hq", GATEWAY, "health")
    beat = {"gateway": GATEWAY, "boot": "b", "at": "2026-03-02T09:00:00.000000Z", "uptime_s": 5.0, "uplink": "live"}
    wrong = json.loads(json.dumps(BIRTH))
    wrong["portals"][0]["inside"] = "corridor"
    wrong["portals"][0]["outside"] = "stockroom-a"
    async with ingesting(one) as (link, *_):
        link.connect()
        link.deliver(state, json.dumps(wrong).encode())
        link.deliver(health, json.dumps(beat | {"readers": [], "streams": []}).encode())
        async with _until_listed(one, GATEWAY, lambda gateway: gateway.health) as gateway:
            assert (gateway.online, gateway.health["uplink"]) == (True, "live")
        alert = (await one.views.alerts(state="open", limit=9))[0]
        assert (alert.kind, alert.corrected) == ("portal_config_mismatch", False)
        assert "stockroom-a-door: the gateway says it joins corridor to stockroom-a" in alert.reason
        link.deliver(state, json.dumps(BIRTH).encode())
        link.deliver(state, json.dumps({"online": False, "boot": "b", "version": "1"}).encode())
        async with _until_listed(one, GATEWAY, lambda gateway: not gateway.online) as gateway:
            assert not gateway.stopped
        link.deliver(state, json.dumps({"online": False, "stopped": True, "boot": "b", "version": "1"}).encode())
        async with _until_listed(one, GATEWAY, lambda gateway: gateway.stopped):
            pass
        link.deliver(state, json.dumps(BIRTH).encode())
        async with _until_listed(one, GATEWAY, lambda gateway: gateway.online):
            pass
    assert (await one.views.alerts(state="open", limit=9))[0].corrected


async def test_zones_of_a_birth_are_told_until_the_registry_says_where_they_lie(one):
    await one.import_(
        locations="id,name,kind,parent,guarded\npune-site,Pune,site,,\npune-store,Store,zone,pune-site,\n"
        "cage,Cage,zone,stockroom-a,\n"
    )
    zones = [
        ("corridor", "corridor"),
        ("shelf", "stockroom-a"),
        ("bay", "attic"),
        ("far", "pune-store"),
        ("cage", "hq"),
    ]
    born = json.dumps(BIRTH | {"zones": [{"id": name, "location": place} for name, place in zones]}).encode()
    state = topic("hq", GATEWAY, "state")
    async with ingesting(one) as (link, *_):
        link.connect()
        link.deliver(state, born)
        async with _until_alert(one, lambda alert: not alert.corrected) as alert:
            assert alert.kind == "portal_config_mismatch"
            told = alert.reason.split(". The registry's answer")[0].split("; ")
            assert told == [
                "zone shelf: the gateway says it lies in stockroom-a, the registry does not know where",
                "zone bay: the gateway says it lies in attic, which the registry does not have",
                "zone far: the gateway says it lies in pune-store, the registry does not know where",
                "zone cage: the gateway says it lies in hq, the registry in cage",
            ]
            assert "portals.csv" not in alert.reason, "its doors are as they should be"
        for name, place in (("shelf", "stockroom-a"), ("far", "pune-store"), ("cage", "hq")):
            await one.counting.place_zone(GATEWAY, name, place, "ann", START)
        zones.remove(("bay", "attic"))
        link.deliver(state, json.dumps(BIRTH | {"zones": [{"id": n, "location": at} for n, at in zones]}).encode())
        async with _until_alert(one, lambda alert: "shelf" not in alert.reason) as alert:
            lies = "zone far: lies in pune-store at pune-site, where the gateway has no door"
            assert alert.reason.startswith(f"{lies}. ")
        zones.remove(("far", "pune-store"))
        link.deliver(state, json.dumps(BIRTH | {"zones": [{"id": n, "location": at} for n, at in zones]}).encode())
        async with _until_alert(one, lambda alert: alert.corrected):
            pass


async def test_the_feed_tells_what_a_commit_changed_in_the_apis_shapes(one):
    async with ingesting(one) as (link, _ingest, feed, _metrics):
        link.connect()
        with feed.listen(["movement", "location"]) as listener:
            link.deliver(MOVEMENT, envelope([movement(1)]))
            await until(lambda: upto(link) == 1)
            await until(lambda: listener._queue.qsize() >= 3)
            feed.close()
            events = [(event.kind, json.loads(event.data)) async for event in listener]
    kinds = [kind for kind, _ in events]
    assert sorted(kinds) == ["location", "location", "movement"]
    told = dict(events)
    assert (told["movement"]["asset"], told["movement"]["from"]) == ("LT-0001", "stockroom-a")


@contextlib.asynccontextmanager
async def _until_listed(one, name, true=bool):
    """Wait until a gateway is listed as wanted."""
    async with asyncio.timeout(20):
        while True:
            found = await one.views.gateways([name])
            if found and true(found[0]):
                break
            await asyncio.sleep(0.02)
    yield found[0]


@contextlib.asynccontextmanager
async def _until_alert(one, true):
    """Wait until the newest alert is as wanted."""
    async with asyncio.timeout(60):
        while True:
            found = await one.views.alerts(state="open", limit=9)
            if found and true(found[0]):
                break
            await asyncio.sleep(0.02)
    yield found[0]
