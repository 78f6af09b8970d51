"""`stockgate-sim`: LLRP readers that are not there, over a simulated world or recorded reads."""

import asyncio
import ipaddress
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from simulator import recording
from simulator.clock import SimulatedClock
from simulator.engine import Engine, Service
from simulator.faults import FaultPlan
from simulator.logs import logger
from simulator.plotting.command import plot
from simulator.runs.command import Seconds, run
from simulator.runs.scenarios_command import scenarios
from simulator.runs.sources import cast
from simulator.runs.warm import warm_up
from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.load import builtin_names, load
from simulator.scoring.command import score
from simulator.server.listener import ListenError
from simulator.server.model import ReaderModel
from simulator.truth import Truth, TruthError
from simulator.world.values import Source

LLRP_PORT = 5084
USAGE = 2
FAILURE = 1

app = typer.Typer(
    name="stockgate-sim",
    help="Simulated LLRP readers: tags, walkers and radio, or recorded reads, behind a reader's own protocol.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Speed = Annotated[float, typer.Option(min=0.01, max=1000, help="How many times as fast as real time the world runs.")]
Listen = Annotated[str, typer.Option(help="The loopback address that the readers listen on.")]
ReadyFile = Annotated[
    Path | None, typer.Option(help="Write the readers' addresses to this JSON file once all of them listen.")
]
TruthFile = Annotated[
    Path | None,
    typer.Option("--truth", help="Write what truly happened to this JSON file, every second and at the end."),
]
ExitWhenDone = Annotated[
    bool, typer.Option("--exit-when-done", help="Exit at the end of the scenario instead of waiting for SIGTERM.")
]


@app.command()
def serve(
    scenario: Annotated[
        str, typer.Argument(help=f"A scenario's TOML file, or a built-in scenario: {', '.join(builtin_names())}.")
    ],
    *,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of everything random; the scenario's own if not given.")
    ] = None,
    speed: Speed = 1.0,
    listen: Listen = "127.0.0.1",
    base_port: Annotated[
        int, typer.Option(min=0, max=65000, help="Port of the first reader; the next ones follow. 0 takes free ports.")
    ] = LLRP_PORT,
    http: Annotated[
        int | None,
        typer.Option(
            "--http", min=0, max=65535, help="Serve faults and inputs over HTTP on this port too; 0 takes a free one."
        ),
    ] = None,
    seconds: Seconds = None,
    ready_file: ReadyFile = None,
    truth_file: TruthFile = None,
    exit_when_done: ExitWhenDone = False,
) -> None:
    """Serve a scenario: one LLRP listener per reader. Its time begins when every reader has been started once."""
    _check_address(listen)
    try:
        chosen = load(scenario)
    except ScenarioError as error:
        _fail(str(error), USAGE)
    played = cast(chosen, seed, seconds)
    if chosen.crowd is None:
        warm_up()
    truth = Truth(chosen.name, played.seed, truth_file, place=chosen)
    _run(
        played.models,
        played.source,
        SimulatedClock(speed),
        truth,
        Service(
            listen=listen,
            base_port=base_port,
            ready_file=ready_file,
            exit_when_done=exit_when_done,
            http_port=http,
        ),
        faults=chosen.fault_plan(),
    )


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="CSV files of recorded reads, in one recording's time.")],
    *,
    speed: Speed = 1.0,
    listen: Listen = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The reader's port; 0 takes a free one.")] = LLRP_PORT,
    ready_file: ReadyFile = None,
    truth_file: TruthFile = None,
    exit_when_done: ExitWhenDone = False,
) -> None:
    """Replay recorded reads as one LLRP reader, r1: every read once, with its recorded time, to whom starts it."""
    _check_address(listen)
    try:
        recorded = recording.load(files)
    except recording.RecordingError as error:
        _fail(str(error), USAGE)
    played = {"r1": ReaderModel(frequencies_khz=recorded.frequencies_khz, hopping=False)}
    clock = SimulatedClock(speed, standing_us=recorded.begins_utc_us)
    truth = Truth("replay", None, truth_file)
    _run(
        played,
        recording.Playback(recorded),
        clock,
        truth,
        Service(listen=listen, base_port=port, ready_file=ready_file, exit_when_done=exit_when_done),
    )


app.command()(run)
app.add_typer(scenarios)
app.command()(score)
app.command()(plot)


@app.command()
def warm() -> None:
    """Compile the kernels and keep them on disk, so that a scenario begins in a second instead of half a minute.

    Run it once after an installation or an upgrade; `serve` and `run` do it themselves where it wasn't done.
    """
    warm_up()


def main() -> None:
    """Run the command line."""
    app()


def _check_address(listen: str) -> None:
    """A simulated reader has no TLS and no credentials, so it listens on loopback only."""
    try:
        loopback = listen == "localhost" or ipaddress.ip_address(listen).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        _fail(f"--listen {listen}: a simulated reader listens on loopback only, such as 127.0.0.1", USAGE)


def _run(
    played: dict[str, ReaderModel],
    source: Source,
    clock: SimulatedClock,
    truth: Truth,
    service: Service,
    *,
    faults: FaultPlan | None = None,
) -> None:
    async def body() -> None:
        engine = Engine(played, source, clock, truth, logger(), faults=faults)
        engine.stop_on_signals()
        await engine.run(service)

    try:
        truth.check()
        asyncio.run(body())
    except (ListenError, TruthError, OSError) as error:
        _fail(str(error), FAILURE)


def _fail(text: str, code: int) -> NoReturn:
    typer.echo(f"stockgate-sim: {text}", err=True)
    raise typer.Exit(code)
