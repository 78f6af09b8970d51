"""Dated bindings of tags: on which asset a tag was at an instant, and what a sheet's row makes of what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""A binding from here on has held for as long as we know: what the tag did before it was registered counts too."""


class TagError(ValueError):
    """A binding that can't be; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A tag on an asset from `bound_from` until before `bound_to`."""

    epc: str
    asset: str
    bound_from: datetime
    bound_to: datetime | None
    role: str
    state: str = "active"
    tid: str | None = None

    def holds_at(self, at: datetime) -> bool:
        """Tell whether the tag is on its asset at an instant."""
        return self.bound_from <= at and (self.bound_to is None or at < self.bound_to)


class Bindings:
    """Bindings of some tags; those of one tag don't overlap."""

    def __init__(self, bindings: Sequence[Binding] = ()) -> None:
        self._by_epc: dict[str, list[Binding]] = {}
        for one in bindings:
            self._by_epc.setdefault(one.epc, []).append(one)

    def __contains__(self, epc: str) -> bool:
        """Tell whether a tag was ever on an asset."""
        return epc in self._by_epc

    def of(self, epc: str) -> Sequence[Binding]:
        """Return a tag's bindings, oldest first."""
        return sorted(self._by_epc.get(epc, ()), key=lambda one: one.bound_from)

    def asset_at(self, epc: str, at: datetime) -> str | None:
        """Return the asset that a tag was on at an instant, or None."""
        for one in self._by_epc.get(epc, ()):
            if one.holds_at(at):
                return one.asset
        return None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row says of a tag; `given` names the columns that the sheet has."""

    epc: str
    asset: str
    role: str
    given: Mapping[str, object]


def bind(known: Sequence[Binding], wanted: Wanted, now: datetime) -> Binding:
    """Return the binding that a row makes or changes.

    Raises:
        TagError: the tag is on another asset in that time, or the row would bind it anew without saying when.
    """
    start, end, state = wanted.given.get("bound_from"), wanted.given.get("bound_to"), wanted.given.get("state")
    found = _meant(known, wanted, start if isinstance(start, datetime) else None)
    if found is None:
        begins = start if isinstance(start, datetime) else (now if known else ALWAYS)
        found = Binding(wanted.epc, wanted.asset, begins, None, wanted.role)
    changed = replace(found, role=wanted.role)
    if isinstance(end, datetime):
        changed = replace(changed, bound_to=end)
    if state is not None:
        changed = replace(changed, state=str(state), bound_to=changed.bound_to or (now if state == "retired" else None))
    if wanted.given.get("tid") is not None:
        changed = replace(changed, tid=str(wanted.given["tid"]))
    _check(known, changed)
    return changed


def _meant(known: Sequence[Binding], wanted: Wanted, start: datetime | None) -> Binding | None:
    """Return the binding that a row speaks of, None if it makes a new one."""
    its = [one for one in known if one.asset == wanted.asset]
    if start is not None:
        return next((one for one in its if one.bound_from == start), None)
    standing = next((one for one in known if one.bound_to is None), None)
    if standing is not None and standing.asset != wanted.asset:
        raise TagError(
            f"{wanted.epc} is on asset {standing.asset!r} already: use another tag, a used one would carry its history "
            "along; or end that binding first with bound_to"
        )
    if standing is not None or not its:
        return standing
    last = max(its, key=lambda one: one.bound_from)
    if wanted.given.get("state") != "retired" and wanted.given.get("bound_to") is None and last == _newest(known):
        raise TagError(
            f"{wanted.epc} was taken off asset {wanted.asset!r} at {last.bound_to}: say in bound_from since when it is "
            "on it again"
        )
    return last


def _newest(known: Sequence[Binding]) -> Binding:
    return max(known, key=lambda one: one.bound_from)


def _check(known: Sequence[Binding], changed: Binding) -> None:
    if changed.bound_to is not None and changed.bound_to <= changed.bound_from:
        raise TagError("bound_to: comes before bound_from")
    for one in known:
        if one.bound_from == changed.bound_from and one.asset == changed.asset:
            continue
        starts_before_end = one.bound_to is None or changed.bound_from < one.bound_to
        if starts_before_end and (changed.bound_to is None or one.bound_from < changed.bound_to):
            raise TagError(f"{changed.epc} is on asset {one.asset!r} in that time already: end that binding first")
