"""The MQTT port and its paho adapter: clean session, own reconnecting, callbacks handed to the event loop."""

import asyncio
import contextlib
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

KEEPALIVE_S: Final = 10
"""Also how long paho waits for a CONNACK that never comes."""
RECONNECT_MAX_S: Final = 5
"""The central is one client: it may be eager."""

OUR_FAULT: Final = frozenset({"Bad user name or password", "Not authorized", "Client identifier not valid"})
"""Refusals that a change on our side mends; all others are the broker's own state."""
NO_REASON: Final = frozenset({"Unspecified error", "Normal disconnection"})
"""What paho says when a connection ends without a word."""

OnMessage = Callable[[str, bytes], None]
_log = structlog.get_logger("central.mqtt")


class LinkError(ValueError):
    """Settings that no broker can be reached with."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How to reach the broker."""

    url: str
    client_id: str = "stockgate-central"
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None


class Link(Protocol):
    """A connection to a broker that mends itself. Messages may come twice, and none is kept while it is down."""

    @property
    def connected(self) -> bool:
        """Whether the subscriptions stand."""

    def start(self, topics: Sequence[str], on_message: OnMessage, on_session: Callable[[], None]) -> None:
        """Connect and subscribe at QoS 1; `on_session` runs at every (re)connect, both in the calling event loop."""

    def add(self, topics: Sequence[str], on_ready: Callable[[], None]) -> None:
        """Subscribe more; `on_ready` runs once they stand, unless a new session comes first, which brings them too."""

    def drop(self, topics: Sequence[str]) -> None:
        """Subscribe to these no more."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish retained at QoS 1; while disconnected it does nothing."""

    def tell(self, topic: str, payload: bytes) -> bool:
        """Publish once at QoS 1, for who listens now: no broker keeps it; False while disconnected."""

    def hold(self) -> None:
        """Give no receipts (PUBACK) from now on: the broker sends no more than its window of messages without one."""

    def resume(self) -> None:
        """Give the receipts that were held back, and new ones at once."""

    def stop(self) -> None:
        """Disconnect in order."""


