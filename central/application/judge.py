"""Judging passages: from the set of their revisions to incidents, at commit and again when authorisations change."""

from collections.abc import Collection, Sequence
from datetime import datetime

from central.application.ports import Case, Filed, Incident, Registry, Transaction
from central.domain.alerts import assess, incident_of, lifted


async def judge_movements(
    transaction: Transaction, registry: Registry, movements: Sequence[tuple[Filed, str | None]], now: datetime
) -> list[int]:
    """Judge what a batch's movements of registered assets may give rise to; return the ids of alerts that changed."""
    known = [(one, asset) for one, asset in movements if asset is not None]
    if not known:
        return []
    accused = await transaction.accused({one.movement.passage for one, _ in known})
    cases = [
        Case(one.movement.passage, asset, one.movement.epc, one.movement.portal, one.movement.at)
        for one, asset in known
        if one.movement.passage in accused or _may_be_wrong(registry, one)
    ]
    cases += await transaction.on_one_use({asset for one, asset in known if one.destination is not None})
    return await _judge(transaction, registry, cases, now)


async def judge_again(
    transaction: Transaction, registry: Registry, assets: Collection[str], now: datetime
) -> list[int]:
    """Judge the alerts of assets again, after their authorisations changed; return the ids of alerts that changed."""
    cases = [*await transaction.cases(assets), *await transaction.on_one_use(assets)]
    return await _judge(transaction, registry, cases, now)


async def _judge(transaction: Transaction, registry: Registry, cases: Sequence[Case], now: datetime) -> list[int]:
    if not cases:
        return []
    by_passage = {case.passage: case for case in cases}
    times = [case.at for case in cases]
    revisions = await transaction.revisions(by_passage.keys(), (min(times), max(times)))
    permits = await transaction.authorisations({case.asset for case in cases})
    accused = await transaction.accused(by_passage.keys())
    incidents = []
    for passage, case in sorted(by_passage.items()):
        finding = assess(revisions[passage], registry.places, permits.get(case.asset, []))
        if finding is None and passage in accused:
            finding = lifted(revisions[passage], registry.places)
        if finding is not None:
            portal = registry.portals[case.portal]
            key = incident_of(portal.id, passage, revisions[passage])
            incidents.append(
                Incident(key, case, portal.gateway, registry.mode_at(portal.id, case.at) == "observe", finding)
            )
    return await transaction.raise_incidents(incidents, now)


def _may_be_wrong(registry: Registry, one: Filed) -> bool:
    if one.origin is None or one.destination is None:
        return one.movement.kind == "unresolved"
    return bool(registry.places.boundaries_left(one.origin, one.destination))
