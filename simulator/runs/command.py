"""The command `stockgate-sim run`."""

from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from edge.contracts.errors import ContractError
from edge.contracts.times import instant_us
from simulator.runs.errors import RunError
from simulator.runs.record_command import RecordOrder, record
from simulator.runs.sources import cast
from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.load import builtin_names, load

FAILURE: Final = 1
USAGE: Final = 2
BEGIN: Final = "2026-01-05T08:00:00.000000Z"
"""A Monday morning. It doesn't depend on today, so that a recording's bytes don't either."""


def run(
    scenario: Annotated[
        str, typer.Argument(help=f"A scenario's TOML file, or a built-in scenario: {', '.join(builtin_names())}.")
    ],
    *,
    record_file: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="FILE",
            help="Play it offline into this pcapng file, for `stockgate-edge replay`; with several gateways one file "
            "each, with the gateway's name before the ending.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of everything random; the scenario's own if not given.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="End the scenario after so many seconds of its own time.")
    ] = None,
    begin: Annotated[
        str, typer.Option(metavar="INSTANT", help="With --record, the instant at which the scenario begins.")
    ] = BEGIN,
    truth_file: Annotated[
        Path | None, typer.Option("--truth", metavar="FILE", help="Write what truly happened to this JSON file.")
    ] = None,
    config_out: Annotated[
        Path | None,
        typer.Option(
            "--config-out",
            metavar="FILE",
            help="With --record, write the agent's configuration to this file; with several gateways one file each.",
        ),
    ] = None,
) -> None:
    """Play a scenario to its end: into a recording.

    The same scenario and seed give the same bytes; their SHA-256 is printed.

    The exit code is 1 if it could not be played to its end, and 2 if an option or the scenario is wrong.
    """
    if record_file is None:
        _fail("say where the scenario goes: --record FILE", USAGE)
    try:
        begin_us = instant_us(begin)
        chosen = cast(load(scenario), seed, seconds)
        record(chosen, RecordOrder(record=record_file, truth=truth_file, config_out=config_out, begin_us=begin_us))
    except ContractError as error:
        _fail(f"--begin: {error}", USAGE)
    except ScenarioError as error:
        _fail(str(error), USAGE)
    except RunError as error:
        _fail(str(error), FAILURE)


def _fail(text: str, code: int) -> NoReturn:
    typer.echo(f"stockgate-sim: {text}", err=True)
    raise typer.Exit(code)
