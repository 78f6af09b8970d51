"""The gate between passages and the outbox: each exit gets its verdict, foreign tags go no further."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
from structlog.typing import FilteringBoundLogger

from edge.contracts import NONE_SHOWN, GateVerdict, MovementRow, instant, instant_us
from edge.contracts.rows import Kind
from edge.gate.judge import Crossing, Judgement, Way, is_foreign, judge
from edge.gate.port import Judged, Signals
from edge.gate.snapshot import Snapshot
from edge.gate.steps import ClockSteps
from edge.gate.uses import Use, Uses

LATE_US: Final = 10_000_000
"""Reads that a reader or the network held back for longer sound no siren (contracts: What is an exit)."""


@dataclass(slots=True)
class GateCounters:
    """Counts since the agent started.

    Attributes:
        judged: exits by verdict.
        late: exits whose reads came too late to show anything.
        foreign: passages of tags that are none of ours, which give no event.
        signal_failures: times that light or siren failed in an unforeseen way.
    """

    judged: dict[str, int] = field(default_factory=dict)
    late: int = 0
    foreign: int = 0
    signal_failures: int = 0


class _Decision(NamedTuple):
    """What was decided of a passage, and when that was shown."""

    kind: Kind
    judged: Judgement
    verdict: Judged
    acted_us: int | None


class Gate:
    """Decides exits in the event loop; looks up in memory, never waits.

    A passage that crosses is judged once in each direction: light and siren acted on that, so its later revisions tell
    the same, whatever the central has said meanwhile.

    Args:
        snapshot: returns what is held now.
        signals: lights and sirens.
        uses: permissions for one use that were used here.
        keep_uses: keeps their bytes.
        now_us: wall clock, UTC microseconds.
        log: logger.
        steady_us: a clock that no one sets.
        outline: returns what is known of doors while no snapshot is held.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot | None],
        signals: Signals,
        *,
        uses: Uses,
        keep_uses: Callable[[bytes], None],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
        steady_us: Callable[[], int] = lambda: time.monotonic_ns() // 1_000,
        outline: Callable[[], Snapshot | None] = lambda: None,
    ) -> None:
        self._outline = outline
        self._steps = ClockSteps(now_us, steady_us)
        self._snapshot, self._signals, self._uses, self._keep_uses = snapshot, signals, uses, keep_uses
        self._now_us, self._log = now_us, log
        self._decided: dict[str, _Decision] = {}
        self._silent: set[str] = set()
        self._generation = 0
        self.counters = GateCounters()

    def light(self, signals: Signals) -> None:
        """Show exits there from now on: devices are built after the gate, which judges what their reads tell."""
        self._signals = signals

    def decide(self, rows: Iterable[MovementRow], *, arrived_us: int) -> list[MovementRow]:
        """Return the rows that go on, each exit with its verdict.

        Args:
            rows: revisions of passages in the order in which the windows told them.
            arrived_us: when the reads came that decided them, UTC microseconds.
        """
        self._steps.look()
        snapshot = self._snapshot()
        self._prune(snapshot)
        goes = [self._row(row, snapshot, arrived_us) for row in rows if not self._stops(row, snapshot)]
        self._keep_changes()
        return goes

    def is_noted(self, passage: str, epc: str, rev: int) -> bool:
        """Tell whether an open passage must be remembered over a restart: not where nothing of it is ever told."""
        return passage not in self._silent and (rev > 0 or not is_foreign(self._snapshot(), bytes.fromhex(epc)))

    def forget(self, passages: Iterable[str]) -> None:
        """Take back what passages used whose end nobody saw: the central doesn't count them as exits either."""
        for passage in passages:
            self._uses.release(passage)
        self._keep_changes()

    def _keep_changes(self) -> None:
        if self._uses.changed:
            self._uses.changed = False
            self._keep_uses(self._uses.encode())

    def _stops(self, row: MovementRow, snapshot: Snapshot | None) -> bool:
        """Tell whether a row goes no further; a passage that was told of is told to its end."""
        stops = (row.rev == 1 or row.passage in self._silent) and is_foreign(snapshot, bytes.fromhex(row.epc))
        self.counters.foreign += stops and row.passage not in self._silent
        if stops and not row.final:
            self._silent.add(row.passage)
        else:
            self._silent.discard(row.passage)
        return stops

    def _row(self, row: MovementRow, snapshot: Snapshot | None, arrived_us: int) -> MovementRow:
        crosses = row.kind in {"in", "out"}
        decision = self._decision(row, snapshot, arrived_us) if crosses else None
        if decision is None:
            self._uses.release(row.passage)
        if row.final or decision is None:
            self._decided.pop(row.passage, None)
        else:
            self._decided[row.passage] = decision
        return row if decision is None else msgspec.structs.replace(row, gate=_told(decision))

    def _decision(self, row: MovementRow, snapshot: Snapshot | None, arrived_us: int) -> _Decision | None:
        crossed_us = instant_us(row.crossed_at or row.at)
        before = self._decided.get(row.passage)
        if before is not None and before.kind == row.kind:
            return self._carried(row, before, arrived_us)
        if before is not None:
            self._uses.release(row.passage)  # it went the other way than was told first
        way: Way = "in" if row.kind == "in" else "out"
        crossing = Crossing(row.portal, way, bytes.fromhex(row.epc), row.passage, crossed_us)
        judged = judge(snapshot, crossing, self._uses, wall_us=self._now_us(), outline=self._outline())
        if judged is None:
            return None
        self.counters.late += self._steps.late_us(crossed_us, arrived_us) > LATE_US
        decision = _Decision(row.kind, judged, judged.verdict, None)
        if judged.verdict == "allow" and judged.person and row.final and row.evidence.badge == NONE_SHOWN:
            return self._show(row.portal, decision._replace(verdict="carried"), _ended_us(row), arrived_us)
        return self._show(row.portal, decision, crossed_us, arrived_us)

    def _carried(self, row: MovementRow, before: _Decision, arrived_us: int) -> _Decision:
        """Say at last, when a badge would have been heard of, that none was shown."""
        waits = before.verdict == "allow" and before.judged.person and row.final
        if not (waits and row.evidence.badge == NONE_SHOWN):
            return before
        return self._show(row.portal, before._replace(verdict="carried"), _ended_us(row), arrived_us)

    def _show(self, portal: str, decision: _Decision, crossed_us: int, arrived_us: int) -> _Decision:
        """Show it, unless the reads that decided it were held back: those of the crossing, or of the final's end."""
        self.counters.judged[decision.verdict] = self.counters.judged.get(decision.verdict, 0) + 1
        late_us = self._steps.late_us(crossed_us, arrived_us)
        if late_us > LATE_US:
            return decision
        try:
            acted_us = self._signals.judged(
                portal, decision.verdict, crossed_us, crossed_us + late_us, decision.judged.mode
            )
        except Exception:  # noqa: BLE001 (whatever a light does, the event goes on)
            self.counters.signal_failures += 1
            if self.counters.signal_failures == 1:
                self._log.exception("light or siren failed; more of this kind are only counted", portal=portal)
            return decision
        return decision if acted_us is None else decision._replace(acted_us=acted_us)

    def _prune(self, snapshot: Snapshot | None) -> None:
        """Forget used permissions that a new generation no longer lists."""
        if snapshot is not None and not snapshot.lacks_delta and snapshot.generation != self._generation:
            self._generation = snapshot.generation
            self._uses.prune(lambda use: _is_listed(snapshot, use))


def _ended_us(row: MovementRow) -> int:
    return instant_us(row.ended_at or row.crossed_at or row.at)


def _is_listed(snapshot: Snapshot, use: Use) -> bool:
    told = (use.boundary, use.from_us, use.to_us)
    return any((one.boundary, one.from_us, one.to_us) == told for one in snapshot.find(bytes.fromhex(use.epc)))


def _told(decision: _Decision) -> GateVerdict:
    judged = decision.judged
    reason = "no badge was shown with it" if decision.verdict == "carried" else judged.reason
    return GateVerdict(
        verdict="allow" if decision.verdict == "carried" else decision.verdict,
        reason=reason[:500],
        snapshot=None if judged.snapshot is None else list(judged.snapshot),
        acted_at=None if decision.acted_us is None else instant(decision.acted_us),
    )
