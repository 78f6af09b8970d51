"""Published: what edge, central and simulator agree on. Loads no numba.

Errors: `ContractError`, the room's one error.
"""

from edge.contracts.codec import (
    MAX_ENVELOPE_BYTES,
    MAX_ENVELOPE_ROWS,
    decode_envelope,
    decode_health,
    decode_row,
    decode_state,
    decode_watermark,
    encode,
    encode_envelope,
)
from edge.contracts.errors import ContractError
from edge.contracts.identity import event_id, passage_id
from edge.contracts.retained import (
    Health,
    PortalBirth,
    ReaderBirth,
    ReaderHealth,
    State,
    StreamHealth,
    StreamMark,
    Watermark,
)
from edge.contracts.rows import (
    AntennaEvidence,
    Clock,
    Envelope,
    Evidence,
    GapRow,
    GateVerdict,
    Kind,
    LossRow,
    MovementRow,
    PresenceAntenna,
    PresenceRow,
    PresenceTag,
    Row,
    SensorRow,
    Stream,
)
from edge.contracts.times import Instant, instant, instant_us
from edge.contracts.topics import Topic, parse_topic, topic

__all__ = [
    "MAX_ENVELOPE_BYTES",
    "MAX_ENVELOPE_ROWS",
    "AntennaEvidence",
    "Clock",
    "ContractError",
    "Envelope",
    "Evidence",
    "GapRow",
    "GateVerdict",
    "Health",
    "Instant",
    "Kind",
    "LossRow",
    "MovementRow",
    "PortalBirth",
    "PresenceAntenna",
    "PresenceRow",
    "PresenceTag",
    "ReaderBirth",
    "ReaderHealth",
    "Row",
    "SensorRow",
    "State",
    "Stream",
    "StreamHealth",
    "StreamMark",
    "Topic",
    "Watermark",
    "decode_envelope",
    "decode_health",
    "decode_row",
    "decode_state",
    "decode_watermark",
    "encode",
    "encode_envelope",
    "event_id",
    "instant",
    "instant_us",
    "parse_topic",
    "passage_id",
    "topic",
]
