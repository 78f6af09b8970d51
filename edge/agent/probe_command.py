"""The body of `stockgate-edge probe`: what stands at an address, in a table or as JSON.

Exit 0 if all is well, 1 if it answers and something is wrong, 2 for what the user must change, 3 if no LLRP reader
answers.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from edge.agent.address import LLRP_PORT, AddressError, parse_address
from edge.agent.interrupt import run_to_end
from edge.readers.errors import ReaderBusyError, ReaderError, ReaderRefusedError
from edge.readers.found import AntennaFound, ReaderFound, clock_words, frequency_words, notes, problems
from edge.readers.probe import ProbeSettings, probe

EXIT_WRONG: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNREACHABLE: Final = 3
PIPE_COLUMNS: Final = 120
"""Width of the table where there is no terminal to ask."""


def look(address: str, *, timeout_s: float, listen_s: float, antennas: Sequence[int] | None, as_json: bool) -> int:
    """Look at one reader, say what was found, and return the exit code."""
    try:
        host, port = parse_address(address)
    except AddressError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    expected = None if antennas is None else tuple(antennas)
    settings = ProbeSettings(
        host=host, port=port or LLRP_PORT, timeout_s=timeout_s, listen_s=listen_s, antennas=expected
    )
    try:
        found = run_to_end(probe(settings, now_us=lambda: time.time_ns() // 1_000))
    except ReaderError as error:
        _tell_failure(settings, str(error), as_json=as_json)
        return EXIT_WRONG if isinstance(error, ReaderBusyError | ReaderRefusedError) else EXIT_UNREACHABLE
    wrong = list(problems(found))
    if as_json:
        _print_json(asdict(found) | {"problems": wrong, "notes": list(notes(found))})
    else:
        _print_tables(found, wrong)
    return EXIT_WRONG if wrong else 0


def _tell_failure(settings: ProbeSettings, words: str, *, as_json: bool) -> None:
    if as_json:
        _print_json({"address": settings.address, "problems": [words], "notes": []})
    else:
        sys.stderr.write(f"{words}\n")


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")


def _print_tables(found: ReaderFound, wrong: Sequence[str]) -> None:
    console = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS, highlight=False)
    facts = Table(title=f"Reader at {found.address}", show_header=False, title_justify="left")
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, words in _facts(found):
        facts.add_row(name, words)
    console.print(facts)
    ports = Table(title="Antennas", title_justify="left")
    for heading in ("port", "connected", "gain", "heard", "strongest"):
        ports.add_column(heading)
    for antenna in found.antennas:
        ports.add_row(*_antenna(antenna, found.tested_s))
    console.print(ports)
    for line in wrong:
        console.print(f"wrong: {line}", soft_wrap=True, markup=False)
    for line in notes(found):
        console.print(f"note: {line}", soft_wrap=True, markup=False)
    if not wrong:
        console.print("Nothing is wrong with it.")


def _facts(found: ReaderFound) -> list[tuple[str, str]]:
    facts = [
        ("vendor", found.vendor),
        ("model", f"{found.model} (model number {found.model_code})"),
        ("firmware", found.firmware or "not told"),
        ("profile", found.profile),
        ("region", _region(found)),
        ("power", _power(found.powers_cdbm)),
        ("clock", _clock(found)),
    ]
    if found.inputs:
        inputs = (f"{one.port} {one.state if one.enabled else 'off'}" for one in found.inputs)
        facts.append(("inputs", ", ".join(inputs)))
    facts.append(("outputs", str(found.outputs) if found.outputs else "none"))
    return facts


def _region(found: ReaderFound) -> str:
    region = found.region
    if region is None:
        return "not told"
    how = "hopping over" if region.hopping else "fixed on"
    return f"{region.country}, {region.standard}; {how} {frequency_words(region.frequencies_khz)}"


def _power(powers_cdbm: Sequence[int]) -> str:
    if not powers_cdbm:
        return "not told"
    low, high = powers_cdbm[0] / 100, powers_cdbm[-1] / 100
    return f"{low:g} to {high:g} dBm in {len(powers_cdbm)} steps" if low != high else f"{high:g} dBm only"


def _clock(found: ReaderFound) -> str:
    if found.clock_offset_us is not None:
        return clock_words(found.clock_offset_us)
    return "none" if found.uptime_us is None else f"counts from its start, {found.uptime_us / 1e6:,.0f} s ago"


def _antenna(antenna: AntennaFound, tested_s: float) -> tuple[str, ...]:
    connected = {True: "yes", False: "no", None: "not told"}[antenna.connected]
    gain = "" if antenna.gain_dbi is None else f"{antenna.gain_dbi:g} dBi"
    heard = "not tried"
    if antenna.refused:
        heard = "refused"
    elif antenna.reads is not None:
        heard = f"{antenna.reads} reads of {antenna.tags} tags in {tested_s:g} s"
    level = antenna.best_rssi_cdbm
    return str(antenna.port), connected, gain, heard, "" if level is None else f"{level / 100:g} dBm"
