"""The acts that an asset's row in a sheet stands for: one for each axis that it tells anew. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from central.application.states import NewAct
from central.domain.axes import AssetState, AxisError, check_lifecycle

Words = tuple[str, dict[str, Any]]
"""Kind and detail of an act."""


def told_words(values: Mapping[str, Any], state: AssetState) -> Iterator[Words]:
    """Yield what a row says of the axes that differs from the state; an empty cell says nothing."""
    lifecycle = values.get("lifecycle")
    if lifecycle not in {None, state.lifecycle}:
        yield "lifecycle_set", {"lifecycle": lifecycle}
    custody = values.get("custody_kind"), values.get("custodian")
    if custody[0] is not None and custody != (state.custody_kind, state.custodian):
        yield "custody_given", {"kind": custody[0], "custodian": custody[1]}
    for axis in ("condition", "data_state"):
        if values.get(axis) not in {None, getattr(state, axis)}:
            yield f"{axis}_set", {axis: values[axis]}
    yield from _title(values, state)


def acts_of(asset: str, words: Iterator[Words], *, now: datetime, by: str, cause: int | None) -> Iterator[NewAct]:
    """Yield acts that hold from now."""
    for kind, detail in words:
        yield NewAct(at=now, recorded_at=now, kind=kind, by=by, asset=asset, detail=detail, cause=cause)


def state_problems(values: Mapping[str, Any], state: AssetState, now: datetime) -> Iterator[str]:
    """Yield what an asset's row says of its axes that can't be."""
    lifecycle = values.get("lifecycle")
    if lifecycle is not None and lifecycle != state.lifecycle and state.lifecycle is not None:
        try:
            check_lifecycle([(state.lifecycle_since or now, state.lifecycle)], now, lifecycle)
        except AxisError as error:
            yield f"lifecycle: {error}"
    kind, custodian = values.get("custody_kind"), values.get("custodian")
    if custodian is not None and kind in {None, "none"}:
        yield "custodian: say in custody_kind what it is: person, pool, stockroom or vendor"
    if custodian is None and kind not in {None, "none"}:
        yield f"custodian: name the {kind} that answers for the asset"
    title, holder = values.get("title"), values.get("title_holder")
    if title in {"leased", "customer"} and holder is None:
        yield f"title_holder: name whose it is, as the asset is {title}"
    if title in {None, "owned"} and (holder is not None or values.get("title_return_on") is not None):
        yield "title: what is owned has no other holder and no return date: write leased or customer, or empty them"


def _title(values: Mapping[str, Any], state: AssetState) -> Iterator[Words]:
    title = values.get("title")
    if title is None:
        return
    told = (title, values.get("title_holder"), values.get("title_return_on"))
    returns = state.title_return_on.isoformat() if state.title_return_on else None
    if told != (state.title, state.title_holder, returns):
        yield "title_set", {"title": title, "holder": told[1], "return_on": told[2]}
