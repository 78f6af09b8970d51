"""Readers that dial us: who may, who waits, who wins."""

import asyncio
import contextlib
import random
import socket
import ssl

import pytest
import structlog
from structlog.testing import capture_logs

from edge.llrp import ReportDecoder
from edge.readers import Listener, ReaderError, ReaderSettings, ReaderSupervisor, TlsSettings
from edge.readers.listener import is_from, split_address
from tests.helpers import fake_reader as fake
from tests.helpers.fake_reader import FakeReader, report, tag
from tests.helpers.kept import WAIT_S
from tests.helpers.supervised import NOW_US, Agent
from tests.unit.edge.test_readers_tls import certificates, make_certificate  # noqa: F401 (a fixture)


@pytest.fixture(scope="module", autouse=True)
def _warm():
    ReportDecoder().decode(bytearray(report(tag())))


class DialingReader(FakeReader):
    """A reader that dials; all else is the scripted reader's."""

    async def dial(self, port, **how):
        stream, writer = await asyncio.open_connection("127.0.0.1", port, **how)
        self.tasks.append(asyncio.create_task(self._served(stream, writer)))

    async def _served(self, stream, writer):
        with contextlib.suppress(ConnectionError):
            await self._serve(stream, writer)


@contextlib.asynccontextmanager
async def listening(*, host="127.0.0.1", tls=None, connect_timeout_s=WAIT_S):
    """Run one reader's supervisor with a listener; yields (agent, port, listener)."""
    settings = ReaderSettings(
        id="r1", host=host, listen="127.0.0.1:0", tls=tls, antennas=(1,), connect_timeout_s=connect_timeout_s,
        backoff_base_s=0.01, backoff_max_s=0.02, keepalive_ms=2000,
    )  # fmt: skip
    chunks = []

    async def keep(chunk):
        chunks.append(chunk)

    with capture_logs() as logs:
        async with Listener((settings,), log=structlog.get_logger()) as listener:
            supervisor = ReaderSupervisor(
                settings, sink=keep, now_us=lambda: NOW_US, rng=random.Random(1), log=structlog.get_logger(),
                dialler=listener.dialler(settings),
            )  # fmt: skip
            task = asyncio.create_task(supervisor.run())
            try:
                yield Agent(supervisor, chunks, logs), listener.port("127.0.0.1:0"), listener
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


@pytest.mark.parametrize("link", ["whole", "bytes", "split"])
async def test_a_reader_that_dials_us_is_served_like_one_that_we_dial(link):
    async with listening() as (agent, port, _), DialingReader(link=link, on_start=(report(tag()),)) as reader:
        await reader.dial(port)
        await agent.until(lambda agent: agent.supervisor.counters.reads == 1)
        assert (await agent.until_state("connected")).problem == ""


async def test_a_reader_that_dials_again_after_a_loss_is_back():
    async with listening() as (agent, port, _), DialingReader() as reader:
        await reader.dial(port)
        await agent.until_state("connected")
        reader.drop()
        await agent.until_state("lost")
        await reader.dial(port)
        await agent.until(lambda agent: agent.said("reader back"))


async def test_a_stranger_is_turned_away_told_once_and_counted():
    async with listening(host="192.0.2.77") as (agent, port, listener):
        for _ in range(3):
            stream, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.suppress(ConnectionError):
                assert await stream.read() == b""
            writer.close()
        await agent.until(lambda _: listener.strangers == 3)
        (told,) = agent.said("connection turned away")
        assert told["peer"] == "127.0.0.1"


async def test_the_newest_connection_of_a_reader_wins():
    """A reader dials again only when the connection before is dead to it."""
    settings = ReaderSettings(id="r1", host="127.0.0.1", listen="127.0.0.1:0", antennas=(1,))
    async with Listener((settings,), log=structlog.get_logger()) as listener:
        port = listener.port("127.0.0.1:0")
        first = await asyncio.open_connection("127.0.0.1", port)
        second = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            assert await first[0].read() == b"", "the first is closed"
        transport = await listener.take("r1")
        assert transport.get_extra_info("peername")[1] == second[1].get_extra_info("sockname")[1]
        transport.abort()
        for _, writer in (first, second):
            writer.close()


async def test_a_reader_that_does_not_dial_is_told():
    async with listening(connect_timeout_s=0.1) as (agent, _, _):
        problem = (await agent.until_state("lost")).problem
        assert "has not dialled 127.0.0.1:0 from 127.0.0.1 yet" in problem


async def test_an_address_that_is_taken_is_told():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        place = f"127.0.0.1:{held.getsockname()[1]}"
        settings = ReaderSettings(id="r1", host="127.0.0.1", listen=place, antennas=(1,))
        with pytest.raises(ReaderError, match="can't listen at"):
            await Listener((settings,), log=structlog.get_logger()).__aenter__()


@pytest.mark.system("openssl")
async def test_a_reader_that_dials_over_tls_shows_its_certificate(certificates, tmp_path):  # noqa: F811 (the fixture)
    ours = certificates["signed"]
    ca = certificates["ca"].with_name("ca.pem")
    tls = TlsSettings(certificate_file=ours.with_name("signed.pem"), key_file=ours.with_name("signed.key"), ca_file=ca)
    stranger = make_certificate(tmp_path, "stranger")
    async with listening(tls=tls) as (agent, port, _), DialingReader() as reader:
        client = ssl.create_default_context(cafile=ca)
        client.load_cert_chain(f"{stranger}.pem", f"{stranger}.key")
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            await reader.dial(port, ssl=client, server_hostname="reader.example")
            await asyncio.wait_for(asyncio.gather(*reader.tasks, return_exceptions=True), WAIT_S)
        assert fake.GET_CAPABILITIES not in reader.types(), "a certificate of nobody's CA gets no word from us"
        client = ssl.create_default_context(cafile=ca)
        client.load_cert_chain(f"{ours}.pem", f"{ours}.key")
        await reader.dial(port, ssl=client, server_hostname="reader.example")
        await agent.until_state("connected")


@pytest.mark.parametrize(
    ("host", "peer", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("fe80::1", "fe80::1%eth0", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("reader", "192.0.2.2", False),
    ],
)
def test_a_peer_is_known_by_its_address(host, peer, same):
    assert is_from(host, peer) is same


def test_an_address_is_taken_apart():
    assert split_address("[::]:5084") == ("::", 5084)
    for wrong in ("5084", "host:", ":5084", "h:x"):
        with pytest.raises(ValueError):
            split_address(wrong)
