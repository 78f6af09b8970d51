"""Command line of the central service."""

import asyncio
import importlib.metadata
import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import structlog
import typer
from rich.console import Console

from central import app as service
from central import config
from central.api.auth import TokenError
from central.application.checking import IMPORTER
from central.application.columns import COLUMNS
from central.application.errors import CentralError
from central.application.importing import Imported
from central.application.register import ImportView
from central.application.sheets import Problem, Sheets, read_sheet
from central.application.undoing import Undone
from central.application.views import on_the_wire
from central.application.workbooks import read_workbook
from central.console.command import console
from central.gate.keys import KeyFileError, KeyRing, SigningKey
from central.ingest.link import LinkError
from central.storage.migrate import MigrationError
from central.storage.migrate import migrate as migrate_schema

USAGE, FAILED = 2, 1
WORKBOOK = ".xlsx"
"""A workbook names the kinds itself, sheet by sheet."""

cli = typer.Typer(
    name="stockgate-central",
    help="The verification service: it keeps every asset's location, judges every exit and counts every place.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Dsn = Annotated[
    str,
    typer.Option(help="Address of the PostgreSQL database (libpq form or URL).", envvar="STOCKGATE_CENTRAL_DSN"),
]


def _version(wanted: bool) -> None:
    if wanted:
        _say(f"stockgate-central {importlib.metadata.version('stockgate')}")
        raise typer.Exit


@cli.callback()
def program(
    _shown: Annotated[
        bool, typer.Option("--version", help="Print the program's version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@cli.command()
def run(  # noqa: PLR0917 (typer takes options as parameters)
    configuration: Annotated[
        Path | None, typer.Option("--config", help="TOML file with the settings; options win over it.")
    ] = None,
    dsn: Annotated[str | None, typer.Option(help="Address of the PostgreSQL database.")] = None,
    mqtt: Annotated[str | None, typer.Option(help="Broker, as mqtt://HOST:PORT or mqtts://HOST:PORT.")] = None,
    listen: Annotated[str | None, typer.Option(help="Address of the API; port 0 picks a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Directory that keeps the API's token file.")] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="JSON file to write once the API listens: its address and token file.")
    ] = None,
) -> None:
    """Run API and ingest until SIGTERM or Ctrl-C. The database must be migrated."""
    _log_to_stderr()
    given = {"dsn": dsn, "mqtt": mqtt, "listen": listen, "data_dir": data_dir}
    try:
        settings = config.load(configuration, given)
        asyncio.run(service.run(settings, ready_file))
    except (config.ConfigError, LinkError, TokenError) as error:
        _fail(str(error), USAGE)
    except (CentralError, OSError) as error:
        _fail(str(error), FAILED)


@cli.command()
def jobs(
    dsn: Dsn,
    connections: Annotated[int, typer.Option(help="Connections to the database at most.", min=2, max=64)] = 4,
) -> None:
    """Run what goes by the clock, such as due dates, until SIGTERM or Ctrl-C. Several may run; they share the work."""
    _log_to_stderr()
    try:
        asyncio.run(service.run_jobs(dsn, connections))
    except (CentralError, OSError) as error:
        _fail(str(error), FAILED)


@cli.command()
def migrate(dsn: Dsn) -> None:
    """Bring the database's schema up to this program's version."""
    try:
        applied = migrate_schema(dsn)
    except MigrationError as error:
        _fail(str(error), FAILED)
    _say("\n".join(f"applied {name}" for name in applied) or "the schema is up to date")


@cli.command()
def rebuild(dsn: Dsn) -> None:
    """Make locations, counts, transfers and states anew from the log, and print their hash and how long it took.

    Stop `run` and `jobs` before: what they do waits until it is done. It is one transaction: broken off, it changes
    nothing. The same log gives the same hash; where it was another before, that is said. Alerts and exceptions stay.
    """
    _log_to_stderr()
    try:
        done = asyncio.run(service.rebuild(dsn))
    except CentralError as error:
        _fail(f"nothing was rebuilt: {error}", FAILED)
    was = "as before" if done.before == done.after else f"it was {done.before} before"
    _say(f"rebuilt in {done.took_s:.1f} s; hash {done.after}, {was}")


@cli.command(name="import")
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FILE_OR_DIR...", help="CSV sheets, XLSX workbooks, or directories that hold sheets."),
    ],
    dsn: Dsn,
    kind: Annotated[
        str | None, typer.Option(help=f"Kind of the files, if their names don't tell it: {', '.join(COLUMNS)}.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and write nothing.")] = False,
    by: Annotated[str, typer.Option(help="Id of the person who imports; it stands in the log.")] = IMPORTER,
) -> None:
    """Import registry sheets: all problems are listed first, then all rows are written, or none."""
    if kind is not None and kind not in COLUMNS:
        _fail(f"--kind {kind!r}: use one of {', '.join(COLUMNS)}", USAGE)
    sheets = Sheets()
    for file, its_kind in _files(paths, kind):
        _read(sheets, file, its_kind)
    try:
        done = asyncio.run(service.import_files(dsn, sheets, dry_run=dry_run, by=by))
    except CentralError as error:
        _fail(f"nothing was imported: {error}", FAILED)
    _report(done, dry_run=dry_run)


@cli.command()
def imports(dsn: Dsn) -> None:
    """List the newest imports: their number, when, by whom, and whether they were taken back."""
    try:
        found = asyncio.run(service.imports(dsn))
    except CentralError as error:
        _fail(str(error), FAILED)
    _say("\n".join(map(_import_line, found)) or "nothing was imported yet")


