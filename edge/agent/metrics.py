"""Prometheus figures of the agent, read at scrape time from the parts themselves."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from typing import Any, Self

from msgspec import UNSET
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.access import AccessCounters
from edge.agent.machine import Machine
from edge.agent.metrics_port import MetricsPort
from edge.commands import DeskCounters
from edge.contracts import GateHealth, Health, HostHealth, instant_us

Figures = Callable[[], Iterable[Metric]]


class MetricsError(ValueError):
    """The metrics address can't be used; the message says what to write."""


def parse_address(text: str) -> tuple[str, int]:
    """Take `HOST:PORT` apart; only loopback addresses are allowed, since the endpoint has no password."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
        number = int(port)
    except ValueError:
        raise MetricsError(f"--metrics {text!r}: write it like 127.0.0.1:9464") from None
    if not loopback:
        raise MetricsError(f"--metrics {text!r}: only loopback addresses are served without TLS; use 127.0.0.1:{port}")
    if not 0 <= number <= 65535:  # noqa: PLR2004 (TCP ports)
        raise MetricsError(f"--metrics {text!r}: a port is 1 to 65535, or 0 for a free one")
    return host, number


def certificate_figures(days_left: float | None) -> Iterator[Metric]:
    """Yield how long our certificate at the broker still holds, where there is one."""
    if days_left is not None:
        yield GaugeMetricFamily(
            "stockgate_edge_uplink_certificate_days_left",
            "Days until our certificate at the broker runs out.",
            value=days_left,
        )


def machine_figures(machine: Machine) -> Iterator[Metric]:
    """Yield what is seen of the machine, where it tells."""
    told = {
        "disk_free_bytes": ("Free space where the outbox is.", machine.disk_free_bytes),
        "outbox_bytes": ("Size of the outbox's files.", machine.outbox_bytes),
        "cpu_celsius": ("Temperature of the machine's processor.", machine.cpu_celsius),
        "clock_believed": ("1 while the machine's clock may be believed.", machine.clock_believed),
        "power_worries": ("What the machine's firmware complains of, count.", len(machine.power)),
    }
    for name, (words, value) in told.items():
        if value is not None:
            yield GaugeMetricFamily(f"stockgate_edge_{name}", words, value=float(value))


def health_figures(health: Health) -> Iterator[Metric]:
    """Yield what the heartbeat says, as figures."""
    up = GaugeMetricFamily("stockgate_edge_reader_connected", "1 while the reader's session stands.", labels=["reader"])
    reads = CounterMetricFamily("stockgate_edge_reader_reads", "Tag reads since the agent started.", labels=["reader"])
    unlisted = CounterMetricFamily(
        "stockgate_edge_reader_unlisted_reads", "Reads of antenna ports that serve no portal.", labels=["reader"]
    )
    reconnects = CounterMetricFamily("stockgate_edge_reader_reconnects", "Sessions after the first.", labels=["reader"])
    lost = CounterMetricFamily("stockgate_edge_reader_lost_reports", "Reports the reader lost.", labels=["reader"])
    for reader in health.readers:
        up.add_metric([reader.id], float(reader.state == "connected"))
        reads.add_metric([reader.id], reader.reads)
        unlisted.add_metric([reader.id], reader.unlisted_reads)
        reconnects.add_metric([reader.id], reader.reconnects)
        lost.add_metric([reader.id], reader.lost_reports)
    yield from (up, reads, unlisted, reconnects, lost)
    yield from _antenna_figures(health)
    yield from _stream_figures(health)
    if health.host is not UNSET:
        yield from _host_figures(health.host)
    uplink = GaugeMetricFamily("stockgate_edge_uplink_state", "1 for the uplink's state.", labels=["state"])
    for state in ("live", "backlog", "offline", "draining"):
        uplink.add_metric([state], float(health.uplink == state))
    yield uplink


def counter_figures(prefix: str, counters: Any) -> Iterator[Metric]:
    """Yield each integer of a dataclass of counters under its own name."""
    for item in dataclasses.fields(counters):
        value = getattr(counters, item.name)
        if isinstance(value, int):
            yield CounterMetricFamily(f"{prefix}_{item.name}", f"{item.name.replace('_', ' ')} since the start.", value)


def command_figures(counters: DeskCounters) -> Iterator[Metric]:
    """Yield what became of the central's commands."""
    yield from counter_figures("stockgate_edge_commands", counters)
    refused = CounterMetricFamily(
        "stockgate_edge_commands_refused", "Commands that were not even begun, by why.", labels=["why"]
    )
    for why, count in counters.refused.items():
        refused.add_metric([why], count)
    yield refused


def access_figures(counters: AccessCounters) -> Iterator[Metric]:
    """Yield what access controllers told, and what of it was refused."""
    yield from counter_figures("stockgate_edge_access", counters)
    words = "Access events and connections that were not taken, by why."
    refused = CounterMetricFamily("stockgate_edge_access_refused", words, labels=["source", "why"])
    for told, count in counters.refused.items():
        refused.add_metric(told, count)
    yield refused


