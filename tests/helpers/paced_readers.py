"""`python -m tests.helpers.paced_readers`: LLRP readers that send tag reports at a given pace and count what they sent.

A process of its own, so that what it costs is not in the figures of the client. It answers set-up with the bytes of
`fake_reader` and its reports are packed here, so that nothing is shared with the decoder that they are meant for. Each
reader hears a hundred tags of its own: most lie on a shelf, some walk through the door past antennas 1 to 4 and come as
new tags for the next walk. Reports go out as they come, `--tags` reads each, whatever the ROSpec asks for.

One JSON line on stdout says the ports; one more, after stdin has ended or been closed, how many reads were sent.
"""

import asyncio
import json
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Annotated

import typer

from tests.helpers.fake_reader import (
    CUSTOM,
    DELETE,
    ENABLE,
    ENABLE_EVENTS,
    GET_CAPABILITIES,
    GET_REPORT,
    IMPINJ_HANDSHAKE,
    KEEPALIVE,
    KEEPALIVE_ACK,
    RESPONSES,
    SET_CONFIG,
    START,
    STOP,
    attempt,
    message,
    report,
    status,
    tlv,
)

ANSWER_S = 0.005
"""sllurp sets its state after it has sent, so an answer quicker than that is lost on it."""
TAGS, WALKERS = 100, 10
WALK_S = 4.0
"""From the first antenna to the last."""
LATE_S = 1.0
"""A sender that falls so far behind its pace isn't one: it says so and ends."""
GET_CONFIG, GET_CONFIG_RESPONSE = 2, 12
TAG = struct.Struct("!HHB12sBHBbBHBQBQBHBI")
"""TagReportData: EPC-96, antenna, peak RSSI, channel, first and last seen (UTC), seen count, ROSpec."""
PHASE = struct.Struct("!HHIIHHHIIH")
"""Impinj's phase and peak RSSI."""


def capabilities():
    """Return an R420's capabilities as far as both clients want them: four antennas, two powers, one mode."""
    general = struct.pack("!HHIIH", 4, 1 << 14, 25882, 2001002, 10) + b"5.14.0.240" + tlv(141, struct.pack("!HH", 4, 4))
    llrp = struct.pack("!BBHIIIII", 1 << 6 | 1 << 3, 1, 0, 1, 32, 1, 8, 8)
    mode = tlv(329, struct.pack("!IBBBBIIIII", 1000, 0, 0, 2, 2, 160_000, 1500, 12_500, 25_000, 2100))
    powers = b"".join(tlv(145, struct.pack("!HH", index, cdbm)) for index, cdbm in ((1, 1000), (2, 3000)))
    hops = tlv(146, b"\x80" + tlv(147, struct.pack("!BBHI", 1, 0, 1, 915_250)))
    band = tlv(144, powers + hops + tlv(328, mode))
    return tlv(137, general) + tlv(142, llrp) + tlv(143, struct.pack("!HH", 840, 1) + band)