class PahoLink:
    """`Link` by paho-mqtt over MQTT 3.1.1.

    A message's receipt goes out once the event loop took it: what waits between paho's thread and the loop is no more
    than the broker's window either.
    """

    def __init__(self, settings: LinkSettings) -> None:
        self._host, self._port, tls = parse_url(settings.url)
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=settings.client_id, clean_session=True, protocol=paho.MQTTv311
        )
        self._client.manual_ack_set(on=True)
        if settings.username is not None:
            self._client.username_pw_set(settings.username, _password(settings.password_file))
        if tls:
            self._client.tls_set_context(ssl.create_default_context(cafile=settings.ca_file))
        self._client.reconnect_delay_set(1, RECONNECT_MAX_S)
        self._connected = False
        self._topics: list[str] = []
        self._first = 0
        self._ready: dict[int, Callable[[], None]] = {}
        self._refusal = ""
        self._away = False
        self._holding = False
        self._held: list[tuple[int, int]] = []
        """Messages of this session without a receipt: number and QoS."""
        self._session = 0

    @property
    def connected(self) -> bool:
        """Whether the subscriptions stand."""
        return self._connected

    def start(self, topics: Sequence[str], on_message: OnMessage, on_session: Callable[[], None]) -> None:
        """Connect and subscribe."""
        loop = asyncio.get_running_loop()
        self._topics = list(topics)

        def hand(call: Callable[..., None], *values: object) -> None:
            with contextlib.suppress(RuntimeError):  # paho's thread may outlive the loop when the program ends
                loop.call_soon_threadsafe(call, *values)

        def connected(client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if reason.is_failure:
                hand(self._refused, str(reason))  # it then closes, which is no other news
            else:
                self._session += 1
                hand(self._forget)  # the numbers of an old session mean nothing in the new one
                self._first = self._subscribe(client, lambda: hand(self._up, on_session))

        def subscribed(_client: paho.Client, _data: Any, mid: int, reasons: Sequence[Any], _properties: Any) -> None:
            hand(self._answered, mid, [str(reason) for reason in reasons if reason.is_failure], on_session)

        def disconnected(_client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            hand(self._down, str(reason))

        def arrived(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
            hand(self._arrived, on_message, message, self._session)

        def unreachable(_client: paho.Client, _data: Any) -> None:
            error = sys.exc_info()[1]
            hand(self._missing, str(error) if error else "no answer")

        self._client.on_connect_fail = unreachable
        self._client.on_connect, self._client.on_disconnect = connected, disconnected
        self._client.on_subscribe, self._client.on_message = subscribed, arrived
        self._client.connect_async(self._host, self._port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def add(self, topics: Sequence[str], on_ready: Callable[[], None]) -> None:
        """Subscribe more."""
        self._topics = [*self._topics, *topics]
        if self._connected:
            mid = self._client.subscribe([(topic, 1) for topic in topics])[1]
            if mid is not None:
                self._ready[mid] = on_ready

    def drop(self, topics: Sequence[str]) -> None:
        """Subscribe to these no more."""
        self._topics = [topic for topic in self._topics if topic not in set(topics)]
        if self._connected:
            self._client.unsubscribe(list(topics))

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish retained at QoS 1; while disconnected it does nothing."""
        if self._connected:
            self._client.publish(topic, payload, qos=1, retain=True)

    def tell(self, topic: str, payload: bytes) -> bool:
        """Publish once at QoS 1, for who listens now; False while disconnected."""
        if not self._connected:
            return False
        self._client.publish(topic, payload, qos=1)
        return True

    def hold(self) -> None:
        """Give no receipts from now on."""
        self._holding = True

    def resume(self) -> None:
        """Give the receipts that were held back."""
        self._holding = False
        held, self._held = self._held, []
        for mid, qos in held:
            self._client.ack(mid, qos)

    def stop(self) -> None:
        """Disconnect in order."""
        self._connected, self._away = False, True  # that it closes now is no news
        self._client.disconnect()
        self._client.loop_stop()

    def _arrived(self, on_message: OnMessage, message: paho.MQTTMessage, session: int) -> None:
        on_message(message.topic, bytes(message.payload))
        if session != self._session:
            return
        if self._holding:
            self._held.append((message.mid, message.qos))
        else:
            self._client.ack(message.mid, message.qos)

    def _forget(self) -> None:
        self._held.clear()

    def _up(self, on_session: Callable[[], None]) -> None:
        self._connected, self._refusal, self._away = True, "", False
        self._ready.clear()
        _log.info("broker connected", host=self._host, port=self._port)
        on_session()

    def _subscribe(self, client: paho.Client, up: Callable[[], None]) -> int:
        """Subscribe all that is wanted; return the message whose answer is awaited. Without any we are up at once."""
        topics = [(topic, 1) for topic in self._topics]
        if not topics:
            up()
            return 0
        return client.subscribe(topics)[1] or 0

    def _answered(self, mid: int, refused: Sequence[str], on_session: Callable[[], None]) -> None:
        if refused:
            self._refused(refused[0])
        elif mid == self._first:
            self._up(on_session)
        elif mid in self._ready:
            self._ready.pop(mid)()

    def _down(self, reason: str) -> None:
        if self._connected:
            reason = "the connection broke" if reason in NO_REASON else reason
            _log.warning("broker lost, trying again until it is back", reason=reason, **self._where)
            self._away = True
        elif not self._away and not self._refusal:
            self._away = True
            _log.error("the broker closes the connection at once, trying again: look at its log", **self._where)
        self._connected = False

    def _missing(self, reason: str) -> None:
        if not self._away:
            self._away = True
            _log.warning("no broker there, trying again until it comes", reason=reason, **self._where)

    def _refused(self, reason: str) -> None:
        if self._refusal != reason:
            ours = reason in OUR_FAULT
            cause = "check url, username and password file" if ours else "look at its log (full disk? still starting?)"
            _log.error(f"the broker refuses us, trying again: {cause}", reason=reason, **self._where)
        self._refusal = reason

    @property
    def _where(self) -> dict[str, str | int]:
        return {"host": self._host, "port": self._port}


def parse_url(url: str) -> tuple[str, int, bool]:
    """Return host, port and whether to use TLS."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise LinkError(f"MQTT url {url!r}: {error}") from None
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise LinkError(f"MQTT url {url!r}: write mqtt://HOST:PORT, or mqtts://HOST:PORT for TLS")
    if parts.username is not None:
        raise LinkError("the MQTT url holds a user name: put it in `username` and the password in `password_file`")
    tls = parts.scheme == "mqtts"
    return parts.hostname, port or (8883 if tls else 1883), tls


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise LinkError(f"MQTT password file {file}: {error.strerror}") from error
