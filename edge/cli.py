"""The command `stockgate-edge`."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from edge.agent.hang_up import mind_hang_up
from edge.agent.profiles_cli import profiles_app
from edge.llrp.dump import DEFAULT_PAYLOAD, dump, is_payload_type, payload_type, read_inputs
from edge.llrp.errors import LlrpError

app = typer.Typer(
    name="stockgate-edge",
    help="The agent at the door: it reads RFID readers, decides movements and stores them until the central has them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


MIB = 1024 * 1024
CONFIG_VARIABLE = "STOCKGATE_EDGE_CONFIG"
DATA_VARIABLE = "STOCKGATE_EDGE_DATA_DIR"
RecordMaxMib = Annotated[
    int, typer.Option(min=1, max=1024 * 1024, help="The recording ends before its file is larger than so many MiB.")
]


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


def ports_in(text: str) -> list[int]:
    """Return the antenna ports in `1,2`; `typer.BadParameter` for anything else."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word) for word in words):
        raise typer.BadParameter(f"{text!r}: write ports like 1,2", param_hint="--antennas")
    return [int(word) for word in words]


@app.callback()
def stockgate_edge() -> None:
    """The agent at the door: it reads RFID readers, decides movements and stores them until the central has them."""


@app.command()
def run(
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            envvar=CONFIG_VARIABLE,
            help="The TOML file that names the readers, the portals and the broker.",
        ),
    ],
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            envvar=DATA_VARIABLE,
            help="The folder for the outbox; it takes precedence over the configuration.",
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="HOST:PORT", help="Serve Prometheus metrics at this loopback address."),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="FILE",
            help="Write all that passes between agent and readers to this pcapng file.",
        ),
    ] = None,
    record_max_mib: RecordMaxMib = 1024,
) -> None:
    """Run the agent until it is told to stop: read, decide, store and forward."""
    hung_up = mind_hang_up()
    from edge.agent.command import run as run_agent  # noqa: PLC0415 - loads numba, which `decode` and --help don't need

    max_bytes = record_max_mib * MIB
    run_agent(config, data_dir, metrics=metrics, record=record, record_max_bytes=max_bytes, hung_up=hung_up)


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
def probe(
    host: Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="The reader's name or address; its port is 5084.")],
    *,
    listen_seconds: Annotated[
        float, typer.Option(min=0.0, max=60.0, help="Try each antenna for so long with a short inventory; 0 for none.")
    ] = 2.0,
    antennas: Annotated[
        str | None,
        typer.Option(metavar="PORTS", help="The ports that should have an antenna, such as 1,2; all if not given."),
    ] = None,
    timeout_seconds: Annotated[
        float, typer.Option(min=0.1, max=60.0, help="Wait so long for the connection and for each answer.")
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object in place of the tables.")] = False,
) -> None:
    """Say what reader stands at an address, how it is set up, and what is wrong with it.

    Nothing is changed on the reader. It takes one client at a time, so stop an agent that holds it before.

    The exit code is 0 if all is well, 1 if the reader answers and something is wrong, 2 if an option is wrong, and 3 if
    nothing answers there or what answers is no LLRP reader.
    """
    from edge.agent.probe_command import look  # noqa: PLC0415 - loads what `decode` and --help don't need

    ports = None if antennas is None else ports_in(antennas)
    raise typer.Exit(look(host, timeout_s=timeout_seconds, listen_s=listen_seconds, antennas=ports, as_json=as_json))


@app.command()
def survey(
    portal: Annotated[
        str | None, typer.Argument(metavar="[PORTAL]", help="The portal's id; the only one if not given.")
    ] = None,
    *,
    config: Annotated[Path, typer.Option("--config", help="The agent's TOML file with its readers and portals.")],
    seconds: Annotated[
        float, typer.Option("--seconds", min=10.0, max=900.0, help="Listen for so long; Control-C ends it before.")
    ] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object in place of the picture.")] = False,
) -> None:
    """Show what a portal's antennas hear while somebody walks, and say whether its airtime suffices.

    All tags are let answer meanwhile, so that those that stay can be counted. What is told of a walker's reads holds
    for the agent's own plan of rounds. The agent must not run meanwhile, for a reader serves one client.

    The exit code is 0 if the portal is fit to be commissioned, 1 if a walker gets too few reads or a reader isn't in
    session, and 2 if the configuration or an argument is wrong.
    """
    from edge.agent.survey_command import survey as survey_portal  # noqa: PLC0415 - loads numba, which --help doesn't need

    raise typer.Exit(survey_portal(config, portal, seconds=seconds, as_json=as_json))


@app.command()
def commission(
    portal: Annotated[str, typer.Argument(metavar="PORTAL", help="The portal's id.")],
    *,
    config: Annotated[Path, typer.Option("--config", help="The agent's TOML file with its readers and portals.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Where the configuration with the portal's new levels and powers goes, comments and all; the "
            "configuration's own name overwrites it. Beside it as *.commissioned.toml if not given.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", metavar="FILE", help="Write the certificate: .html, .pdf or .txt."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="The walks: a TOML file of tables `walks` with how, expect (in, out, none) and times.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Lower powers without asking, where the airtime wants it.")
    ] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="One walk, after a reader was swapped; nothing is changed.")
    ] = False,
    survey_seconds: Annotated[
        float, typer.Option("--survey-seconds", min=0.0, max=300.0, help="Count for so long who stays; 0 doesn't.")
    ] = 15.0,
    wait_seconds: Annotated[
        float | None,
        typer.Option(
            "--wait-seconds", min=5.0, help="A walk that isn't called for so long was missed; else Enter says so."
        ),
    ] = None,
) -> None:
    """Commission a portal: count who stays, set powers, lead through the walks that fail in practice, and certify.

    Each walk is shown as it is called: kind, confidence, how far from another call, reads by antenna, and what it lacks
    for a certificate. A walk can be repeated or left out. A portal is certified if of at least ten walks through it
    nine in ten get 15 reads with four on each side, airtime suffices, every plain walk is called right and nothing else
    is called a crossing; else the page says that it isn't certified, why, and what to change. The agent must not run
    meanwhile, for a reader serves one client.

    The exit code is 0 if the portal is certified or confirmed, 1 if it isn't or the walks could not be done, and 2 if
    the configuration or an argument is wrong.
    """
    from edge.agent.commission_command import Wish  # noqa: PLC0415 - loads numba, which `decode` and --help don't need
    from edge.agent.commission_command import commission as commission_portal  # noqa: PLC0415 - as above

    wish = Wish(
        config=config,
        portal=portal,
        out=out,
        certificate=certificate,
        plan=plan,
        yes=yes,
        confirm=confirm,
        survey_s=survey_seconds,
        wait_s=wait_seconds,
    )
    raise typer.Exit(commission_portal(wish))


