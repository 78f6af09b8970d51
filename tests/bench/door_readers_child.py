"""`python -m tests.bench.door_readers_child READERS RATE TAGS`: LLRP readers at doors with full shelves behind them.

Each reader hears its share of the tags on a shelf, one after the other, and twice a minute somebody who carries one of
thirty tags through the door: out, a quarter of an hour later in again. A report holds one read, as it is live. One JSON
line on stdout says the ports; one more, when stdin ends, how many reads were sent and how late the latest was.
"""

import asyncio
import sys
import time
from dataclasses import dataclass

from tests.bench.gate_child import million_epc
from tests.helpers.paced_readers import PHASE, TAG, PacedReader, say

WALKERS = 30
WALK_EVERY_S, WALK_S = 30.0, 4.0
WALKERS_SHARE = 5
"""While somebody walks, every fifth read is of his tag."""
TURN_S = 0.02
"""As exact as this the pace is kept: a report that is due waits no longer."""


@dataclass
class DoorReader(PacedReader):
    """One reader with its shelf; tags are assets of the gate's snapshot."""

    first: int = 0
    residents: int = 0

    def _tag(self, read, now_us):
        walk, at = divmod(now_us / 1e6 + self.number * WALK_EVERY_S / 4, WALK_EVERY_S)
        if at < WALK_S and read % WALKERS_SHARE == 0:
            part = at / WALK_S
            turn, walker = divmod(int(walk), WALKERS)
            antenna = 1 + int(4 * (part if turn % 2 == 0 else 1 - part - 1e-9))
            return self._report(read, now_us, self.residents + walker, antenna, -70 + int(25 * (1 - abs(2 * part - 1))))
        place = read % self.residents
        return self._report(read, now_us, place, 1 + place % 2, -60 - place % 7)

    def _report(self, read, now_us, place, antenna, rssi_dbm):
        extra = PHASE.pack(1023, 14, 25882, 56, read * 37 % 4096, 1023, 14, 25882, 57, (100 * rssi_dbm) & 0xFFFF)
        return (
            TAG.pack(
                240, TAG.size + len(extra), 0x8D, million_epc(self.first + place), 0x81, antenna, 0x86, rssi_dbm, 0x87,
                1 + now_us // 200_000 % 50, 0x82, now_us, 0x84, now_us, 0x88, 1, 0x89, 1,
            )
            + extra
        )  # fmt: skip


async def pace(readers, rate, stop):
    """Keep the pace until told to stop, catching up where the machine kept us from it; return the worst delay."""
    clock = asyncio.get_running_loop().time
    begun_s, sent, worst_s = clock(), 0, 0.0
    while not stop.is_set():
        await asyncio.sleep(TURN_S)
        due = int((clock() - begun_s) * rate)
        worst_s = max(worst_s, (due - sent) / rate)
        for _ in range(due - sent):
            for reader in readers:
                if reader.sending:
                    reader.send_report(time.time_ns() // 1000)
        sent = due
    return worst_s


async def main(count, rate, tags):
    """Serve until stdin ends."""
    share = tags // count
    readers = [
        DoorReader(number, 1, impinj=True, first=number * share, residents=share - WALKERS) for number in range(count)
    ]
    servers = [await asyncio.start_server(reader.serve, "127.0.0.1", 0) for reader in readers]
    say({"ports": [server.sockets[0].getsockname()[1] for server in servers]})
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    worst_s = await pace(readers, rate, stop)
    say({"sent": sum(reader.sent for reader in readers), "cpu_s": time.process_time(), "late_s": worst_s})


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
