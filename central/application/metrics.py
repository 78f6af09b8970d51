"""Prometheus metrics of the service; one instance a process, handed to whoever counts."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics:
    """The counters, each saying what was dropped, refused or repeated, and why."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rows = Counter("stockgate_rows", "Rows committed to the log.", registry=self.registry)
        self.repeated = Counter("stockgate_rows_repeated", "Rows that were committed before.", registry=self.registry)
        self.gaps = Counter("stockgate_gap_rows", "Rows that stand for rows an edge dropped.", registry=self.registry)
        self.quarantined = Counter("stockgate_quarantined", "Messages and rows quarantined.", registry=self.registry)
        self.unknown_tags = Counter(
            "stockgate_unknown_tag_rows", "Movement rows of tags that are on no asset.", registry=self.registry
        )
        self.foreign_tags = Counter(
            "stockgate_foreign_tag_rows",
            "Movement rows of tags that aren't ours; none is kept.",
            registry=self.registry,
        )
        self.waiting = Counter(
            "stockgate_unregistered_messages", "Messages of gateways that nobody registered.", registry=self.registry
        )
        self.unheld = Counter(
            "stockgate_rows_unheld", "Rows of gateways that another worker serves by now.", registry=self.registry
        )
        self.overflow = Counter(
            "stockgate_messages_put_off",
            "Messages dropped because the database is behind; the edge sends them again.",
            registry=self.registry,
        )
        self.held = Gauge(
            "stockgate_receipts_held",
            "1 while the broker gets no receipts because the database is behind.",
            registry=self.registry,
        )
        self.malformed_dropped = Counter(
            "stockgate_malformed_dropped",
            "Malformed births and heartbeats that came faster than the database takes them: not in the quarantine.",
            registry=self.registry,
        )
        self.retries = Counter("stockgate_commit_retries", "Commits tried again.", registry=self.registry)
        self.watermarks = Counter("stockgate_watermarks", "Watermarks published.", registry=self.registry)
        self.batch_rows = Histogram(
            "stockgate_batch_rows", "Rows a transaction.", buckets=(1, 10, 100, 1000, 10000), registry=self.registry
        )
        self.commit_s = Histogram("stockgate_commit_seconds", "Time of a transaction.", registry=self.registry)
        self.alert_s = Histogram(
            "stockgate_alert_latency_seconds",
            "From the crossing to the alert, late ones left out.",
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.counted = Counter("stockgate_places_counted", "Places folded and counted.", registry=self.registry)
        self.uncounted = Counter(
            "stockgate_places_not_counted", "Places that could not be counted, tried again.", registry=self.registry
        )
        self.broker = Gauge("stockgate_broker_connected", "1 while subscribed at the broker.", registry=self.registry)
        self.gate_generations = Counter(
            "stockgate_gate_generations", "Whole gate snapshots published.", registry=self.registry
        )
        self.gate_parts = Counter("stockgate_gate_parts", "Parts of gate snapshots published.", registry=self.registry)
        self.gate_deltas = Counter("stockgate_gate_deltas", "Gate deltas published.", registry=self.registry)
        self.gate_generation_s = Histogram(
            "stockgate_gate_generation_seconds", "Time to make and send a whole gate snapshot.", registry=self.registry
        )
