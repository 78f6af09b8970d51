"""Passages on the frozen set of random doors: how right, how early, beside first and last antenna (docs/reference)."""

from collections.abc import Iterator
from typing import Any

from tests.accuracy import frozen
from tests.accuracy.figures import per_1000, report
from tests.accuracy.page import NAIVE, keep
from tests.accuracy.spread import spread
from tests.accuracy.tally import frozen_door
from tests.bench.figures import ACCURACY, Figure


@ACCURACY.register("passages.")
def passages() -> Iterator[Figure]:
    """Play the whole set, keep the figures for the page, and yield the foremost."""
    found = report(spread(frozen_door, frozen.SEEDS), frozen.check())
    keep(found)
    yield from conditional(found)
    yield from unconditional(found)
    yield from early(found)
    yield from beside_peers(found)


def conditional(found: dict[str, Any]) -> Iterator[Figure]:
    """Yield what is said of visits that were read."""
    ours, theirs, made = found["all"], found["peers"][NAIVE], found["set"]
    content = f"{made['episodes']:,} episodes, {made['thin']:.0%} of them with 1-15 reads"
    for name, key in (("five", "five"), ("three", "three")):
        better = (1 - theirs[key]) / max(1 - ours[key], 1e-9)
        yield Figure(f"passages.{name}.macro_f1", ours[key], "F1", NAIVE, theirs[key], better, content)
    for name, one, peer in (("tag", ours, theirs), ("group", ours["groups"], theirs)):
        wrong, naive = _wrong(one), _wrong(peer)
        detail = f"{one['direction_errors']} of {one['crossings']:,} read crossings"
        yield Figure(f"passages.direction.wrong_{name}", wrong, "‰", NAIVE, naive, naive / max(wrong, 0.05), detail)
    for name, band in (("15", "15-"), ("5_14", "5-14")):
        one, peer = ours["bands"][band], theirs["bands"][band]
        missed, naive = _missed(one), _missed(peer)
        detail = f"{one['missed']} of {one['crossings']:,}"
        yield Figure(f"passages.missed.reads_{name}", missed, "‰", NAIVE, naive, naive / max(missed, 0.05), detail)
    hours = ours["resident_hours"]
    detail = (
        f"in {hours:,.0f} tag-hours beside traffic; {ours['resident_crossings']} of them were ever called in or out"
    )
    yield Figure("passages.resident.finals", ours["resident_finals"], "finals", detail=detail)


def unconditional(found: dict[str, Any]) -> Iterator[Figure]:
    """Yield what became of all assets that were carried through, read or not."""
    ours, theirs = found["all"]["through"], found["peers"][NAIVE]["through"]
    total = sum(ours.values())
    for fate in ("right", "wrong_way", "unresolved", "called_otherwise", "missed", "never_read"):
        share, naive = 100 * ours[fate] / total, 100 * theirs[fate] / total
        yield Figure(
            f"passages.all.{fate}", share, "%", NAIVE, naive, detail=f"{ours[fate]:,} of {total:,} carried through"
        )


def early(found: dict[str, Any]) -> Iterator[Figure]:
    """Yield delays of provisionals."""
    ours = found["all"]
    for name, key in (("15", "delay_15"), ("5_14", "delay_5_14")):
        one = ours[key]
        if one["p50_s"] is None:
            continue
        detail = f"median; 99 %: {1000 * one['p99_s']:.0f} ms; {one['without']:.1%} of {one['of']:,} have none"
        yield Figure(f"passages.provisional.delay_{name}", 1000 * one["p50_s"], "ms", detail=detail)
    share = 100 * ours["contradicted"] / max(ours["provisionals"], 1)
    detail = f"{ours['contradicted']} of {ours['provisionals']:,}, {ours['retracted']} of them retracted"
    yield Figure("passages.provisional.contradicted", share, "%", detail=detail)


def beside_peers(found: dict[str, Any]) -> Iterator[Figure]:
    """Yield three-class F1 beside each other rule's, on the same visits."""
    ours = found["all"]["three"]
    for name, one in found["peers"].items():
        better = (1 - one["three"]) / max(1 - ours, 1e-9)
        short = name.lower().replace(" ", "_").replace("/", "_")
        yield Figure(f"passages.peers.{short}", ours, "F1", name, one["three"], better, "three classes")


def _wrong(one: dict[str, Any]) -> float:
    return per_1000(one["direction_errors"], one["crossings"])


def _missed(one: dict[str, Any]) -> float:
    return per_1000(one["missed"], one["crossings"])
