"""The separate axes of an asset's state, folded from acts; and which acts may follow on which.

`AxisError` is a change that the axis doesn't allow; the message says what would be.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

CUSTODY_KINDS: Final = ("person", "pool", "stockroom", "vendor", "none")
CONDITIONS: Final = ("working", "damaged")
DATA_STATES: Final = ("unwiped", "wiped", "verified", "no_storage")
TITLES: Final = ("owned", "leased", "customer")
HOLDS: Final = ("quarantine", "legal", "security", "recall")
BLOCKS: Final = (*HOLDS, "unwiped")
"""What stands against every permission but its own."""

NEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "requested": ("ordered", "retired"),
    "ordered": ("received", "retired"),
    "received": ("in_stock", "in_use", "disposal_review"),
    "in_stock": ("reserved", "in_use", "disposal_review"),
    "reserved": ("in_stock", "in_use"),
    "in_use": ("returned", "disposal_review"),
    "returned": ("redeployable", "disposal_review"),
    "redeployable": ("in_stock", "reserved", "in_use", "disposal_review"),
    "disposal_review": ("redeployable", "retired"),
    "retired": ("disposal_review", "disposed"),
    "disposed": (),
}
"""Lifecycle states and those that may follow. An order given up ends as retired; a first word may be any state."""
LIFECYCLES: Final = tuple(NEXT)

KINDS: Final = (
    "lifecycle_set", "custody_given", "custody_acknowledged", "condition_set", "data_state_set", "title_set",
    "hold_set", "hold_released",
)  # fmt: skip
"""Kinds of acts that the axes are made of."""
_HOLDING: Final = frozenset({"hold_set", "hold_released"})
BLOCKING: Final = ("hold_set", "hold_released", "data_state_set")
"""Those that may stand against permissions."""


Span = tuple[datetime, datetime | None]
"""From an instant until before another, or without end."""


class AxisError(ValueError):
    """A change that its axis doesn't allow; the message says what would be allowed."""


@dataclass(frozen=True, slots=True)
class AxisAct:
    """An act on one asset's state: when it holds from, what it is about, and its words."""

    at: datetime
    kind: str
    subject: str | None
    detail: Mapping[str, Any] = field(hash=False)
    recorded_at: datetime | None = None
    """When it was told; None for when it held from."""


@dataclass(frozen=True, slots=True)
class AssetState:
    """All axes at one time; None is what nobody told yet."""

    lifecycle: str | None = None
    lifecycle_since: datetime | None = None
    custody_kind: str = "none"
    custodian: str | None = None
    custody_since: datetime | None = None
    custody_acknowledged_at: datetime | None = None
    condition: str | None = None
    data_state: str | None = None
    title: str = "owned"
    title_holder: str | None = None
    title_return_on: date | None = None
    holds: tuple[str, ...] = ()

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """What stands against every permission but its own: holds, and data that nobody wiped."""
        return (*self.holds, *(("unwiped",) if self.data_state == "unwiped" else ()))


def fold_axes(acts: Iterable[AxisAct]) -> AssetState:
    """Return the state that a set of acts makes, in whatever order it comes; ties are ordered by their words."""
    state, known = AssetState(), sorted(acts, key=_order)
    for act in known:
        if act.kind not in _HOLDING:
            state = _APPLY[act.kind](state, act)
    return replace(state, holds=tuple(sorted(set(standing_holds(known).values()))))


def standing_holds(acts: Iterable[AxisAct]) -> dict[str, str]:
    """Return the holds that a set of acts leaves standing: id to kind."""
    holds: dict[str, str] = {}
    for act in sorted((act for act in acts if act.kind in _HOLDING), key=_order):
        if act.kind == "hold_set":
            holds[act.subject or ""] = act.detail["kind"]
        else:
            holds.pop(act.subject or "", None)
    return holds


def as_told(acts: Iterable[AxisAct]) -> list[AxisAct]:
    """Return acts as they were known of: what was told later, of a time before, counts from when it was told."""
    return [replace(act, at=max(act.at, act.recorded_at or act.at)) for act in acts]


def blocked_spans(acts: Iterable[AxisAct], despite: Collection[str] = ()) -> tuple[Span, ...]:
    """Return when a hold, or data that nobody wiped, stood against every permission but that of kinds in `despite`."""
    spans: list[Span] = []
    standing: set[str] = set()
    since: datetime | None = None
    for act in sorted((act for act in acts if act.kind in BLOCKING), key=_order):
        name = "unwiped" if act.kind == "data_state_set" else f"hold {act.subject}"
        blocks = act.kind == "hold_set" or act.detail.get("data_state") == "unwiped"
        blocks = blocks and act.detail.get("kind", "unwiped") not in despite
        standing = standing | {name} if blocks else standing - {name}
        if standing and since is None:
            since = act.at
        if not standing and since is not None:
            spans.append((since, act.at))
            since = None
    return tuple(spans) if since is None else (*spans, (since, None))


def check_lifecycle(history: Sequence[tuple[datetime, str]], at: datetime, wanted: str) -> None:
    """Raise `AxisError` unless `wanted` at `at` may follow what was before it, and what came after may follow it.

    Args:
        history: instants and states of the acts so far, in any order.
        at: from when the new state holds.
        wanted: the new state.
    """
    ordered = sorted(history)
    before = [state for when, state in ordered if when <= at]
    after = [state for when, state in ordered if when > at]
    if before:
        _check_step(before[-1], wanted)
    if after:
        _check_step(wanted, after[0])


def _check_step(one: str, other: str) -> None:
    if other in NEXT[one]:
        return
    if one == other:
        raise AxisError(f"the asset is {one} already at that time")
    allowed = ", ".join(NEXT[one]) or "nothing: that is the end"
    raise AxisError(f"{other} can't follow {one}: what may is {allowed}")


def _order(act: AxisAct) -> tuple[datetime, int, str, str]:
    words = json.dumps(dict(act.detail), sort_keys=True, default=str)
    return act.at, KINDS.index(act.kind), act.subject or "", words


def _lifecycle(state: AssetState, act: AxisAct) -> AssetState:
    return replace(state, lifecycle=act.detail["lifecycle"], lifecycle_since=act.at)


def _custody(state: AssetState, act: AxisAct) -> AssetState:
    kind, custodian = act.detail["kind"], act.detail.get("custodian")
    return replace(state, custody_kind=kind, custodian=custodian, custody_since=act.at, custody_acknowledged_at=None)


def _acknowledged(state: AssetState, act: AxisAct) -> AssetState:
    """Take the first word of who holds the asset; another's, or one that came before the hand-over, says nothing."""
    if state.custodian is None or act.detail["custodian"] != state.custodian or state.custody_acknowledged_at:
        return state
    return replace(state, custody_acknowledged_at=act.at)


def _title(state: AssetState, act: AxisAct) -> AssetState:
    returns = act.detail.get("return_on")
    on = date.fromisoformat(returns) if returns is not None else None
    return replace(state, title=act.detail["title"], title_holder=act.detail.get("holder"), title_return_on=on)


_APPLY: Final = {
    "lifecycle_set": _lifecycle,
    "custody_given": _custody,
    "custody_acknowledged": _acknowledged,
    "condition_set": lambda state, act: replace(state, condition=act.detail["condition"]),
    "data_state_set": lambda state, act: replace(state, data_state=act.detail["data_state"]),
    "title_set": _title,
}
