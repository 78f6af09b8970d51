"""The page `docs/reference/alarms.md`: figures of the last whole runs, kept in `alarms.json` beside this file."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.accuracy.measured_with import note, stale
from tests.bench.figures import Figure

RESULTS: Final = Path(__file__).with_name("alarms.json")
PARTS: Final = {
    "alarms": (
        "A month at twelve doors",
        (
            "Twelve doors of the random doors' generator, commissioned, in one run. Each has 30 days with 100 tags",
            "that come in and 100 that go out with leave (half of them on carts of 4 to 20, the others in hands, on",
            "backs and lid to lid, one to three at a time), 20 people who stop in the doorway with tags for 5 to 60 s",
            "and then go on or back, some with others passing them meanwhile, and one tag carried out without leave",
            "at a random hour, two in five times close behind somebody with leave. An alarm is the first `out` of a",
            "passage, provisional or final, of a tag that may not leave; on the list of those that may are the day's",
            "outbound tags and those of whoever stops and then goes out, and on it are neither inbound tags nor",
            "residents nor what others stop with. An alarm that its final takes back counts as false. Only the time",
            "about walks is played: of the rest two days are, in equal parts at each door, with residents, people",
            "without tags and tags that pass by on either side, and all other quiet time is said to be like them.",
        ),
    ),
    "groups": (
        "Groups of which only some may leave",
        (
            "At 60 random doors, five trials of each kind. `stowaway`: one of thirteen tags on a cart may not leave.",
            "`counter`: ten that may not leave go out on a cart while one comes in past it. `thief`: one tag 0.7 m",
            "behind who pushes a trolley with leave. Right is a trial if exactly the tags that left without leave",
            "were alarmed for; `read` are the trials in which each of these was read five times or more.",
        ),
    ),
    "doors": (
        "Two doors 1.5 m apart",
        (
            "At 40 random pairs of doors with 1.5 m of wall between them, driven by one gateway: half have one reader",
            "with one antenna a side for each door, half a reader each. People go through with one to eight tags, a",
            "quarter of the time through both doors at once.",
        ),
    ),
}


def keep(part: str, figures: Sequence[Figure]) -> None:
    """Keep the figures of a whole run for the page."""
    found = _kept()
    found[part] = [asdict(figure) for figure in figures]
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
    note(part)


def alarms_page() -> str:
    """Return the page."""
    found = _kept()
    lines = ["<!-- Made by `make docs` from `make accuracy ONLY=alarms`, `groups` and `doors`; don't edit. -->", ""]
    lines += ["# Alarms, groups and doors side by side", ""]
    for part, (title, words) in PARTS.items():
        rows = found.get(part)
        told = _table(rows) if rows else [f"No whole run has been kept yet: `make accuracy ONLY={part}.` makes one."]
        lines += [f"## {title}", "", *words, *(stale(part) if rows else []), "", *told, ""]
    return "\n".join(lines)


def _table(figures: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("| figure | value | unit | of what |", "|---|---|---|---|")
    for one in figures:
        yield f"| `{one['name']}` | {one['value']:,.4g} | {one['unit']} | {one['detail']} |"


def _kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    return found
