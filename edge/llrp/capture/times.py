"""Packets whose time cannot be: a damaged word would put what the reader sent years away, and all that follows it.

A time out of the years 2000 to 2100 is none. One more than a year from the packets before is believed once a second
packet stands near it, as where two recordings were joined or a clock was set; a lone one is damaged. Packets with a
damaged time that stand between two good ones of the same minute are of that minute: they are kept, at the time of the
good one behind them, since a message may come late but never early. When others came nobody knows; they are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from edge.llrp.capture.pcapng import Packet

FIRST_US: Final = 946_684_800_000_000
"""The year 2000: no reader, and no clock of a gateway, was of before."""
LATEST_US: Final = 4_102_444_800_000_000
"""The year 2100, as in `edge.windows`."""
FAR_US: Final = 366 * 24 * 3600 * 1_000_000
BETWEEN_US: Final = 60_000_000
"""Good packets that are nearer than this tell when those between them came."""
MAX_WAITING: Final = 1000
"""So many damaged packets wait for a good one; more than that are no damaged word, but a damaged file."""
_HELD: Final = 3
"""So many packets in a row that agree with none are looked at together; the oldest of them is damaged then."""


class Judged(NamedTuple):
    """A packet with its number in the file, from 1 on.

    Attributes:
        packet: with another's time where its own is damaged and it is kept.
        damage: what is wrong with its time; None where nothing is.
        kept: whether it is to be taken.
    """

    number: int
    packet: Packet
    damage: str | None = None
    kept: bool = True


@dataclass(slots=True)
class PacketTimes:
    """Takes one file's packets in order and gives each back, judged; some wait for those that follow them."""

    _seen: int = 0
    _last_us: int | None = None
    _held: list[Judged] = field(default_factory=list)
    _good_us: int | None = None
    _damaged: list[Judged] = field(default_factory=list)
    _given_up: bool = False

    def take(self, packet: Packet) -> Iterator[Judged]:
        """Take the next packet; yield those of which it is known now what they are."""
        for one in self._judge(packet):
            yield from self._mend(one)

    def finish(self) -> Iterator[Judged]:
        """Yield what still waits: where nothing was near it in all the file it is damaged, but for a beginning."""
        held, self._held = self._held, []
        for one in held:
            yield from self._mend(one if self._last_us is None or one.damage else _far(one))
        yield from self._leave_out()

    def _judge(self, packet: Packet) -> Iterator[Judged]:
        self._seen += 1
        mine = Judged(self._seen, packet)
        if not FIRST_US <= packet.at_us < LATEST_US:
            mine = mine._replace(damage="its time is not in the years 2000 to 2100")
            yield from self._hold(mine) if self._held else [mine]
        elif self._last_us is not None and _near(packet.at_us, self._last_us):
            yield from self._settle(mine, [mine])
        else:
            agree = [one for one in self._held if one.damage is None and _near(one.packet.at_us, packet.at_us)]
            yield from self._settle(mine, [*agree, mine]) if agree else self._hold(mine)

    def _settle(self, mine: Judged, good: list[Judged]) -> Iterator[Judged]:
        """Yield what was held, now that a packet is known to be good, and which of the held with it."""
        held, self._held, self._last_us = [*self._held, mine], [], mine.packet.at_us
        yield from (one if one in good or one.damage else _far(one) for one in held)

    def _hold(self, mine: Judged) -> Iterator[Judged]:
        held = [*self._held, mine]
        self._held = held[1 - _HELD :]
        yield from (one if one.damage else _far(one) for one in held[: 1 - _HELD])

    def _mend(self, one: Judged) -> Iterator[Judged]:
        """Yield damaged packets once it is known whether they can be kept, and good ones."""
        if one.damage is not None:
            self._damaged.append(one)
            if self._given_up or len(self._damaged) > MAX_WAITING:
                self._given_up = True
                yield from self._leave_out()
            return
        at_us = one.packet.at_us
        if not self._given_up and 0 <= at_us - (at_us if self._good_us is None else self._good_us) <= BETWEEN_US:
            damaged, self._damaged = self._damaged, []
            yield from (bad._replace(packet=replace(bad.packet, at_us=at_us)) for bad in damaged)
        yield from self._leave_out()
        self._good_us, self._given_up = at_us, False
        yield one

    def _leave_out(self) -> Iterator[Judged]:
        damaged, self._damaged = self._damaged, []
        yield from (bad._replace(kept=False) for bad in damaged)


def _near(one_us: int, other_us: int) -> bool:
    return abs(one_us - other_us) <= FAR_US


def _far(judged: Judged) -> Judged:
    return judged._replace(damage="its time is years away from those of the packets beside it")
