"""The gate snapshot from a real PostgreSQL over a real broker to a reader that shares no code with the builder."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from central.app import _now
from central.application.alerting import QuietAsked, quieten
from central.application.undoing import undo_import
from central.gate.keys import KeyRing
from central.storage.registry import PgRegistry
from edge.contracts import EpcPrefix, decode_part
from tests.helpers.brokers import BROKERS
from tests.helpers.central import EPC, GATEWAY, central, epc, movement, registered_database
from tests.helpers.gate import Gate
from tests.helpers.publishing import allow, publishing, until

DOOR, ENTRANCE = "stockroom-a-door", "main-entrance"
OURS = EpcPrefix(hex="3034257bf7", bits=40)


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            opened.dsn = dsn
            yield opened


@pytest.fixture
def no_looks(monkeypatch):
    """The publisher looks only when it is told to: what comes to a gateway comes by a notice, and not by chance."""
    monkeypatch.setattr("central.gate.publisher.LOOK_EVERY_S", 3600.0)


@contextlib.contextmanager
def gateway(broker, keys, name=GATEWAY):
    gate = Gate(broker.port, [key.line for key in keys.keys], name)
    try:
        yield gate
    finally:
        gate.close()


async def test_a_reader_of_the_retained_topics_knows_what_may_leave_where(one, broker, tmp_path):
    async with publishing(one, broker, tmp_path) as (_, keys, _):
        with gateway(broker, keys) as gate:
            await until(gate.counters)
            assert gate.may_pass(epc(2), DOOR, _now())
            assert gate.may_pass(epc(2), ENTRANCE, _now())
            assert gate.may_pass(EPC, DOOR, _now()) is False
            assert gate.may_pass(EPC, DOOR, _now(), way="into")
            assert gate.may_pass("e2801160600002", DOOR, _now()) is None
            for index, payload in [(n, p) for n, p in gate.payloads.items() if n.startswith("part/") and p]:
                assert decode_part(payload).index == int(index.removeprefix("part/"))
        with gateway(broker, keys, "hq-west-1") as other:
            await until(other.counters)
            assert other.may_pass(epc(2), "back-door", _now())


async def test_an_approval_a_withdrawal_and_a_hold_come_as_deltas_by_their_notices(one, broker, tmp_path, no_looks):
    async with publishing(one, broker, tmp_path) as (_, keys, metrics):
        with gateway(broker, keys) as gate:
            generation, n = await until(gate.counters)
            gate.forget()
            end = _now() + timedelta(hours=1)
            await allow(one, "LT-0001", "stockroom-a", until_=end)
            await until(lambda: gate.may_pass(EPC, DOOR, _now()))
            assert gate.may_pass(EPC, DOOR, end) is False
            assert gate.may_pass(EPC, ENTRANCE, _now()) is False
            await one.sql("UPDATE authorisation SET withdrawn_at = now() WHERE id = 'A-9'")
            await until(lambda: gate.may_pass(EPC, DOOR, _now()) is False)
            await one.sql(
                "INSERT INTO asset_state (asset, custody_kind, title, holds)"
                " VALUES ('LT-0002', 'none', 'owned', '{legal}') ON CONFLICT (asset) DO UPDATE SET holds = '{legal}'"
            )
            await until(lambda: gate.may_pass(epc(2), DOOR, _now()) is False)
            assert {entry[0] for entry in gate.entries()[epc(2)]} == {"hold"}
            await one.sql("UPDATE asset_state SET holds = '{}' WHERE asset = 'LT-0002'")
            await until(lambda: gate.may_pass(epc(2), DOOR, _now()))
            assert (gate.counters()[0], gate.counters()[1] - n) == (generation, 4)
            assert set(gate.order) == {"delta"}
        assert metrics.registry.get_sample_value("stockgate_gate_generations_total") == 2


async def test_a_pass_that_a_door_honoured_is_gone_from_every_other_doors_snapshot_by_its_notice(
    one, broker, tmp_path, no_looks
):
    async with publishing(one, broker, tmp_path) as (_, keys, _):
        with gateway(broker, keys, "hq-west-1") as other:
            await until(other.counters)
            await allow(one, "LT-0001", "hq", single_use=True)
            await until(lambda: other.may_pass(EPC, "back-door", _now()))
            start = _now()
            await one.take(movement(1, final=False, portal=ENTRANCE, start=start), now=_now())
            await until(lambda: other.may_pass(EPC, "back-door", _now()) is False)
            back = movement(2, rev=2, kind="turned_back", portal=ENTRANCE, start=start)
            await one.take(back, now=_now())
            await until(lambda: other.may_pass(EPC, "back-door", _now()))


async def test_ours_that_may_leave_nothing_need_no_entry(one, broker, tmp_path, no_looks):
    async with publishing(one, broker, tmp_path, prefixes=[OURS]) as (_, keys, _):
        with gateway(broker, keys) as gate:
            await until(gate.counters)
            assert set(gate.entries()) == {epc(2)}
            assert gate.may_pass(EPC, DOOR, _now()) is False
            assert gate.may_pass("3034257bf7ffffffffffffff", DOOR, _now()) is False
            assert gate.may_pass("3034257bf8ffffffffffffff", DOOR, _now()) is None
            await allow(one, "LT-0001", "hq-site", name="site")
            await until(lambda: gate.may_pass(EPC, DOOR, _now()))
            await one.sql("DELETE FROM authorisation WHERE id = 'site'")
            await until(lambda: gate.may_pass(EPC, DOOR, _now()) is False)
            assert gate.delta()["removed"] == [EPC]


async def test_a_restart_continues_the_counters_and_sends_nothing_that_is_there(one, broker, tmp_path):
    async with publishing(one, broker, tmp_path) as (_, keys, _):
        with gateway(broker, keys) as gate:
            await until(gate.counters)
            await allow(one, "LT-0001", "hq")
            generation, n = await until(lambda: (now := gate.counters()) and now[1] > 1 and now)
    await allow(one, "LT-0003", "hq", name="while-nobody-published")
    with gateway(broker, keys) as gate:
        await until(gate.counters)
        gate.forget()
        async with publishing(one, broker, tmp_path):
            assert await until(lambda: gate.counters() == (generation, n + 1))
            assert gate.may_pass(epc(3), ENTRANCE, _now())
            assert set(gate.order) == {"delta"}


async def test_only_changed_parts_come_with_a_new_generation(one, broker, tmp_path, monkeypatch):
    """Here a delta is full with one asset; the parts without them keep bytes and digests."""
    async with publishing(one, broker, tmp_path) as (_, keys, _):
        with gateway(broker, keys) as gate:
            first, _n = await until(gate.counters)
            before = {name: payload for name, payload in gate.payloads.items() if name.startswith("part/") and payload}
            gate.forget()
            monkeypatch.setattr("central.gate.publisher.FULL_DELTA", 300)
            await allow(one, "LT-0001", "hq")
            await until(lambda: (gate.counters() or (0, 0))[0] == first + 1)
            after = {name: payload for name, payload in gate.payloads.items() if name.startswith("part/") and payload}
            changed = {name for name in after if after[name] != before.get(name)}
            assert len(changed) == 1
            assert {name for name in gate.order if name.startswith("part/")} == changed
            assert gate.order.index(*changed) < gate.order.index("manifest") < len(gate.order) - 1
            assert gate.may_pass(EPC, DOOR, _now())


async def test_a_broker_that_lost_what_it_kept_gets_all_of_it_again(one, tmp_path):
    (tmp_path / "broker").mkdir()
    broker = BROKERS["nats"](tmp_path / "broker")
    broker.start()
    async with publishing(one, broker, tmp_path) as (_, keys, _):
        with gateway(broker, keys) as gate:
            generation, _n = await until(gate.counters)
        broker.kill()
        _forget_everything(tmp_path / "broker")
        broker.start()
        try:
            with gateway(broker, keys) as gate:
                again, _n = await until(gate.counters)
                assert again == generation + 1
                assert gate.may_pass(epc(2), DOOR, _now())
        finally:
            broker.stop()


async def test_a_rotation_signs_with_the_successor_once_it_is_activated(one, broker, tmp_path, monkeypatch):
    monkeypatch.setattr("central.gate.publisher.LOOK_EVERY_S", 0.1)
    async with publishing(one, broker, tmp_path) as (_, keys, _):
        old = keys.signing.name
        KeyRing(tmp_path).rotate()
        assert len(keys.keys) == 2
        with gateway(broker, keys) as gate:
            generation, _n = await until(gate.counters)
            KeyRing(tmp_path).rotate()
            await until(lambda: (gate.counters() or (0, 0))[0] > generation)
            assert keys.signing.name != old


async def test_a_door_that_changes_its_place_brings_a_new_generation(one, broker, tmp_path):
    async with publishing(one, broker, tmp_path) as (_, keys, _):
        with gateway(broker, keys) as gate:
            generation, _n = await until(gate.counters)
            await one.import_(
                portals="id,name,site,gateway,inside,outside,mode\nstockroom-a-door,Door,hq,hq-east-1,stockroom-a,street,\n"
            )
            await until(lambda: (gate.counters() or (0, 0))[0] > generation)
            assert gate.manifest()["portals"][1]["out"] == ["stockroom-a", "hq"]


async def test_a_door_that_is_muted_is_told_so_and_no_part_is_sent_again(one, broker, tmp_path, no_looks):
    async with publishing(one, broker, tmp_path) as (_, keys, _):
        with gateway(broker, keys) as gate:
            generation, _n = await until(gate.counters)
            gate.forget()
            measure = QuietAsked(ENTRANCE, "muted", "observe", "removal", "ann", _now() + timedelta(hours=2))
            await quieten(one.book, measure, _now())
            await until(lambda: (gate.counters() or (0, 0))[0] > generation)
            told = {door["id"]: door for door in gate.manifest()["portals"]}
            assert (told[ENTRANCE]["mode"], told[DOOR]["mode"]) == ("alarm", "notify")
            assert [quiet["mode"] for quiet in told[ENTRANCE]["quiet"]] == ["observe"]
            assert (told[DOOR]["quiet"], told[DOOR]["stale"], told[DOOR]["person"]) == ([], "refuse", False)
            assert set(gate.order) == {"manifest", "delta"}


@pytest.mark.parametrize("seen_gone", [True, False])
async def test_a_gateway_whose_import_was_taken_back_counts_on_when_it_comes_again(one, broker, tmp_path, seen_gone):
    doors = "id,name,site,gateway,inside,outside,mode\nnew-door,New door,hq,hq-new-1,stockroom-a,street,\n"
    async with publishing(one, broker, tmp_path) as (publisher, keys, _):
        done = await one.import_(portals=doors)
        with gateway(broker, keys, "hq-new-1") as gate:
            generation, _n = await until(gate.counters)
            assert not (await undo_import(PgRegistry(one.database), done.id, "import", _now())).problems
            if seen_gone:
                await until(lambda: "hq-new-1" not in publisher._views)
                await allow(one, "LT-0002", "stockroom-a", name="while-it-was-gone")
                seen = publisher._seen
                await until(lambda: publisher._seen != seen)
            assert not (await one.import_(portals=doors)).problems
            if not seen_gone:
                await allow(one, "LT-0001", "stockroom-a")
            await until(lambda: (gate.counters() or (0, 0))[0] > generation)


async def test_of_two_publishers_one_works_and_the_other_takes_over(one, broker, tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        _, keys, first = await stack.enter_async_context(publishing(one, broker, tmp_path))
        with gateway(broker, keys) as gate:
            generation, n = await until(gate.counters)
            async with publishing(one, broker, tmp_path, name="b") as (_, _, second):
                await asyncio.sleep(1.2)
                assert second.registry.get_sample_value("stockgate_gate_generations_total") == 0
                await stack.aclose()
                await allow(one, "LT-0001", "hq")
                await until(lambda: gate.counters() == (generation, n + 1))
                assert first.registry.get_sample_value("stockgate_gate_deltas_total") == 0


def _forget_everything(directory):
    for path in sorted(directory.rglob("*"), reverse=True):
        if path.is_file() and "jetstream" in str(path):
            path.unlink()
