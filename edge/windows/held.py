"""Tags that were called `parked`: they are told once, then held until they cross, or were away for hours.

As Keonn documents it for its exit systems: what stays in the doorway alarms once and is blocked while reads go on; it
is armed again after hours of silence, and that is remembered over a restart. Times here are host time, so that they
hold over restarts of the agent and of the reader's clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec

from edge.contracts.rows import EpcHex
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.decide import Verdict
from edge.windows.settings import WindowsError, WindowsSettings
from edge.windows.snapshot import Snapshot

HELD_PREFIX: Final = "held:"
NOTE_EVERY_US: Final = 600_000_000
"""A held tag that stirs is noted on disk this often: cards wear out, and silence is counted in hours."""
LEFT_LONG_AGO_US: Final = 30 * 86_400_000_000
"""What nobody has noticed for a month is not remembered over a restart."""
StoredUs = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800_000_000)]
"""UTC microseconds that a row can tell, to the end of the year 9999: what a worn card made of it isn't believed."""
STAYED: Final = ("near", "turned_back")


class HeldTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag that was called `parked` at a portal; `heard_us` is the last time that it was judged there."""

    portal: str
    epc: EpcHex
    since_us: StoredUs
    heard_us: StoredUs

    @property
    def passage(self) -> str:
        """Name of the record that remembers it, beside those of open passages."""
        return f"{HELD_PREFIX}{self.portal}:{self.epc}"


@dataclass(slots=True)
class Held:
    """The held tags of a group of portals; `told_less` counts the finals that were not published for being held."""

    settings: WindowsSettings
    told_less: int = 0
    _tags: dict[tuple[str, str], HeldTag] = field(default_factory=dict)
    _noted: dict[str, HeldTag] = field(default_factory=dict)
    _changed: dict[str, HeldTag] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)

    def restore(self, tags: Iterable[HeldTag]) -> None:
        """Take what an earlier start held."""
        for tag in tags:
            self._tags[tag.portal, tag.epc] = self._noted[tag.passage] = tag

    def holds(self, portal: str, snap: Snapshot, offset_us: int) -> bool:
        """Say whether a tag is held and still, or again, where it was."""
        tag = self._tags.get((portal, snap.epc.hex()))
        return tag is not None and self._same_stay(tag, snap, offset_us)

    def judge(self, portal: str, snap: Snapshot, offset_us: int, verdict: Verdict) -> Verdict:
        """Return what is to be told of a visit's end: nothing (kind None) where a held tag stirs or leaves as it came.

        A tag whose way is unclear is told of once it has left: it may be gone through the door.
        """
        tag = self._tags.get((portal, snap.epc.hex()))
        if tag is not None and self._armed(tag, snap, offset_us):
            self._end(tag)
            tag = None
        if tag is None:
            if verdict.kind == "parked":
                self._begin(portal, snap, offset_us)
            return verdict
        if verdict.kind in {"in", "out"}:
            self._end(tag)
            return verdict
        same = self._same_stay(tag, snap, offset_us)
        self._hear(tag, int(snap.head[L.LAST_US]) + offset_us)
        silent = verdict.kind == "parked" or (
            same and (verdict.kind in STAYED or (verdict.kind == "unresolved" and snap.why == L.SETTLED))
        )
        self.told_less += silent
        return Verdict(None, verdict.confidence) if silent else verdict

    def take_changes(self) -> tuple[list[HeldTag], list[str]]:
        """Return tags held, or heard again, since the last call, and the names of those that are no longer."""
        changed, ended = list(self._changed.values()), sorted(self._ended)
        self._changed, self._ended = {}, set()
        return changed, ended

    def _armed(self, tag: HeldTag, snap: Snapshot, offset_us: int) -> bool:
        """A tag whose level at rest is still known has never been away since it was held."""
        away_us = int(snap.head[L.START_US]) + offset_us - tag.heard_us
        return bool(snap.head[L.BASE_CDBM] == L.NO_BASE) and away_us > self.settings.rearm_s * 1_000_000

    def _same_stay(self, tag: HeldTag, snap: Snapshot, offset_us: int) -> bool:
        away_us = int(snap.head[L.START_US]) + offset_us - tag.heard_us
        return bool(snap.head[L.BASE_CDBM] != L.NO_BASE) or away_us <= self.settings.forget_s * 1_000_000

    def _begin(self, portal: str, snap: Snapshot, offset_us: int) -> None:
        now_us = int(snap.head[L.LAST_US]) + offset_us
        self._keep(HeldTag(portal=portal, epc=snap.epc.hex(), since_us=now_us, heard_us=now_us))
        if len(self._tags) > self.settings.max_tags:
            self._end(min(self._tags.values(), key=lambda tag: tag.heard_us))

    def _hear(self, tag: HeldTag, now_us: int) -> None:
        self._keep(msgspec.structs.replace(tag, heard_us=max(now_us, tag.heard_us)))

    def _keep(self, tag: HeldTag) -> None:
        self._tags[tag.portal, tag.epc] = tag
        noted = self._noted.get(tag.passage)
        if noted is None or tag.heard_us - noted.heard_us >= NOTE_EVERY_US:
            self._noted[tag.passage] = self._changed[tag.passage] = tag
            self._ended.discard(tag.passage)

    def _end(self, tag: HeldTag) -> None:
        del self._tags[tag.portal, tag.epc]
        self._noted.pop(tag.passage, None)
        self._changed.pop(tag.passage, None)
        self._ended.add(tag.passage)


def decode_held(payload: bytes, *, now_us: int) -> HeldTag | None:
    """Return the held tag in bytes that the outbox kept, as heard now: nobody listened meanwhile.

    None where it was heard too long ago. Bytes that are none raise `WindowsError`.
    """
    try:
        tag = msgspec.json.decode(payload, type=HeldTag)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WindowsError(f"held tag of {len(payload)} bytes can't be read: {error}") from error
    if now_us - tag.heard_us > LEFT_LONG_AGO_US:
        return None
    return msgspec.structs.replace(tag, heard_us=max(now_us, tag.heard_us))
