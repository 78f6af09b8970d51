"""The agent's own certificate at a broker that asks for one, and its renewal in the middle of a stream."""

import asyncio
import gc

import pytest
from structlog.testing import capture_logs

from edge.outbox import MemoryOutbox, SqliteOutbox
from edge.uplink import ConnectError, KeptPair, PahoMqtt, UplinkSettings, UplinkSettingsError
from tests.helpers.authority import Authority
from tests.helpers.brokers import Mosquitto, free_port
from tests.integration.test_uplink_brokers import HOW, CentralOverMqtt, fill, forwarder, running, until

ROWS = 600


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def strict(tmp_path, authority):
    """Return a Mosquitto that wants certificates on its first listener; `.plain` is a second one for the central."""
    certificate, key = authority.pair("server")
    plain = free_port()
    broker = Mosquitto(
        tmp_path,
        extra=f"cafile {authority.ca_file}\ncertfile {certificate}\nkeyfile {key}\nrequire_certificate true\n"
        f"use_identity_as_username true\nlog_type notice\nlistener {plain} 127.0.0.1\n",
    )
    broker.start()
    broker.plain = plain
    yield broker
    broker.stop()


def strangers(folder):
    """Return a pair that fits itself, of an authority that nobody here knows."""
    (folder / "strangers").mkdir()
    return [file.read_bytes() for file in Authority(folder / "strangers").pair("gateway")]


def put(pair, contents):
    for file, content in zip(pair, contents, strict=True):
        file.write_bytes(content)


def knobs(broker, authority, pair):
    certificate, key = pair
    return {
        "url": f"mqtts://localhost:{broker.port}",
        "ca_file": authority.ca_file,
        "certificate_file": certificate,
        "key_file": key,
    }


@pytest.mark.system("mosquitto")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a failed socket to the GC
async def test_a_broker_that_asks_for_a_certificate_takes_ours_and_nobody_without(strict, authority):
    settings = knobs(strict, authority, authority.pair("gateway"))
    session = await PahoMqtt(UplinkSettings(**settings)).connect(client_id="x", **HOW)
    await session.close()
    without = UplinkSettings(url=settings["url"], ca_file=authority.ca_file, connect_timeout_s=3.0)
    with pytest.raises(ConnectError):
        await PahoMqtt(without).connect(client_id="x", **HOW)
    gc.collect()


@pytest.mark.system("mosquitto")
async def test_a_certificate_renewed_in_mid_stream_is_used_at_once_and_no_row_is_lost(strict, authority, tmp_path):
    """Certificate and key are replaced one after the other while rows flow, and the old one was about to run out."""
    pair = authority.pair("gateway", days=3.0, common_name="old-one")
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    central = CentralOverMqtt(strict.plain)
    uplink = forwarder(outbox, **knobs(strict, authority, pair))
    try:
        with capture_logs() as logs:
            async with running(uplink):
                for n in range(0, ROWS, 10):
                    fill(outbox, n, 10)
                    uplink.notify()
                    if n == ROWS // 3:
                        await until(lambda: outbox.stats("movement").upto > 0)
                        authority.pair("gateway", days=90.0, common_name="new-one")
                    await asyncio.sleep(0.02)
                await until(lambda: uplink.counters.renewals == 1 and uplink.counters.connections == 2)
                fill(outbox, ROWS, 10)
                uplink.notify()
                await until(lambda: outbox.stats("movement").pending == 0)
        assert sorted(set(central.arrivals)) == list(range(1, ROWS + 11))
        # A socket closed with unread bytes is reset, and the broker may then speak our will: the birth comes after it.
        await until(lambda: central.states and not central.states[-1][0])
        assert central.states[-2][0]
    finally:
        central.stop()
        outbox.close()
    words = (tmp_path / "mosquitto" / "log").read_text()
    assert "u'old-one'" in words
    assert "u'new-one'" in words
    assert [line["days_left"] for line in logs if "days_left" in line] == [3.0]
    assert uplink.certificate_days_left > 80
    assert uplink.counters.connection_failures == 0


