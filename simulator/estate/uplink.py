"""From rows to envelopes as they reach the central: held while there is no network, overtaken, and sent twice."""

from collections.abc import Iterator, Sequence
from typing import Final

from edge.contracts import MovementRow, encode, encode_envelope
from simulator.estate.dice import Dice
from simulator.estate.doors import Emitted
from simulator.estate.model import EstateScenario
from simulator.estate.truth import TrueCrossing, Truth, within
from simulator.estate.values import DAY, SECOND, Envelope

MOST_ROWS: Final = 100
TOGETHER_US: Final = 2 * SECOND
"""Rows that an agent makes within this go in one envelope."""
COMES_BACK_US: Final = 3 * SECOND
"""From network to the first envelope of a backlog, and a fraction of it from one to the next."""


class Uplink:
    """One gateway's way to the central."""

    def __init__(self, scenario: EstateScenario, truth: Truth, gateway: str, site: str) -> None:
        self._scenario, self._truth, self._gateway, self._site = scenario, truth, gateway, site
        self._dice = Dice(scenario.seed, "uplink", gateway)
        remade = self._dice.chance(scenario.faults.new_epoch)
        last_us = truth.start_us + scenario.days * DAY
        self._remade_us = self._dice.randrange(truth.start_us, last_us) if remade else last_us * 2

    def send(self, rows: Sequence[Emitted]) -> Iterator[Envelope]:
        """Yield the envelopes of movement rows, which come in order of emission; note when each last word arrived."""
        seqs = {"e1": 0, "e2": 0}
        held_until, held = 0, 0
        for chunk in self._chunks(rows):
            epoch = self._epoch(chunk[0])
            first = seqs[epoch] + 1
            seqs[epoch] += len(chunk)
            payload = self._payload(chunk, epoch, first)
            outage = self._outage(chunk[-1].at_us)
            if outage is None:
                at_us = max(chunk[-1].at_us + self._between(0.1, 0.6), held_until)
            else:
                held = held + 1 if held_until == outage[1] + COMES_BACK_US else 0
                held_until = outage[1] + COMES_BACK_US
                at_us = held_until + held * (COMES_BACK_US // 10)
            yield from self._arrivals(chunk, at_us, payload)

    def _arrivals(self, chunk: Sequence[Emitted], at_us: int, payload: bytes) -> Iterator[Envelope]:
        faults = self._scenario.faults
        if self._dice.chance(faults.delayed):
            at_us += self._between(1.0, 25.0)
        for row in chunk:
            if row.source is not None:
                row.source.arrived_us = at_us
        yield Envelope(at_us, self._site, self._gateway, "movement", payload)
        if self._dice.chance(faults.duplicated):
            yield Envelope(at_us + self._between(2.0, 40.0), self._site, self._gateway, "movement", payload)

    def _chunks(self, rows: Sequence[Emitted]) -> Iterator[list[Emitted]]:
        chunk: list[Emitted] = []
        for row in rows:
            if chunk and not self._joins(chunk, row):
                yield chunk
                chunk = []
            chunk.append(row)
        if chunk:
            yield chunk

    def _joins(self, chunk: Sequence[Emitted], row: Emitted) -> bool:
        first = chunk[0]
        if len(chunk) >= MOST_ROWS or self._epoch(first) != self._epoch(row):
            return False
        outage = self._outage(first.at_us)
        return row.at_us - first.at_us <= TOGETHER_US if outage is None else self._outage(row.at_us) == outage

    def _payload(self, chunk: Sequence[Emitted], epoch: str, first: int) -> bytes:
        rows = [encode(MovementRow(seq=first + index, **row.values)) for index, row in enumerate(chunk)]
        return encode_envelope(
            gateway=self._gateway, stream="movement", epoch=epoch, first=first, last=first + len(rows) - 1, rows=rows
        )

    def _epoch(self, row: Emitted) -> str:
        return "e2" if row.at_us >= self._remade_us else "e1"

    def _outage(self, at_us: int) -> tuple[int, int] | None:
        return within(self._truth.offline.get(self._gateway, ()), at_us)

    def _between(self, low_s: float, high_s: float) -> int:
        return round(self._dice.uniform(low_s, high_s) * SECOND)


def last_words(truth: Truth) -> list[TrueCrossing]:
    """Return the crossings of which the edge told a crossing."""
    return [one for one in truth.crossings if one.published in {"in", "out"}]
