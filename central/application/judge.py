"""Judging passages: from the set of their revisions to incidents, at commit and again when authorisations change."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from central.application.oddities import suspicions_of
from central.application.openings import Opening
from central.application.ports import Batch, Case, Filed, Incident, Registry, Transaction
from central.domain.alerts import assess, carried_wrong, door_said, incident_of, lifted, suspected
from central.domain.anomalies.records import Suspicion
from central.domain.carrying import Carried

EXITS: Final = "exits"
"""What the exception queue knows this judging by."""


async def judge_movements(
    transaction: Transaction,
    registry: Registry,
    batch: Batch,
    suspicions: Mapping[str, Sequence[Suspicion]],
    now: datetime,
) -> list[int]:
    """Judge what a batch's movements of registered assets may give rise to; return the ids of alerts that changed."""
    known = [(one, asset) for one, asset in batch.movements if asset is not None]
    if not known:
        return []
    accused = await transaction.accused(batch.again) if batch.again else {}
    cases = [
        Case(one.movement.passage, asset, one.movement.epc, one.movement.portal, one.movement.at)
        for one, asset in known
        if one.movement.passage in accused or one.movement.passage in suspicions or _may_be_wrong(registry, one)
    ]
    again = await _on_passes(transaction, {asset for one, asset in known if _may_use(one)})
    if again:
        suspicions = {**await suspicions_of(transaction, registry, [case.passage for case in again]), **suspicions}
    return await _judge(transaction, registry, [*cases, *again], suspicions, now)


async def judge_again(
    transaction: Transaction, registry: Registry, assets: Collection[str], now: datetime
) -> list[int]:
    """Judge the alerts of assets again, after their authorisations changed; return the ids of alerts that changed."""
    cases = [*await transaction.cases(assets), *await _on_passes(transaction, assets)]
    suspicions = await suspicions_of(transaction, registry, [case.passage for case in cases]) if cases else {}
    return await _judge(transaction, registry, cases, suspicions, now)


async def _on_passes(transaction: Transaction, assets: Collection[str]) -> list[Case]:
    """Say which permissions for one use are spent by now, and return the passages that may live on one."""
    some = await transaction.on_passes(assets) if assets else set()
    if not some:
        return []
    await transaction.settle_uses(some)
    return await transaction.on_one_use(some)


def _may_use(one: Filed) -> bool:
    """Tell whether a row may use a permission up, or take a use back that an earlier revision was."""
    return one.destination is not None or one.movement.rev > 1


async def _judge(
    transaction: Transaction,
    registry: Registry,
    cases: Sequence[Case],
    suspicions: Mapping[str, Sequence[Suspicion]],
    now: datetime,
) -> list[int]:
    if not cases:
        return []
    by_passage = {case.passage: case for case in cases}
    times = [case.at for case in cases]
    revisions = await transaction.revisions(by_passage.keys(), (min(times), max(times)))
    permits = await transaction.authorisations({case.asset for case in cases}, provisional=True)
    carried = await _carried(transaction, registry, cases)
    judged = {
        passage: assess(revisions[passage], registry.places, permits.get(case.asset, []), passage)
        for passage, case in by_passage.items()
    }
    innocent = [passage for passage, found in judged.items() if found is None]
    accused = await transaction.accused(innocent) if innocent else {}
    incidents = []
    for passage, case in sorted(by_passage.items()):
        found = judged[passage]
        if found is None and passage in carried:
            its = permits.get(case.asset, [])
            found = carried_wrong(revisions[passage], registry.places, its, passage, carried[passage])
            if found is not None and found.corrected and accused.get(passage) != found.kind:
                found = None  # nobody said that another carried it
        finding = suspected(found, revisions[passage], suspicions.get(passage, ()))
        if finding is None and passage in accused:
            finding = lifted(revisions[passage], registry.places)
        if finding is not None:
            portal = registry.portals[case.portal]
            key = incident_of(portal.id, passage, revisions[passage], finding)
            finding = replace(finding, edge=door_said(revisions[passage]))
            quiet = registry.mode_at(portal.id, case.at) == "observe"
            incidents.append(Incident(key, case, portal.gateway, quiet, finding))
    wrong = [opening for one in incidents if _stands(one) for opening in _openings(one)]
    wrong += [_look_at(one, registry.portals[one.case.portal].inside) for one in incidents if _is_open_question(one)]
    await transaction.settle_keys(EXITS, by_passage.keys(), wrong, now)
    return await transaction.raise_incidents(incidents, now)


async def _carried(transaction: Transaction, registry: Registry, cases: Sequence[Case]) -> Mapping[str, Carried]:
    """Return by passage who carried its asset, where the door's policy asks for that."""
    asked = [case for case in cases if registry.wants_badges(case.portal)]
    found = await transaction.carried(asked) if asked else {}
    portals = {case.passage: case.portal for case in asked}
    return {
        passage: one for passage, one in found.items() if registry.wants_person(portals[passage], one.asset_class)
    }  # fmt: skip


def _stands(incident: Incident) -> bool:
    """Tell whether an incident is an exit that nothing excuses yet, at a door that doesn't only observe."""
    found = incident.finding
    excused = found.corrected or found.authorised_late or incident.observed_only
    return found.kind == "unauthorised_exit" and not excused


def _is_open_question(incident: Incident) -> bool:
    """Tell whether nobody knows which way an asset went, at a door that doesn't only observe (requirement 27)."""
    found = incident.finding
    return found.kind == "ambiguous_passage" and not (found.corrected or incident.observed_only)


def _look_at(incident: Incident, inside: str) -> Opening:
    case, found = incident.case, incident.finding
    told = {"why": found.reason, "portal": case.portal, "passage": case.passage}
    return Opening("ambiguous_passage", None, case.asset, inside, found.at, told, case.passage)


def _openings(incident: Incident) -> Iterator[Opening]:
    case, found = incident.case, incident.finding
    told = {"why": found.reason, "portal": case.portal, "passage": case.passage, "to": str(found.destination)}
    yield Opening("unauthorised_exit", found.severity, case.asset, found.origin, found.at, told, case.passage)
    if found.used_twice is not None:
        told |= {"authorisation": found.used_twice}
        yield Opening("double_use", None, case.asset, found.origin, found.at, told, case.passage)


def _may_be_wrong(registry: Registry, one: Filed) -> bool:
    if one.movement.gate is not None and ('"refuse"' in one.movement.gate or '"stale"' in one.movement.gate):
        return True  # where the central has nothing against it, the door's snapshot was old
    if one.origin is None or one.destination is None:
        return one.movement.kind == "unresolved"
    return bool(registry.places.boundaries_left(one.origin, one.destination))
