"""The body of `stockgate-edge check`: everything that can be said about a configuration before a reader is dialled.

Exit codes: 0 nothing to do; 1 the agent would run, but something should be seen to; 2 the configuration can't be used.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from edge import config as settings
from edge.access import AccessError, token
from edge.agent.log_target import log_problem
from edge.agent.secret_files import open_secrets
from edge.agent.tables import console, show_json, show_table
from edge.agent.tls_files import tls_file_problems, try_broker_files
from edge.config import EdgeConfig, ReaderConfig
from edge.config.device_checks import serial_places
from edge.config.devices import SerialReaderConfig
from edge.config.gate import lock_word
from edge.config.kinds import named_as_written
from edge.config.radio import AntennaPower, antenna_powers
from edge.profiles import AUTO, ReaderProfile, profile_named, region_named
from edge.profiles.legal import UNKNOWN_GAIN_DBI

EXIT_SEE_TO: Final = 1
EXIT_UNUSABLE: Final = 2
MOST_WARNINGS: Final = 50
"""As many are listed; of the rest only the number is told, as with errors."""
KEY_PATH: Final = re.compile(r"\w+(\[\d+\])?( \([^)]*\))?(\.\w+(\[\d+\])?)*")
"""`readers[0].port`, or `portals[1] (door).antennas[0]` as the configuration's checks word it."""
ASSUMED_WORDS: Final = {
    "gain_dbi": f"a gain of {UNKNOWN_GAIN_DBI:g} dBi",
    "cable_db": "no loss in the cable",
}


Radio = ReaderConfig | SerialReaderConfig
"""Readers whose power we set."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the configuration: an error keeps the agent from starting, a warning doesn't.

    `do` is what mends it where that isn't a change of the configuration.
    """

    severity: Literal["error", "warning"]
    key: str
    what: str
    do: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLine:
    """The power of one antenna; `dbm` is None where the reader's own power is left as it is.

    `eirp_dbm` is what the antenna then radiates, as far as its gain and cable are configured or assumed.
    """

    reader: str
    port: int
    portal: str
    region: str | None
    asked_dbm: float | None
    legal_dbm: float | None
    dbm: float | None
    eirp_dbm: float | None
    why: str


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """One reader, as configured."""

    id: str
    address: str
    profile: str
    region: str | None
    unverified: int


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found; the last of the findings says how many more errors or warnings there are, if there are."""

    findings: tuple[Finding, ...]
    readers: tuple[ReaderLine, ...] = ()
    powers: tuple[PowerLine, ...] = ()
    more_errors: int = 0
    more_warnings: int = 0

    @property
    def exit_code(self) -> int:
        """The worst of the findings."""
        worst = {finding.severity for finding in self.findings}
        return EXIT_UNUSABLE if "error" in worst else EXIT_SEE_TO if worst else 0


def run_check(path: Path, *, as_json: bool) -> int:
    """Check a configuration file, print what was found and return the exit code."""
    report = examine(path)
    if as_json:
        show_json({"exit_code": report.exit_code, **asdict(report)})
    else:
        _print(path, report)
    return report.exit_code


def examine(path: Path) -> Report:
    """Return all that can be said about a configuration file."""
    try:
        text = path.read_bytes()
    except OSError as error:
        return Report((_error(f"cannot be read: {error.strerror}"),))
    return examine_text(text, path.resolve().parent, path)[0]


def examine_text(text: bytes, base: Path, own: Path | None = None) -> tuple[Report, EdgeConfig | None]:
    """Return all that can be said about a configuration, and what it is where it can be used.

    Args:
        text: the file's bytes.
        base: the folder where its relative paths start.
        own: the file, where it is one.
    """
    source = "edge.toml"
    try:
        document = settings.document_of(text, source=source)
        config = settings.parse(document, source=source)
    except settings.ConfigError as error:
        problems = tuple(_error(line.removeprefix(f"{source}: ")) for line in str(error).splitlines())
        return Report(problems, more_errors=error.more), None
    findings = [*_file_problems(config, base, own)]
    powers: list[PowerLine] = []
    readers = []
    built = settings.reader_settings(config)
    for number, reader in enumerate(config.readers):
        place = f"readers[{number}]"
        antennas = list(antenna_powers(config, reader))
        powers += [_power_line(reader, antenna) for antenna in antennas]
        findings += _trust_notes(place, reader)
        findings += _region_notes(place, reader)
        findings += _power_notes(place, reader, antennas)
        if reader.profile != AUTO:
            findings += _profile_notes(place, reader, profile_named(reader.profile), antennas)
        readers.append(_reader_line(reader, built[number].address))
    for number, serial in enumerate(config.serial_readers):
        place, antennas = f"serial_readers[{number}]", list(antenna_powers(config, serial))
        powers += _one_power([_power_line(serial, antenna) for antenna in antennas])
        findings += _region_notes(place, serial)
        findings += _power_notes(place, serial, antennas)
    findings += [*_line_notes(config), *_central_notes(config), *_access_notes(config, base), *_siren_notes(config)]
    findings += _lock_notes(config)
    readers += _device_lines(config, base)
    told, more = _bounded(findings)
    report = Report(tuple(_as_written(document, told)), tuple(readers), tuple(powers), more_warnings=more)
    return report, None if report.exit_code == EXIT_UNUSABLE else config


def _bounded(findings: list[Finding]) -> tuple[list[Finding], int]:
    """Return errors and the first warnings, and how many warnings are left out."""
    warnings = [one for one in findings if one.severity == "warning"]
    more = max(len(warnings) - MOST_WARNINGS, 0)
    if not more:
        return findings, 0
    errors = [one for one in findings if one.severity == "error"]
    return [*errors, *warnings[:MOST_WARNINGS], Finding("warning", "", f"and {_count(more, 'more warning')}")], more


def _as_written(document: Mapping[str, Any], findings: list[Finding]) -> Iterator[Finding]:
    """Name readers' places as they stand in the file, where readers of all kinds stand in one list."""
    for finding in findings:
        yield replace(finding, key=named_as_written(finding.key, document))


