"""A scripted LLRP reader of the tests' own: its bytes are written by hand from LLRP 1.0.1, not by any codec we use."""

import asyncio
import contextlib
import random
import struct
from dataclasses import dataclass, field

GET_CAPABILITIES, GET_CONFIG, SET_CONFIG, CLOSE, CLOSE_RESPONSE = 1, 2, 3, 14, 4
ADD, DELETE, START, STOP, ENABLE, DELETE_ACCESS = 20, 21, 22, 23, 24, 41
GET_REPORT, REPORT, KEEPALIVE, EVENT, ENABLE_EVENTS, KEEPALIVE_ACK, ERROR, CUSTOM = 60, 61, 62, 63, 64, 72, 100, 1023

RESPONSES = {1: 11, 2: 12, 3: 13, 14: 4, 20: 30, 21: 31, 22: 32, 23: 33, 24: 34, 41: 51}
IMPINJ_HANDSHAKE = struct.pack("!IB", 25882, 21)


def message(kind, message_id=0, payload=b""):
    return struct.pack("!HII", 1 << 10 | kind, 10 + len(payload), message_id) + payload


def tlv(kind, body):
    return struct.pack("!HH", kind, 4 + len(body)) + body


def status(code=0, text=""):
    return tlv(287, struct.pack("!HH", code, len(text)) + text.encode())


def event(utc_us, *parameters):
    return message(EVENT, 0, tlv(246, tlv(128, struct.pack("!Q", utc_us)) + b"".join(parameters)))


def attempt(code=0, utc_us=1_700_000_000_000_000):
    return event(utc_us, tlv(256, struct.pack("!H", code)))


def tag(epc=b"\x30" + b"\x11" * 11, antenna=1, last_us=1_700_000_000_500_000, rssi=-55, count=1):
    body = b"\x8d" + epc + b"\x81" + struct.pack("!H", antenna) + b"\x86" + struct.pack("!b", rssi)
    body += b"\x82" + struct.pack("!Q", last_us) + b"\x84" + struct.pack("!Q", last_us)
    return tlv(240, body + b"\x88" + struct.pack("!H", count))


def report(*tags):
    return message(REPORT, 0, b"".join(tags))


def capabilities(
    *,
    vendor=25882,
    model=2001002,
    firmware="5.14.0.240",
    antennas=4,
    levels=((1, 1000), (2, 3000)),
    filters=2,
    surveys=False,
):
    general = struct.pack("!HHIIH", antennas, 1 << 14, vendor, model, len(firmware)) + firmware.encode()
    general += tlv(141, struct.pack("!HH", 4, 4))
    llrp = struct.pack("!BBHIIIII", surveys << 7 | 1 << 6 | 1 << 3, 1, 0, 1, 32, 1, 8, 8)
    hops = tlv(146, b"\x80" + tlv(147, struct.pack("!BBHI", 1, 0, 1, 915250)))
    band = b"".join(tlv(145, struct.pack("!HH", index, cdbm)) for index, cdbm in levels) + hops
    return (
        tlv(137, general)
        + tlv(142, llrp)
        + tlv(143, struct.pack("!HH", 840, 1) + tlv(144, band))
        + tlv(327, struct.pack("!BH", 0, filters))
    )


