"""Why an asset is held to be where it is, or why that is doubted, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

_HOUR: Final = timedelta(hours=1)
_BEGUN: Final = {
    ("recorded", False): "Recorded there.",
    ("observed", True): "A door saw it come there.",
    ("observed", False): "Seen or heard there.",
    ("inferred", True): "A door saw it where nobody saw it go: a crossing before that was missed.",
    ("inferred", False): "Seen or heard there though no door saw it come: a crossing was missed.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A belief as it stands at an instant (the database's `beliefs`).

    `silent`: readers that normally hear the asset don't any more; `stale`: nothing has told of it for longer than
    `patience_h`. `reads` are the asset's rounds there by tag and zone; `unseen` is the share of departures that no door
    of the place sees.
    """

    location: str
    since: datetime
    basis: str
    passage: str | None
    doubt: str | None
    silent: bool
    stale: bool
    heard_at: datetime | None
    gone: float | None
    reads: Sequence[dict[str, Any]]
    patience_h: float | None
    unseen: float | None


def doubt_of(one: Standing, now: datetime) -> str | None:
    """Return what speaks against a place; None if nothing does."""
    if one.doubt is not None:
        return one.doubt
    if one.silent:
        return _silence(one, now)
    return _age(one, now) if one.stale else None


def why(one: Standing, now: datetime) -> str:
    """Return what speaks for a place."""
    begun = _BEGUN.get((one.basis, one.passage is not None), "")
    if one.heard_at is None:
        return begun
    return f"{begun} Readers of {one.location} heard it last {lasting(now - one.heard_at)} ago.".strip()


def lasting(span: timedelta) -> str:
    """Return a time span as people say it: 40 min, 6 h, 3 days."""
    if span < 2 * _HOUR:
        return f"{max(0, int(span.total_seconds())) // 60} min"
    return f"{span // _HOUR} h" if span < timedelta(days=2) else f"{span.days} days"


def _silence(one: Standing, now: datetime) -> str:
    hits = sum(each["hits"] for each in one.reads)
    rounds = hits + sum(each["misses"] for each in one.reads)
    usual = f"where it is heard in {_share(hits / rounds)} of rounds" if rounds else "where readers hear what is there"
    if one.heard_at is None:
        told = f"Not heard in {one.location} since it came {lasting(now - one.since)} ago"
    else:
        told = f"Not heard in {one.location} for {lasting(now - one.heard_at)}"
    return f"{told}, {usual}: gone with a probability of {_share(one.gone or 0.0)}."


def _share(value: float) -> str:
    """Return a share that isn't told as sure where it is only rounded so."""
    return "over 99%" if value > 0.99 else f"{value:.0%}"  # noqa: PLR2004 (what rounds to 100 %)


def _age(one: Standing, now: datetime) -> str:
    last = one.since if one.heard_at is None else max(one.since, one.heard_at)
    usual = f" It has stayed in {one.location} longer than usual" if one.patience_h is not None else ""
    missed = f", and doors miss {one.unseen:.0%} of departures from there" if one.unseen is not None else ""
    return f"Nothing has told of it for {lasting(now - last)}.{usual}{missed}."
