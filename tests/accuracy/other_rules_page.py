"""The page `docs/reference/other-rules.md`: ours beside other rules in the gallery, and on real reads of others.

The figures stand in `gallery.json` (`make accuracy ONLY=peers`) and `ecd.json` (`make accuracy ONLY=windows.ecd`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.accuracy.measured_with import note, stale
from tests.accuracy.peer_runs import DAYS, LEFT_OUT, OURS
from tests.accuracy.peers import PEERS

GALLERY: Final = Path(__file__).with_name("gallery.json")
ECD: Final = Path(__file__).with_name("ecd.json")
PART: Final = "peers"
_MADE: Final = "<!-- Made by `make docs` from `make accuracy ONLY=…`; changes here are overwritten. -->"
SOURCES: Final = {
    "first/last antenna": "the sides of the first and of the last read, as portal middleware commonly does",
    "RSSI-weighted centroid": "the order of the antennas' centroids in time, weighted by level; at least 0.63 s apart",
    "order of smoothed peaks": "the order in which the antennas' smoothed levels peak; at least 0.55 s apart",
    "SMURF": "Jeffery, Garofalakis, Franklin (VLDB 2006): adaptive windows smooth each side's presence; which side is "
    "present first, and which last",
    "EdgeX location": "edgexfoundry/app-rfid-llrp-inventory: mean of the last 20 RSSI of an antenna, 6 dB hysteresis "
    "that decays by 0.008 dB/ms after 500 ms, departure after 600 s; the side of the antenna where the tag is",
}


def keep(found: dict[str, Any]) -> None:
    """Write the figures of the gallery that the page is made of."""
    GALLERY.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
    note(PART)


def other_rules_page() -> str:
    """Return the page."""
    gallery, ecd = (json.loads(path.read_text("utf-8")) for path in (GALLERY, ECD))
    lines = [*_rules(), *_gallery(gallery), *_behind(gallery), *_left_out(), *_real(ecd)]
    return "\n".join([_MADE, "", "# Other rules on the same reads", "", *lines]) + "\n"


def _rules() -> Iterator[str]:
    yield f"""\
All rules get the same reads of one run. The others are also told where each visit begins and ends, which ours finds out
itself. Centroid and peaks are published for walks that do cross; so that they can say "no crossing" they got the least
distance that suited them best on other scenes. On the frozen set they stand in [accuracy.md](accuracy.md); here each
scenario of the [gallery](gallery.md) is played on {DAYS} days (`make accuracy ONLY=peers`).

| rule | what it goes by |
|---|---|"""
    yield from (f"| {rule} | {SOURCES[rule]} |" for rule in PEERS)
    yield ""


def _gallery(rows: dict[str, Any]) -> Iterator[str]:
    yield from ("## Gallery", "", "Right in three classes (in, out, no crossing), of all visits that were read.")
    yield from (*stale(PART), "")
    yield f"| scenario | visits | ours | {' | '.join(PEERS)} |"
    yield "|---|---|---|" + "---|" * len(PEERS)
    for name, row in rows.items():
        cells = (_share(row, rule) for rule in PEERS)
        yield f"| {name} | {row['visits']:,} | **{_share(row, OURS)}** | {' | '.join(cells)} |"
    total = added(rows)
    yield f"| all | {total['visits']:,} | **{_share(total, OURS)}** | {' | '.join(_share(total, r) for r in PEERS)} |"
    yield from ("", "| rule | wrong way | crossings not called | crossings of nobody |", "|---|---|---|---|")
    for rule, one in total["rules"].items():
        yield f"| {rule} | {one['wrong_way']} | {one['missed']} | {one['false']} |"
    yield ""


def added(rows: dict[str, Any]) -> dict[str, Any]:
    """Return all scenarios as one."""
    kept = ("right", "wrong_way", "missed", "false")
    return {
        "visits": sum(row["visits"] for row in rows.values()),
        "rules": {
            rule: {name: sum(row["rules"][rule][name] for row in rows.values()) for name in kept}
            for rule in (OURS, *PEERS)
        },
    }


def _behind(rows: dict[str, Any]) -> Iterator[str]:
    """Say where ours isn't ahead."""
    told = [f"- {name}: {line}" for name, row in rows.items() if (line := not_ahead(row))]
    nowhere = "Nowhere, but where a rule is right throughout, and ours too."
    yield from ("### Where ours is not ahead", "", *(told or [nowhere]), "")


def not_ahead(row: dict[str, Any]) -> str:
    """Return which rules are ahead or even; empty where none is, and where ours is right throughout."""
    right = {rule: one["right"] for rule, one in row["rules"].items()}
    ours = right[OURS]
    ahead = [f"{rule} {right[rule]}" for rule in PEERS if right[rule] > ours]
    even = [rule for rule in PEERS if right[rule] == ours < row["visits"]]
    words = [f"behind {', '.join(ahead)}"] if ahead else []
    words += [f"even with {', '.join(even)}"] if even else []
    return f"{ours} of {row['visits']}; {'; '.join(words)}" if words else ""


def _left_out() -> Iterator[str]:
    yield "Not played: " + "; ".join(f"{name} ({why})" for name, why in LEFT_OUT.items()) + "."
    yield ""


def _real(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield """\
## Real reads

Recorded by others with a Zebra FX7500 and one antenna over a belt (`../shared/data/reads/ecd`); nothing was fitted to
them. Layout `single`: passes called against true passes, beside a rule that calls a pass after each silence of 0.3 s
(`make accuracy ONLY=windows.ecd`). In `dynamic` a tag passes 55 times, in `static` nothing moves; in the `2.5cmhoriz`
files a tag lies beside the belt of a container of water, often unread where it passes.

| file | tag | reads | true | ours | gap of 0.3 s |
|---|---|---|---|---|---|"""
    for one in rows:
        cells = (one["file"], one["epc"], f"{one['reads']:,}", one["true"], f"**{one['ours']}**", one["gap"])
        yield f"| {' | '.join(map(str, cells))} |"
    yield ""


def _share(row: dict[str, Any], rule: str) -> str:
    return f"{100 * row['rules'][rule]['right'] / max(row['visits'], 1):.1f} %"
