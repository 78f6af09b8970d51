"""The page `docs/reference/accuracy.md`, from the figures of the last run, which stand in `results.json`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from edge.windows.model.trees import about
from simulator.scoring.table import NOTHING
from simulator.scoring.units import CALLED, NEVER
from simulator.scoring.visits import KINDS
from tests.accuracy import frozen
from tests.accuracy.bounds import poisson_upper
from tests.accuracy.figures import BANDS, SPLITS, UNDECIDABLE, per_1000
from tests.accuracy.installed import ATTEMPTS, Installed
from tests.accuracy.measured_with import note, stale

RESULTS: Final = Path(__file__).with_name("results.json")
PART_OF: Final = "passages"
NAIVE: Final = "first/last antenna"
THROUGH: Final = ("right", "wrong_way", "unresolved", "called_otherwise", "missed", "never_read")
STAYED: Final = ("near", "turned_back", "parked")
TITLES: Final = {
    "fit": "By whether the walks of a commissioning prove the door",
    "layout": "By layout",
    "channels": "By channels: 50 that hop, or 4 fixed",
    "commissioned": "With and without a commissioning's walks",
    "residents": "By tags on shelves",
    "model": "By reader",
}
PART: Final = "Only {measured} of the set's {of} doors were measured: no figure here is one to quote."
_MADE: Final = "<!-- Made by `make docs` from `make accuracy ONLY=passages`; changes here are overwritten. -->"


def accuracy_page() -> str:
    """Return the page."""
    found = json.loads(RESULTS.read_text("utf-8"))
    return "\n".join([_MADE, "", "# How right passages are", "", *preface(found), "", *lines_of(found)]) + "\n"


def keep(found: dict[str, Any]) -> None:
    """Write the figures that the page is made of."""
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
    note(PART_OF)


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return the tables."""
    lines = [*_aims(found), *_unconditional(found), *_delays(found), *_by_reads(found), *_peers(found)]
    for name in SPLITS:
        lines += [f"## {TITLES[name]}", "", *_split(found["by"][name]), ""]
    return [*lines, *_confusion(found)]


AFTER: Final = "which was committed before the weights in use were fitted, on other doors"
BEFORE: Final = (
    "which was committed after the weights in use were fitted, on other doors and before anybody had seen these"
)


def preface(found: dict[str, Any]) -> list[str]:
    """Say what was measured, how, and against what."""
    made = found["set"]
    text = f"""\
Measured on a frozen set of random doors (SHA-256 `{found["hash"]}`),
{AFTER if about().get("frozen") == found["hash"] else BEFORE}: {made["doors"]} doors that can tell a direction,
{made["hours"]:.1f} hours, {made["reads"]:,} reads and {made["episodes"]:,} episodes, which are visits of a tag that was
read at least once. Readers are asked by the agent's own plan of rounds (ADR 9) and played by the simulator's world
(ADR 10): no real reader was at hand. `make accuracy ONLY=passages` measures anew, `python -m tests.accuracy --doors 20`
looks at a part.

*Naive* is the rule that is everywhere: the sides of the first and of the last antenna. Like all other rules here it
is told where each visit begins and ends, which ours finds out. Calls of nothing, of a tag at rest or a second call of
one visit, lower the precision in every F1.
"""
    seen = f"""
How often the set was measured while the decision was still being changed, what was raised after it, and which figure is
not blind for that, stands in [ADR 13](../adr/0013-a-doorway-goes-on-learning.md).
{_more(found["all"]["visits"] - made["episodes"])}
"""
    part = [] if found["measured"] == found["of"] else ["", f"**{PART.format(**found)}**"]
    return [*text.splitlines(), *seen.rstrip().splitlines(), *in_service(frozen.INSTALLED), *stale(PART_OF), *part]


def _more(visits: int) -> str:
    """Say why tables have more visits than the set has episodes."""
    if not visits:
        return ""
    return (
        f"Visits in the tables that are no episodes: {visits}, called by reads just outside of the time that the truth "
        "gives them."
    )


