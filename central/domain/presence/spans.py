"""Presence spans joined into rounds: the times at which a place listened, and what it heard then.

A round is one chance to hear a tag. A sweep is one round however many spans it was cut into; antennas that always
listen give one round an hour, or one a span where spans are longer: of a tag they tell only when it was heard last. The
rounds are a function of the set of spans: neither their order, nor a cut within a sweep or within an hour, nor a span
that comes twice changes them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

Mode = Literal["portal", "zone", "sweep"]
ListeningKey = tuple[str, str]
"""(zone, mode)."""

CELL: Final = timedelta(hours=1)
"""Antennas that always listen give a round this long. A tag that lies still is heard, or not, for minutes on end:
shorter rounds would count one accident many times."""
SWEEP_JOIN: Final = timedelta(minutes=2)
"""Spans of a sweep that follow each other within this are one walk through the room."""
MIN_UP: Final = 0.5
"""A round whose antennas worked for less of it proves no silence."""
_ORIGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)
_Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Heard:
    """A tag that was heard in a span, when last, and how well: reads, and the best level where the reader told it."""

    epc: str
    last_at: datetime
    reads: int = 1
    level_cdbm: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """One presence row. `up` is the share of the span (0 to 1) for which its antennas worked."""

    zone: str
    mode: Mode
    from_at: datetime
    to_at: datetime
    up: float
    heard: tuple[Heard, ...] = ()
    part: int = 1
    parts: int = 1
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Round:
    """One chance to hear what is there.

    `silence` tells whether a tag that isn't in `heard` was silent; else the round can only confirm.
    """

    zone: str
    mode: Mode
    from_at: datetime
    to_at: datetime
    up: float
    silence: bool
    heard: tuple[tuple[str, datetime], ...]

    @property
    def key(self) -> ListeningKey:
        """The zone and the mode, by which hit rates are kept."""
        return self.zone, self.mode


def rounds(spans: Iterable[Span]) -> list[Round]:
    """Return the rounds of zones and sweeps in the order of their ends; portal spans are none.

    Doors hear who passes by, not what is in the room.
    """
    by_key: dict[tuple[str, Mode], set[Span]] = defaultdict(set)
    for span in spans:
        if span.mode != "portal":
            by_key[span.zone, span.mode].add(span)
    found: list[Round] = []
    for (_, mode), its in by_key.items():
        ordered = sorted(its, key=_order)
        found += _sweeps(ordered) if mode == "sweep" else _cells(ordered)
    return sorted(found, key=lambda one: (one.to_at, one.zone, one.mode))


def merge(intervals: Iterable[_Interval], within: timedelta = timedelta(0)) -> list[_Interval]:
    """Return the union of intervals, in order; gaps up to `within` are closed."""
    merged: list[_Interval] = []
    for start, end in sorted(intervals):
        if merged and start - merged[-1][1] <= within:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _order(span: Span) -> tuple[datetime, datetime, int]:
    return span.from_at, span.to_at, span.part


def _sweeps(spans: Sequence[Span]) -> list[Round]:
    walks = merge([(span.from_at, span.to_at) for span in spans], SWEEP_JOIN)
    return [_sweep([span for span in spans if start <= span.from_at <= end], start, end) for start, end in walks]


def _sweep(spans: Sequence[Span], start: datetime, end: datetime) -> Round:
    lasted = sum((to - from_).total_seconds() for from_, to in {(span.from_at, span.to_at) for span in spans})
    up = _up_s(spans, start, end) / lasted if lasted else max(span.up for span in spans)
    silence = up >= MIN_UP and _whole(spans)
    heard = _latest((one.epc, one.last_at) for span in spans for one in span.heard)
    return Round(spans[0].zone, spans[0].mode, start, end, round(up, 3), silence, heard)


def round_end(span: Span) -> datetime:
    """Return when the round of a zone's span ends, at the earliest: it may go on for as long as its hour does."""
    long = span.to_at - span.from_at > CELL
    return span.to_at if long else max(span.to_at, _cell_of(span.from_at) + CELL)


def _cells(spans: Sequence[Span]) -> list[Round]:
    by_round: dict[tuple[datetime, datetime | None], list[Span]] = defaultdict(list)
    for span in spans:
        long = span.to_at - span.from_at > CELL
        by_round[(span.from_at, span.to_at) if long else (_cell_of(span.from_at), None)].append(span)
    return [_cell(its, start) for (start, _), its in sorted(by_round.items(), key=lambda one: _order(one[1][0]))]


def _cell_of(at: datetime) -> datetime:
    return at - (at - _ORIGIN) % CELL


def _cell(spans: Sequence[Span], start: datetime) -> Round:
    end = max(round_end(span) for span in spans)
    lasts = max([CELL, *(span.to_at - span.from_at for span in spans)])
    up = min(1.0, _up_s(spans, start, end) / lasts.total_seconds())
    heard = _latest((one.epc, one.last_at) for span in spans for one in span.heard)
    return Round(spans[0].zone, spans[0].mode, start, end, round(up, 3), up >= MIN_UP and _whole(spans), heard)


def _up_s(spans: Iterable[Span], start: datetime, end: datetime) -> float:
    """Seconds from `start` to `end` for which antennas worked; parts of one span count once."""
    up: dict[_Interval, float] = {}
    for span in spans:
        key = max(span.from_at, start), min(span.to_at, end)
        up[key] = max(span.up, up.get(key, 0.0))
    return sum(share * max(0.0, (to - from_).total_seconds()) for (from_, to), share in up.items())


def _latest(hits: Iterable[tuple[str, datetime]]) -> tuple[tuple[str, datetime], ...]:
    latest: dict[str, datetime] = {}
    for epc, at in hits:
        latest[epc] = max(at, latest.get(epc, at))
    return tuple(sorted(latest.items()))


def _whole(spans: Iterable[Span]) -> bool:
    """Whether all was told: a tag of a part that hasn't come, or of a sweep broken off, would look silent."""
    parts: dict[tuple[datetime, datetime, int], set[int]] = defaultdict(set)
    for span in spans:
        if not span.complete:
            return False
        parts[span.from_at, span.to_at, span.parts].add(span.part)
    return all(len(seen) == expected for (_, _, expected), seen in parts.items())
