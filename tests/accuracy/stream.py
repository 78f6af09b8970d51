"""Plays long scenarios into the windows as they go: nothing is kept but the truth.

What `play` is for a door of minutes this is for one of a month; readers are asked the same way. Reads arrive in reports
of 25 ms where the delay of an alarm is measured, and in longer ones elsewhere: how reads are cut changes no row, and is
most of the time that playing costs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from edge.contracts import MovementRow
from edge.llrp.reports import empty_batch
from edge.windows import OUT_OF_ORDER_US, Windows, WindowsSettings
from simulator.scenarios.model import Scenario
from simulator.server.inventory import Radio
from simulator.world.values import Crossing, InputChange
from simulator.world.world import World
from tests.accuracy.agent import Asking
from tests.accuracy.play import EPOCH_US, REPORT_US, Chunk, batch_of, cut
from tests.accuracy.watch import CLOCK

LONG_REPORT_US: Final = 500_000
STEP_US: Final = 1_000_000
STEADY_RESIDENTS: Final = 20
"""With so few, and carts of up to 20 that pass, the agent's plan stays at its one round: it needn't be asked."""

Told = Callable[[int, MovementRow], None]
"""Takes a row with its instant of arrival, in microseconds of the scenario."""


@dataclass
class Stream:
    """One scenario on its way through its gateway's windows.

    Args:
        fine_us: stretches of scenario time in which reports are short.
    """

    scenario: Scenario
    seed: int
    settings: WindowsSettings
    tell: Told
    fine_us: Sequence[tuple[int, int]] = ()
    visits: list[Crossing] = field(default_factory=list)
    reads: int = 0

    def __post_init__(self) -> None:
        self._asking = {part.id: Asking(part, slot) for slot, part in enumerate(self.scenario.readers)}
        traits = {name: one.model.traits for name, one in self._asking.items()}
        self._world = World(self.scenario, self.seed, None, traits)
        self._windows = Windows(self.settings, boot="accuracy")
        self._steady: dict[str, Radio | None] = {}
        if len(self._world.residents) <= STEADY_RESIDENTS:
            self._steady = {name: one.step(0) for name, one in self._asking.items()}
        self._fine = sorted(self.fine_us)
        self._kinds = {(one.reader, one.gpi): one.kind for one in self.settings.sensors}
        self._inputs = [InputChange(0, reader, gpi, high=False) for reader, gpi in sorted(self._kinds)]

    def run(self) -> "Stream":
        """Play it to its end."""
        ends_us = self._world.ends_us
        assert ends_us is not None, f"{self.scenario.name} has no end"
        now_us = 0
        while now_us < ends_us:
            now_us = self._step(now_us, ends_us)
        for row in self._windows.flush():
            self.tell(ends_us, row)
        return self

    def _step(self, now_us: int, ends_us: int) -> int:
        if self._steady:
            radios, until_us = self._steady, now_us + STEP_US
        else:
            radios = {name: one.step(now_us) for name, one in self._asking.items()}
            until_us = min(one.until_us for one in self._asking.values())
        until_us = min(until_us, ends_us)
        chunks = [chunk for name, radio in radios.items() for chunk in self._heard(name, now_us, until_us, radio)]
        chunks.sort(key=lambda chunk: (chunk[1], chunk[0]))
        self._inputs += self._world.take_inputs(until_us)
        for name, at_us, batch in chunks:
            self._sense(at_us)
            rows = self._windows.feed(name, batch, arrival_us=EPOCH_US + at_us, clock=CLOCK)
            for row in (*rows, *self._windows.pass_until(EPOCH_US + at_us - OUT_OF_ORDER_US)):
                self.tell(at_us, row)
        self.visits += self._world.take_crossings(until_us)
        return until_us

    def _sense(self, until_us: int) -> None:
        """Tell of the inputs that changed up to then."""
        while self._inputs and self._inputs[0].at_us <= until_us:
            one = self._inputs.pop(0)
            kind = self._kinds.get((one.reader, one.port))
            if kind is not None:
                at_us = EPOCH_US + one.at_us
                self._windows.sense(one.reader, one.port, kind, state=one.high, at_us=at_us, clock=CLOCK)

    def _heard(self, name: str, from_us: int, until_us: int, radio: Radio | None) -> Iterator[Chunk]:
        """Yield one reader's reports of a step; a silent one says at its end that it is alive."""
        reads = self._world.advance(name, until_us, radio)
        self.reads += len(reads)
        if not len(reads):
            yield name, until_us, empty_batch(0)
            return
        batch = batch_of(reads, phase=self._asking[name].reports_phase)
        if not self._steady:
            self._asking[name].hear(batch, EPOCH_US)
        every_us = REPORT_US if self._is_fine(from_us, until_us) else LONG_REPORT_US
        slots = (reads.last_us // every_us) + 1
        edges = [0, *(np.flatnonzero(np.diff(slots)) + 1).tolist(), len(batch)]
        for begin, end in pairwise(edges):
            yield name, int(slots[begin]) * every_us, cut(batch, begin, end)

    def _is_fine(self, from_us: int, until_us: int) -> bool:
        while self._fine and self._fine[0][1] < from_us:
            self._fine.pop(0)
        return bool(self._fine) and self._fine[0][0] < until_us
