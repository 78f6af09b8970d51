"""JSON bytes <-> contract values. Any bytes give a value or `ContractError`, never another error."""

from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from edge.contracts.errors import ContractError
from edge.contracts.retained import Health, State, Watermark
from edge.contracts.rows import Envelope, Row, Stream

MAX_ENVELOPE_ROWS: Final = 100
MAX_ENVELOPE_BYTES: Final = 128 * 1024

_T = TypeVar("_T")
_encoder: Final = msgspec.json.Encoder()
_row_decoder: Final[msgspec.json.Decoder[Row]] = msgspec.json.Decoder(Row)
_envelope_decoder: Final = msgspec.json.Decoder(Envelope)
_watermark_decoder: Final = msgspec.json.Decoder(Watermark)
_state_decoder: Final = msgspec.json.Decoder(State)
_health_decoder: Final = msgspec.json.Decoder(Health)


def encode(value: Row | Watermark | State | Health) -> bytes:
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
    return _decode(_row_decoder, payload, "row")


def decode_envelope(payload: bytes) -> Envelope:
    """Return the envelope in `payload`, its rows still raw; size, count and numbering are checked."""
    if len(payload) > MAX_ENVELOPE_BYTES:
        raise ContractError(f"envelope of {len(payload)} bytes: at most {MAX_ENVELOPE_BYTES} are allowed")
    envelope = _decode(_envelope_decoder, payload, "envelope")
    if not 0 < len(envelope.events) <= MAX_ENVELOPE_ROWS:
        raise ContractError(f"envelope with {len(envelope.events)} rows: 1 to {MAX_ENVELOPE_ROWS} are allowed")
    if envelope.last < envelope.first:
        raise ContractError(f"envelope says first {envelope.first}, last {envelope.last}: last comes before first")
    return envelope


def decode_watermark(payload: bytes) -> Watermark:
    """Return the watermark in `payload`."""
    return _decode(_watermark_decoder, payload, "watermark")


def decode_state(payload: bytes) -> State:
    """Return the birth message or will in `payload`."""
    return _decode(_state_decoder, payload, "state")


def decode_health(payload: bytes) -> Health:
    """Return the heartbeat in `payload`."""
    return _decode(_health_decoder, payload, "health")


def _decode(decoder: msgspec.json.Decoder[_T], payload: bytes | msgspec.Raw, what: str) -> _T:
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"{what}: {error}") from error
