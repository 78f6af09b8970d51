"""One MQTT connection that only listens: a topic's messages with their arrival times. paho's thread stays in here."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge.readers.errors import ReaderClosedError, ReaderError, ReaderRefusedError, ReaderUnreachableError
from edge.readers.smart.model import SmartSettings
from edge.readers.within import within

MOST_HELD: Final = 10_000
"""Messages that wait for a slow sink, some seconds of a busy reader; beyond it they are dropped, which is told."""
_SUBACK_FAILURE: Final = 0x80
"""A SUBACK code from here on is a refusal (MQTT 3.1.1, 3.9.3)."""


class Arrival(NamedTuple):
    """One message; `stale` was retained by the broker, so it tells of the past."""

    at_us: int
    payload: bytes
    stale: bool


class Subscriber:
    """One connection, used once: `open`, `receive` again and again, `close`."""

    def __init__(self, settings: SmartSettings, where: str, now_us: Callable[[], int]) -> None:
        self._settings, self._where, self._now_us = settings, where, now_us
        self._loop = asyncio.get_running_loop()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._held: list[Arrival] = []
        self._news = asyncio.Event()
        self._lost: ReaderError | None = None
        self.dropped = 0
        """Messages thrown away since nobody took them."""
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=True,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,  # the keeper dials, with its own waits and a new session
        )
        self._client.connect_timeout = settings.connect_timeout_s
        self._client.on_connect, self._client.on_subscribe = self._paho_connect, self._paho_subscribe
        self._client.on_disconnect, self._client.on_message = self._paho_disconnect, self._paho_message

    async def open(self) -> None:
        """Dial, and subscribe; what goes wrong is a `ReaderError`."""
        settings = self._settings
        self._secure()
        try:
            async with within(settings.connect_timeout_s):
                await asyncio.to_thread(
                    self._client.connect, settings.broker_host, settings.broker_port, settings.keepalive_s
                )
                self._client.loop_start()
                await self._subscribed
        except TimeoutError:
            raise ReaderUnreachableError(
                f"{self._where}: the broker does not answer within {settings.connect_timeout_s:g} s: is it an MQTT "
                "broker, and does it accept our certificate?"
            ) from None
        except (OSError, ValueError) as error:
            raise ReaderUnreachableError(
                f"{self._where}: the broker can't be reached ({error}): is it running, and is the URL right?"
            ) from error

    async def receive(self, timeout_s: float) -> list[Arrival]:
        """Return what has come; nothing after `timeout_s`. Raises once the connection is lost."""
        if not self._held and self._lost is None:
            with suppress(TimeoutError):
                async with within(timeout_s):
                    await self._news.wait()
        self._news.clear()
        held, self._held = self._held, []
        if not held and self._lost is not None:
            raise self._lost
        return held

    async def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        await asyncio.shield(asyncio.to_thread(self._client.loop_stop))
        # paho closes its wake-up sockets when the client is freed: no cycle may put that off.
        self._client.on_connect = self._client.on_subscribe = None
        self._client.on_disconnect = self._client.on_message = None

    def _secure(self) -> None:
        settings = self._settings
        try:
            if settings.username is not None:
                self._client.username_pw_set(settings.username, _password(settings))
            if settings.tls:
                cafile = None if settings.ca_file is None else str(settings.ca_file)
                self._client.tls_set_context(ssl.create_default_context(cafile=cafile))
        except (OSError, UnicodeDecodeError) as error:
            raise ReaderRefusedError(
                f"{self._where}: password or certificate file can't be read ({error}): give a readable file"
            ) from error

    def _end(self, reason: ReaderError) -> None:
        if self._lost is None:
            self._lost = reason
            self._news.set()
            if not self._subscribed.done():
                self._subscribed.set_exception(reason)
                self._subscribed.exception()  # whoever waits still gets it; nobody waiting is fine

    def _arrived(self, arrival: Arrival) -> None:
        if len(self._held) >= MOST_HELD:
            self.dropped += 1
        else:
            self._held.append(arrival)
        self._news.set()

    def _ready(self) -> None:
        if not self._subscribed.done():
            self._subscribed.set_result(None)

    # Callbacks of paho's thread.

    def _hand_over(self, call: Callable[..., None], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed once the program ends
            self._loop.call_soon_threadsafe(call, *args)

    def _paho_connect(self, client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            words = (
                f"{self._where}: the broker refuses us ({code}): check user name, password file and its access rules"
            )
            self._hand_over(self._end, ReaderRefusedError(words))
        else:
            client.subscribe(self._settings.topic, qos=1)

    def _paho_subscribe(self, _client: paho.Client, _data: Any, _mid: int, codes: list[ReasonCode], _p: Any) -> None:
        if any(code.value >= _SUBACK_FAILURE for code in codes):
            words = f"{self._where}: the broker refuses the subscription: check its access rules"
            self._hand_over(self._end, ReaderRefusedError(words))
        else:
            self._hand_over(self._ready)

    def _paho_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _p: Any) -> None:
        self._hand_over(self._end, ReaderClosedError(f"{self._where}: the broker's connection is lost ({code})"))

    def _paho_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._hand_over(self._arrived, Arrival(self._now_us(), bytes(message.payload), bool(message.retain)))


def _password(settings: SmartSettings) -> str | None:
    if settings.password_file is None:
        return None
    return settings.password_file.read_text(encoding="utf-8").split("\n", 1)[0].strip("\r")
