"""One simulated reader and its client on virtual connections: what passes between them, as packets of a capture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from edge.llrp.capture import ConnectionNote, Endpoint, RecordedConnection, to_comment
from simulator.runs.client import Stage, VirtualClient, parsed
from simulator.runs.places import Place
from simulator.runs.requests import Inventory
from simulator.server.device import ReaderDevice
from simulator.server.inventory import Radio
from simulator.server.now import Now
from simulator.world.values import Ints, Reads

LLRP_PORT: Final = 5084
"""The port at which the packets show every reader, since Wireshark knows LLRP by it."""
CLIENT: Final = "127.0.0.1"
FIRST_PORT: Final = 49_152
ROUND_TRIP_US: Final = 2_000
REDIAL_US: Final = 1_000_000
"""An agent waits about so long before it dials again."""
KEEPALIVES_MISSED: Final = 3
"""A reader that is silent for so many periods is dead."""
REPORT_US: Final = 200_000
"""Reports of so much time arrive together; a live reader gives them every 10 ms or so, in many times the packets."""


@dataclass(slots=True)
class Packets:
    """Packets of all readers of one recording, until they are written in the order of their times."""

    waiting: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, at_us: int, data: bytes) -> None:
        """Take a packet; those of one time stay in their order."""
        self.waiting.append((at_us, data))

    def take(self) -> bytes:
        """Return all of them, in order, and forget them."""
        ordered = sorted(self.waiting, key=lambda packet: packet[0])
        self.waiting.clear()
        return b"".join(data for _, data in ordered)


@dataclass(slots=True)
class Counts:
    """What a link did beside the reader's own counters."""

    connections: int = 0
    problems: list[str] = field(default_factory=list)


