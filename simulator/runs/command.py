"""The command `stockgate-sim run`."""

from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from edge.contracts.errors import ContractError
from edge.contracts.times import instant_us
from simulator.logs import logger
from simulator.runs.ended import taken_back
from simulator.runs.errors import OptionError, RunError
from simulator.runs.live import LiveOrder, play
from simulator.runs.record_command import RecordOrder, record
from simulator.runs.sources import cast
from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.load import builtin_names, load
from simulator.truth import TruthError

FAILURE: Final = 1
USAGE: Final = 2
BEGIN: Final = "2026-01-05T08:00:00.000000Z"
"""A Monday morning. It doesn't depend on today, so that a recording's bytes don't either."""

Seconds = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        help="End the scenario after so many seconds of its own time, quietly: walks that wouldn't end before the last "
        "`quiet_end_s` of them are left out, so a run is the beginning of a longer one only up to where the first such "
        "walk would start.",
    ),
]


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
    mqtt: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Play it through agents to this broker, such as mqtt://127.0.0.1:1883; USER:PASSWORD@ may stand "
            "before the host.",
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.01, max=20, help="With --mqtt, how many times as fast as real time.")
    ] = 1.0,
    events_file: Annotated[
        Path | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="With --mqtt, write each row that the agents publish to this file as a JSON line, once, with its "
            "gateway and, at real time, its arrival.",
        ),
    ] = None,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm",
            help="With --mqtt, confirm events as a central service does, where none listens: without one, agents send "
            "their events again and again, and stop at 2,000.",
        ),
    ] = False,
    http: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="With --mqtt, serve the readers' faults and inputs over HTTP on this port; 0 takes a free one.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of everything random; the scenario's own if not given.")
    ] = None,
    seconds: Seconds = None,
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
    """Play a scenario to its end: into a recording, or through agents to a broker.

    A recording is made offline, faster than real time; the same scenario and seed give the same bytes, and their
    SHA-256 is printed. To a broker it is played at --speed: simulated readers on free loopback ports, one
    `stockgate-edge run` a gateway, which ends with the run.

    The exit code is 1 if it could not be played to its end, and 2 if an option or the scenario is wrong.
    """
    if record_file is None and mqtt is None:
        _fail("say where the scenario goes: --record FILE, or --mqtt URL", USAGE)
    if record_file is not None and mqtt is not None:
        _fail("a scenario goes to one place: say only one of --record and --mqtt", USAGE)
    try:
        begin_us = instant_us(begin)
        if record_file is not None:
            _refuse("--mqtt", events=events_file, confirm=confirm, speed=speed != 1, http=http is not None)
            order = RecordOrder(record=record_file, truth=truth_file, config_out=config_out, begin_us=begin_us)
            with taken_back():
                record(cast(load(scenario), seed, seconds), order)
        elif mqtt is not None:
            _refuse("--record", config_out=config_out, begin=begin != BEGIN)
            live = LiveOrder(
                mqtt=mqtt, speed=speed, confirm=confirm, events=events_file, truth=truth_file, http_port=http
            )
            play(cast(load(scenario), seed, seconds), live, logger())
    except ContractError as error:
        _fail(f"--begin: {error}", USAGE)
    except (ScenarioError, OptionError) as error:
        _fail(str(error), USAGE)
    except (RunError, TruthError) as error:
        _fail(str(error), FAILURE)


def _refuse(other: str, **given: object) -> None:
    """Refuse options that belong to the other way of playing."""
    for name, value in given.items():
        if value:
            _fail(f"--{name.replace('_', '-')} goes with {other}", USAGE)


def _fail(text: str, code: int) -> NoReturn:
    typer.echo(f"stockgate-sim: {text}", err=True)
    raise typer.Exit(code)
