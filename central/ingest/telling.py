"""What a commit changed, told to the live feed in the shapes of the API."""

from datetime import datetime

import msgspec

from central.application.commit import Committed
from central.application.feed import Feed
from central.application.metrics import Metrics
from central.application.ports import Filed, Views
from central.application.views import MovementView


async def tell(
    feed: Feed, views: Views, metrics: Metrics, *, done: Committed, gateways: set[str], now: datetime
) -> None:
    """Publish movements, moved counts and gateways; alerts are told by `AlertFeed`, here they are timed."""
    if done.alerts:
        for alert in await views.alerts_by_id(done.alerts):
            if alert.raised_at == now and not alert.late and alert.portal is not None:
                metrics.alert_s.observe(alert.latency_ms / 1000)
    if not feed.heard:
        return
    for filed, asset in done.movements:
        feed.publish("movement", movement_view(filed, asset).model_dump_json())
    if done.locations:
        for location in await views.locations(done.locations):
            feed.publish("location", location.model_dump_json())
    if gateways:
        for gateway in await views.gateways(gateways):
            feed.publish("gateway", gateway.model_dump_json())


def movement_view(filed: Filed, asset: str | None) -> MovementView:
    """Return a committed row as the API shows it."""
    row = filed.movement
    return MovementView(
        id=row.id,
        passage=row.passage,
        rev=row.rev,
        final=row.final,
        at=row.at,
        portal=row.portal,
        kind=row.kind,
        **{"from": filed.origin},
        to=filed.destination,
        confidence=row.confidence,
        reads=row.reads,
        evidence=msgspec.json.decode(row.evidence),
        epc=row.epc,
        asset=asset,
    )
