"""What people tell the registry one by one: an asset's state, an authorisation, its withdrawal.

`NotFound` names what isn't registered, `StepUnfit` what the asset's state or the rules don't allow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from central.application.checking import IMPORTER, Known, authorisation_problems, party_problems
from central.application.errors import NotFound, StepUnfit
from central.application.importing import Asked, RegistryStore, RegistryTransaction, follow
from central.application.judge import judge_again
from central.application.rows import Change, Row, plain
from central.application.states import NewAct
from central.domain.axes import BLOCKING, AssetState, AxisError, check_lifecycle, fold_axes, standing_holds
from central.domain.exits import pass_kind

AHEAD: Final = timedelta(minutes=5)
"""How far a teller's clock may be ahead of ours; an act holds from the past or from now."""


@dataclass(frozen=True, slots=True)
class Said:
    """One word about an asset's state; `subject` is a hold's id."""

    kind: str
    by: str
    detail: Mapping[str, Any]
    subject: str | None = None
    at: datetime | None = None
    """Since when it holds, None for now."""


async def say(store: RegistryStore, asset: str, said: Said, now: datetime) -> AssetState:
    """Append one act on an asset's state and return the state that follows.

    Raises:
        NotFound: there is no such asset, or no such custodian.
        StepUnfit: the axis doesn't allow it.
    """
    at = said.at or now
    if at > now + AHEAD:
        raise StepUnfit(f"at: {at.isoformat()} is still to come: tell it when it has happened")
    async with store.importing() as transaction:
        await _registered(transaction, asset)
        await transaction.table.lock([asset])
        acts = (await transaction.states.acts_on([asset])).get(asset, [])
        state = fold_axes(act for act in acts if act.at <= at)
        _check(said, state, [(act.at, act.detail["lifecycle"]) for act in acts if act.kind == "lifecycle_set"], at)
        _check_hold(said, standing_holds(act for act in acts if act.at <= at))
        await _check_custodian(transaction, said)
        act = NewAct(at, now, said.kind, said.by, asset=asset, subject=said.subject, detail=dict(said.detail))
        await transaction.states.add_acts([act])
        await transaction.states.project([asset])
        await follow(transaction, [], [asset], now)
        if said.kind in BLOCKING:
            await judge_again(transaction, await transaction.registry(), [asset], now)
        return (await transaction.states.states([asset]))[asset]


async def authorise(store: RegistryStore, values: Mapping[str, Any], now: datetime, by: str = IMPORTER) -> Row:
    """Register a new authorisation and return it; ingest, judge and doors follow.

    Raises:
        NotFound: it names an asset, place or person that isn't registered.
        StepUnfit: the rules don't allow it, or its id is taken.
    """
    if by != IMPORTER and values.get("requested_by") is None:
        values = {**values, "requested_by": by}
    row = _DEFAULTS | {name: plain(value) for name, value in values.items()} | {"recorded_at": plain(now)}
    row["pass_kind"] = pass_kind(row["kind"], row["pass_kind"])
    async with store.importing() as transaction:
        known = await transaction.known(Asked([row["asset"]], []))
        await _registered(transaction, row["asset"])
        for column in ("person", "requested_by", "approved_by"):
            if row[column] is not None and row[column] not in known.people:
                raise NotFound(f"{column}: there is no person {row[column]!r}: /api/v1/people lists them")
        boundary = known.locations.get(row["boundary"])
        if boundary is None:
            raise NotFound(f"boundary: there is no location {row['boundary']!r}: /api/v1/locations lists them")
        if not boundary.guarded:
            raise StepUnfit(f"boundary: {boundary.id!r} is not guarded, leaving it needs no authorisation")
        for problem in _new_problems(values, known, now, by):
            raise StepUnfit(problem)
        if await transaction.table.rows("authorisations", [row["id"]]):
            raise StepUnfit(f"id: authorisation {row['id']!r} is there already: take another id")
        await transaction.table.put("authorisations", [row], now)
        act = NewAct(now, now, "authorised", by, asset=row["asset"], subject=row["id"], detail={"kind": row["kind"]})
        await transaction.states.add_acts([act])
        return await _settled(transaction, None, row["id"], now)


