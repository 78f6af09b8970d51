"""`stockgate-edge decode --messages`: whole messages with all their fields, for people or as JSON lines."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from edge.llrp.dump import TOLD_FAULTS, Tally, hint, summary, tell
from edge.llrp.errors import LlrpError
from edge.llrp.framing import Frame, FrameBuffer
from edge.llrp.messages import Message, decode_message
from edge.llrp.messages.answers import ROAccessReport
from edge.llrp.messages.base import UnknownMessage
from edge.llrp.messages.element import Element
from edge.llrp.messages.plain import leftover_plain, shown, to_plain
from edge.llrp.messages.plan import plan_of
from edge.llrp.wire import HEADER, HEADER_BYTES, TYPE_MASK, message_name

VERSION_NAMES: Final = {1: "LLRP 1.0.1", 2: "LLRP 1.1"}
INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a file, or why it can't be read."""

    frame: Frame
    headed: bool
    message: Message | None
    error: LlrpError | None = None

    @property
    def name(self) -> str:
        """The message's name, also where only its type could be read."""
        if self.message is None or isinstance(self.message, UnknownMessage):
            return message_name(self.frame.type)
        return self.message.STANDARD_NAME


def dump_messages(inputs: Sequence[tuple[str, bytes]], *, as_json: bool, payload: int | None) -> int:
    """Print every message of every input to stdout and all else to stderr; return the exit code.

    Args:
        inputs: names and bytes.
        as_json: one JSON object a message, else an outline of its fields.
        payload: message type where the bytes are one message's payload without its header, else None.
    """
    faults = 0
    for name, data in inputs:
        tally = Tally()
        for item in decode_messages(data, payload, tally):
            if isinstance(item, Item):
                sys.stdout.write(json_line(name, item) if as_json else outline(item))
            fault = item.error if isinstance(item, Item) else item
            if fault is not None and tally.faults <= TOLD_FAULTS:
                tell(f"{name}: {_placed(item)}{fault}{hint(fault, payload)}")
        sys.stdout.flush()
        tell(f"{name}: {summary(tally)}")
        faults += tally.faults
    return 1 if faults else 0


def decode_messages(data: bytes, payload: int | None, tally: Tally) -> Iterator[Item | LlrpError]:
    """Yield a file's messages in wire order, and an `LlrpError` where the stream breaks off; count into `tally`."""
    for frame in _frames(data) if payload is None else [Frame(payload, 0, 1, data, 0)]:
        if isinstance(frame, LlrpError):
            tally.faults += 1
            yield frame
            continue
        try:
            item = Item(frame, payload is None, decode_message(frame))
        except LlrpError as error:
            item = Item(frame, payload is None, None, error)
            tally.faults += 1
        tally.messages[item.name] += 1
        if isinstance(item.message, ROAccessReport):
            tally.tag_reports += len(item.message.tag_report_data)
        yield item


def json_line(file: str, item: Item) -> str:
    """Return one message as a JSON object; one that can't be read keeps its bytes and says why."""
    frame = item.frame
    line: dict[str, Any] = {"file": file.encode(errors="backslashreplace").decode(), "offset": frame.offset}
    line["message"] = item.name
    if item.headed:
        line |= {"id": frame.message_id, "version": frame.version}
    if item.message is None:
        line |= {"error": str(item.error), "data": frame.payload.hex()}
    elif isinstance(item.message, UnknownMessage):
        line |= {"type": frame.type, "data": frame.payload.hex()}
    else:
        line["fields"] = to_plain(item.message)
    return msgspec.json.encode(line).decode() + "\n"


def outline(item: Item) -> str:
    """Return one message as people read it: a heading, and its fields indented below."""
    frame = item.frame
    heading = f"byte {frame.offset}: {item.name}"
    if item.headed:
        heading += f", id {frame.message_id}, {VERSION_NAMES[frame.version]}"
    if item.message is None:
        return f"{heading}, can't be read: {frame.payload.hex()}\n"
    if isinstance(item.message, UnknownMessage):
        return f"{heading}: {frame.payload.hex()}\n"
    return "\n".join([heading, *_lines(item.message, 1)]) + "\n"


def _lines(element: Element, depth: int) -> Iterator[str]:
    lead = INDENT * depth
    plan = plan_of(type(element))
    for ours, name in plan.names.items():
        yield f"{lead}{name}: {_text(shown(getattr(element, ours)))}"
    for slot in plan.slots:
        value = getattr(element, slot.field)
        for one in value if slot.repeated else () if value is None else (value,):
            lines = list(_lines(one, depth))
            if len(lines) == 1 and lines[0].startswith(f"{lead}{one.STANDARD_NAME}: "):
                yield lines[0]  # A parameter that is one field of the same name.
            else:
                yield lead + one.STANDARD_NAME
                yield from (INDENT + line for line in lines)
    if element.leftover is not None:
        for name, value in leftover_plain(element.leftover).items():
            if value:
                yield f"{lead}left over, {name}: {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['data']} ({value['bits']} bits)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _placed(item: Item | LlrpError) -> str:
    return f"message at byte {item.frame.offset}: " if isinstance(item, Item) and item.headed else ""


def _frames(data: bytes) -> Iterator[Frame | LlrpError]:
    """Cut a file into frames, reports among them."""
    buffer = FrameBuffer()
    buffer.feed(data)
    whole = bytes(buffer.take().data)
    at = 0
    while at < len(whole):
        word, length, message_id = HEADER.unpack_from(whole, at)
        yield Frame(word & TYPE_MASK, message_id, word >> 10, whole[at + HEADER_BYTES : at + length], at)
        at += length
    try:
        buffer.finish()
    except LlrpError as error:
        yield error
