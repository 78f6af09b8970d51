"""The command `stockgate-edge`."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from edge.llrp.dump import DEFAULT_PAYLOAD, dump, is_payload_type, payload_type, read_inputs
from edge.llrp.errors import LlrpError

app = typer.Typer(
    name="stockgate-edge",
    help="The agent at the door: it reads RFID readers, decides movements and stores them until the central has them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class DecodeCommand(TyperCommand):
    """Lets `--payload` stand alone: the next word is its value only where it names a message type."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override] # typer's own Context
        """Give a lone `--payload` its default before options are parsed."""
        return super().parse_args(ctx, with_payload_types(args))


def with_payload_types(args: list[str]) -> list[str]:
    """Return a command line in which every `--payload` has its value attached; nothing after `--` is touched."""
    given: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*given, word, *rest]
        if word == "--payload":
            kind = rest.pop(0) if rest and is_payload_type(rest[0]) else DEFAULT_PAYLOAD
            word = f"--payload={kind}"
        given.append(word)
    return given


@app.callback()
def stockgate_edge() -> None:
    """The agent at the door: it reads RFID readers, decides movements and stores them until the central has them."""


@app.command()
def run(
    config: Annotated[
        Path, typer.Option("--config", help="The TOML file that names the readers, the portals and the broker.")
    ],
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="The folder for the outbox; it takes precedence over the configuration."),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="HOST:PORT", help="Serve Prometheus metrics at this loopback address."),
    ] = None,
) -> None:
    """Run the agent until it is told to stop: read, decide, store and forward."""
    from edge.agent.command import run as run_agent  # noqa: PLC0415 - loads numba, which `decode` and --help don't need

    run_agent(config=config, data_dir=data_dir, metrics=metrics)


outputs = typer.Typer(help="Lights and sirens that are wired to readers.", no_args_is_help=True)
app.add_typer(outputs, name="outputs")


@outputs.callback()
def outputs_group() -> None:
    """Lights and sirens that are wired to readers."""


@outputs.command("test")
def outputs_test(
    reader: Annotated[str, typer.Argument(metavar="READER", help="The reader's id in the configuration.")],
    output: Annotated[int, typer.Argument(metavar="OUTPUT", min=1, help="The number of the output, from 1.")],
    config: Annotated[Path, typer.Option("--config", help="The TOML file that names the readers.")],
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=60.0, help="How long it is on.")] = 2.0,
) -> None:
    """Switch an output on for some seconds, and say whether the reader or the agent ended it.

    The agent must not run meanwhile, for a reader serves one client.

    The exit code is 1 if the reader was not reached or refused, and 2 if the configuration or an argument is wrong.
    """
    from edge.agent.outputs_command import try_output  # noqa: PLC0415 - loads numba, which `decode` doesn't need

    try_output(config, reader, output, seconds)


@app.command()
def warm() -> None:
    """Compile the kernels and keep them on disk, so that the agent starts in a second instead of ten.

    Run it once after an installation or an upgrade; `run` does it itself where it wasn't done.
    """
    from edge.agent.warm import warm_up  # noqa: PLC0415 - loads numba, which `decode` and --help don't need

    warm_up()


@app.command(cls=DecodeCommand)
def decode(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Recorded bytes as a reader sent them; - reads standard input."),
    ],
    messages: Annotated[
        bool,
        typer.Option(
            "--messages", help="Show whole messages with all their fields, instead of the tag reports in them."
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object a line for each tag report, or message with --messages."),
    ] = False,
    payload: Annotated[
        str | None,
        typer.Option(
            "--payload",
            metavar="[TYPE]",
            help="Each file is the payload of one message without its 10-byte header. TYPE is the message's name or "
            f"number, {DEFAULT_PAYLOAD} where the next word is neither.",
        ),
    ] = None,
) -> None:
    """Show the tag reports in recorded LLRP bytes, field by field, and name the other messages.

    With --messages, show every message whole, by the standard's field names.

    Tag reports or messages go to standard output; counts and faults go to standard error.

    The exit code is 1 if something in a file could not be read, and 2 if a file or an option is wrong.
    """
    try:
        kind = None if payload is None else payload_type(payload)
    except LlrpError as error:
        raise typer.BadParameter(str(error), param_hint="--payload") from error
    try:
        inputs = read_inputs(files)
    except LlrpError as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from error
    show = dump
    if messages:
        from edge.llrp.message_dump import dump_messages as show  # noqa: PLC0415 - its tables load in a tenth of a second
    raise typer.Exit(show(inputs, as_json=as_json, payload=kind))


@app.command()
def check(
    config: Annotated[
        Path, typer.Option("--config", help="The TOML file that names the readers, the portals and the broker.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Check a configuration without dialling a reader: every problem, each antenna's power and why it is that.

    The exit code is 0 if nothing is to be done, 1 if the agent would run but something should be seen to, and 2 if the
    configuration can't be used.
    """
    from edge.agent.check import run_check  # noqa: PLC0415 - loads numba, which --help doesn't need

    raise typer.Exit(run_check(config, as_json=as_json))


profiles_app = typer.Typer(
    name="profiles", help="What the agent knows of reader models, and what of it is verified.", no_args_is_help=True
)
app.add_typer(profiles_app)
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


def main() -> None:
    """Run the command line."""
    app()