@dataclass
class PacedReader:
    """One reader; it serves one client at a time."""

    number: int
    tags_a_report: int
    impinj: bool
    sent: int = 0
    sending: bool = False
    writer: asyncio.StreamWriter | None = None
    serials: count = field(default_factory=count)
    walkers: dict = field(default_factory=dict)

    def send_report(self, now_us):
        """Send one report of the next reads."""
        self.writer.write(report(*(self._tag(self.sent + n, now_us) for n in range(self.tags_a_report))))
        self.sent += self.tags_a_report

    def _tag(self, read, now_us):
        place = read % TAGS
        serial, antenna, rssi_dbm = place, 1 + place % 4, -60 - place % 7
        if place < WALKERS:
            walk, part = divmod(now_us / 1e6 / WALK_S + place / WALKERS, 1)
            if self.walkers.get(place, (None, None))[0] != walk:
                self.walkers[place] = walk, TAGS + next(self.serials)
            serial = self.walkers[place][1]
            antenna = 1 + int(4 * part)
            rssi_dbm = -70 + int(25 * (1 - abs(2 * part - 1)))
        epc = struct.pack("!4sII", b"\x30\x34\x25\x7b", self.number, serial)
        channel = 1 + now_us // 200_000 % 50
        extra = b""
        if self.impinj:
            phase = (read * 37) % 4096
            extra = PHASE.pack(1023, 14, 25882, 56, phase, 1023, 14, 25882, 57, (100 * rssi_dbm) & 0xFFFF)
        return (
            TAG.pack(
                240, TAG.size + len(extra), 0x8D, epc, 0x81, antenna, 0x86, rssi_dbm, 0x87, channel,
                0x82, now_us, 0x84, now_us, 0x88, 1, 0x89, 1,
            )
            + extra
        )  # fmt: skip

    async def serve(self, stream, writer):
        """Serve one connection."""
        beat = None
        self.writer = writer
        writer.write(attempt(utc_us=time.time_ns() // 1000))
        try:
            while True:
                word, length, message_id = struct.unpack("!HII", await stream.readexactly(10))
                payload = await stream.readexactly(length - 10)
                kind = word & 0x3FF
                if kind == SET_CONFIG and beat is None:
                    beat = asyncio.ensure_future(self._beat(payload))
                if kind not in {KEEPALIVE_ACK, ENABLE_EVENTS}:
                    await asyncio.sleep(ANSWER_S)
                    # sllurp's ROSpec starts by itself when enabled, ours when told
                    self.sending = kind in {START, ENABLE} or (self.sending and kind not in {STOP, DELETE})
                    writer.write(self._answer(kind, message_id, payload))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # gone, or we end: a server's task that ends cancelled is complained of on Python 3.11
        finally:
            self.sending = False
            if beat:
                beat.cancel()
            writer.close()

    def _answer(self, kind, message_id, payload):
        if kind == GET_REPORT:
            return report()
        if kind == CUSTOM and payload.startswith(IMPINJ_HANDSHAKE):
            return message(CUSTOM, message_id, struct.pack("!IB", 25882, 22) + status())
        if kind == GET_CONFIG:
            return message(GET_CONFIG_RESPONSE, message_id, status())
        body = status() + (capabilities() if kind == GET_CAPABILITIES else b"")
        return message(RESPONSES.get(kind, 100), message_id, body)

    async def _beat(self, payload):
        at = payload.find(struct.pack("!HH", 220, 9))
        period_s = struct.unpack("!I", payload[at + 5 : at + 9])[0] / 1000 if at >= 0 else 1.0
        while True:
            await asyncio.sleep(period_s)
            self.writer.write(message(KEEPALIVE, 99))


def say(values):
    """Tell whoever started us."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


async def pace(readers, period_s, stop):
    """Send a report of every reader that inventories each period, as near to its time as the clock allows."""
    clock = asyncio.get_running_loop().time
    due_s = clock()
    while not stop.is_set():
        due_s += period_s
        await asyncio.sleep(due_s - clock())
        if clock() - due_s > LATE_S:
            raise RuntimeError(f"the sender is {clock() - due_s:.1f} s behind its pace: this machine is too busy")
        now_us = time.time_ns() // 1000
        for reader in readers:
            if reader.sending:
                reader.send_report(now_us)


async def serve(readers, period_s):
    """Serve until stdin ends; return when all that was sent is with the network."""
    servers = [await asyncio.start_server(reader.serve, "127.0.0.1", 0) for reader in readers]
    say({"ports": [server.sockets[0].getsockname()[1] for server in servers]})
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    await pace(readers, period_s, stop)
    for reader in readers:
        reader.sending = False
        with suppress(ConnectionError):  # a client that has left got what it got
            await reader.writer.drain()
    say({"sent": sum(reader.sent for reader in readers), "cpu_s": time.process_time()})
    asyncio.get_running_loop().remove_reader(sys.stdin)
    sys.stdin.readline()  # the word to stop
    await asyncio.to_thread(sys.stdin.readline)  # and the word to go: until then the connections stay


def main(
    readers: Annotated[int, typer.Option(help="How many readers.", min=1)] = 8,
    rate: Annotated[int, typer.Option(help="Reads a second of each reader.", min=1)] = 1000,
    tags: Annotated[int, typer.Option(help="Reads a report.", min=1)] = 1,
    impinj: Annotated[bool, typer.Option(help="Send Impinj's phase and fine RSSI.")] = False,  # noqa: FBT002 (a flag)
) -> None:
    """Serve readers that send at a given pace, until stdin says so."""
    paced = [PacedReader(number, tags, impinj) for number in range(readers)]
    asyncio.run(serve(paced, tags / rate))


if __name__ == "__main__":
    typer.run(main)
