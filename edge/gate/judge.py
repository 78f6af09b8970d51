"""Whether one tag may leave through one portal now; pure, tag by tag, never by group."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from edge.contracts.gate import Mode
from edge.gate.parts import Entry
from edge.gate.port import Judged
from edge.gate.snapshot import Door, Snapshot
from edge.gate.uses import Use, Uses

UNKNOWN_MODE: Final[Mode] = "notify"
"""A door that no snapshot names tells the console and frightens nobody."""


Way = Literal["in", "out"]


class Crossing(NamedTuple):
    """One tag's crossing; `at_us` is host time, UTC microseconds."""

    portal: str
    way: Way
    epc: bytes
    passage: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided, in words too, on which snapshot, and how the door behaves now."""

    verdict: Judged
    reason: str
    mode: Mode
    snapshot: tuple[int, int] | None = None
    person: bool = False
    """Whether somebody's badge must have been shown for it to leave in order."""


def is_foreign(snapshot: Snapshot | None, epc: bytes) -> bool:
    """Tell whether a tag is neither listed nor ours; while some of what is known may be missing, none is foreign."""
    if snapshot is None or snapshot.lacks_delta:
        return False
    return not snapshot.find(epc) and not snapshot.is_ours(epc)


def judge(
    snapshot: Snapshot | None, crossing: Crossing, uses: Uses, *, wall_us: int, outline: Snapshot | None = None
) -> Judgement | None:
    """Decide about a crossing; None where it leaves nothing that is guarded.

    Without a snapshot all is stale, and a door behaves as its `outline` says, where there is one.

    A permission for one use that allows it is noted in `uses`. Time is the wall clock's, or that of the last signed
    message where the wall clock is behind it: a clock that was set back makes no permission of yesterday valid.
    """
    if snapshot is None:
        return _unheld(outline, crossing, wall_us)
    counters = (snapshot.generation, snapshot.n)
    door = snapshot.doors.get(crossing.portal)
    if door is None:
        return Judgement("stale", "the snapshot names no such door", UNKNOWN_MODE, counters)
    left = door.out if crossing.way == "out" else door.into
    if not left:
        return None
    now_us = max(wall_us, snapshot.signed_us)
    mode, at_us = door.mode_at(now_us), crossing.at_us + now_us - wall_us
    valid = [entry for entry in snapshot.find(crossing.epc) if entry.from_us <= at_us < entry.to_us]
    problem = _refusal(valid, left) or _unpermitted(valid, left, crossing, uses)
    if problem:
        return Judgement("refuse", problem, mode, counters)
    return _permitted(snapshot, door, (valid, left), crossing, uses, now_us=now_us, mode=mode)


def _unheld(outline: Snapshot | None, crossing: Crossing, wall_us: int) -> Judgement | None:
    door = None if outline is None else outline.doors.get(crossing.portal)
    if outline is None or door is None:
        return Judgement("stale", "no verified snapshot is held", UNKNOWN_MODE)
    if not (door.out if crossing.way == "out" else door.into):
        return None
    mode = door.mode_at(max(wall_us, outline.signed_us))
    return Judgement("stale", "what may leave is damaged on the disk", mode)


def _refusal(valid: list[Entry], left: tuple[str, ...]) -> str:
    """A refusal without a boundary blocks every exit, one with it that boundary; both win over every permission."""
    for entry in valid:
        if entry.verdict in {"refuse", "hold"} and (entry.boundary is None or entry.boundary in left):
            what = "a hold stands against it" if entry.verdict == "hold" else "it must not leave"
            return what if entry.boundary is None else f"{what}: {entry.boundary}"
    return ""


def _unpermitted(valid: list[Entry], left: tuple[str, ...], crossing: Crossing, uses: Uses) -> str:
    """Name the outermost boundary that no permission opens."""
    for boundary in reversed(left):
        its = [entry for entry in valid if entry.boundary == boundary]
        if not its:
            return f"no permission to leave {boundary} is valid now"
        if _for_once(its, crossing, uses) is None and not any(entry.verdict == "allow" for entry in its):
            return f"its permission to leave {boundary} once is used up"
    return ""


def _permitted(
    snapshot: Snapshot,
    door: Door,
    found: tuple[list[Entry], tuple[str, ...]],
    crossing: Crossing,
    uses: Uses,
    *,
    now_us: int,
    mode: Mode,
) -> Judgement:
    counters = (snapshot.generation, snapshot.n)
    doubt = "has run out" if now_us >= snapshot.expires_us else "lacks its last changes" if snapshot.lacks_delta else ""
    if doubt and not door.trusts_stale:
        return Judgement("stale", f"the snapshot that allows it {doubt}", mode, counters)
    uses.spend(crossing.passage, _spent(*found, crossing, uses))
    reason = f"by a snapshot that {doubt}, as the door's policy wants it" if doubt else ""
    return Judgement("allow", reason, mode, counters, person=door.person)


def _spent(valid: list[Entry], left: tuple[str, ...], crossing: Crossing, uses: Uses) -> Iterator[Use]:
    """Yield the permissions for one use that a crossing lives on."""
    for boundary in left:
        its = [entry for entry in valid if entry.boundary == boundary]
        if not any(entry.verdict == "allow" for entry in its):
            use = _for_once(its, crossing, uses)
            if use is not None:
                yield use


def _for_once(its: list[Entry], crossing: Crossing, uses: Uses) -> Use | None:
    """Return the permission for one use that ends first of those that are free, or this passage's own."""
    once = sorted((entry for entry in its if entry.verdict == "allow_once"), key=lambda entry: entry.to_us)
    for entry in once:
        use = Use(crossing.epc.hex(), entry.boundary or "", entry.from_us, entry.to_us)
        if uses.free_for(use, crossing.passage):
            return use
    return None