class VirtualLink:
    """Reader, client, and the packets between them; times are microseconds of the scenario, which begins at 0.

    Args:
        reader: the reader's id.
        device: the reader.
        inventory: how it is asked for tags.
        place: the address that it has in `edge.toml`.
        begin_us: UTC of scenario time 0.
        lead_us: how long before that the readers were switched on.
        packets: takes what passes.
        first_port: the client's port on the first connection; each further one takes the next.
    """

    def __init__(
        self,
        reader: str,
        device: ReaderDevice,
        inventory: Inventory,
        *,
        place: Place,
        begin_us: int,
        lead_us: int,
        packets: Packets,
        first_port: int,
    ) -> None:
        self.reader, self.device, self.inventory = reader, device, inventory
        self.counts = Counts()
        self._place, self._begin_us, self._lead_us = place, begin_us, lead_us
        self._packets, self._port = packets, first_port
        self._connection: RecordedConnection | None = None
        self._client: VirtualClient | None = None
        self._redial_us = -lead_us
        self._last_us = self._heard_us = -lead_us
        self._up_us: int | None = None
        self._had_power = True

    @property
    def reads(self) -> bool:
        """Whether the client has set the reader up."""
        return self._client is not None and self._client.stage is Stage.READING

    @property
    def silent(self) -> bool:
        """Whether nothing comes through between the two."""
        return self._is_down or self.device.faults.half_open or self.device.faults.powered_off

    def radio(self) -> Radio | None:
        """What the antennas do now; None while nothing is inventoried."""
        return None if self._is_down else self.device.radio()

    def now(self, at_us: int) -> Now:
        """One moment as the reader's clocks show it."""
        return self._true(at_us).by(self.device.faults)

    def step(self, at_us: int) -> None:
        """Do what is due: dial, let the reader do its part, give up one that is silent or has closed."""
        self._look_at_power(at_us)
        if self._client is None and at_us >= self._redial_us:
            self._dial(at_us)
        elif not (self._is_down or self.device.faults.powered_off):
            self._converse(self.device.tick(self.now(at_us)), at_us)
        self._watch(at_us)
        self._part_if_over(at_us)

    def put(self, reads: Reads, until_us: int) -> None:
        """Take reads of a span that ends then; they reach the client in parts of `REPORT_US`."""
        if self.silent:
            self.device.inventory.counters.unheard_reads += int(reads.seen.sum())
            return
        sent = self.device.put(reads, self._begin_us, self.now(until_us))
        if len(sent) != len(reads):
            # What a fault holds back, drops or makes up comes at the end of the span, which is short then.
            self._receive(sent, until_us)
            return
        for end_us, begin, end in parts(reads.at_us, REPORT_US):
            self._receive(sent[begin:end], min(end_us, until_us))

    def input(self, port: int, at_us: int, *, high: bool) -> None:
        """One of the reader's inputs changes; without power nobody notices."""
        if self._is_down or self.device.faults.powered_off:
            self.device.terminals.inputs[port] = high
        else:
            self._converse(self.device.gpi(port, self.now(at_us), high=high), at_us)

    def set(self, switch: str, value: Any, at_us: int) -> None:
        """One of the reader's faults is switched."""
        self.device.faults.put(switch, value, self._begin_us + at_us)

    def act(self, action: str, arguments: Mapping[str, Any], at_us: int) -> None:
        """Something happens to the reader, one of `simulator.faults.ACTIONS` with all of its arguments."""
        if action == "drop":
            self.drop(at_us)
        elif action == "reboot":
            self.drop(at_us)
            self._up_us = at_us + round(1e6 * arguments["down_s"])
            self._redial_us = max(self._redial_us, self._up_us)
        else:
            self._converse(self.device.act(action, arguments, self._true(at_us)), at_us)

    def drop(self, at_us: int) -> None:
        """Lose the connection; it is dialled again."""
        if self._connection is not None:
            self._add(at_us, self._connection.close(self._utc_us(at_us)))
        self._connection = self._client = None
        self._redial_us = at_us + REDIAL_US
        if self.device.connected:
            self.device.disconnect(self.now(at_us))

    def finish(self, at_us: int) -> None:
        """Send what is pending, and hang up for good."""
        if not self.silent:
            self._receive(self.device.inventory.flush(late=True), at_us)
        self.drop(at_us)

    def _true(self, at_us: int) -> Now:
        return Now(self._begin_us + at_us, self._lead_us + at_us)

    @property
    def _is_down(self) -> bool:
        return self._up_us is not None

    def _look_at_power(self, at_us: int) -> None:
        """A reader that has booted anew knows nothing of its client, and resets what comes from there."""
        back = self._up_us is not None and at_us >= self._up_us
        power = not self.device.faults.powered_off
        if back or (power and not self._had_power):
            self._up_us = None
            self.drop(at_us)
            self.device.reboot(self._begin_us + at_us)
            self._redial_us = at_us
        self._had_power = power

    def _dial(self, at_us: int) -> None:
        self.counts.connections += 1
        connection = RecordedConnection(
            client=Endpoint(CLIENT, self._port), reader=Endpoint(self._place.host, LLRP_PORT)
        )
        self._port += 1
        self._connection, self._client = connection, VirtualClient(self.inventory, at_us)
        self._heard_us = at_us
        note = ConnectionNote(reader=self.reader, host=self._place.host, port=self._place.port)
        self._add(at_us, connection.open(self._utc_us(at_us), [to_comment(note)]))
        if self.silent:
            return
        greeted_us = at_us + round(1e6 * self.device.faults.greeting_delay_s)
        if turned_away := self.device.turns_away(self.now(greeted_us)):
            self._converse(turned_away, greeted_us)
        else:
            self._converse(self.device.connect(self.now(greeted_us)), greeted_us)

    def _converse(self, sent: Sequence[bytes], at_us: int) -> None:
        """Let the client hear the reader, and the reader what the client says to that, until both have said all."""
        heard = list(sent)
        while heard and self._client is not None and self._connection is not None and not self.silent:
            self._receive(heard, at_us)
            asked = self._client.receive(heard, at_us)
            if asked:
                self._add(at_us, self._connection.sent(self._utc_us(at_us), b"".join(asked)))
            at_us += ROUND_TRIP_US + round(1e6 * self.device.faults.answer_delay_s)
            heard = [answer for one in asked for answer in self.device.receive(parsed(one), self.now(at_us))]

    def _receive(self, sent: Sequence[bytes], at_us: int) -> None:
        """Record what the reader sends: late and together, or in pieces, where its network does that."""
        if not sent or self._connection is None:
            return
        self._heard_us = at_us
        faults = self.device.faults
        if faults.merge_ms:
            at_us = -(-at_us // (1000 * faults.merge_ms)) * 1000 * faults.merge_ms
        data = b"".join(sent)
        size = faults.split_bytes or len(data)
        for begin in range(0, len(data), size):
            self._add(at_us, self._connection.received(self._utc_us(at_us), data[begin : begin + size]))

    def _watch(self, at_us: int) -> None:
        """Give up a reader that owes an answer, or keepalives."""
        if self._client is not None:
            self._client.tick(at_us)
            if at_us - self._heard_us > KEEPALIVES_MISSED * 1000 * self.inventory.keepalive_ms:
                self._client.give_up("the reader keeps silent")

    def _part_if_over(self, at_us: int) -> None:
        if self._client is None:
            return
        if self._client.stage is Stage.FAILED:
            self.counts.problems.append(self._client.problem)
            self.drop(at_us)
        elif self.device.closing:
            self.drop(at_us)

    def _utc_us(self, at_us: int) -> int:
        """Arrival: a connection's packets never go back in time, though answers may be late."""
        self._last_us = max(self._last_us, at_us)
        return self._begin_us + self._last_us

    def _add(self, at_us: int, data: bytes) -> None:
        self._packets.add(max(self._last_us, at_us), data)


def parts(times_us: Ints, part_us: int) -> Iterator[tuple[int, int, int]]:
    """Cut times, which rise, at the multiples of a length: the end of each part, and the bounds of what lies in it."""
    if not len(times_us):
        return
    ends = -(-times_us // part_us)
    cuts = np.flatnonzero(np.diff(ends)) + 1
    for begin, end in pairwise([0, *cuts.tolist(), len(times_us)]):
        yield int(ends[begin]) * part_us, begin, end
