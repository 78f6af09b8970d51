"""The one order of an asset's crossings, hearings and acts, whatever order they came in."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from central.domain.story.hearing import LINGER, Heard, credible
from central.domain.story.records import Act, Checkpoint, Crossing

Item = Crossing | Act | Heard

TOGETHER: Final = timedelta(seconds=10)
"""Tags of one asset that cross a door the same way within this time cross it once."""


def in_order(
    crossings: Iterable[Crossing],
    acts: Iterable[Act],
    heard: Iterable[Heard] = (),
    begin: Checkpoint | None = None,
) -> list[Item]:
    """Return everything once by (at, gateway, epoch, seq); acts of an instant come before its crossings, by id.

    A crossing without a synchronised clock keeps its stream's order: its `at` is moved between those of its neighbours
    in the stream whose clocks were right. Of hearings those that may be believed are left, each with how far.
    """
    last = begin.last if begin is not None else None
    settled = [one for stream in _streams(crossings) for one in _settle(stream)]
    passed = _one_a_passage(sorted(settled, key=_key), last)
    believed = [one for one in credible(heard) if begin is None or one.at > begin.at]
    return _weighed(sorted([*passed, *set_of(acts), *believed], key=_key), last)


def _weighed(items: Iterable[Item], last: Crossing | None) -> list[Item]:
    """Say of each hearing what it adds to those before it; what only lingers after a crossing is left out."""
    weighed: list[Item] = []
    place, rounds = "", Counter[tuple[float, ...]]()
    for one in items:
        if isinstance(one, Heard):
            if last is not None and last.origin == one.location and one.at - last.at <= LINGER:
                continue
            if place != one.location:
                place, rounds = one.location, Counter()
            strays = one.strays()
            weighed.append(replace(one, stray=strays[rounds[strays]] if rounds[strays] < len(strays) else 1.0))
            rounds[strays] += 1
            continue
        if isinstance(one, Crossing):
            last = one
        if isinstance(one, Crossing) or one.kind == "placed" or one.believed:
            place = ""
        weighed.append(one)
    return weighed


def _one_a_passage(crossings: Sequence[Crossing], last: Crossing | None) -> list[Crossing]:
    """Leave out what a second tag of the asset saw of a crossing: lid and body go through a door together."""
    kept: list[Crossing] = []
    for one in crossings:
        if last is None or not _together(last, one):
            kept.append(one)
            last = one
    return kept


def _together(one: Crossing, other: Crossing) -> bool:
    same = (one.portal, one.destination) == (other.portal, other.destination)
    return same and one.epc != other.epc and other.at - one.at <= TOGETHER


def _key(item: Item) -> tuple[datetime, str, str, int]:
    if isinstance(item, Act):
        return item.at, "", "", item.id
    if isinstance(item, Heard):
        return item.at, item.location, item.epc, 0
    return item.at, item.gateway, item.epoch, item.seq


def set_of(acts: Iterable[Act]) -> list[Act]:
    """Return each act once."""
    return list({act.id: act for act in acts}.values())


def _streams(crossings: Iterable[Crossing]) -> list[list[Crossing]]:
    streams: dict[tuple[str, str], dict[int, Crossing]] = {}
    for one in crossings:
        streams.setdefault((one.gateway, one.epoch), {})[one.seq] = one
    return [[stream[seq] for seq in sorted(stream)] for stream in streams.values()]


def _settle(stream: Sequence[Crossing]) -> Sequence[Crossing]:
    if all(one.synced for one in stream):
        return stream
    settled: list[Crossing] = []
    latest = stream[0].at
    for place, one in enumerate(stream):
        at = one.at
        if not one.synced:
            ahead = [later.at for later in stream[place + 1 :] if later.synced]
            at = max(min([at, *ahead[:1]]), latest) if settled else min([at, *ahead[:1]])
        latest = at
        settled.append(one if at == one.at else replace(one, at=at))
    return settled
