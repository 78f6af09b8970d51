"""The page `docs/reference/central-accuracy.md`, from the scores of the last whole run, kept beside this file."""

import json
from pathlib import Path

from tests.accuracy.central.figures import figures_of, not_built

RESULTS = Path(__file__).with_name("results.json")
AIMS = {
    "central.location.right": "≥ 0.995", "central.location.wrong_certain": "≤ 0.001",
    "central.location.wrong_hours": "≤ half of the better peer's", "central.exits.alerted": "1",
    "central.exits.false": "≤ 1", "central.missing.precision": "≥ 0.99", "central.coverage.claimed": "≥ 0.9",
    "central.present.calibration": "≤ 2", "central.doors.covered": "≥ 0.9",
}  # fmt: skip
MADE = "<!-- Made by `make docs` from `make accuracy ONLY=central`; changes here are overwritten. -->"


def keep(scores):
    """Keep a run's scores for the page."""
    RESULTS.write_text(json.dumps(scores, indent=1, sort_keys=True) + "\n", "utf-8")


def central_page():
    """Return the page."""
    lines = [MADE, "", "# How right the central service is", ""]
    if not RESULTS.exists():
        lines.append("Not measured yet: `make accuracy ONLY=central` measures, and writes what this page is made of.")
        return "\n".join(lines) + "\n"
    scores = json.loads(RESULTS.read_text("utf-8"))
    lines += [*_preface(scores["set"]), "", *_table(scores), "", *_deciles(scores), *_portals(scores)]
    return "\n".join(lines) + "\n"


def _preface(one):
    part = "" if one["hash"] else "\n**Only a part of the estate was played: no figure here is one to quote.**\n"
    known = f"SHA-256 `{one['hash']}`, kept before any rule was held against it" if one["hash"] else "cut short"
    text = f"""\
The estate `{one["name"]}` ({known}) was played through the central's own commits on PostgreSQL: {one["days"]:.0f} days,
{one["assets"]:,} assets of which {one["moving"]:,} move in every month, {one["portals"]} portals that read a tag
which crosses with a probability of 0.7 to 1, {one["crossings"]:,} true crossings, {one["passages"]:,} passages told.
Readers fail, gateways go offline and send late in bursts, envelopes come twice and overtake each other
(simulator/estate). It has no radio: how well a door decides is [another page](accuracy.md). Refused rows:
{one["refused"]}. `python -m tests.accuracy.central small` is a look.

*Last portal wins* and *never update* are the peers: the newest crossing is believed, or what was first registered.
*Doors' last words* accuse wrongly where a door tells last that something left without leave which came in or stayed: at
that instant nothing in the register speaks against it.
{part}"""
    return text.splitlines()


def _table(scores):
    yield from ("| figure | aim | measured | beside it | what it counts |", "|---|---|---|---|---|")
    for one in figures_of(scores):
        peer = "" if one.peer is None else f"{one.peer}: {one.peer_value:,.4g}"
        value = f"{one.value:,.4g} {one.unit if one.unit != 'share' else ''}".strip()
        yield f"| `{one.name}` | {AIMS.get(one.name, '')} | {value} | {peer} | {one.detail} |"
    for title in not_built(scores):
        yield f"| {title} | | not built | | |"


def _deciles(scores):
    if not scores["present"]:
        return
    yield from ("## Present, by what was told", "")
    yield from ("| told | assets, once a day | mean told | truly there |", "|---|---|---|---|")
    for one in scores["present"]:
        told = f"{one['from']:.1f} to {one['from'] + 0.1:.1f}"
        yield f"| {told} | {one['count']:,} | {one['told']:.3f} | {one['true']:.3f} |"
    yield ""


def _portals(scores):
    if not scores["doors"]:
        return
    yield from (
        "## What doors miss",
        "",
        "| portal | crossings | true | measured by itself, 95 % |",
        "|---|---|---|---|",
    )
    for one in scores["doors"]:
        value, low, high = one["told"]
        yield f"| {one['portal']} | {one['crossings']:,} | {one['true']:.3f} | {value:.3f} ({low:.3f} to {high:.3f}) |"
