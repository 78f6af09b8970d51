"""`python -m tests.accuracy [--doors N] [--training]`: a look at some doors, for whoever works on the decision."""

import json
from typing import Annotated

import typer

from tests.accuracy import frozen
from tests.accuracy.doors import training_seeds
from tests.accuracy.figures import report
from tests.accuracy.page import keep, lines_of
from tests.accuracy.spread import spread
from tests.accuracy.tally import frozen_door, training_door


def run(
    doors: Annotated[int, typer.Option(help="How many doors, spread over the set.")] = 20,
    *,
    training: Annotated[bool, typer.Option(help="Training doors instead of the frozen set.")] = False,
    kept: Annotated[bool, typer.Option("--keep", help="Keep the figures for the page, marked as of a part.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
) -> None:
    """Measure, in ACCURACY_PROCESSES processes; what is measured on a part of the set is no figure to quote."""
    seeds = training_seeds(doors) if training else list(frozen.SEEDS)[:: max(frozen.COUNT // doors, 1)][:doors]
    if training:
        found = report(spread(training_door, seeds))
    else:
        found = report(spread(frozen_door, seeds), frozen.check(), frozen.COUNT)
    if kept and not training:
        keep(found)
    typer.echo(json.dumps(found, indent=1) if as_json else "\n".join(lines_of(found)))


if __name__ == "__main__":
    typer.run(run)
