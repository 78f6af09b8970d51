"""`MqttPort` by paho-mqtt over MQTT 3.1.1: a new client for every connection, so that no old queue is carried over."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from edge.uplink.errors import ConnectError
from edge.uplink.own_certificate import Pair, tls_context
from edge.uplink.port import Message
from edge.uplink.settings import BrokerAddress, UplinkSettings, parse_url

# A SUBACK code from here on is a refusal (MQTT 3.1.1, 3.9.3).
_SUBACK_FAILURE: Final = 0x80


class PahoMqtt:
    """Makes sessions with the broker that the settings name."""

    def __init__(self, settings: UplinkSettings) -> None:
        self._settings = settings
        self._address = parse_url(settings.url)

    async def connect(
        self,
        *,
        client_id: str,
        will: Message | None,
        subscribe: Sequence[str],
        on_message: Callable[[str, bytes], None],
        on_change: Callable[[], None],
        pair: Pair | None = None,
    ) -> "PahoSession":
        """See `MqttPort.connect`."""
        client = _client(self._settings, self._address, client_id, will, pair)
        session = PahoSession(client, self._address, on_message, on_change)
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await session.open(self._settings.keepalive_s, subscribe)
        except TimeoutError:
            await session.close()
            raise ConnectError(
                f"broker {_name(self._address)} did not answer within {self._settings.connect_timeout_s:g} s: "
                "is it an MQTT broker, and does it accept our certificate?"
            ) from None
        except BaseException:
            await session.close()
            raise
        return session


class PahoSession:
    """One connection; paho's callbacks come from its thread and are handed to the event loop."""

    def __init__(
        self,
        client: paho.Client,
        address: BrokerAddress,
        on_message: Callable[[str, bytes], None],
        on_change: Callable[[], None],
    ) -> None:
        self._client = client
        self._address = address
        self._on_message = on_message
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[None] = self._loop.create_future()
        self._suback: asyncio.Future[None] = self._loop.create_future()
        self._closed: str | None = None
        self._unacknowledged: set[int] = set()
        client.on_connect = self._paho_connect
        client.on_subscribe = self._paho_subscribe
        client.on_disconnect = self._paho_disconnect
        client.on_publish = self._paho_publish
        client.on_message = self._paho_message

    @property
    def closed(self) -> str | None:
        """See `MqttSession.closed`."""
        return self._closed

    @property
    def unacknowledged(self) -> int:
        """See `MqttSession.unacknowledged`."""
        return len(self._unacknowledged)

    async def open(self, keepalive_s: int, subscribe: Sequence[str]) -> None:
        """Dial, wait for the CONNACK, subscribe and wait for the SUBACK."""
        host, port, _ = self._address
        try:
            await asyncio.to_thread(self._client.connect, host, port, keepalive_s)
        except (OSError, ValueError) as error:
            raise ConnectError(
                f"broker {_name(self._address)}: {error}: is it running, and is the URL right?"
            ) from error
        self._client.loop_start()
        await self._connack
        self._client.subscribe([(topic, 1) for topic in subscribe])
        await self._suback

    def publish(self, message: Message) -> None:
        """See `MqttSession.publish`."""
        if self._closed is not None:
            return
        info = self._client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
        # The acknowledgement is taken in by a later turn of this loop, so its number is always noted before.
        if message.qos and info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._unacknowledged.add(info.mid)

    def subscribe(self, topics: Sequence[str]) -> None:
        """See `MqttSession.subscribe`."""
        if self._closed is None and topics:
            self._client.subscribe([(topic, 1) for topic in topics])

    async def close(self) -> None:
        """See `MqttSession.close`."""
        self._client.disconnect()
        # Joining paho's thread may take as long as a write to a dead peer.
        await asyncio.shield(asyncio.to_thread(self._client.loop_stop))
        self._end("closed by us")
        # paho closes its wake-up sockets when the client is freed: no cycle may put that off.
        self._client.on_connect = self._client.on_subscribe = self._client.on_disconnect = None
        self._client.on_publish = self._client.on_message = None

    def _end(self, reason: str) -> None:
        if self._closed is None:
            self._closed = reason
            self._unacknowledged.clear()
            for future in (self._connack, self._suback):
                if not future.done():
                    future.set_exception(ConnectError(f"broker {_name(self._address)}: {reason}"))
                    future.exception()  # whoever waits still gets it; nobody waiting is fine
            self._on_change()

    def _acknowledged(self, mid: int) -> None:
        self._unacknowledged.discard(mid)
        self._on_change()

    # Callbacks of paho's thread.

    def _hand_over(self, call: Callable[..., None], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed once the program ends
            self._loop.call_soon_threadsafe(call, *args)

    def _paho_connect(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self._hand_over(self._end, f"refused: {code}: check username, password file and the broker's access rules")
        else:
            self._hand_over(_finish, self._connack)

    def _paho_subscribe(self, _client: paho.Client, _data: Any, _mid: int, codes: list[ReasonCode], _p: Any) -> None:
        if any(code.value >= _SUBACK_FAILURE for code in codes):
            self._hand_over(self._end, "it refuses our subscription: check the broker's access rules")
        else:
            self._hand_over(_finish, self._suback)

    def _paho_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any
    ) -> None:
        self._hand_over(self._end, f"connection lost: {code}")

    def _paho_publish(self, _client: paho.Client, _data: Any, mid: int, _code: Any, _properties: Any) -> None:
        self._hand_over(self._acknowledged, mid)

    def _paho_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._hand_over(self._on_message, message.topic, bytes(message.payload))


def _client(
    settings: UplinkSettings, address: BrokerAddress, client_id: str, will: Message | None, pair: Pair | None
) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=True,
        protocol=paho.MQTTv311,
        reconnect_on_failure=False,  # the forwarder dials, with its own waits and a new session object
    )
    client.max_inflight_messages_set(settings.max_inflight)
    client.connect_timeout = settings.connect_timeout_s
    if will is not None:
        client.will_set(will.topic, will.payload, qos=will.qos, retain=will.retain)
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password())
    if address.tls:
        client.tls_set_context(tls_context(settings, pair))
    return client


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _name(address: BrokerAddress) -> str:
    return f"{address.host}:{address.port}"
