"""`python -m tests.chaos`: the kill -9 trial over NATS and Mosquitto, figures as a table and as JSON."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.chaos.trial import Outcome, Trial, TrialError
from tests.helpers.brokers import mosquitto_path

COLUMNS = ("broker", "written", "committed", "lost", "differing", "duplicated", "unknown", "quarantined", "kills")


def soak(
    seconds: Annotated[float, typer.Option(help="How long programs are killed, for each broker.")] = 60.0,
    rate: Annotated[int, typer.Option(help="Movement events a second.", min=1)] = 200,
    broker: Annotated[str, typer.Option(help="Which broker: nats, mosquitto or both.")] = "both",
    seed: Annotated[int, typer.Option(help="Seed of the times and of who is killed.")] = 1,
) -> None:
    """Kill broker, edge and central at random and compare what was written with what the database holds."""
    if broker not in {"nats", "mosquitto", "both"}:
        raise typer.BadParameter(f"{broker!r} is no broker: use nats, mosquitto or both")
    outcomes = []
    for name in ("nats", "mosquitto") if broker == "both" else (broker,):
        if name == "mosquitto" and mosquitto_path() is None:
            typer.echo("Mosquitto is not installed (make system-deps): its trial is left out.", err=True)
            continue
        outcome = _hold(name, seconds, rate, seed)
        outcomes.append(outcome)
        typer.echo(json.dumps(outcome.figures()))
    _show(outcomes)
    raise typer.Exit(0 if outcomes and all(outcome.passed for outcome in outcomes) else 1)


def _hold(name: str, seconds: float, rate: int, seed: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="sg-chaos-") as directory:
        try:
            return Trial(name, Path(directory), seed=seed, rate=rate).hold(seconds)
        except TrialError as error:
            typer.echo(f"{name}: {error}", err=True)
            raise typer.Exit(1) from None


def _show(outcomes: list[Outcome]) -> None:
    table = Table(title="kill -9 of broker, edge and central")
    for column in COLUMNS:
        table.add_column(column, no_wrap=True)
    for outcome in outcomes:
        figures = outcome.figures()
        kills = " ".join(f"{victim} {count}" for victim, count in figures.pop("kills").items())
        table.add_row(*(str(figures[column]) for column in COLUMNS[:-1]), kills)
    Console(width=140).print(table)


if __name__ == "__main__":
    typer.run(soak)
