"""The broker as a run sees it: what the agents publish, as rows; and, where wanted, the central's confirmation."""

import asyncio
import socket
import ssl
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.contracts import ContractError, StreamMark, Watermark, decode_envelope, encode, parse_topic, topic
from edge.contracts.times import instant
from edge.contracts.topics import MOVEMENT, WATERMARK
from simulator.runs.errors import OptionError, RunError

CONNECT_S: Final = 10.0
RETRY_S: Final = 1
"""A broker that was lost is dialled again this often: one that is back is used at once."""
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class Address(NamedTuple):
    """A broker."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None

    @property
    def url(self) -> str:
        """Its URL without credentials, as the agent wants it."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def address_of(url: str) -> Address:
    """Take a broker's URL apart; `mqtt://USER:PASSWORD@host` holds credentials.

    Raises:
        OptionError: it is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise OptionError(f"--mqtt {url}: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise OptionError(f"--mqtt {url}: write mqtt://host:1883 or mqtts://host:8883")
    password = None if parts.password is None else unquote(parts.password)
    username = unquote(parts.username) if parts.username else None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(host, port or _PORTS[parts.scheme], parts.scheme == "mqtts", username, password)


class Arrived(NamedTuple):
    """One row as it came."""

    gateway: str
    at_us: int
    row: bytes


@dataclass(slots=True)
class _Stream:
    """What has come of a gateway's stream."""

    epoch: str
    upto: int = 0
    above: set[int] = field(default_factory=set)

    def is_new(self, seq: int) -> bool:
        """Whether this row came for the first time; all to `upto` have."""
        if seq <= self.upto or seq in self.above:
            return False
        self.above.add(seq)
        while self.upto + 1 in self.above:
            self.upto += 1
            self.above.discard(self.upto)
        return True


class _Head(msgspec.Struct):
    """The numbers of a row."""

    seq: int
    first: int | None = None


