"""A scenario played offline, faster than real time: the readers' own core, a client of ours, and a clock that jumps."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from simulator.runs.errors import RunError
from simulator.runs.link import FIRST_PORT, Packets, VirtualLink
from simulator.runs.places import Place, gateways_in_use, inventories, readers_of
from simulator.runs.sources import Cast
from simulator.scenarios.model import Scenario
from simulator.server.device import ReaderDevice
from simulator.server.wire import IMPINJ
from simulator.truth import Truth
from simulator.world.values import InputChange

LEAD_US: Final = 1_000_000
"""The readers are set up in the second before the scenario begins, as live ones are."""
SLICE_US: Final = 1_000_000
TIMED_SLICE_US: Final = 20_000
"""Slices where a reader starts and stops by itself: what it stops by, it sees at a slice's end."""
PORTS_A_READER: Final = 64
"""Client ports kept apart for each reader, one a connection; a reader that needs more would meet its neighbour's."""


@dataclass(slots=True)
class Outcome:
    """What was played.

    Attributes:
        problems: why sessions ended that did, in words, by reader.
    """

    reads: int = 0
    reports: int = 0
    unheard_reads: int = 0
    overflowed_reads: int = 0
    connections: int = 0
    problems: dict[str, list[str]] = field(default_factory=dict)


class OfflineRun:
    """One scenario on its way into recordings, one a gateway.

    Args:
        cast: the scenario, its readers and what they hear.
        begin_us: UTC of its begin.
        truth: takes what truly happened.
        places: where each reader stands in `edge.toml`.
        write: takes a recording's bytes, by gateway; called in the order of time.
    """

    def __init__(
        self,
        cast: Cast,
        *,
        begin_us: int,
        truth: Truth,
        places: Mapping[str, Place],
        write: Mapping[str, Callable[[bytes], None]],
    ) -> None:
        self._cast, self._source, self._truth = cast, cast.source, truth
        self._begin_us, self._write, self._faults = begin_us, write, cast.scenario.fault_plan()
        self._fault_times = deque(_fault_times(cast.scenario))
        self._packets = {gateway: Packets() for gateway in write}
        self._at_us = -LEAD_US
        asked = inventories(cast.scenario, {name: model.manufacturer == IMPINJ for name, model in cast.models.items()})
        self._links: dict[str, VirtualLink] = {}
        for gateway in gateways_in_use(cast.scenario):
            for reader in readers_of(cast.scenario, gateway):
                index = len(self._links)
                self._links[reader.id] = VirtualLink(
                    reader.id,
                    ReaderDevice(cast.models[reader.id], cast.identities[reader.id]),
                    asked[reader.id],
                    place=places[reader.id],
                    begin_us=begin_us,
                    lead_us=LEAD_US,
                    packets=self._packets[gateway.id],
                    first_port=FIRST_PORT + PORTS_A_READER * index,
                )
        timed = any(one.trigger is not None for one in asked.values())
        self._slice_us = TIMED_SLICE_US if timed else SLICE_US

    def run(self, tell: Callable[[int, int], None]) -> Outcome:
        """Play it to its end; `tell` hears scenario time and its end, in microseconds, now and then.

        Raises:
            RunError: it has no end, or a reader can't be set up.
        """
        ends_us = self._source.ends_us
        if ends_us is None:
            raise RunError(f"scenario {self._cast.scenario.name} has no end: say how long with --seconds")
        self._set_up()
        while self._at_us < ends_us:
            self._play(min(self._at_us + self._slice_us, ends_us))
            tell(self._at_us, ends_us)
        for link in self._links.values():
            link.finish(ends_us)
        self._flush()
        outcome = self._outcome()
        self._truth.done = True
        self._truth.write(
            reads=outcome.reads,
            reports=outcome.reports,
            unheard_reads=outcome.unheard_reads,
            overflowed_reads=outcome.overflowed_reads,
            residents=[epc.hex() for epc in self._source.residents],
        )
        return outcome

    def _set_up(self) -> None:
        for link in self._links.values():
            link.step(-LEAD_US)
            if not link.reads:
                why = link.counts.problems[-1] if link.counts.problems else "it did not answer"
                raise RunError(f"reader {link.reader} can't be set up: {why}")
        self._at_us = 0
        self._flush()

    def _play(self, until_us: int) -> None:
        """Play a slice, cut where inputs and faults change."""
        changes = self._source.take_inputs(until_us)
        for change in changes:
            self._advance(max(change.at_us, self._at_us))
            self._apply(change)
        self._advance(until_us)
        self._truth.add(self._source.take_crossings(until_us), self._begin_us)
        self._flush()

    def _apply(self, change: InputChange) -> None:
        self._links[change.reader].input(change.port, change.at_us, high=change.high)

    def _advance(self, until_us: int) -> None:
        """Let the readers hear tags up to a time."""
        while self._fault_times and self._fault_times[0] <= until_us:
            due_us = self._fault_times.popleft()
            self._hear(due_us)
            for change in self._faults.due(due_us):
                self._links[change.reader].misbehave(change, due_us)
        self._hear(until_us)

    def _hear(self, until_us: int) -> None:
        if until_us <= self._at_us:
            return
        for name, link in self._links.items():
            link.put(self._source.advance(name, until_us, link.device.radio()), until_us)
            link.step(until_us)
        self._at_us = until_us

    def _flush(self) -> None:
        for gateway, packets in self._packets.items():
            if packets.waiting:
                self._write[gateway](packets.take())

    def _outcome(self) -> Outcome:
        counters = [link.device.inventory.counters for link in self._links.values()]
        return Outcome(
            reads=sum(one.tag_reads for one in counters),
            reports=sum(one.reports for one in counters),
            unheard_reads=sum(one.unheard_reads for one in counters),
            overflowed_reads=sum(one.overflowed_reads for one in counters),
            connections=sum(link.counts.connections for link in self._links.values()),
            problems={name: link.counts.problems for name, link in self._links.items() if link.counts.problems},
        )


def _fault_times(scenario: Scenario) -> list[int]:
    """When any fault begins or ends, microseconds."""
    ends = (fault.at_s + fault.for_s for fault in scenario.faults if fault.for_s is not None)
    return sorted({round(1e6 * at_s) for at_s in (*(fault.at_s for fault in scenario.faults), *ends)})
