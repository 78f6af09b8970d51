"""The body of `stockgate-sim score`: tables or one JSON object on stdout, remarks on stderr."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from simulator.scoring.errors import ScoreError
from simulator.scoring.files import Scored, score_files
from simulator.scoring.score import together
from simulator.scoring.show import tables

USAGE = 2
WIDE = 160
"""Columns where the output is no terminal, so that no name is cut."""


def score(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="TRUTH EVENTS [TRUTH EVENTS]...",
            help="Pairs: a truth file, and the rows that were published of that run as JSON lines.",
        ),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object in place of the tables.")] = False,
) -> None:
    """Hold published events against the truth: right, wrong, missed, false and late, per scenario and overall.

    A call and a visit belong together if EPC and portal are the same, and their times overlap or are 2 s apart at most;
    each has one partner at most. Crossings called within 2 s of the true instant, in either direction, go first, the
    nearest before; then the longest overlap.

    The exit code is 2 if a file can't be used.
    """
    try:
        scored = [score_files(truth, events) for truth, events in _pairs(files)]
    except ScoreError as error:
        typer.echo(f"stockgate-sim: {error}", err=True)
        raise typer.Exit(USAGE) from error
    for remark in _remarks(scored):
        typer.echo(remark, err=True)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(_content(scored)), indent=1))
        return
    console = Console(soft_wrap=False)
    console = console if console.is_terminal else Console(width=WIDE)
    for table in tables(scored):
        console.print(table)


def _pairs(files: Sequence[Path]) -> list[tuple[Path, Path]]:
    if len(files) % 2:
        raise ScoreError(f"{files[-1]}: a truth file without events: give pairs, TRUTH EVENTS TRUTH EVENTS")
    return list(zip(files[::2], files[1::2], strict=True))


def _remarks(scored: Sequence[Scored]) -> Iterator[str]:
    for one in scored:
        if not one.whole:
            yield f"{one.truth_file}: the scenario had not ended when this was written"
        if one.strangers:
            yield f"{one.events_file}: {one.strangers} passages at portals that {one.truth_file} doesn't name"
        others = ", ".join(f"{count} {kind}" for kind, count in sorted(one.rows.items()) if kind != "movement")
        if others:
            yield f"{one.events_file}: rows that aren't scored: {others}"


def _content(scored: Sequence[Scored]) -> dict[str, Any]:
    pairs = [
        {
            "scenario": one.scenario,
            "seed": one.seed,
            "truth": str(one.truth_file),
            "events": str(one.events_file),
            "rows": dict(sorted(one.rows.items())),
            "passages_at_unknown_portals": one.strangers,
            **one.score.as_json(),
        }
        for one in scored
    ]
    return {"scenarios": pairs, "overall": together(one.score for one in scored).as_json()}
