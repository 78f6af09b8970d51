"""`python -m tests.chaos`: the soak. Each fault as it comes; the last line tells what was done and what came of it."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tests.chaos.child import TrialError
from tests.chaos.trial import EVERYTHING, Trial
from tests.helpers.brokers import BROKERS, mosquitto_path


def soak(
    minutes: Annotated[float, typer.Option(help="How long faults are injected; each kind comes at least once.")] = 10.0,
    broker: Annotated[str, typer.Option(help="Which broker: mosquitto or nats.")] = "mosquitto",
    rate: Annotated[int, typer.Option(help="Movement events a second.", min=1)] = 50,
    seed: Annotated[int, typer.Option(help="Seed of what happens when, and of the simulated tags.")] = 1,
) -> None:
    """Harm simulator, agent, broker, central, links, disk and clock; compare what was written with what arrived."""
    if broker not in BROKERS:
        raise typer.BadParameter(f"{broker!r} is no broker: use mosquitto or nats")
    if broker == "mosquitto" and mosquitto_path() is None:
        raise typer.BadParameter("Mosquitto is not installed: make system-deps, or use BROKER=nats")
    with tempfile.TemporaryDirectory(prefix="sg-chaos-", ignore_cleanup_errors=True) as directory:
        trial = Trial(broker, Path(directory), seed=seed, rate=rate, kinds=EVERYTHING, say=typer.echo)
        try:
            outcome = trial.hold(minutes * 60.0)
        except TrialError as error:
            typer.echo(f"{broker}: {error}", err=True)
            raise typer.Exit(1) from None
    typer.echo(json.dumps(outcome.figures()))
    typer.echo(outcome.last_line())
    raise typer.Exit(0 if outcome.passed else 1)


if __name__ == "__main__":
    typer.run(soak)