def _new_problems(values: Mapping[str, Any], known: Known, now: datetime, by: str) -> Iterator[str]:
    """Yield what is wrong with a new authorisation; whatever it calls itself, a second person lets the asset out."""
    yield from party_problems(values, known.inactive, known.machines)
    yield from authorisation_problems(values)
    back = values.get("expected_return")
    if back is not None and back <= now:
        yield f"expected_return: {back.isoformat()} is over: say when it will be back"
    if by == IMPORTER:
        return
    if values.get("approved_by") is None:
        yield f"approved_by: {values['requested_by']!r} asks for it: name another person, who approves it"
    if not str(values.get("reason") or "").strip():
        yield "reason: say why the asset may leave"


async def withdraw(store: RegistryStore, authorisation: str, by: str, reason: str, now: datetime) -> Row:
    """Withdraw an authorisation from now on and return it; what left before stays authorised.

    Raises:
        NotFound: there is no such authorisation.
        StepUnfit: it is withdrawn already.
    """
    async with store.importing() as transaction:
        found = await transaction.table.rows("authorisations", [authorisation])
        if not found:
            raise NotFound(f"there is no authorisation {authorisation!r}: /api/v1/authorisations lists them")
        row = found[0]
        if row["withdrawn_at"] is not None:
            raise StepUnfit(f"authorisation {authorisation!r} was withdrawn at {row['withdrawn_at']} already")
        await transaction.table.put("authorisations", [row | {"withdrawn_at": plain(now)}], now)
        detail = {"reason": reason}
        act = NewAct(now, now, "authorisation_withdrawn", by, asset=row["asset"], subject=authorisation, detail=detail)
        await transaction.states.add_acts([act])
        return await _settled(transaction, row, authorisation, now)


_DEFAULTS: Final[Row] = {
    "kind": "standing", "valid_from": None, "valid_to": None, "reason": "", "person": None, "single_use": False,
    "expected_return": None, "requested_by": None, "approved_by": None, "withdrawn_at": None, "despite": [],
    "pass_kind": None,
}  # fmt: skip


async def _settled(transaction: RegistryTransaction, before: Row | None, authorisation: str, now: datetime) -> Row:
    """Bring doors, stories and alerts up to an authorisation that changed."""
    (after,) = await transaction.table.rows("authorisations", [authorisation])
    await transaction.table.bump()
    await follow(transaction, [Change("authorisations", authorisation, "", 0, before, after)], [], now)
    return after


async def _registered(transaction: RegistryTransaction, asset: str) -> None:
    if not (await transaction.known(Asked([asset], []))).assets:
        raise NotFound(f"there is no asset {asset!r}: /api/v1/assets lists them")


def _check(said: Said, state: AssetState, history: list[tuple[datetime, str]], at: datetime) -> None:
    """Raise `StepUnfit` where the axis doesn't allow a word after what was said of it."""
    if said.kind == "lifecycle_set":
        try:
            check_lifecycle(history, at, said.detail["lifecycle"])
        except AxisError as error:
            raise StepUnfit(f"lifecycle: {error}") from None
    if said.kind == "custody_acknowledged" and said.detail["custodian"] != state.custodian:
        holder = f"{state.custody_kind} {state.custodian!r}" if state.custodian else "nobody"
        raise StepUnfit(f"custodian: {said.detail['custodian']!r} can't acknowledge what {holder} answers for then")


def _check_hold(said: Said, standing: Mapping[str, str]) -> None:
    """Raise `StepUnfit` where a hold to be set stands, or one to be released doesn't: a slip in its id says nothing."""
    hold = said.subject or ""
    if said.kind == "hold_set" and hold in standing:
        raise StepUnfit(f"hold: {hold!r} stands already, for {standing[hold]}: release it first, or take another id")
    if said.kind == "hold_released" and hold not in standing:
        stand = ", ".join(map(repr, sorted(standing))) or "none"
        raise StepUnfit(f"hold: {hold!r} doesn't stand then; those that do: {stand}")


async def _check_custodian(transaction: RegistryTransaction, said: Said) -> None:
    if said.kind != "custody_given":
        return
    known = await transaction.known(Asked([], []))
    kind, name = said.detail["kind"], said.detail["custodian"]
    there = {"person": known.people, "pool": known.pools, "stockroom": known.locations, "vendor": known.locations}
    if kind != "none" and name not in there[kind]:
        raise NotFound(f"custodian: there is no {kind} {name!r}: import it first")
