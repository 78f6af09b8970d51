"""The command `test-tag`: a guard walks through a door with a tag that is nobody's, and hears what the door made of it.

It only looks on. A test tag is one that gives no event here anyhow, neither listed in the gate's snapshot nor under a
prefix of our own; an asset's tag is refused, so that no test hides an asset. Passages, verdicts and events of all tags,
the test tag's too, go on as if there were no test.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from edge.agent.arguments import Arguments, integer, one_of, only, told
from edge.agent.orders import OnLookers
from edge.agent.pipeline import Pipeline
from edge.commands import Order, OrderError
from edge.contracts import MovementRow, instant_us
from edge.contracts.commands import Argument
from edge.contracts.gate import Mode
from edge.epc import EpcError, epc_bytes
from edge.gate import Snapshot, Uses
from edge.gate.gate import LATE_US
from edge.gate.judge import Crossing, Judgement, is_foreign, judge
from edge.llrp.batch import NO_RSSI_CDBM
from edge.readers import Chunk
from edge.signals import Verdict

NAME: Final = "test-tag"
LONGEST_S: Final = 60
REGISTERED: Final = "this is an asset's tag, or has one of your own prefixes: take one for the test that is nobody's"


class Shown(Protocol):
    """What a test wants of `edge.signals.Signals`."""

    def would_show(self, portal: str, verdict: Verdict) -> tuple[list[str], list[str]]:
        """Return the outputs that a verdict would switch on now in the mode `alarm`, and those that are muted."""
        ...

    def judged(self, portal: str, verdict: Verdict, crossed_at_us: int, arrived_at_us: int, mode: Mode) -> int | None:
        """Show a verdict."""
        ...


@dataclass(slots=True)
class Decided:
    """What the windows said of the test tag, the first crossing or else the last word, and when they did."""

    row: MovementRow
    at_us: int
    arrived_us: int
    judgement: Judgement | None
    sounded: bool = False


@dataclass(slots=True)
class Walk:
    """One test while it runs: what each antenna of the door heard of the tag, and what was decided."""

    portal: str
    epc: bytes
    antennas: frozenset[tuple[str, int]]
    reads: Counter[tuple[str, int]] = field(default_factory=Counter)
    best_cdbm: dict[tuple[str, int], int] = field(default_factory=dict)
    decided: Decided | None = None
    problem: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, chunk: Chunk) -> None:
        """Count what a chunk brought of the tag."""
        batch, wanted = chunk.batch, len(self.epc) * 8
        for row in range(len(batch)):
            place = chunk.reader, int(batch.antenna[row])
            if int(batch.epc_bits[row]) != wanted or place not in self.antennas:
                continue
            if batch.epc[row, : len(self.epc)].tobytes() != self.epc:
                continue
            self.reads[place] += int(batch.seen_count[row])
            heard = int(batch.rssi_cdbm[row])
            if heard != NO_RSSI_CDBM:
                self.best_cdbm[place] = max(heard, self.best_cdbm.get(place, heard))


class GuardTest:
    """Carries tests out, one at a time.

    Args:
        antennas: each portal's antennas, as (reader, port).
        onlookers: where reads pass.
        pipeline: where decisions pass.
        snapshot: returns what the gate holds now.
        signals: lights and sirens.
        now_us: wall clock.
    """

    def __init__(
        self,
        antennas: Mapping[str, Sequence[tuple[str, int]]],
        onlookers: OnLookers,
        pipeline: Pipeline,
        *,
        snapshot: Callable[[], Snapshot | None],
        signals: Shown,
        now_us: Callable[[], int],
    ) -> None:
        self._antennas = antennas
        self._onlookers, self._pipeline, self._snapshot = onlookers, pipeline, snapshot
        self._signals, self._now_us = signals, now_us
        self._busy = False

    def by_name(self) -> dict[str, Order]:
        """Return what the command does."""
        return {NAME: told(NAME, self._test)}

    async def _test(self, args: Arguments) -> dict[str, Argument]:
        """`portal`, `epc`, `seconds`, `sound`: look on until the tag has crossed, or the time is over."""
        only(args, ("portal", "epc", "seconds", "sound"))
        portal, epc = one_of(args, "portal", self._antennas), _epc(args)
        seconds, sound = integer(args, "seconds", 1, LONGEST_S, 20), args.get("sound", False)
        if not isinstance(sound, bool):
            raise OrderError("sound: give true or false")
        self._check(portal, epc)
        if self._busy:
            raise OrderError("a test is being walked: one at a time, ask again when it is over")
        walk = Walk(portal, epc, frozenset(self._antennas[portal]))
        self._busy = True
        try:
            saw = partial(self._saw, walk, sound)
            with self._onlookers.looking(walk), self._pipeline.watched(saw):
                try:
                    async with asyncio.timeout(seconds):
                        await walk.over.wait()
                except TimeoutError:
                    pass  # what was heard by then is the answer
        finally:
            self._busy = False
        if walk.problem:
            raise OrderError(walk.problem)
        return self._result(walk, sound=sound)

    def _check(self, portal: str, epc: bytes) -> Snapshot:
        """Return what is held; refuse a tag that may be an asset's, and a door that can't tell."""
        snapshot = self._snapshot()
        if snapshot is None:
            raise OrderError("the gate holds no snapshot, so nobody knows here whose tag it is: wait for the central's")
        if not is_foreign(snapshot, epc):
            raise OrderError(REGISTERED)
        if portal not in snapshot.doors:
            raise OrderError(f"the gate's snapshot names no door {portal}: register it at the centre")
        return snapshot

    def _saw(self, walk: Walk, sound: bool, rows: Sequence[MovementRow], arrived_us: int) -> None:  # noqa: FBT001
        """Take what the windows told of all tags; the first crossing counts, without one the last word."""
        for row in rows:
            if row.portal != walk.portal or bytes.fromhex(row.epc) != walk.epc or walk.over.is_set():
                continue
            crosses = row.kind in {"in", "out"}
            before = walk.decided
            if before is None or (crosses and before.row.kind != row.kind) or before.row.kind not in {"in", "out"}:
                try:
                    walk.decided = self._decide(walk, row, arrived_us, sound=sound)
                except OrderError as error:
                    walk.problem = str(error)
                    walk.over.set()
                except Exception as error:  # noqa: BLE001 (whatever a test does, passages of all tags go on)
                    walk.problem = f"the test failed: {type(error).__name__}"
                    walk.over.set()
            if row.final and crosses:
                walk.over.set()

    def _decide(self, walk: Walk, row: MovementRow, arrived_us: int, *, sound: bool) -> Decided:
        snapshot, now_us = self._check(walk.portal, walk.epc), self._now_us()
        decided = Decided(row, now_us, arrived_us, None)
        if row.kind == "in" or row.kind == "out":  # noqa: PLR1714 (mypy follows this)
            crossed_us = instant_us(row.crossed_at or row.at)
            crossing = Crossing(walk.portal, row.kind, walk.epc, row.passage, crossed_us)
            # Permissions for one use are another tag's: none is spent by a test.
            decided.judgement = judge(snapshot, crossing, Uses(), wall_us=now_us)
            late = arrived_us - crossed_us > LATE_US
            if decided.judgement is not None and sound and not late:
                one = decided.judgement
                acted_us = self._signals.judged(walk.portal, one.verdict, crossed_us, arrived_us, one.mode)
                decided.sounded = acted_us is not None
        return decided

    def _result(self, walk: Walk, *, sound: bool) -> dict[str, Argument]:
        result: dict[str, Argument] = {"portal": walk.portal, "epc": walk.epc.hex(), "heard": bool(walk.reads)}
        for reader, port in sorted(walk.antennas):
            result[f"antenna {reader}/{port} reads"] = walk.reads[reader, port]
            if (reader, port) in walk.best_cdbm:
                result[f"antenna {reader}/{port} best cdbm"] = walk.best_cdbm[reader, port]
        decided = walk.decided
        if decided is None:
            return result | {"decided": "nothing"}
        row = decided.row
        result |= {"decided": row.kind, "confidence percent": round(100 * row.confidence)}
        result["decision ms"] = (decided.at_us - instant_us(row.crossed_at or row.at)) // 1000
        judgement = decided.judgement
        if judgement is None:
            return result | {"verdict": "none: nothing that is guarded was left"}
        shown, muted = self._signals.would_show(walk.portal, judgement.verdict)
        if judgement.mode != "alarm":
            lights = f"none: the door's mode is {judgement.mode}"
        else:
            lights = ", ".join(shown) or "none"
            lights += f"; muted now: {', '.join(muted)}" if muted else ""
        result |= {"verdict": f"{judgement.verdict}: {judgement.reason}"[:200], "mode": judgement.mode}
        result |= {"lights and sirens": lights[:200]}
        return result | ({"sounded": decided.sounded} if sound else {})


def _epc(args: Arguments) -> bytes:
    try:
        return epc_bytes(str(args.get("epc", "")))
    except EpcError as error:
        raise OrderError(f"epc: {error}") from None