@pytest.mark.system("mosquitto")
async def test_a_new_certificate_that_cannot_be_used_leaves_the_connection_and_is_told_once(strict, authority):
    """A renewal that broke half way must not take the door's uplink with it while the old certificate still holds."""
    certificate, key = authority.pair("gateway")
    outbox = MemoryOutbox()
    central = CentralOverMqtt(strict.plain)
    uplink = forwarder(outbox, **knobs(strict, authority, (certificate, key)))
    try:
        with capture_logs() as logs:
            async with running(uplink):
                await until(lambda: uplink.state == "live")
                certificate.write_text("half a certifi")
                await until(lambda: any("can't be used" in line["event"] for line in logs))
                fill(outbox, 0, 10)
                uplink.notify()
                await until(lambda: outbox.stats("movement").pending == 0)
    finally:
        central.stop()
    assert sum("can't be used" in line["event"] for line in logs) == 1
    assert uplink.counters.connections == 1


@pytest.mark.system("mosquitto")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a failed socket to the GC
async def test_a_pair_of_the_wrong_authority_costs_neither_the_connection_nor_a_row_and_is_told(
    strict, authority, tmp_path
):
    """It fits itself, so only the broker can tell: it is asked on a connection beside the one that stands."""
    pair = authority.pair("gateway", common_name="first")
    good = [file.read_bytes() for file in pair]
    central, outbox = CentralOverMqtt(strict.plain), SqliteOutbox(tmp_path / "outbox.db")
    uplink = forwarder(outbox, **knobs(strict, authority, pair))
    try:
        with capture_logs() as logs:
            async with running(uplink):
                await until(lambda: uplink.state == "live")
                put(pair, strangers(tmp_path))
                await until(lambda: uplink.certificate_problem)
                assert "put the old files back" in uplink.certificate_problem
                assert (uplink.state, uplink.trouble) == ("live", (0, ""))
                fill(outbox, 0, 10)
                uplink.notify()
                await until(lambda: outbox.stats("movement").pending == 0)
                assert (uplink.counters.renewal_failures, uplink.counters.connections) == (1, 1)
                put(pair, good)
                await until(lambda: not uplink.certificate_problem)
                assert uplink.counters.connections == 1, "what is back is what is in use"
                authority.pair("gateway", common_name="second")
                await until(lambda: uplink.counters.connections == 2)
        assert central.arrivals == list(range(1, 11))
    finally:
        central.stop()
        outbox.close()
    gc.collect()
    assert sum("can't be used" in line["event"] for line in logs) == 1
    assert uplink.counters.connection_failures == 0
    assert "u'second'" in (tmp_path / "mosquitto" / "log").read_text()


@pytest.mark.system("mosquitto")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a failed socket to the GC
async def test_while_a_pair_of_the_wrong_authority_lies_there_a_lost_connection_comes_back_with_the_one_before(
    strict, authority, tmp_path
):
    """After a broker's restart, and after a reload, which makes a new agent in the same process."""
    pair = authority.pair("gateway", common_name="first")
    central, kept = CentralOverMqtt(strict.plain), KeptPair()
    settings = knobs(strict, authority, pair)
    uplink = forwarder(MemoryOutbox(), **settings, kept=kept)
    try:
        async with running(uplink):
            await until(lambda: uplink.state == "live")
            put(pair, strangers(tmp_path))
            await until(lambda: uplink.certificate_problem)
            strict.stop()
            await until(lambda: uplink.state == "offline")
            strict.start()
            await until(lambda: uplink.state == "live")
            assert uplink.certificate_problem
        again = forwarder(MemoryOutbox(), **settings, kept=kept)
        async with running(again):
            await until(lambda: again.state == "live" and again.certificate_problem)
            authority.pair("gateway", common_name="second")
            await until(lambda: "u'second'" in (tmp_path / "mosquitto" / "log").read_text())
            await until(lambda: again.state == "live" and not again.certificate_problem)
    finally:
        central.stop()
    gc.collect()


