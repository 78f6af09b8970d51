"""The sentences of the counts page: pure functions from API items to what a person reads at a glance."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from central.console.words import ago

COVERAGE: Final = {
    "sighted": ("●", "seen"),
    "searched": ("●", "searched"),
    "balanced": ("◐", "doors up since last seen"),
    "none": ("○", "not counted"),
}
"""A sign and a word for each way in which a place is covered: no meaning hangs on colour."""
BUCKETS: Final = {"missing": "missing", "unexpected": "not in the book here", "unknown": "not known"}
KINDS: Final = {
    "quarterly_cycle": "Quarterly cycle",
    "annual_audit": "Annual audit",
    "finance_close": "Finance close",
    "security_review": "Security review",
    "monthly_control": "Monthly control",
    "spot": "Spot count",
    "abc_cycle": "ABC count",
}
STATES: Final = {
    "planned": "planned",
    "counting": "being counted",
    "submitted": "waits for its signature",
    "signed": "signed",
    "cancelled": "given up",
}
NONE: Final = "n/a"
GRADES: Final = {
    "tag_seen": "tag seen",
    "barcode": "barcode read",
    "serial_seen": "serial seen",
    "serial_and_custodian": "serial and custodian seen",
}
"""How well an asset was verified, from the weakest to the best."""


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """A location of the counts page, in reading order."""

    place: dict[str, Any]
    depth: int
    holds_others: bool


def place_lines(places: list[dict[str, Any]]) -> list[PlaceLine]:
    """Order places as a tree; one whose parent isn't listed stands at the top."""
    known = {one["id"] for one in places}
    children: dict[str | None, list[dict[str, Any]]] = {}
    for one in places:
        children.setdefault(one["parent"] if one["parent"] in known else None, []).append(one)
    lines: list[PlaceLine] = []
    waiting = [(one, 0) for one in reversed(children.get(None, []))]
    while waiting:
        place, depth = waiting.pop()
        below = children.get(place["id"], [])
        lines.append(PlaceLine(place, depth, bool(below)))
        waiting += [(one, depth + 1) for one in reversed(below)]
    return lines


def coverage_words(place: dict[str, Any]) -> str:
    """How well a place with all below it is known, in a sign and words."""
    total = place["total"]
    if not total["book"] and not total["counted"]:
        return "○ nothing in the book"
    covered = place["covered"]
    if not total["counted"] and place.get("signed") and total == place["own"]:
        return "◐ counted by hand, no radio"
    if not total["counted"]:
        return f"○ not counted, {covered:.0%} is" if covered else "○ not counted"
    sign, words = COVERAGE[total["coverage"]]
    sure = f", {place['probability']:.0%} of tags heard" if place["probability"] and total == place["own"] else ""
    return f"{sign} {words}{sure}"


def by_hand(places: list[dict[str, Any]], now: datetime) -> str:
    """What signed counts say of those places that no radio counts; empty if none was signed."""
    signed = [one["signed"] for one in places if one.get("signed") and not one["own"]["counted"]]
    if not signed:
        return ""
    found, book = sum(one["found"] for one in signed), sum(one["book"] for one in signed)
    told = [f"{found:,} of {book:,} found"]
    told += [
        f"{number:,} {BUCKETS[name]}"
        for name in ("missing", "unexpected")
        if (number := sum(one[name] for one in signed))
    ]
    runs = sorted({one["run"] for one in signed})
    which = f"no. {runs[0]}" if len(runs) == 1 else f"{len(runs)} of them"
    oldest = ago(min(one["at"] for one in signed), now)
    return f"Counted by hand, {which}, signed {oldest}: {', '.join(told)}."


def variance(figure: float | None) -> str:
    """A variance with its sign; a dash where there is none, never a zero."""
    if figure is None:
        return NONE
    return "0%" if figure == 0 else f"{figure:+.1%}"


def answer(count: dict[str, Any], words: str) -> tuple[str, str]:
    """Answer "how many are there": the number with its name, and the sentence below it."""
    total = count["total"]
    what = words.strip() or ("asset" if total["book"] == 1 else "assets")
    number = f"{total['book']:,} {what} in {count['name']}"
    if not total["counted"]:
        share = count["covered"]
        told = f"Not counted: only {share:.0%} of them are." if share else "Not counted: nothing listened there."
        return number, told + " The number is the book's."
    parts = [f"{total['found']:,} found"]
    parts += [f"{total[name]:,} {BUCKETS[name]}" for name in BUCKETS if total[name]]
    return number, ", ".join(parts) + "."


def doubt_words(doubt: dict[str, Any], place: str, elsewhere: str, now: datetime) -> str:
    """Why an asset is doubted, and when it was last seen there."""
    seen = f"last seen {ago(doubt['seen_at'], now)}" if doubt["seen_at"] else "not seen there yet"
    if doubt["bucket"] == "unexpected":
        return f"is in {place}, the book has it elsewhere; seen {ago(doubt['seen_at'], now)}"
    if doubt["elsewhere"]:
        return f"not in {place}: heard in {elsewhere}"
    if doubt["bucket"] == "unknown":
        likely_there = f", {likely(doubt['probability'])} likely" if doubt["probability"] is not None else ""
        return f"by the book in {place}{likely_there}; {seen}"
    sure = f", {likely(doubt['probability'])} that it is there" if doubt["probability"] is not None else ""
    return f"{BUCKETS[doubt['bucket']]} in {place}{sure}; {seen}"


def verified(doubt: dict[str, Any], now: datetime) -> str:
    """When an asset was last verified, and how well."""
    if not doubt.get("verified_at"):
        return "never verified"
    return f"{GRADES[doubt['grade']]} {ago(doubt['verified_at'], now)}"


def in_doubt(places: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Return the places whose own count is in doubt with what is doubtful about each, the worst first."""
    worst = sorted(places, key=lambda one: (one["own"]["missing"], one["own"]["unexpected"], one["own"]["unknown"]))
    told = []
    for place in reversed(worst):
        own = place["own"]
        parts = [f"{own[name]:,} {BUCKETS[name]}" for name in BUCKETS if own[name] and own["counted"]]
        if not own["counted"] and own["book"] and not place.get("signed"):
            parts = [f"not counted, {own['book']:,} in the book"]
        if parts:
            told.append((place, ", ".join(parts)))
    return told


def likely(probability: float) -> str:
    """A probability in words where a rounded figure would be sure."""
    if probability < 0.01:  # noqa: PLR2004 (what rounds to 0 %)
        return "under 1%"
    return "over 99%" if probability > 0.99 else f"{probability:.0%}"  # noqa: PLR2004 (what rounds to 100 %)


def run_words(run: dict[str, Any]) -> str:
    """A scheduled count in words: which classes, whether blind, and what it waits for."""
    ranks = f"classes {', '.join(run['ranks'])}; " if run["ranks"] else ""
    blind = "blind; " if run["blind"] else ""
    if run["state"] == "signed":
        return f"{ranks}{blind}signed by {run['signed_by']}"
    return f"{ranks}{blind}{STATES[run['state']]}, due {run['due_on']}"
