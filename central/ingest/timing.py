"""How long the alerts of a commit took."""

from datetime import datetime

from central.application.commit import Committed
from central.application.metrics import Metrics
from central.application.ports import Views


async def time_alerts(views: Views, metrics: Metrics, done: Committed, now: datetime) -> None:
    """Time the alerts that a commit raised, from the crossing on; late ones are left out."""
    if not done.alerts:
        return
    for alert in await views.alerts_by_id(done.alerts):
        if alert.raised_at == now and not alert.late and alert.portal is not None:
            metrics.alert_s.observe(alert.latency_ms / 1000)