def _one_power(lines: list[PowerLine]) -> Iterator[PowerLine]:
    """Yield the antennas of a reader that has one power for all of them: the strictest of theirs."""
    strictest = min((line for line in lines if line.dbm is not None), key=lambda line: line.dbm or 0.0, default=None)
    for line in lines:
        if strictest is None or strictest.dbm is None or line.dbm is None or line.dbm == strictest.dbm:
            yield line
        else:
            eirp_dbm = None if line.eirp_dbm is None else round(line.eirp_dbm - line.dbm + strictest.dbm, 2)
            why = f"one power for all antennas: port {strictest.port} allows no more"
            yield replace(line, dbm=strictest.dbm, eirp_dbm=eirp_dbm, why=why)


def _device_lines(config: EdgeConfig, base: Path) -> Iterator[ReaderLine]:
    regions = {serial.id: serial.region for serial in config.serial_readers}
    for serial in settings.serial_settings(config):
        yield ReaderLine(serial.id, serial.address, f"serial/{serial.protocol}", regions[serial.id], 0)
    for smart in settings.smart_settings(config, base=base):
        yield ReaderLine(smart.id, smart.address, f"mqtt/{smart.format}", None, 0)
    for board in settings.board_settings(config):
        yield ReaderLine(board.id, board.address, f"board/{board.protocol}", None, 0)


def _error(line: str) -> Finding:
    key, _, what = line.partition(": ")
    return Finding("error", key, what) if KEY_PATH.fullmatch(key) else Finding("error", "", line)


def _file_problems(config: EdgeConfig, base: Path, own: Path | None) -> Iterator[Finding]:
    """What the broker's and the readers' settings name on disk must be there."""
    try:
        try_broker_files(settings.uplink_settings(config, base=base))
    except (OSError, ValueError) as error:
        named = str(error).partition(" ")[0]
        yield Finding("error", f"mqtt.{named if named.endswith('_file') else 'url'}", str(error))
    if problem := log_problem(config, base=base, own=own):
        yield Finding("error", "log.file", problem)
    for one in tls_file_problems(config, base=base):
        yield Finding("error", f"{one.place}.{one.key}", one.what)
    for secret in open_secrets(config, base=base):
        yield Finding("warning", secret.key, secret.what, secret.do)


def _line_notes(config: EdgeConfig) -> Iterator[Finding]:
    """What stands under a device's name may be unplugged for now, but never something else."""
    for place, device in serial_places(config):
        if "://" not in device and _is_something_else(Path(device)):
            what = f"{device} is no serial device: best take a name in /dev/serial/by-id"
            yield Finding("warning", f"{place}.serial", what)