@dataclass
class FakeReader:
    """Serves one client at a time on a free loopback port.

    `link` is how bytes are put on the wire: whole, byte by byte, or split at random places. `refuse` maps a message
    type to a function (message id, payload) -> bytes in place of the usual answer; types in `silent` get none.
    """

    link: str = "whole"
    seed: int = 1
    greeting: bytes | None = field(default_factory=attempt)
    capabilities: bytes = field(default_factory=capabilities)
    refuse: dict = field(default_factory=dict)
    silent: set = field(default_factory=set)
    knows_impinj: bool = True
    leftover: bool = False
    keepalives: bool = True
    on_start: tuple = ()
    received: list = field(default_factory=list)
    connections: int = 0
    fixed_port: int = 0
    rospecs: set = field(default_factory=set)
    inputs: dict = field(default_factory=dict)
    unplugged: set = field(default_factory=set)
    temperature_c: int = 41
    ssl: object = None
    mute: bool = False

    async def __aenter__(self):  # noqa: ANN204 (itself)
        self.rng = random.Random(self.seed)
        self.rospecs = {77} if self.leftover else set()
        self.started = asyncio.Event()
        self.closed = asyncio.Event()
        self.sending = asyncio.Lock()
        self.writers, self.tasks = [], []
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.fixed_port, ssl=self.ssl)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_) -> None:
        await asyncio.sleep(0.01)  # Python 3.11 leaks a connection whose server closes while it is being accepted
        self.server.close()
        self.drop()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.server.wait_closed()
        await asyncio.sleep(0)  # aborted transports close their sockets

    def drop(self):
        """Reset every connection."""
        for writer in self.writers:
            with contextlib.suppress(AttributeError):  # Python 3.11.2 can't abort TLS that was closed twice
                writer.transport.abort()

    def types(self):
        return [kind for kind, _, _ in self.received]

    def payload_of(self, kind):
        return next(payload for seen, _, payload in self.received if seen == kind)

    async def send(self, data):
        """Put bytes on the newest connection's wire, cut as `link` says; nothing while `mute`, as with a cut cable."""
        if self.mute:
            return
        async with self.sending:  # a message that is cut must not be mixed with another one
            writer = self.writers[-1]
            at = 0
            while at < len(data):
                step = {"whole": len(data), "bytes": 1, "split": self.rng.randint(1, 23)}[self.link]
                writer.write(data[at : at + step])
                at += step
                if self.link != "whole":
                    await asyncio.sleep(0)

    async def _serve(self, stream, writer):
        self.connections += 1
        self.tasks.append(asyncio.current_task())
        self.writers.append(writer)
        beat = None
        try:
            if self.greeting is not None:
                await self.send(self.greeting)
            while True:
                word, length, message_id = struct.unpack("!HII", await stream.readexactly(10))
                payload = await stream.readexactly(length - 10)
                kind = word & 0x3FF
                self.received.append((kind, message_id, payload))
                if kind == SET_CONFIG and self.keepalives:
                    beat = beat or asyncio.ensure_future(self._beat(payload))
                await self._answer(kind, message_id, payload)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if beat:
                beat.cancel()
            writer.close()
            self.closed.set()

    async def _beat(self, payload):
        at = payload.index(struct.pack("!HH", 220, 9))
        period_s = struct.unpack("!I", payload[at + 5 : at + 9])[0] / 1000
        while True:
            await asyncio.sleep(period_s)
            await self.send(message(KEEPALIVE, 99))

    async def _answer(self, kind, message_id, payload):
        if kind in self.silent or kind in {KEEPALIVE_ACK, ENABLE_EVENTS}:
            return
        if kind in self.refuse:
            await self.send(self.refuse[kind](message_id, payload))
        elif kind == CUSTOM:
            await self._answer_custom(message_id, payload)
        elif kind == ADD and self.rospecs:
            await self.send(message(30, message_id, status(205, "one ROSpec is all I take")))
        elif kind == GET_REPORT:
            await self.send(report())
        else:
            self._note_rospec(kind, payload)
            body = status() + (self.capabilities if kind == GET_CAPABILITIES else b"")
            if kind == GET_CONFIG:
                body += self._config(payload)
            await self.send(message(RESPONSES[kind], message_id, body))
            if kind == START:
                self.started.set()
                for data in self.on_start:
                    await self.send(data)

    def _config(self, payload):
        """What GET_READER_CONFIG asks for: antennas, inputs, or by a custom parameter the temperature."""
        asked = payload[2]
        if struct.pack("!II", 25882, 21) in payload:
            return tlv(1023, struct.pack("!IIh", 25882, 37, self.temperature_c))
        if asked == 2:
            ports = (struct.pack("!BHh", 0x80 * (port not in self.unplugged), port, 0) for port in range(1, 5))
            return b"".join(tlv(221, port) for port in ports)
        if asked == 9:
            return b"".join(tlv(225, struct.pack("!HBB", port, 0x80, on)) for port, on in self.inputs.items())
        return b""

    def _note_rospec(self, kind, payload):
        if kind == ADD:
            self.rospecs.add(1)
        elif kind == DELETE:
            self.rospecs.clear()

    async def _answer_custom(self, message_id, payload):
        if self.knows_impinj and payload.startswith(IMPINJ_HANDSHAKE):
            await self.send(message(CUSTOM, message_id, struct.pack("!IB", 25882, 22) + status()))
        else:
            await self.send(message(ERROR, message_id, status(109, "unknown message")))


def refuse_with(kind, code, text=""):
    """Make an answer that is a response of `kind` with an error status."""
    return lambda message_id, _payload: message(kind, message_id, status(code, text))
