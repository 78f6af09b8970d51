"""A scenario played offline, faster than real time: the readers' own core, a client of ours, and a clock that jumps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from simulator.faults import FaultAction
from simulator.runs.errors import RunError
from simulator.runs.link import FIRST_PORT, Packets, VirtualLink
from simulator.runs.places import Place, gateways_in_use, inventories, readers_of
from simulator.runs.requests import Inventory
from simulator.runs.sources import Cast
from simulator.server.device import ReaderDevice
from simulator.server.wire import IMPINJ
from simulator.truth import Truth
from simulator.world.values import InputChange

LEAD_US: Final = 1_000_000
"""The readers are set up in the second before the scenario begins, as live ones are."""
SLICE_US: Final = 1_000_000
FAULTY_SLICE_US: Final = 200_000
"""Slices where connections are lost, bursts are due and the like."""
TIMED_SLICE_US: Final = 20_000
"""Slices where a reader starts and stops by itself: what it stops by, it sees at a slice's end."""
PORTS_A_READER: Final = 64
"""Client ports kept apart for each reader, one a connection; a reader that needs more would meet its neighbour's."""


@dataclass(slots=True)
class Outcome:
    """What was played.

    Attributes:
        counts: all readers' counters together, by name.
        connections: how many sessions there were.
        problems: why sessions ended that did, in words, by reader.
    """

    counts: dict[str, int]
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
        self._packets = {gateway: Packets() for gateway in write}
        self._at_us = -LEAD_US
        asked = inventories(cast.scenario, {name: model.manufacturer == IMPINJ for name, model in cast.models.items()})
        self._links = self._linked(asked, places)
        if any(one.trigger is not None for one in asked.values()):
            self._slice_us = TIMED_SLICE_US
        else:
            self._slice_us = FAULTY_SLICE_US if cast.scenario.faults else SLICE_US

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
        self._truth.done = True
        self._truth.write(**self._counts(), residents=[epc.hex() for epc in self._source.residents])
        return self._outcome()

    def _linked(self, asked: Mapping[str, Inventory], places: Mapping[str, Place]) -> dict[str, VirtualLink]:
        scenario = self._cast.scenario
        used = gateways_in_use(scenario)
        readers = [(gateway.id, one.id) for gateway in used for one in readers_of(scenario, gateway)]
        return {
            reader: VirtualLink(
                reader,
                ReaderDevice(self._cast.models[reader], self._cast.identities[reader]),
                asked[reader],
                place=places[reader],
                begin_us=self._begin_us,
                lead_us=LEAD_US,
                packets=self._packets[gateway],
                first_port=FIRST_PORT + PORTS_A_READER * index,
            )
            for index, (gateway, reader) in enumerate(readers)
        }

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
        while (due_us := self._faults.next_us) is not None and due_us <= until_us:
            self._hear(due_us)
            for due in self._faults.due(due_us):
                link = self._links[due.reader]
                if isinstance(due, FaultAction):
                    link.act(due.action, due.arguments, due_us)
                else:
                    link.set(due.switch, due.value, due_us)
        self._hear(until_us)

    def _hear(self, until_us: int) -> None:
        if until_us <= self._at_us:
            return
        for name, link in self._links.items():
            link.put(self._source.advance(name, until_us, link.radio()), until_us)
            link.step(until_us)
        self._at_us = until_us

    def _flush(self) -> None:
        for gateway, packets in self._packets.items():
            if packets.waiting:
                self._write[gateway](packets.take())

    def _counts(self) -> dict[str, int]:
        counted = [link.device.inventory.counters.shown() for link in self._links.values()]
        return {name: sum(one[name] for one in counted) for name in counted[0]}

    def _outcome(self) -> Outcome:
        links = self._links.items()
        return Outcome(
            counts=self._counts(),
            connections=sum(link.counts.connections for _, link in links),
            problems={name: link.counts.problems for name, link in links if link.counts.problems},
        )