def _central_notes(config: EdgeConfig) -> Iterator[Finding]:
    if not config.trust.central_keys:
        what = (
            "none: this gateway judges no exit, and obeys no command; put the line here that "
            "`stockgate-central keys show` prints"
        )
        yield Finding("warning", "trust.central_keys", what)


def _siren_notes(config: EdgeConfig) -> Iterator[Finding]:
    """Yield what sounds and is ended by nobody but us: if the agent, or the line to it, died meanwhile, it goes on."""
    boards = {board.id: board for board in config.boards}
    wired = {(reader.id, output.output): output for reader in config.readers for output in reader.outputs}
    for number, one in enumerate(config.gate.outputs):
        if one.kind not in {"siren", "gone"}:
            continue
        board, output = boards.get(one.device), wired.get((one.device, one.output))
        if (board is not None and not (board.protocol == "modbus" and board.timed_outputs)) or (
            output is not None and output.inverted
        ):
            yield Finding(
                "warning",
                f"gate.outputs[{number}].device",
                f"{one.device} ends no pulse of output {one.output} by itself, so what sounds there would go on if the "
                "agent or the line to it died: give it a timer relay, or take a board with timed_outputs",
            )


def _lock_notes(config: EdgeConfig) -> Iterator[Finding]:
    """Yield outputs of what is called as a lock: what an output is wired to, nobody but its name can tell."""
    for number, one in enumerate(config.gate.outputs):
        if word := lock_word(one.device):
            what = (
                f"{one.device} is named as a {word}: Stockgate never holds a door shut nor opens one; if a lock is "
                "wired there, wire it to the access controller, and if not, name the device otherwise"
            )
            yield Finding("warning", f"gate.outputs[{number}].device", what)


def _access_notes(config: EdgeConfig, base: Path) -> Iterator[Finding]:
    """The agent runs without its door for posts, but nobody hears of badges then."""
    http, _ = settings.access_settings(config, base=base)
    try:
        if http is not None:
            token(http.token_file)
    except AccessError as error:
        yield Finding("warning", "access.http.token_file", str(error))


def _is_something_else(device: Path) -> bool:
    try:
        return device.exists() and not device.is_char_device()
    except OSError:  # it lies where this user may not look
        return False


def _trust_notes(place: str, reader: ReaderConfig) -> Iterator[Finding]:
    tls = reader.tls
    if tls is not None and tls.fingerprint is None and tls.ca_file is None:
        what = (
            f"nothing vouches for the certificate of reader {reader.id}: the agent will refuse the reader until "
            "fingerprint or ca_file is given; it then says which fingerprint it saw"
        )
        yield Finding("warning", f"{place}.tls", what)


def _region_notes(place: str, reader: Radio) -> Iterator[Finding]:
    if reader.region is None:
        yield Finding(
            "warning",
            f"{place}.region",
            f"is missing: no power of reader {reader.id} is held to what is legal; name the region that it stands in",
        )
        return
    region = region_named(reader.region)
    rules = [key for key in region.unverified if key.startswith("limits.")]
    if rules:
        yield Finding(
            "warning",
            f"{place}.region",
            f"{region.name}: {', '.join(rules)} stand in {region.regulation}, which wasn't read: compare them with it",
        )


def _power_notes(place: str, reader: Radio, antennas: list[AntennaPower]) -> Iterator[Finding]:
    for antenna in antennas:
        if antenna.legal is not None and antenna.legal.assumed:
            taken = " and ".join(ASSUMED_WORDS[key] for key in antenna.legal.assumed)
            cap = f"port {antenna.port} of reader {reader.id} is held to {antenna.legal.cap_cdbm / 100:.2f} dBm"
            keys = " and ".join(antenna.legal.assumed)
            yield Finding("warning", antenna.place, f"{keys} not given: {cap}, reckoned with {taken}")
    asked = [one for one in antennas if one.asked_dbm is not None and one.legal]
    over = [one for one in asked if one.legal and one.legal.cap_cdbm < round((one.asked_dbm or 0.0) * 100)]
    for dbm in sorted({one.asked_dbm for one in over if one.asked_dbm is not None}):
        lowered = [one for one in over if one.asked_dbm == dbm]
        held = ", ".join(f"port {one.port} to {one.legal.cap_cdbm / 100:.2f}" for one in lowered if one.legal)
        key = place if dbm == reader.tx_power_dbm else lowered[0].place
        yield Finding("warning", f"{key}.tx_power_dbm", f"{dbm:g} dBm is more than is legal: held down, {held} dBm")


