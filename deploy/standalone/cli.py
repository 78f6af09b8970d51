"""The command `stockgate`: everything on one machine."""

import importlib.metadata
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.standalone.demo import SHORTEST_S, run_demo
from deploy.standalone.errors import ConfigurationError, StandaloneError
from deploy.standalone.up import default_data_dir, run_up

app = typer.Typer(
    name="stockgate",
    help="Run Stockgate on one machine, with its own broker and its own database.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"stockgate {importlib.metadata.version('stockgate')}")
        raise typer.Exit


@app.callback()
def program(
    _shown: Annotated[
        bool, typer.Option("--version", help="Print the program's version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Run Stockgate on one machine, with its own broker and its own database."""


@app.command()
def demo(
    seconds: Annotated[
        int,
        typer.Option(
            help=f"How long the simulated people walk, in seconds: {SHORTEST_S} or more; 0 goes on until Ctrl-C."
        ),
    ] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep logs and configuration when the demo has ended.")] = False,
    mqtt: Annotated[
        str | None, typer.Option("--mqtt", metavar="URL", help="Use this broker instead of the embedded one.")
    ] = None,
    dsn: Annotated[
        str | None,
        typer.Option("--dsn", metavar="DSN", help="Use this empty PostgreSQL database instead of the embedded one."),
    ] = None,
) -> None:
    """Show simulated readers and sample assets in motion: movements, an alert, live counts.

    It needs neither configuration nor network, and leaves nothing behind. Its last line is one JSON object of figures,
    with the simulator's truth beside them. The exit status is 0 only if the edge agent was heard, all
    that it wrote arrived, and no event was lost or stored twice.
    """
    if seconds != 0 and seconds < SHORTEST_S:
        raise typer.BadParameter(
            f"{seconds} is too short for anybody to walk through a door: say {SHORTEST_S} or more, or 0 to go on",
            param_hint="--seconds",
        )
    raise typer.Exit(run_demo(seconds=seconds, keep=keep, mqtt=mqtt, dsn=dsn))


@app.command()
def up(
    config: Annotated[
        Path,
        typer.Option("--config", metavar="DIR", help="A folder with edge.toml and the registry's CSV files."),
    ],
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", metavar="DIR", help="Where database, outbox and token are kept between runs."),
    ] = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="The console's address; loopback only.")
    ] = "127.0.0.1:8090",
) -> None:
    """Run your own readers on this machine until Ctrl-C.

    The folder holds edge.toml (without an mqtt table: the broker is ours) and locations.csv, portals.csv, assets.csv,
    tags.csv and authorisations.csv. What is recorded is kept for the next start. A program that dies is started again.
    """
    raise typer.Exit(run_up(config.resolve(), data_dir=(data_dir or default_data_dir()).resolve(), listen=listen))


def main() -> None:
    """Run the command line; what keeps it from running is told in one sentence, without a traceback."""
    try:
        app()
    except ConfigurationError as error:
        print(f"stockgate: {error}", file=sys.stderr)
        sys.exit(2)
    except StandaloneError as error:
        print("\n".join([f"stockgate: {error}", *getattr(error, "__notes__", ())]), file=sys.stderr)
        sys.exit(1)