class Events:
    """Movement streams of some gateways; each row is given once, though MQTT may bring it more often.

    Args:
        gateways: site and gateway of each.
        now_us: the host's clock.
        confirm: publish watermarks, as a central does that has committed all that came.
        take: gets each new row, in the loop's thread.
        turned: hears that the broker was lost (False) or is back (True), in the loop's thread.
    """

    def __init__(
        self,
        gateways: Sequence[tuple[str, str]],
        *,
        now_us: Callable[[], int],
        confirm: bool,
        take: Callable[[Arrived], None],
        turned: Callable[[bool], None],
    ) -> None:
        self._turned, self._known, self._closing = turned, False, False
        self._gateways, self._now_us, self._confirm, self._take = gateways, now_us, confirm, take
        self._session = uuid.uuid4().hex
        self._streams: dict[str, _Stream] = {}
        self._client: Client | None = None
        self._subscribed: asyncio.Future[None] | None = None
        self.rows = 0
        self.unreadable = 0
        self.connected = False

    async def connect(self, address: Address) -> None:
        """Connect and subscribe.

        Raises:
            RunError: nobody there, or it won't have us.
        """
        loop = asyncio.get_running_loop()
        self._subscribed = loop.create_future()
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"stockgate-sim-{self._session[:12]}")
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.reconnect_delay_set(RETRY_S, RETRY_S)
        client.on_message = self._on_message
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set()
        self._loop, self._client = loop, client
        where = f"the broker at {address.url}"
        try:
            host = address.host.strip("[]")
            await loop.run_in_executor(None, lambda: client.connect(host, address.port, keepalive=30))
            client.loop_start()
            await asyncio.wait_for(self._subscribed, CONNECT_S)
        except TimeoutError:
            raise RunError(f"{where} doesn't answer: is it an MQTT broker?") from None
        except (OSError, ssl.SSLError, socket.gaierror) as error:
            raise RunError(f"{where} can't be reached: {error}: start one, or name another with --mqtt") from error

    def came(self, gateway: str, epoch: str) -> int:
        """How many rows of a gateway's epoch have come."""
        stream = self._streams.get(gateway)
        return 0 if stream is None or stream.epoch != epoch else stream.upto + len(stream.above)

    async def close(self) -> None:
        """Leave the broker."""
        self._closing = True
        if self._client is not None:
            client = self._client
            for site, gateway in self._gateways if self._confirm else ():
                # What we confirmed was for this run's outbox alone.
                client.publish(topic(site, gateway, WATERMARK), b"", qos=1, retain=True)
            client.disconnect()
            await asyncio.get_running_loop().run_in_executor(None, client.loop_stop)

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        """In paho's thread, at each connection: also at one that came back."""
        if reason.is_failure:
            self._loop.call_soon_threadsafe(self._done, f"the broker refuses us: {reason}")
            return
        client.subscribe([(topic(site, gateway, MOVEMENT), 1) for site, gateway in self._gateways])

    def _on_subscribe(
        self, _client: Client, _data: object, _id: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        """In paho's thread."""
        refused = any(reason.is_failure for reason in reasons)
        problem = "the broker doesn't let us subscribe to the gateways' topics" if refused else None
        self._loop.call_soon_threadsafe(self._done, problem)
        self._loop.call_soon_threadsafe(self._turn, not refused)

    def _on_disconnect(self, *_how: object) -> None:
        """In paho's thread; paho dials again by itself."""
        self._loop.call_soon_threadsafe(self._turn, False)  # noqa: FBT003 - call_soon takes no keywords

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        """In paho's thread."""
        self._loop.call_soon_threadsafe(self._receive, message)

    def _turn(self, connected: bool) -> None:  # noqa: FBT001 - as above
        """Tell of a loss and of a return, not of the first connection nor of our own leave."""
        if self._closing or connected == self.connected:
            return
        self.connected = connected
        if self._known:
            self._turned(connected)
        self._known = True

    def _done(self, problem: str | None) -> None:
        if self._subscribed is None or self._subscribed.done():
            return
        if problem is None:
            self._subscribed.set_result(None)
        else:
            self._subscribed.set_exception(RunError(problem))

    def _receive(self, message: MQTTMessage) -> None:
        at_us = self._now_us()
        try:
            where = parse_topic(message.topic)
            envelope = decode_envelope(bytes(message.payload))
        except ContractError:
            self.unreadable += 1
            return
        stream = self._streams.get(where.gateway)
        if stream is None or stream.epoch != envelope.epoch:
            stream = self._streams[where.gateway] = _Stream(envelope.epoch)
        for row in envelope.events:
            self._take_row(where.gateway, stream, bytes(row), at_us)
        if self._confirm and self._client is not None:
            self._client.publish(
                topic(where.site, where.gateway, WATERMARK), self._watermark(stream, at_us), qos=1, retain=True
            )

    def _take_row(self, gateway: str, stream: _Stream, row: bytes, at_us: int) -> None:
        try:
            head = msgspec.json.decode(row, type=_Head)
        except msgspec.DecodeError:
            self.unreadable += 1
            return
        # A gap stands for all rows from `first` on.
        if any([stream.is_new(seq) for seq in range(head.first or head.seq, head.seq + 1)]):  # noqa: C419 - all of them
            self.rows += 1
            self._take(Arrived(gateway, at_us, row))

    def _watermark(self, stream: _Stream, at_us: int) -> bytes:
        mark = StreamMark(epoch=stream.epoch, upto=stream.upto, above=[[seq, seq] for seq in sorted(stream.above)])
        return encode(Watermark(session=self._session, now=instant(at_us), streams={"movement": mark}))


def line_of(arrived: Arrived, *, with_arrival: bool) -> bytes:
    """Return a row as a line of a file: with its gateway, and when it arrived."""
    row: dict[str, object] = msgspec.json.decode(arrived.row)
    row["gateway"] = arrived.gateway
    if with_arrival:
        row["arrived_at"] = instant(arrived.at_us)
    return msgspec.json.encode(row) + b"\n"
