"""`stockgate-edge decode`: recorded LLRP bytes shown to people, or as JSON lines."""

import difflib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import msgspec
from rich.console import Console
from rich.table import Table

from edge.llrp.capture import is_capture
from edge.llrp.errors import LlrpError
from edge.llrp.framing import FrameBuffer, PlainCut
from edge.llrp.tag_report import TagReport, other_parameters, tag_reports
from edge.llrp.wire import HEADER, HEADER_BYTES, MESSAGE_NAMES, TYPE_MASK, Message, message_name

DEFAULT_PAYLOAD: Final = Message.RO_ACCESS_REPORT.name
TOLD_FAULTS: Final = 20
"""Faults of one file that are printed; the rest are counted, so that a file of garbage doesn't fill the screen."""
PIPE_COLUMNS: Final = 160
"""Width of the table where there is no terminal to ask: an EPC and its times on one line."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Tally:
    """What one file held."""

    messages: Counter[str] = field(default_factory=Counter)
    tag_reports: int = 0
    others_in_reports: int = 0
    faults: int = 0


class View(Protocol):
    """Where tag reports go: `add` for each, `close` once at the end of a file."""

    def add(self, report: TagReport) -> None:
        """Show one tag report."""

    def close(self) -> None:
        """Show what is still held back."""


def read_inputs(names: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return each file's bytes ("-" is standard input); `LlrpError` at the first that can't be read or is a capture."""
    inputs = []
    for name in names:
        try:
            inputs.append((name, sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()))
        except OSError as error:
            near = difflib.get_close_matches(name.upper(), MESSAGE_NAMES.values(), 1, 0.8)
            hint = f"; if you mean a message type, it is --payload={near[0]}" if near else ""
            raise LlrpError(f"cannot read {name!r}: {error.strerror or error}{hint}") from error
        if is_capture(inputs[-1][1]):
            raise LlrpError(
                f"{name!r} is a capture (pcapng or pcap), not a reader's bare bytes: `stockgate-edge replay {name} "
                "--config edge.toml` gives its movements, Wireshark shows its messages"
            )
    return inputs


def payload_type(text: str) -> int:
    """Return a message type by name or number; `LlrpError` with the nearest name where there is none."""
    numbers = {name: number for number, name in MESSAGE_NAMES.items()}
    if text.upper() in numbers:
        return numbers[text.upper()]
    if text.isascii() and text.isdigit() and int(text) <= TYPE_MASK:
        return int(text)
    near = difflib.get_close_matches(text.upper(), numbers, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(numbers)}, or a number up to {TYPE_MASK}"
    raise LlrpError(f"{text!r} is no LLRP message type; {hint}")


def is_payload_type(text: str) -> bool:
    """Say whether a word names a message type, to tell `--payload TYPE` from `--payload FILE`."""
    try:
        payload_type(text)
    except LlrpError:
        return False
    return True


def dump(inputs: Sequence[tuple[str, bytes]], *, as_json: bool, payload: int | None) -> int:
    """Print every tag report of every input to stdout and all else to stderr; return the exit code.

    Args:
        inputs: names and bytes.
        as_json: one JSON object a tag report, else a table a file.
        payload: message type where the bytes are one message's payload without its header, else None.
    """
    faults = 0
    for name, data in inputs:
        view: View = JsonLines(name) if as_json else ReportTable(name)
        tally = Tally()
        for item in decode(data, payload, tally):
            if isinstance(item, TagReport):
                view.add(item)
            elif tally.faults <= TOLD_FAULTS:
                tell(f"{name}: {item}{hint(item, payload)}")
        view.close()
        sys.stdout.flush()
        tell(f"{name}: {summary(tally)}")
        faults += tally.faults
    return 1 if faults else 0


def decode(data: bytes, payload: int | None, tally: Tally) -> Iterator[TagReport | LlrpError]:
    """Yield tag reports in wire order, and an `LlrpError` for whatever can't be read; count into `tally`."""
    items = _payload(data, payload, tally) if payload is not None else _messages(data, tally)
    for item in items:
        if isinstance(item, TagReport):
            tally.tag_reports += 1
        else:
            tally.faults += 1
        yield item


def summary(tally: Tally) -> str:
    """Return in one line what a file held."""
    kinds = ", ".join(f"{count} {name}" for name, count in tally.messages.most_common())
    messages = _count(tally.messages.total(), "message")
    parts = [f"{messages} ({kinds})" if kinds else messages, _count(tally.tag_reports, "tag report")]
    if tally.others_in_reports:
        parts.append(f"{_count(tally.others_in_reports, 'other parameter')} beside them (RF surveys, custom) not shown")
    if tally.faults:
        parts.append(_count(tally.faults, "fault") + (f", {TOLD_FAULTS} shown" if tally.faults > TOLD_FAULTS else ""))
    return "; ".join(parts)


