"""What transactions changed, as the database's notices tell it, and many of them taken together. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

NOTICE_BYTES: Final = 7000
"""PostgreSQL takes 8,000 at most; names may be longer in its own form."""
MOST_NAMES: Final = 5000
MOST_MOVEMENTS: Final = 20_000
"""Whoever waits for more than these is better off reading the lists anew."""


class Run(msgspec.Struct, array_like=True, frozen=True):
    """Movements of a stream that were committed together, by their numbers and times."""

    gateway: str
    epoch: str
    first: int
    last: int
    from_at: datetime
    to_at: datetime

    @property
    def count(self) -> int:
        """How many movements it can be."""
        return self.last - self.first + 1


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One notice: what changed, by name. A `mark` is a word between processes that stands for a place in the order."""

    mark: str = ""
    alert: int | None = None
    assets: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    movements: tuple[Run, ...] = ()
    anew: bool = False

    @property
    def weight(self) -> int:
        """How much it takes to tell."""
        return 1 + len(self.assets) + sum(run.count for run in self.movements)


_ENCODE: Final = msgspec.json.Encoder()
_DECODE: Final = msgspec.json.Decoder(Notice)


def read_notice(text: str) -> Notice | None:
    """Read a notice; None if it is nothing that this program would send."""
    try:
        return _DECODE.decode(text)
    except msgspec.DecodeError:
        return None


def write_notice(notice: Notice) -> str:
    """Write a notice."""
    return _ENCODE.encode(notice).decode()


def movement_notices(rows: Iterable[tuple[str, str, int, datetime]]) -> list[str]:
    """Return the notices of movements that one transaction appends, each short enough to be sent.

    A movement is (gateway, epoch, sequence number, event time).
    """
    told: list[str] = []
    part: list[Run] = []
    size = 0
    for run in _runs(rows):
        its = len(_ENCODE.encode(run)) + 1
        if part and size + its > NOTICE_BYTES:
            told.append(write_notice(Notice(movements=tuple(part))))
            part, size = [], 0
        part.append(run)
        size += its
    if part:
        told.append(write_notice(Notice(movements=tuple(part))))
    return told


def _runs(rows: Iterable[tuple[str, str, int, datetime]]) -> Iterator[Run]:
    streams = defaultdict[tuple[str, str], list[tuple[int, datetime]]](list)
    for gateway, epoch, seq, at in rows:
        streams[gateway, epoch].append((seq, at))
    for (gateway, epoch), numbered in sorted(streams.items()):
        numbered.sort()
        begin = 0
        for end in range(1, len(numbered) + 1):
            if end == len(numbered) or numbered[end][0] > numbered[end - 1][0] + 1:
                times = [at for _, at in numbered[begin:end]]
                yield Run(gateway, epoch, numbered[begin][0], numbered[end - 1][0], min(times), max(times))
                begin = end


class Changes:
    """Many notices taken together: what changed ten times is told once, as it stands at last."""

    def __init__(self) -> None:
        self.alerts: set[int] = set()
        self.assets: set[str] = set()
        self.locations: set[str] = set()
        self.gateways: set[str] = set()
        self.runs: list[Run] = []
        self.anew = False

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.alerts) or self.others

    @property
    def movements(self) -> int:
        """How many movements there are to tell, at most."""
        return sum(run.count for run in self.runs)

    def add(self, notice: Notice) -> None:
        """Take a notice; what becomes too much to tell is told as "read the lists anew"."""
        if notice.alert is not None:
            self.alerts.add(notice.alert)
        self.assets.update(notice.assets)
        self.locations.update(notice.locations)
        self.gateways.update(notice.gateways)
        self.runs += notice.movements
        self.anew |= notice.anew
        self._bound()

    def join(self, other: "Changes") -> None:
        """Take what could not be told back."""
        self.alerts |= other.alerts
        self.assets |= other.assets
        self.locations |= other.locations
        self.gateways |= other.gateways
        self.runs = other.runs + self.runs
        self.anew |= other.anew
        self._bound()

    @property
    def others(self) -> bool:
        """Whether there is anything beside alerts to tell."""
        return bool(self.assets or self.locations or self.gateways or self.runs or self.anew)

    def take_alerts(self) -> "Changes":
        """Take out the alerts."""
        taken = Changes()
        taken.alerts, self.alerts = self.alerts, set()
        return taken

    def take(self, movements: int) -> "Changes":
        """Take out all but the alerts, of movements so many and some more."""
        taken = Changes()
        taken.assets, self.assets = self.assets, set()
        taken.locations, self.locations = self.locations, set()
        taken.gateways, self.gateways = self.gateways, set()
        taken.anew, self.anew = self.anew, False
        while self.runs and taken.movements < movements:
            taken.runs.append(self.runs.pop(0))
        return taken

    def _bound(self) -> None:
        if len(self.assets) > MOST_NAMES:
            self.assets.clear()
            self.anew = True
        if self.movements > MOST_MOVEMENTS:
            self.runs.clear()
            self.anew = True