def in_service(installed: Installed) -> list[str]:
    """Say which doors are in service, and how many aren't."""
    text = f"""
A door goes into service only if a commissioning could certify it, by the reads of the installer's walks alone: of
{len(installed.attempts)} doors {installed.refused_at_first()} were refused at first and hung anew, and
{len(installed.left_out())} of these were left out after {ATTEMPTS} attempts.
"""
    return text.splitlines()


def _aims(found: dict[str, Any]) -> Iterator[str]:
    made, ours, theirs = found["set"], found["all"], found["peers"][NAIVE]
    thick, thin = ours["bands"]["15-"], ours["bands"]["5-14"]
    shares = made["shares"]
    yield from ("## The set, and what was aimed at", "", "| what | aim | measured | naive |", "|---|---|---|---|")
    yield f"| episodes | ≥ 20,000 | {made['episodes']:,} | |"
    yield f"| of these with 1-15 reads | ≥ 20 % | {_share(made['thin'])} | |"
    yield f"| near, turned back, parked | ≥ 15 %, ≥ 15 %, no aim | {', '.join(_share(shares[k]) for k in STAYED)} | |"
    yield f"| in groups | half | {_share(made['in_groups'])} | |"
    yield f"| five-class macro-F1 | ≥ 0.93 | {_number(ours['five'])} | {_number(theirs['five'])} |"
    three = (_number(ours["three"]), _number(theirs["three"]))
    yield f"| three-class macro-F1 (in, out, no crossing) | ≥ 0.98 | {' | '.join(three)} |"
    for who, one, peer in (("tag", ours, theirs), ("group", ours["groups"], None)):
        upper = per_1000(poisson_upper(one["direction_errors"]), one["crossings"])
        measured = f"{_wrong(one)} (95 %: below {upper:.1f})"
        naive = "" if peer is None else _wrong(peer)
        yield f"| wrong direction of 1,000 read crossings, by {who} | ≤ 2 | {measured} | {naive} |"
    yield f"| missed of 1,000 crossings of ≥ 15 reads | ≤ 5 | {_missed(thick)} | {_missed(theirs['bands']['15-'])} |"
    yield f"| missed of 1,000 crossings of 5-14 reads | ≤ 30 | {_missed(thin)} | {_missed(theirs['bands']['5-14'])} |"
    contradicted = ours["contradicted"] / max(ours["provisionals"], 1)
    yield f"| provisionals contradicted by their finals | ≤ 1 % | {_share(contradicted, 2)} | |"
    yield f"| finals of resident tags a tag-hour | | {_rate(ours['resident_finals'], ours['resident_hours'])} | |"
    yield f"| in or out of resident tags a tag-hour | | {_rate(ours['resident_crossings'], ours['resident_hours'])} | |"
    yield ""


def _unconditional(found: dict[str, Any]) -> Iterator[str]:
    yield from ("## Of all assets carried through, read or not", "")
    yield f"| | {' | '.join(_plain(name) for name in THROUGH)} |"
    yield "|---|" + "---|" * len(THROUGH)
    for name, one in (("ours", found["all"]), *found["peers"].items()):
        total = sum(one["through"].values())
        yield f"| {name} | {' | '.join(_share(one['through'][kind] / max(total, 1), 2) for kind in THROUGH)} |"
    unheard = {one["through"]["never_read"] for one in (found["all"], *found["peers"].values())}
    if len(unheard) > 1:
        yield ""
        yield (
            "*Never read* counts reads within the time that the truth gives a visit. Ours, which itself finds where a "
            "visit begins and ends, called some by reads just outside of it: they stand under what they were called."
        )
    yield ""


def _delays(found: dict[str, Any]) -> Iterator[str]:
    yield from ("## From the plane to the provisional's arrival", "")
    yield "| crossings | median | 90 % | 99 % | before the plane | without one |"
    yield "|---|---|---|---|---|---|"
    for name, key in (("≥ 15 reads (aim: 300 ms, 99 % 800 ms)", "delay_15"), ("5-14 reads", "delay_5_14")):
        one = found["all"][key]
        quantiles = " | ".join(_ms(one[f"p{share}_s"]) for share in (50, 90, 99))
        yield f"| {name} | {quantiles} | {_share(one['before'])} | {_share(one['without'])} |"
    yield ""