class JsonLines:
    """One JSON object a line, led by the file's name."""

    def __init__(self, name: str) -> None:
        self._lead = b'{"file":' + msgspec.json.encode(name.encode(errors="backslashreplace").decode()) + b","
        self._encoder = msgspec.json.Encoder()

    def add(self, report: TagReport) -> None:
        """Write one line."""
        line = self._lead + self._encoder.encode(report)[1:] + b"\n"
        sys.stdout.write(line.decode())

    def close(self) -> None:
        """Hold nothing back."""


class ReportTable:
    """A table; `rich` needs all rows to find the widths, so it is printed at the end."""

    def __init__(self, name: str) -> None:
        self._table = Table(title=name)
        for heading in ("byte", "message", "EPC", "antenna", "dBm", "channel", "first seen", "last seen", "reads"):
            self._table.add_column(heading, overflow="fold")
        self._table.add_column("other", overflow="fold", ratio=1)

    def add(self, report: TagReport) -> None:
        """Add one row."""
        first = moment(report.first_seen_us, report.first_seen_uptime_us)
        last = moment(report.last_seen_us, report.last_seen_uptime_us)
        numbers = (report.antenna, report.peak_rssi_dbm, report.channel)
        self._table.add_row(
            str(report.offset), _shown(report.message_id), report.epc, *map(_shown, numbers), first, last,
            _shown(report.seen_count), others(report),
        )  # fmt: skip

    def close(self) -> None:
        """Print the table where it has rows."""
        if self._table.row_count:
            Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(self._table)


def moment(utc_us: int | None, uptime_us: int | None) -> str:
    """Return a time as people read it, with a plus sign where it counts from the reader's start."""
    if utc_us is None:
        return "" if uptime_us is None else f"+{uptime_us / 1e6:,.6f} s"
    try:
        return (EPOCH + timedelta(microseconds=utc_us)).strftime("%Y-%m-%d %H:%M:%S.%fZ")
    except OverflowError:
        return f"{utc_us} us"


def others(report: TagReport) -> str:
    """Return the fields that have no column of their own, as `name value` pairs."""
    words = ("spec_index", "inventory_parameter_spec_id", "access_spec_id", "op_spec_id")
    pairs = [("rospec", report.rospec_id), *((name, getattr(report, name)) for name in words)]
    pairs += [(name, _hex(getattr(report, name))) for name in ("pc", "crc", "xpc_w1", "xpc_w2")]
    pairs.append(("client_request_op_spec_result", report.client_request_op_spec_result))
    texts = [f"{name} {value}" for name, value in pairs if value is not None]
    if report.singulation:
        texts.append(f"slots {report.singulation.collision_slots}/{report.singulation.empty_slots}")
    texts += [
        f"{op.kind} {op.op_spec_id} result {op.result} {op.data or op.words_written or ''}" for op in report.op_specs
    ]
    texts += [
        f"{custom.name} {custom.value} {custom.unit}" if custom.name else f"custom {custom.vendor}/{custom.subtype}"
        for custom in report.custom
    ]
    texts += [f"type {unknown.type}" for unknown in report.unknown]
    return ", ".join(text.strip() for text in texts)


def _payload(data: bytes, payload: int, tally: Tally) -> Iterator[TagReport | LlrpError]:
    tally.messages[message_name(payload)] += 1
    if payload == Message.RO_ACCESS_REPORT:
        tally.others_in_reports += other_parameters(data, 0, len(data))
        yield from tag_reports(data, 0, len(data))


def _messages(data: bytes, tally: Tally) -> Iterator[TagReport | LlrpError]:
    buffer = FrameBuffer(cut=PlainCut())
    buffer.feed(data)
    chunk = buffer.take()
    whole = bytes(chunk.data)
    at = 0
    while at < len(whole):
        word, length, message_id = HEADER.unpack_from(whole, at)
        tally.messages[message_name(word & TYPE_MASK)] += 1
        if word & TYPE_MASK == Message.RO_ACCESS_REPORT:
            span = (at + HEADER_BYTES, at + length)
            tally.others_in_reports += other_parameters(whole, *span)
            yield from tag_reports(whole, *span, message_id=message_id, version=word >> 10)
        at += length
    try:
        buffer.finish()
    except LlrpError as error:
        yield error


def tell(line: str) -> None:
    """Print a line to stderr."""
    sys.stderr.write(line + "\n")


def hint(error: LlrpError, payload: int | None) -> str:
    """Return what else a file may be that is no LLRP from its first byte on."""
    if error.offset != 0:
        return ""
    if payload is None:
        return " (a message's payload without its 10-byte header is read with --payload)"
    return " (whole messages with their headers are read without --payload)"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _shown(value: int | None) -> str:
    return "" if value is None else str(value)


def _hex(value: int | None) -> str | None:
    return None if value is None else f"{value:04x}"
