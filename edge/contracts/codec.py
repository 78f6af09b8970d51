"""JSON bytes <-> contract values. Any bytes give a value or `ContractError`, never another error."""

from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from edge.contracts.commands import Command, Reply
from edge.contracts.errors import ContractError
from edge.contracts.gate import MAX_DELTA_BYTES, MAX_MANIFEST_BYTES, GateDelta, GateManifest
from edge.contracts.retained import Health, State, Watermark
from edge.contracts.rows import Envelope, Row, Stream

MAX_ENVELOPE_ROWS: Final = 100
MAX_ENVELOPE_BYTES: Final = 128 * 1024
MAX_MESSAGE_BYTES: Final = 64 * 1024
"""Of every other message: a birth of 8 portals and a heartbeat are a few KiB."""

Message = Row | Watermark | State | Health | GateManifest | GateDelta | Command | Reply

_T = TypeVar("_T")
_encoder: Final = msgspec.json.Encoder()
_row_decoder: Final[msgspec.json.Decoder[Row]] = msgspec.json.Decoder(Row)
_envelope_decoder: Final = msgspec.json.Decoder(Envelope)
_watermark_decoder: Final = msgspec.json.Decoder(Watermark)
_state_decoder: Final = msgspec.json.Decoder(State)
_health_decoder: Final = msgspec.json.Decoder(Health)
_manifest_decoder: Final = msgspec.json.Decoder(GateManifest)
_delta_decoder: Final = msgspec.json.Decoder(GateDelta)
_command_decoder: Final = msgspec.json.Decoder(Command)
_reply_decoder: Final = msgspec.json.Decoder(Reply)


def encode(value: Message) -> bytes:
    """Return the JSON bytes of one row or message."""
    return _encoder.encode(value)


def encode_envelope(*, gateway: str, stream: Stream, epoch: str, first: int, last: int, rows: Iterable[bytes]) -> bytes:
    """Join rows that are already encoded into one envelope; the rows' bytes go in as they are."""
    events = [msgspec.Raw(row) for row in rows]
    if not 0 < len(events) <= MAX_ENVELOPE_ROWS:
        raise ContractError(f"an envelope holds 1 to {MAX_ENVELOPE_ROWS} rows, not {len(events)}")
    return _encoder.encode(
        Envelope(v=1, gateway=gateway, stream=stream, epoch=epoch, first=first, last=last, events=events)
    )


def decode_row(payload: bytes | msgspec.Raw) -> Row:
    """Return the row in `payload`."""
    return _decode(_row_decoder, payload, "row", MAX_ENVELOPE_BYTES)


def decode_envelope(payload: bytes) -> Envelope:
    """Return the envelope in `payload`, its rows still raw; size, count and numbering are checked."""
    envelope = _decode(_envelope_decoder, payload, "envelope", MAX_ENVELOPE_BYTES)
    if not 0 < len(envelope.events) <= MAX_ENVELOPE_ROWS:
        raise ContractError(f"envelope with {len(envelope.events)} rows: 1 to {MAX_ENVELOPE_ROWS} are allowed")
    if envelope.last < envelope.first:
        raise ContractError(f"envelope says first {envelope.first}, last {envelope.last}: last comes before first")
    return envelope


def decode_watermark(payload: bytes) -> Watermark:
    """Return the watermark in `payload`; every range in `above` runs upwards."""
    watermark = _decode(_watermark_decoder, payload, "watermark")
    for stream, mark in watermark.streams.items():
        for low, high in mark.above:
            if low > high:
                raise ContractError(f"watermark: {stream} has the range {low} to {high} above: it runs backwards")
    return watermark


def decode_state(payload: bytes) -> State:
    """Return the birth message or will in `payload`."""
    return _decode(_state_decoder, payload, "state")


def decode_health(payload: bytes) -> Health:
    """Return the heartbeat in `payload`."""
    return _decode(_health_decoder, payload, "health")


def decode_manifest(payload: bytes) -> GateManifest:
    """Return the gate manifest in `payload`; its signature is not verified here."""
    return _decode(_manifest_decoder, payload, "gate manifest", MAX_MANIFEST_BYTES)


def decode_delta(payload: bytes) -> GateDelta:
    """Return the gate delta in `payload`; its signature is not verified here."""
    return _decode(_delta_decoder, payload, "gate delta", MAX_DELTA_BYTES)


def decode_command(payload: bytes, *, max_bytes: int = MAX_MESSAGE_BYTES) -> Command:
    """Return the command in `payload`; `check_command` and the signature come after."""
    return _decode(_command_decoder, payload, "command", max_bytes)


def decode_reply(payload: bytes) -> Reply:
    """Return the reply in `payload`."""
    return _decode(_reply_decoder, payload, "reply")


def _decode(
    decoder: msgspec.json.Decoder[_T], payload: bytes | msgspec.Raw, what: str, max_bytes: int = MAX_MESSAGE_BYTES
) -> _T:
    size = len(memoryview(payload))
    if size > max_bytes:
        raise ContractError(f"{what} of {size} bytes: at most {max_bytes} are allowed")
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"{what}: {error}") from error
