"""The command line of `stockgate-edge profiles`; the bodies stand in `profiles_command`."""

from pathlib import Path
from typing import Annotated

import typer

profiles_app = typer.Typer(
    name="profiles", help="What the agent knows of reader models, and what of it is verified.", no_args_is_help=True
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]


@profiles_app.command("list")
def profiles_list(as_json: AsJson = False) -> None:
    """List the reader profiles in the order in which they are tried, and how much of each is unverified."""
    from edge.agent.profiles_command import list_profiles  # noqa: PLC0415 - loads numba, which --help doesn't need

    raise typer.Exit(list_profiles(as_json=as_json))


@profiles_app.command("show")
def profiles_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The profile's name, such as impinj/speedway.")],
    as_json: AsJson = False,
) -> None:
    """Show one profile: each value with its source, its readers and their quirks."""
    from edge.agent.profiles_command import show_profile  # noqa: PLC0415 - loads numba, which --help doesn't need

    raise typer.Exit(show_profile(name, as_json=as_json))


@profiles_app.command("lint")
def profiles_lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE...]",
            help="Profiles; regions and templates in folders of that name; all that is shipped if none.",
        ),
    ] = None,
) -> None:
    """Check profiles and regions: keys, bounds, names, and a source for every value.

    The exit code is 1 if something is wrong.
    """
    from edge.agent.profiles_command import lint  # noqa: PLC0415 - loads numba, which --help doesn't need

    raise typer.Exit(lint(files or []))


@profiles_app.command("match")
def profiles_match(
    recording: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="A recorded GET_READER_CAPABILITIES_RESPONSE: messages (.bin), a payload (.bytes) or JSON (.json).",
        ),
    ] = None,
    vendor: Annotated[int | None, typer.Option("--vendor", help="The reader's DeviceManufacturerName.")] = None,
    model: Annotated[int | None, typer.Option("--model", help="The reader's ModelName.")] = None,
    firmware: Annotated[str, typer.Option("--firmware", help="The reader's firmware version.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say which profile a reader gets, and why: by its numbers, or by a recording of its capabilities.

    The exit code is 1 if no profile knows the reader, and 2 if it isn't said which reader.
    """
    from edge.agent.profiles_command import Told, match  # noqa: PLC0415 - loads numba, which --help doesn't need

    told = None if vendor is None or model is None else Told(vendor=vendor, model=model, firmware=firmware)
    raise typer.Exit(match(told, recording, as_json=as_json))
