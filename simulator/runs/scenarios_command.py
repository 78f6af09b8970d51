"""The commands `stockgate-sim scenarios`, `scenarios show` and `scenarios check`."""

import sys
from typing import Annotated, Final, NoReturn

import msgspec
import typer
from rich.console import Console

from simulator.runs.listing import gallery, listed, sentences, table, warnings
from simulator.runs.sources import cast
from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.load import load, read

USAGE: Final = 2
WIDE: Final = 140
"""Columns where the output is no terminal."""

scenarios = typer.Typer(name="scenarios", help="List, show and check scenarios.", no_args_is_help=False)


@scenarios.callback(invoke_without_command=True)
def list_scenarios(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, no table.")] = False,
) -> None:
    """List the scenarios that come with the simulator: what each shows, how long it lasts, how much is in it."""
    if context.invoked_subcommand is not None:
        return
    try:
        found = list(gallery())
    except ScenarioError as error:
        _fail(str(error))
    if as_json:
        for one in found:
            typer.echo(msgspec.json.encode(one))
        return
    Console(width=None if sys.stdout.isatty() else WIDE).print(table(iter(found)))


@scenarios.command()
def show(
    name: Annotated[str, typer.Argument(help="A built-in scenario, or a scenario's TOML file.")],
) -> None:
    """Print a scenario's TOML, to copy from.

    The exit code is 2 if there is none of that name.
    """
    try:
        text, _ = read(name)
    except ScenarioError as error:
        _fail(str(error))
    typer.echo(text, nl=False)


@scenarios.command()
def check(
    file: Annotated[str, typer.Argument(help="A scenario's TOML file, or a built-in scenario.")],
) -> None:
    """Check a scenario and say what it contains; what is wrong is named with its key and what would be right.

    Its world is built as `run` builds it, so that what can't happen, such as a tag in two places, is found too. It
    warns of walks that go through a wall, or through a door that never opens: they are played all the same.

    The exit code is 2 if it is wrong, and 0 if there are but warnings.
    """
    try:
        found = load(file)
        cast(found)
    except ScenarioError as error:
        _fail(str(error))
    for sentence in sentences(listed(found)):
        typer.echo(sentence)
    for warning in warnings(found):
        typer.echo(f"stockgate-sim: warning: {warning}", err=True)


def _fail(text: str) -> NoReturn:
    typer.echo(f"stockgate-sim: {text}", err=True)
    raise typer.Exit(USAGE)
