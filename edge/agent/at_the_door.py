"""What one before the door wants to know: fire alarm, how each portal may behave now, and who tells of badges."""

from collections.abc import Collection, Iterator
from typing import Literal

import msgspec

from edge.contracts import instant
from edge.contracts.gate import Mode
from edge.gate import UNKNOWN_MODE, Snapshot


class PortalMode(msgspec.Struct, frozen=True, kw_only=True):
    """How a portal may behave now.

    Attributes:
        mode: log only, tell the console, or light and siren too.
        usual: its mode where nothing makes it quieter; the same where nothing does.
        until: when what makes it quieter ends.
        known: whether the snapshot that is held names it.
    """

    portal: str
    mode: Mode
    usual: Mode
    until: str | None = None
    known: bool = True


class AccessDoor(msgspec.Struct, frozen=True, kw_only=True):
    """One way by which an access controller tells.

    Attributes:
        state: whether it can be heard.
        problem: why it can't.
        heard_at: when something was taken last, None where nothing was since the start.
        refused: what was not taken since the start, by why.
    """

    way: str
    state: Literal["open", "shut"]
    problem: str = ""
    heard_at: str | None = None
    refused: dict[str, int] = {}


class AtTheDoor(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        fire: the inputs that are active now.
        modes: of each portal, where there is a gate.
        access: each way by which a controller may tell.
        lacks_delta: whether the snapshot's last changes were lost on the disk and are waited for.
    """

    fire: list[str] = []
    modes: list[PortalMode] = []
    access: list[AccessDoor] = []
    lacks_delta: bool = False


def portal_modes(snapshot: Snapshot | None, portals: Collection[str], now_us: int) -> Iterator[PortalMode]:
    """Yield each portal's mode, as the gate takes it at that instant."""
    for portal in portals:
        door = None if snapshot is None else snapshot.doors.get(portal)
        if door is None or snapshot is None:
            yield PortalMode(portal=portal, mode=UNKNOWN_MODE, usual=UNKNOWN_MODE, known=False)
            continue
        at_us = max(now_us, snapshot.signed_us)
        mode = door.mode_at(at_us)
        ends = [one.until_us for one in door.quiet if one.mode == mode and one.from_us <= at_us < one.until_us]
        until = instant(max(ends)) if ends and mode != door.mode else None
        yield PortalMode(portal=portal, mode=mode, usual=door.mode, until=until)


def counts(told: dict[str, int]) -> str:
    """Return counts by kind for people, the most first; empty where there are none."""
    return ", ".join(f"{why} {count}" for why, count in sorted(told.items(), key=lambda one: (-one[1], one[0])))
