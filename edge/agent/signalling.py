"""Lights and sirens of the configuration, joined to the devices that switch them."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from prometheus_client.core import HistogramMetricFamily, Metric
from structlog.typing import FilteringBoundLogger

from edge.agent.clock import host_synced
from edge.agent.fires import FireNotes
from edge.agent.metrics import counter_figures
from edge.config import EdgeConfig, alarm_inputs, output_rules
from edge.readers import OutputPort, ReaderSupervisor
from edge.readers.serial import Board
from edge.signals import Signals


def build_signals(
    config: EdgeConfig,
    readers: Mapping[str, ReaderSupervisor],
    boards: Mapping[str, Board],
    *,
    folder: Path,
    now_us: Callable[[], int],
    log: FilteringBoundLogger,
) -> Signals:
    """Build what drives the outputs.

    Args:
        config: the checked configuration.
        readers: LLRP readers by id.
        boards: boards by id.
        folder: the data folder, where it is noted which fire alarms are active.
        now_us: the host's clock.
        log: logger.
    """
    ports: dict[str, Callable[[], OutputPort]] = {name: partial(_outputs, one) for name, one in readers.items()}
    ports |= {name: partial(_board, one) for name, one in boards.items()}
    notes = FireNotes(folder, log=log)
    return Signals(
        output_rules(config),
        ports,
        serving={portal.id: sorted({antenna.reader for antenna in portal.antennas}) for portal in config.portals},
        now_us=now_us,
        steady_us=steady_us,
        local=local_time,
        log=log,
        fires=notes.read([place for place, one in alarm_inputs(config).items() if one.kind == "fire"]),
        keep_fires=notes.keep,
    )


def steady_us() -> int:
    """Return a clock that no one sets, microseconds."""
    return time.monotonic_ns() // 1_000


def local_time(at_us: int) -> datetime | None:
    """Return the machine's local time; None until its clock was set by somebody who knows."""
    return datetime.fromtimestamp(at_us / 1e6).astimezone() if host_synced() else None


def signal_figures(signals: Signals) -> Iterator[Metric]:
    """Yield what became of verdicts at the door."""
    yield from counter_figures("stockgate_edge_gate_signals", signals.counters)
    yield HistogramMetricFamily(
        "stockgate_edge_gate_light_seconds",
        "From the gate's verdict to the device's word that the light is on.",
        buckets=signals.latency.buckets(),
        sum_value=signals.latency.sum_s,
    )


def _outputs(reader: ReaderSupervisor) -> OutputPort:
    return reader.outputs


def _board(board: Board) -> OutputPort:
    return board
