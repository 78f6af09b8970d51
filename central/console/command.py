"""The command `stockgate-central console`, registered by the central's command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def console(
    api: Annotated[str, typer.Option("--api", metavar="URL", help="The address of the central service's API.")],
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="The console's own address; loopback only.")
    ] = "127.0.0.1:8090",
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help="The file with the API's token; without it the console can only read."),
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="Write the console's address to this JSON file once it listens.")
    ] = None,
) -> None:
    """Serve the operations console: live counts, alerts, movements and the state of every gateway."""
    # NiceGUI takes seconds to load; --help needn't wait for it.
    from central.console.errors import ConsoleError  # noqa: PLC0415 - loaded only when it is to run
    from central.console.server import serve  # noqa: PLC0415 - loaded only when it is to run

    try:
        serve(api, listen=listen, token_file=token_file, ready_file=ready_file)
    except ConsoleError as error:
        print(f"stockgate-central console: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        raise typer.Exit(2) from error