def _by_reads(found: dict[str, Any]) -> Iterator[str]:
    yield from ("## By reads of the visit", "", "| reads | visits | five | three | wrong of 1,000 | missed of 1,000 |")
    yield "|---|---|---|---|---|---|"
    for band in BANDS:
        one = found["all"]["bands"][band]
        cells = f"{one['visits']:,} | {_number(one['five'])} | {_number(one['three'])} | {_wrong(one)} | {_missed(one)}"
        yield f"| {band if band[-1] != '-' else '≥ ' + band[:-1]} | {cells} |"
    yield ""


def _peers(found: dict[str, Any]) -> Iterator[str]:
    yield from ("## Beside other rules", "")
    yield "Told where each visit begins and ends (tests/accuracy/peers.py). *Ahead* is where a rule's three-class F1 is"
    yield "above ours, of all rows of the tables below."
    yield ""
    yield "| | three | wrong of 1,000 | missed of 1,000, ≥ 15 reads | right of all carried | ahead |"
    yield "|---|---|---|---|---|---|"
    for name, one in (("ours", found["all"]), *found["peers"].items()):
        ahead = ", ".join(_ahead(found["by"], name)) or "nowhere" if name != "ours" else ""
        cells = f"{_number(one['three'])} | {_wrong(one)} | {_missed(one['bands']['15-'])} | {_right(one)} | {ahead}"
        yield f"| {name} | {cells} |"
    yield ""


def _ahead(by: dict[str, Any], peer: str) -> Iterator[str]:
    for name, rows in by.items():
        for value, one in rows.items():
            if value != UNDECIDABLE and (one["peers"][peer]["three"] or 0) > (one["three"] or 0):
                yield f"{name} {value}"


def _split(rows: dict[str, Any]) -> Iterator[str]:
    yield "| | visits | five | three | wrong of 1,000 | missed of 1,000, ≥ 15 reads | right of all carried | naive |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, one in rows.items():
        if name == UNDECIDABLE:
            yield f"| {name} | {one['visits']:,} | all are near by definition: {_near(one)} called so | | | | | |"
            continue
        yield (
            f"| {name} | {one['visits']:,} | {_number(one['five'])} | {_number(one['three'])} | {_wrong(one)} | "
            f"{_missed(one['bands']['15-'])} | {_right(one)} | {_right(one['peers'][NAIVE])} |"
        )


def _confusion(found: dict[str, Any]) -> Iterator[str]:
    matrix = found["all"]["confusion"]
    columns = [*KINDS, *(name for name in CALLED if name not in KINDS)]
    yield from ("## Confusion", "", f"| true | {' | '.join(_plain(name) for name in columns)} |")
    yield "|---|" + "---|" * len(columns)
    for true in (*KINDS, NOTHING):
        yield f"| {_plain(true)} | {' | '.join(f'{matrix[true].get(column, 0):,}' for column in columns)} |"


def _near(one: dict[str, Any]) -> str:
    row = one["confusion"]["near"]
    return _share(row["near"] / max(sum(row.values()), 1))


def _right(one: dict[str, Any]) -> str:
    return _share(one["through"]["right"] / max(sum(one["through"].values()), 1))


def _wrong(one: dict[str, Any]) -> str:
    return f"{per_1000(one['direction_errors'], one['crossings']):.1f}"


def _missed(one: dict[str, Any]) -> str:
    return f"{per_1000(one['missed'], one['crossings']):.1f}"


def _rate(count: int, hours: float) -> str:
    return f"{count / hours:.3f}" if hours else "none lay there"


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.0f} ms"


def _share(share: float | None, digits: int = 1) -> str:
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _plain(name: str) -> str:
    return "never called" if name == NEVER else name.replace("_", " ")
