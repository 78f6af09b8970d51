"""How long each antenna listened in a span: told by looks at the readers, never by the absence of bad news. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from edge.contracts import AntennaHealth, ReaderHealth, instant_us
from edge.presence.settings import Antenna

SECOND_US: Final = 1_000_000
LOOK_LONGEST_US: Final = 10 * SECOND_US
"""Looks come twice a second; where they were further apart than this nobody knows what was between them."""
_DOWN: Final = frozenset({"fault", "silent"})


class Standing(NamedTuple):
    """How an antenna is: whether it listens, since when so or not, and whether tags at rest are asked."""

    up: bool
    since_us: int
    asks_all: bool = True


@dataclass(slots=True)
class Cover:
    """One antenna's figures of one span, in microseconds."""

    up_us: int = 0
    asked_us: int = 0


def standing(reader: ReaderHealth | None, port: int, *, now_us: int, asks_all: bool) -> Standing:
    """Return how an antenna is by its reader's report.

    Without a report, out of session, on an errand, at fault, or silent where it heard tags all the time, it is down.
    """
    if reader is None:
        return Standing(up=False, since_us=now_us, asks_all=False)
    reader_since_us = now_us if reader.since is None else instant_us(reader.since)
    if reader.state != "connected":
        return Standing(up=False, since_us=reader_since_us, asks_all=False)
    if reader.busy_since is not None:
        return Standing(up=False, since_us=instant_us(reader.busy_since), asks_all=False)
    antenna = _antenna(reader, port)
    if antenna is not None and antenna.state in _DOWN:
        since_us = reader_since_us if antenna.since is None else instant_us(antenna.since)
        return Standing(up=False, since_us=max(since_us, reader_since_us), asks_all=False)
    return Standing(up=True, since_us=reader_since_us, asks_all=asks_all)


def credit(before: Standing | None, now: Standing, looked_us: int, now_us: int) -> tuple[int, int]:
    """Return the stretch between two looks in which an antenna listened, `(from, to)`.

    A fault is found some seconds after it began: then `to` lies before `from`, and what was credited is taken back.
    """
    if now_us - looked_us > LOOK_LONGEST_US or before is None:
        return now_us, now_us
    if now.up:
        return max(looked_us, min(now.since_us, now_us)), now_us
    if before.up:
        return looked_us, min(now.since_us, now_us)
    return now_us, now_us


def overlap_us(begin_us: int, end_us: int, from_us: int, to_us: int) -> int:
    """Return how much of a stretch lies in a span; negative where the stretch takes back."""
    if to_us < from_us:
        return -overlap_us(begin_us, end_us, to_us, from_us)
    return max(min(end_us, to_us) - max(begin_us, from_us), 0)


def standings(
    readers: Mapping[str, ReaderHealth], asks_all: Mapping[str, bool], antennas: list[Antenna], now_us: int
) -> dict[Antenna, Standing]:
    """Return how antennas are; a reader that `asks_all` doesn't name asks all tags while it is in session."""
    return {
        one: standing(readers.get(one.reader), one.port, now_us=now_us, asks_all=asks_all.get(one.reader, True))
        for one in antennas
    }


def _antenna(reader: ReaderHealth, port: int) -> AntennaHealth | None:
    return next((antenna for antenna in reader.antennas if antenna.port == port), None)
