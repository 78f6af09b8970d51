"""Rules of a row that its types can't say (contracts: Movement event, Sequenced streams, Presence)."""

import math
from collections.abc import Callable
from typing import Any, Final

from edge.contracts.errors import ContractError
from edge.contracts.identity import event_id
from edge.contracts.rows import GapRow, LossRow, MovementRow, PresenceRow, Row, SensorRow
from edge.contracts.times import instant_us, moment


def check_row(row: Row) -> None:
    """Raise `ContractError`, with the row's `seq` and what would be right, for a row that breaks a rule."""
    try:
        _CHECKS[type(row)](row)
    except ContractError as error:
        raise ContractError(f"row {row.seq}: {error}") from None


def _check_movement(row: MovementRow) -> None:
    """Check the row of which there are most; its words are only made where they are said."""
    if row.rev < 1:
        raise ContractError(f"rev is {row.rev}: revisions count from 1")
    if row.id != (right_id := event_id(row.passage, row.rev)):
        raise ContractError(f"id is {row.id}: passage and rev make it {right_id}")
    if row.at != (right_at := row.crossed_at or row.ended_at or row.started_at):
        raise ContractError(f"at is {row.at}: crossed_at, else ended_at, else started_at makes it {right_at}")
    _check_kind(row)
    if not _finite(row):
        raise ContractError("a figure is not finite: leave it out instead")
    started = moment(row.started_at)
    crossed = started if row.crossed_at is None else moment(row.crossed_at)
    ended = crossed if row.ended_at is None else moment(row.ended_at)
    if not started <= crossed <= ended and not row.clock.stepped:
        raise ContractError("times must rise from started_at over crossed_at to ended_at, unless the clock stepped")
    for antenna in row.evidence.antennas:
        if antenna.peak_at is not None:
            moment(antenna.peak_at)
    if row.gate is not None and row.gate.acted_at is not None:
        moment(row.gate.acted_at)


def _finite(row: MovementRow) -> bool:
    if not (math.isfinite(row.confidence) and math.isfinite(row.evidence.read_rate)):
        return False
    for one in row.evidence.antennas:
        if one.phase_slope_rad_s is not None and not math.isfinite(one.phase_slope_rad_s):
            return False
    return True


def _check_kind(row: MovementRow) -> None:
    if row.kind in {"in", "out"} and row.crossed_at is None:
        raise ContractError(f"kind {row.kind} wants crossed_at")
    if row.kind in {"parked", "unresolved", "retracted"} and not row.final:
        raise ContractError(f"kind {row.kind} is always final")
    if row.kind == "retracted":
        _require(bool(row.reason), "kind retracted wants a reason")


def _check_gap(row: GapRow) -> None:
    _require(row.first <= row.last, f"first {row.first} comes after last {row.last}")
    _require(row.seq == row.last, f"a gap stands under its last seq, {row.last}")
    width = row.last - row.first + 1
    _require(row.count <= width, f"count is {row.count}, {row.first} to {row.last} are {width} rows")


def _check_loss(row: LossRow) -> None:
    _require(instant_us(row.from_) <= instant_us(row.to), f"from {row.from_} comes after to {row.to}")


def _check_sensor(row: SensorRow) -> None:
    instant_us(row.at)


def _check_presence(row: PresenceRow) -> None:
    start, end = row.span
    _require(instant_us(start) <= instant_us(end), f"span starts at {start} and ends before it, at {end}")
    part, parts = row.part
    _require(part <= parts, f"part {part} of {parts}: parts count from 1 to {parts}")
    for tag in row.tags:
        instant_us(tag.last_at)
    _require(all(math.isfinite(antenna.up_s) for antenna in row.antennas), "up_s is not finite")


def _require(holds: bool, problem: str) -> None:  # noqa: FBT001 (an assertion's condition)
    if not holds:
        raise ContractError(problem)


_CHECKS: Final[dict[type, Callable[[Any], None]]] = {
    MovementRow: _check_movement,
    GapRow: _check_gap,
    LossRow: _check_loss,
    SensorRow: _check_sensor,
    PresenceRow: _check_presence,
}