def _profile_notes(
    place: str, reader: ReaderConfig, profile: ReaderProfile, antennas: list[AntennaPower]
) -> Iterator[Finding]:
    most = max((one.antenna_ports or 0 for one in profile.products), default=0)
    if most and all(one.antenna_ports for one in profile.products):
        for antenna in antennas:
            if antenna.port > most:
                what = f"port {antenna.port}: no reader of {profile.title} has more than {most} antenna ports"
                yield Finding("warning", f"{antenna.place}.port", what)
    inputs = profile.gpio.inputs
    for index, gpi in enumerate(reader.gpis):
        if inputs is not None and gpi.port > inputs:
            what = f"input {gpi.port}: {profile.title} has {inputs}"
            yield Finding("warning", f"{place}.gpis[{index}].port", what)
    if profile.power.max_dbm is not None and (reader.tx_power_dbm or 0.0) > profile.power.max_dbm:
        what = f"{reader.tx_power_dbm:g} dBm: the highest on record for {profile.title} is {profile.power.max_dbm:g}"
        yield Finding("warning", f"{place}.tx_power_dbm", what)


def _power_line(reader: Radio, antenna: AntennaPower) -> PowerLine:
    legal_dbm = None if antenna.legal is None else antenna.legal.cap_cdbm / 100
    known = [dbm for dbm in (antenna.asked_dbm, legal_dbm) if dbm is not None]
    if antenna.legal is not None and min(known) == legal_dbm:
        why = antenna.legal.why
    elif antenna.asked_dbm is not None:
        why = f"tx_power_dbm = {antenna.asked_dbm:g}"
    else:
        why = "the reader's own power: neither region nor tx_power_dbm is configured"
    return PowerLine(
        reader=reader.id,
        port=antenna.port,
        portal=antenna.serves,
        region=reader.region,
        asked_dbm=antenna.asked_dbm,
        legal_dbm=legal_dbm,
        dbm=min(known, default=None),
        eirp_dbm=None if antenna.legal is None else round(min(known) + antenna.legal.net_gain_db, 2),
        why=why,
    )


def _reader_line(reader: ReaderConfig, address: str) -> ReaderLine:
    unverified = 0 if reader.profile == AUTO else len(profile_named(reader.profile).unverified)
    return ReaderLine(reader.id, address, reader.profile, reader.region, unverified)


def _print(path: Path, report: Report) -> None:
    out = console()
    if report.readers:
        rows = [(one.id, one.address, _profile_words(one), one.region or "not configured") for one in report.readers]
        show_table(out, ("reader", "address", "profile", "region"), rows)
    if report.powers:
        power_rows = [(one.reader, str(one.port), one.portal, *map(_dbm, _dbms(one)), one.why) for one in report.powers]
        heads = ("reader", "port", "portal or zone", "asked dBm", "legal dBm", "used dBm", "EIRP dBm", "why")
        show_table(out, heads, power_rows)
    if report.findings:
        show_table(out, ("", "key", "what"), [(one.severity, one.key, _in_words(one)) for one in report.findings])
    errors = sum(finding.severity == "error" for finding in report.findings)
    warnings = len(report.findings) - errors
    # The line that says how many more there are isn't one of them.
    errors += report.more_errors - bool(report.more_errors)
    warnings += report.more_warnings - bool(report.more_warnings)
    out.print(f"{path}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")


def _in_words(finding: Finding) -> str:
    return f"{finding.what}: {finding.do}" if finding.do else finding.what


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def _profile_words(line: ReaderLine) -> str:
    if line.profile == AUTO:
        return "auto: by what the reader says that it is"
    return f"{line.profile} ({line.unverified} values unverified)" if line.unverified else line.profile


def _dbms(line: PowerLine) -> tuple[float | None, ...]:
    return line.asked_dbm, line.legal_dbm, line.dbm, line.eirp_dbm


def _dbm(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