def gate_figures(gate: GateHealth, now_us: int) -> Iterator[Metric]:
    """Yield how good the gate snapshot is, what was decided by it, and which messages were refused."""
    held = GaugeMetricFamily("stockgate_edge_gate_held", "1 while a verified gate snapshot is held.")
    held.add_metric([], float(gate.generation is not None))
    yield held
    signed_us = 0 if gate.issued_at is None else instant_us(gate.issued_at)
    left_us = now_us if gate.expires_at is None else instant_us(gate.expires_at)
    figures = {
        "generation": ("Generation of the gate snapshot.", gate.generation or 0),
        "n": ("Number of its newest delta.", gate.n),
        "entries": ("Entries in it.", gate.entries),
        "missing_parts": ("Parts that the generation being collected lacks.", gate.missing_parts),
        "age_seconds": ("Time since its newest message was signed.", max(now_us - signed_us, 0) / 1e6),
        "left_seconds": ("Time until it runs out; negative since it did.", (left_us - now_us) / 1e6),
    }
    for name, (words, value) in figures.items() if gate.generation is not None else ():
        yield GaugeMetricFamily(f"stockgate_edge_gate_{name}", words, value)
    yield CounterMetricFamily("stockgate_edge_gate_foreign", "Passages of tags that are none of ours.", gate.foreign)
    judged = CounterMetricFamily("stockgate_edge_gate_judged", "Exits by what was decided.", labels=["verdict"])
    refused = CounterMetricFamily("stockgate_edge_gate_refused", "Gate messages not taken, by why.", labels=["why"])
    for family, counts in ((judged, gate.judged), (refused, gate.refused)):
        for label, count in counts.items():
            family.add_metric([label], count)
        yield family


def _antenna_figures(health: Health) -> Iterator[Metric]:
    labels = ["reader", "antenna"]
    well = GaugeMetricFamily(
        "stockgate_edge_antenna_well", "0 while the antenna has a fault or is silent.", labels=labels
    )
    rate = GaugeMetricFamily("stockgate_edge_antenna_reads_per_second", "Tag reads a second of late.", labels=labels)
    warm = GaugeMetricFamily("stockgate_edge_reader_celsius", "Temperature inside the reader.", labels=["reader"])
    full = CounterMetricFamily(
        "stockgate_edge_reader_overflows", "Times that a report buffer overflowed.", labels=["reader"]
    )
    for reader in health.readers:
        full.add_metric([reader.id], reader.buffer_overflows)
        if reader.temperature_c is not None:
            warm.add_metric([reader.id], reader.temperature_c)
        for antenna in reader.antennas:
            names = [reader.id, str(antenna.port)]
            well.add_metric(names, float(antenna.state not in {"fault", "silent"}))
            rate.add_metric(names, antenna.read_rate)
    watched = GaugeMetricFamily(
        "stockgate_edge_portal_watched", "1 watched, 0.5 partly blind, 0 dark.", labels=["portal"]
    )
    for portal in health.portals:
        watched.add_metric([portal.id], {"watching": 1.0, "partial": 0.5, "dark": 0.0}[portal.state])
    yield from (well, rate, warm, full, watched)


def _host_figures(host: HostHealth) -> Iterator[Metric]:
    """Yield what the machine tells; what it doesn't tell has no figure."""
    for name, words, value in (
        ("load", "Runnable tasks, mean of a minute.", host.load_1m),
        ("memory_available_bytes", "Memory that programs can still have.", host.memory_available_bytes),
        ("clock_offset_seconds", "The clock against its time source.", _seconds(host.clock_offset_us)),
    ):
        if value is not None:
            yield GaugeMetricFamily(f"stockgate_edge_host_{name}", words, value)


def _seconds(us: int | None) -> float | None:
    return None if us is None else us / 1e6


def _stream_figures(health: Health) -> Iterator[Metric]:
    written = CounterMetricFamily("stockgate_edge_outbox_rows", "Rows numbered in this epoch.", labels=["stream"])
    dropped = CounterMetricFamily("stockgate_edge_outbox_dropped", "Rows replaced by gap rows.", labels=["stream"])
    pending = GaugeMetricFamily("stockgate_edge_outbox_pending", "Rows beyond the watermark.", labels=["stream"])
    oldest = GaugeMetricFamily("stockgate_edge_outbox_oldest_seconds", "Age of the oldest of them.", labels=["stream"])
    for stream in health.streams:
        written.add_metric([stream.stream], stream.written)
        dropped.add_metric([stream.stream], stream.dropped)
        pending.add_metric([stream.stream], stream.pending)
        oldest.add_metric([stream.stream], stream.oldest_s)
    yield from (written, dropped, pending, oldest)


class MetricsServer:
    """`/metrics` on a loopback address, from `with` to its end."""

    def __init__(self, address: tuple[str, int], figures: Figures) -> None:
        self._address = address
        self._registry = CollectorRegistry()
        self._registry.register(_Live(figures))
        self._server: MetricsPort | None = None
        self.port = 0

    def __enter__(self) -> Self:
        host, port = self._address
        try:
            self._server = MetricsPort((host, port), self._registry)
        except OSError as error:
            raise MetricsError(f"--metrics {host}:{port}: {error.strerror}; take another port") from error
        self.port = self._server.server_port
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.stop()


class _Live(Collector):
    """Asks for the figures whenever Prometheus does."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        return self._figures()

    def describe(self) -> Iterable[Metric]:
        return ()