@app.command()
def record(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[HOST...]", help="Readers to dial; with --config, ids of its readers, none for all."),
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The pcapng file to write; none that exists.")
    ],
    config: Annotated[
        Path | None, typer.Option("--config", help="Drive the readers as this configuration of the agent says.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="Stop after so long; until Control-C if not given.")
    ] = None,
    record_max_mib: RecordMaxMib = 1024,
) -> None:
    """Record what readers and a client of theirs say to each other, for Wireshark and for `replay`.

    Without a configuration every antenna port of each reader is read. The agent must not run meanwhile, for a reader
    serves one client; `run --record` records the agent's own connections.

    The exit code is 1 if a reader did not answer or the file is not whole, and 2 if an option is wrong.
    """
    from edge.agent.record_command import record as record_readers  # noqa: PLC0415 - loads numba

    if not hosts and config is None:
        raise typer.BadParameter("name a reader, or give --config", param_hint="HOST")
    record_readers(hosts or [], output, config=config, seconds=seconds, max_bytes=record_max_mib * MIB)


@app.command()
def replay(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Recordings in the order of their time: pcapng, pcap, one reader's bare bytes (.bin), or recorded "
            "reads (.csv).",
        ),
    ],
    config: Annotated[Path, typer.Option("--config", help="The agent's TOML file with its readers and portals.")],
    reader: Annotated[
        list[str] | None,
        typer.Option(
            "--reader",
            metavar="ID[=HOST[:PORT]]",
            help="Where a reader stood that the capture shows at another address; without an address: whose the bare "
            "bytes are.",
        ),
    ] = None,
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE", help="Where the movements go; a file appears once it is whole. - is stdout."
        ),
    ] = Path("-"),
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Write the provisional movements too, as they were first called.")
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="PASSAGE|EPC",
            help="Draw this passage, or the last one of this tag, with what it was decided on.",
        ),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="The PNG file that --explain draws.")
    ] = None,
) -> None:
    """Decide recorded reads anew: the final movements on standard output, one JSON object a line.

    A recording made by `run --record` gives what was published then. Passages that are open at its end are decided by
    the evidence so far. Progress, how fast it went, and reads of ports that serve no portal are told on standard error.

    The exit code is 1 if a part of a recording could not be read, and 2 if a file or an option is wrong.
    """
    if picture is not None and explain is None:
        raise typer.BadParameter("say with --explain which passage is drawn", param_hint="--picture")
    from edge.agent.replay_command import replay as replay_files  # noqa: PLC0415 - loads numba

    replay_files(files, config, reader or (), out=out, provisionals=provisional, explained=explain, picture=picture)


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


@app.command()
def status(
    config: Annotated[
        Path, typer.Option("--config", envvar=CONFIG_VARIABLE, help="The TOML file that the agent was started with.")
    ],
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", envvar=DATA_VARIABLE, help="The agent's data directory, if it was given one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Show how the running agent is: uplink, readers, antennas, portals, what waits, and what should be seen to.

    The exit code is 0 if all is well, 1 if something should be seen to, 2 if the configuration can't be used, and 3 if
    no agent answers.
    """
    from edge.agent.status_command import run_status  # noqa: PLC0415 - loads numba, which --help doesn't need

    raise typer.Exit(run_status(config, data_dir, as_json=as_json))


@app.command()
def doctor(
    config: Annotated[
        Path, typer.Option("--config", envvar=CONFIG_VARIABLE, help="The TOML file that the agent is started with.")
    ],
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", envvar=DATA_VARIABLE, help="The agent's data directory, if it is given one."),
    ] = None,
    *,
    timeout_seconds: Annotated[
        float, typer.Option(min=0.1, max=60.0, help="Wait so long for the broker and for each reader's answers.")
    ] = 5.0,
    listen_seconds: Annotated[
        float,
        typer.Option(min=0.0, max=60.0, help="With no agent running, try each antenna for so long; 0 for not at all."),
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
) -> None:
    """Say in plain words what is wrong with the agent and its machine, and what to do.

    It looks at the configuration and its certificates, the data directory, disk, clock, temperature and power, and asks
    the running agent for the rest. Where none runs it looks at broker, readers, outbox and kernels itself; it changes
    nothing but that kernels that weren't compiled are.

    The exit code is 0 if all is well, 1 if something should be seen to, and 2 if something is bad.
    """
    from edge.agent.doctor import Wish, run_doctor  # noqa: PLC0415 - loads numba, which --help doesn't need

    wish = Wish(timeout_s=timeout_seconds, listen_s=listen_seconds, as_json=as_json)
    raise typer.Exit(run_doctor(config, data_dir, wish))


app.add_typer(profiles_app)


def main() -> None:
    """Run the command line."""
    app()
