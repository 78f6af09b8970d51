"""Store-and-forward of the gateway's rows; freed by the central's watermark alone. `errors` draws the error tree."""

from edge.outbox.errors import OutboxError, OutboxInUseError, OutboxUnavailableError
from edge.outbox.inspect import OutboxFound, Waiting, inspect
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
    "OutboxFound",
    "OutboxInUseError",
    "OutboxSettings",
    "OutboxStats",
    "OutboxUnavailableError",
    "SqliteOutbox",
    "StoredRow",
    "Waiting",
    "inspect",
    "is_urgent",
]
