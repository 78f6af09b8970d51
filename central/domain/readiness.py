"""Whether a door may become louder: what is known of it against what a policy wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from central.domain.alert_life import share_interval
from central.domain.places import PORTAL_MODES


@dataclass(frozen=True, slots=True)
class Policy:
    """What a door has to show before it may have a mode. Shares are upper ends of 95 % intervals, of 1."""

    mode: str
    least_days: int
    least_crossings: int
    most_missed: float
    most_false: float
    least_walks: int
    most_walk_faults: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a door since it has its mode.

    `walks` and `faults` are its commissioning's, None without one; `missed` is the upper end of its miss rate's
    interval, None while nothing is measured; `false_alerts` are those that verdicts call so, provisional ones too.
    """

    since: datetime | None
    days: int
    crossings: int
    missed: float | None
    false_alerts: int
    commissioned_at: datetime | None
    walks: int | None
    faults: int | None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a policy wants; `found` is None where nothing is known."""

    name: str
    words: str
    wanted: float
    found: float | None
    met: bool


def next_mode(mode: str) -> str | None:
    """Return the next louder mode; None after the last."""
    place = PORTAL_MODES.index(mode) + 1
    return PORTAL_MODES[place] if place < len(PORTAL_MODES) else None


def criteria(known: Evidence, policy: Policy) -> list[Criterion]:
    """Return each thing that the policy wants, and whether the door shows it."""
    _, walked = share_interval(known.faults or 0, known.walks or 0)
    _, wrong = share_interval(min(known.false_alerts, known.crossings), known.crossings)
    return [
        _least("days", "days with passages since it has this mode", policy.least_days, known.days),
        _least("crossings", "crossings in these days", policy.least_crossings, known.crossings),
        _most("missed", "share of crossings that it misses, upper end", policy.most_missed, known.missed),
        _most("false", "false alerts a crossing, upper end", policy.most_false, wrong if known.crossings else None),
        _least("walks", "walks of its commissioning", policy.least_walks, known.walks),
        _most("faults", "share of walks told wrong, upper end", policy.most_walk_faults,
              walked if known.walks else None),
    ]  # fmt: skip


def lacking(found: Sequence[Criterion]) -> str:
    """Return what isn't shown, as words for a person; empty if all is."""
    return "; ".join(
        f"{one.words}: {'not known' if one.found is None else f'{one.found:.3g}'}, wanted {_bound(one)}"
        for one in found
        if not one.met
    )


_LEAST: Final = frozenset({"days", "crossings", "walks"})


def _bound(one: Criterion) -> str:
    return f"{'at least' if one.name in _LEAST else 'at most'} {one.wanted:.3g}"


def _least(name: str, words: str, wanted: int, found: int | None) -> Criterion:
    return Criterion(name, words, wanted, found, met=found is not None and found >= wanted)


def _most(name: str, words: str, wanted: float, found: float | None) -> Criterion:
    return Criterion(name, words, wanted, found, met=found is not None and found <= wanted)