@pytest.mark.system("mosquitto")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a failed socket to the GC
async def test_authorities_that_do_not_vouch_for_the_broker_leave_the_connection_but_none_is_made_past_them(
    strict, authority, tmp_path
):
    """Whom we believe is what the file says now, whatever was believed before."""
    pair, central = authority.pair("gateway"), CentralOverMqtt(strict.plain)
    (tmp_path / "strangers").mkdir()
    mine = authority.ca_file.with_name("believed.pem")
    mine.write_bytes(authority.ca_file.read_bytes())
    uplink = forwarder(MemoryOutbox(), **(knobs(strict, authority, pair) | {"ca_file": mine}))
    try:
        async with running(uplink):
            await until(lambda: uplink.state == "live")
            mine.write_bytes(Authority(tmp_path / "strangers").ca_file.read_bytes())
            await until(lambda: "certificate verify failed" in uplink.certificate_problem)
            assert (uplink.state, uplink.counters.connections) == ("live", 1)
            strict.stop()
            strict.start()
            await until(lambda: "certificate verify failed" in uplink.trouble[1])
            mine.write_bytes(authority.ca_file.read_bytes())
            await until(lambda: uplink.state == "live")
    finally:
        central.stop()
    gc.collect()


@pytest.mark.system("mosquitto")
async def test_no_renewal_that_goes_wrong_costs_the_connection_or_a_row(strict, authority, tmp_path):
    """Another's key, too early, too late, half written; and then one that is right, twice at once, by symlinks."""
    live, outbox, central = tmp_path / "live", SqliteOutbox(tmp_path / "outbox.db"), CentralOverMqtt(strict.plain)
    live.mkdir()
    pair = live / "cert.pem", live / "privkey.pem"

    def link(files):
        for name, file in zip(pair, files, strict=True):
            beside = name.with_suffix(".new")
            beside.symlink_to(file)
            beside.replace(name)

    first = authority.pair("first", common_name="first")
    link(first)
    half = tmp_path / "half.pem"
    half.write_bytes(first[0].read_bytes()[:300])
    wrong = {
        "KEY_VALUES_MISMATCH": (first[0], authority.pair("other")[1]),
        "holds from": authority.pair("early", begin_days=10.0),
        "ran out at": authority.pair("late", days=-1.0),
        "give a PEM certificate and its key": (half, first[1]),
    }
    uplink = forwarder(outbox, **knobs(strict, authority, pair))
    rows = 0

    def calls_us(name):
        said = (tmp_path / "mosquitto" / "log").read_text().splitlines()
        return any(f"u'{name}'" in line and "stockgate-gw-1 " in line for line in said)

    try:
        with capture_logs() as logs:
            async with running(uplink):
                await until(lambda: uplink.state == "live")
                for words, files in wrong.items():
                    link(files)
                    await until(lambda words=words: any(words in line.get("problem", "") for line in logs))
                    fill(outbox, rows, 10)
                    rows += 10
                    uplink.notify()
                    await until(lambda: outbox.stats("movement").pending == 0)
                assert (uplink.counters.connections, uplink.counters.renewals) == (1, 0)
                for name in ("second", "third"):
                    link(authority.pair(name, common_name=name))
                    fill(outbox, rows, 10)
                    rows += 10
                    uplink.notify()
                await until(lambda: uplink.counters.renewals and uplink.state == "live" and calls_us("third"))
                await until(lambda: outbox.stats("movement").pending == 0)
        assert sorted(set(central.arrivals)) == list(range(1, rows + 1))
    finally:
        central.stop()
        outbox.close()
    assert uplink.counters.connection_failures == 0
    assert 1 <= uplink.counters.renewals <= 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "mqtts://broker", "key_file": "k.pem"}, "certificate_file is not"),
        ({"url": "mqtt://broker", "certificate_file": "c.pem"}, "write mqtts://"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(settings, words):
    with pytest.raises(UplinkSettingsError, match=words):
        UplinkSettings(**settings)