@cli.command()
def undo(
    number: Annotated[int, typer.Argument(help="Number of the import, as `imports` lists it.")],
    dsn: Dsn,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what stands in the way and change nothing.")] = False,
    by: Annotated[str, typer.Option(help="Id of the person who takes it back; it stands in the log.")] = IMPORTER,
) -> None:
    """Take an import back: what it changed is as before, unless something that came later needs it."""
    try:
        done = asyncio.run(service.undo_import(dsn, number, by=by, dry_run=dry_run))
    except CentralError as error:
        _fail(f"nothing was taken back: {error}", FAILED)
    _report_undone(done, number, dry_run=dry_run)


cli.command()(console)
keys = typer.Typer(help="Keys that sign the gate snapshots: kept in the data directory, never shown in full.")
cli.add_typer(keys, name="keys")
DataDir = Annotated[
    Path,
    typer.Option(help="Directory that keeps the central's files.", envvar="STOCKGATE_CENTRAL_DATA_DIR"),
]


@keys.command()
def show(data_dir: DataDir = Path("stockgate-data")) -> None:
    """Print the line for the trust section of every agent's edge.toml; the first start of all makes the key."""
    _say(_trust(_ring(data_dir, rotate=False)))


@keys.command()
def rotate(data_dir: DataDir = Path("stockgate-data")) -> None:
    """Take a rotation's next step: add a successor for agents to trust, or let it sign and forget the old key."""
    ring = _ring(data_dir, rotate=True)
    _say(_trust(ring))
    if len(ring) > 1:
        _say(f"{ring[0].name} signs still. Put the line into every agent's edge.toml, then rotate again.")
    else:
        _say(f"{ring[0].name} signs from now on. The old key is forgotten: take it out of every agent's edge.toml.")


def _ring(data_dir: Path, *, rotate: bool) -> tuple[SigningKey, ...]:
    ring = KeyRing(data_dir)
    try:
        return ring.rotate() if rotate else ring.keys
    except KeyFileError as error:
        _fail(str(error), FAILED)


def _trust(ring: tuple[SigningKey, ...]) -> str:
    return f"central_keys = {json.dumps([key.line for key in ring])}"


def main() -> None:
    """Run the command line."""
    cli()


def _files(paths: list[Path], kind: str | None) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for path in paths:
        if not path.exists():
            _fail(f"no such file or folder: {path}", USAGE)
        if path.is_dir():
            inside = [(path / f"{name}.csv", name) for name in COLUMNS if (path / f"{name}.csv").is_file()]
            if not inside:
                _fail(f"{path} holds none of {', '.join(name + '.csv' for name in COLUMNS)}", USAGE)
            found += inside
        elif path.suffix.lower() == WORKBOOK:
            found.append((path, ""))
        elif kind is not None or path.stem in COLUMNS:
            found.append((path, kind or path.stem))
        else:
            _fail(f"{path}: the name tells no kind; say --kind, one of {', '.join(COLUMNS)}", USAGE)
    return found


def _read(sheets: Sheets, file: Path, kind: str) -> None:
    try:
        if not kind:
            read_workbook(sheets, str(file), file.read_bytes())
            return
        read_sheet(sheets, kind, str(file), file.read_text(encoding="utf-8"))
    except OSError as error:
        _fail(f"can't read {file}: {error.strerror}", USAGE)
    except UnicodeDecodeError as error:
        sheets.problems.append(Problem(str(file), 1, f"is not UTF-8 (byte {error.start}): save it as UTF-8"))


def _report(done: Imported, *, dry_run: bool) -> None:
    if done.problems:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print("\n".join(map(str, done.problems)))
        count = len(done.problems)
        _fail(f"{count} problem{'s' if count > 1 else ''}, nothing was imported", FAILED)
    told = ", ".join(f"{count} {name if count != 1 else _one(name)}" for name, count in done.rows.items()) or "no rows"
    _say(f"{told}: {'checked, nothing written' if dry_run else f'imported as number {done.id}'}")


def _import_line(one: ImportView) -> str:
    told = ", ".join(f"{count} {name}" for name, count in one.rows.items()) or "no rows"
    back = f", taken back at {on_the_wire(one.undone_at)} by {one.undone_by}" if one.undone_at else ""
    return f"{one.id}  {on_the_wire(one.at)}  {one.by}: {told}; {one.changed} changed something{back}"


def _report_undone(done: Undone, number: int, *, dry_run: bool) -> None:
    if done.problems:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print("\n".join(map(str, done.problems)))
        _fail(f"{len(done.problems)} in the way, nothing was taken back", FAILED)
    told = ", ".join(f"{count} {name}" for name, count in done.rows.items()) or "acts only"
    _say(f"import {number}, {told}: {'can be taken back' if dry_run else 'taken back'}")


def _one(name: str) -> str:
    return "person" if name == "people" else name.removesuffix("s")


def _say(text: str) -> None:
    Console(soft_wrap=True, highlight=False, markup=False).print(text)


def _fail(text: str, code: int) -> NoReturn:
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(text)
    raise typer.Exit(code)


class JsonLines(logging.Formatter):
    """What libraries log, as JSON like our own: one line an event, however many lines its text has."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        told = {"event": record.getMessage(), "logger": record.name, "level": record.levelname.lower(), "timestamp": at}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)


def _log_to_stderr() -> None:
    """Log JSON lines, one an event, to stderr."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


if __name__ == "__main__":
    main()
