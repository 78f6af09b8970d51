"""Movement rows as the columns of the statement that appends them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from central.application.ports import Filed
from central.storage.arrays import BoolArray, Float8Array, InstantArray, Int8Array, TextArray, UuidArray


def movement_columns(rows: Sequence[Filed], received_at: datetime) -> dict[str, Any]:
    """Return the parameters of `log.add_movements`."""
    return _texts(rows) | _figures(rows) | _instants(rows) | {"received_at": received_at}


def _texts(rows: Sequence[Filed]) -> dict[str, TextArray]:
    keys, moves = [one.row.key for one in rows], [one.movement for one in rows]
    columns: dict[str, list[str | None]] = {
        "gateway": [key.gateway for key in keys],
        "stream": [key.stream for key in keys],
        "epoch": [key.epoch for key in keys],
        "portal": [one.portal for one in moves],
        "epc": [one.epc for one in moves],
        "tid": [one.tid for one in moves],
        "kind": [one.kind for one in moves],
        "from_location": [one.origin for one in rows],
        "to_location": [one.destination for one in rows],
        "evidence": [one.evidence for one in moves],
        "batch": [one.batch for one in moves],
        "gate": [one.gate for one in moves],
        "clock": [one.clock for one in moves],
        "traceparent": [one.traceparent for one in moves],
        "reason": [one.reason for one in moves],
    }
    return {name: TextArray.of(values) for name, values in columns.items()}


def _figures(rows: Sequence[Filed]) -> dict[str, Any]:
    moves = [one.movement for one in rows]
    return {
        "seq": Int8Array.of([one.row.seq for one in rows]),
        "rev": Int8Array.of([one.rev for one in moves]),
        "reads": Int8Array.of([one.reads for one in moves]),
        "confidence": Float8Array.of([one.confidence for one in moves]),
        "passage": UuidArray.of(one.passage for one in moves),
        "final": BoolArray.of(one.final for one in moves),
        "synced": BoolArray.of(one.synced for one in moves),
    }


def _instants(rows: Sequence[Filed]) -> dict[str, InstantArray]:
    names = ("at", "started_at", "crossed_at", "ended_at")
    columns = [[getattr(one.movement, name) for one in rows] for name in names]
    return dict(zip(names, InstantArray.of(*columns), strict=True))
