"""Store-and-forward of the gateway's rows; freed by the central's watermark alone. `errors` draws the error tree."""

from edge.outbox.errors import OutboxError, OutboxInUseError, OutboxUnavailableError
from edge.outbox.memory import MemoryOutbox
from edge.outbox.port import (
    MAX_BEYOND_WATERMARK,
    STREAMS,
    OpenRecord,
    Outbox,
    OutboxSettings,
    OutboxStats,
    StoredRow,
    is_urgent,
)
from edge.outbox.rules import Coverage
from edge.outbox.sqlite import SqliteOutbox

__all__ = [
    "MAX_BEYOND_WATERMARK",
    "STREAMS",
    "Coverage",
    "MemoryOutbox",
    "OpenRecord",
    "Outbox",
    "OutboxError",
    "OutboxInUseError",
    "OutboxSettings",
    "OutboxStats",
    "OutboxUnavailableError",
    "SqliteOutbox",
    "StoredRow",
    "is_urgent",
]
