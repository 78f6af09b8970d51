"""The room's settings: what the portals are, and every knob with its unit and its reason."""

from dataclasses import dataclass
from typing import Final, Literal

MAX_ANTENNAS: Final = 8
"""Antennas of one portal that are kept apart in the evidence: two readers with four ports each."""

Engine = Literal["numba", "plain"]


class WindowsError(ValueError):
    """The room's one error: settings that can't be worked with; the message says what to change."""


@dataclass(frozen=True, slots=True)
class WindowClock:
    """A reader's clock as the shell measured it; `offset_us` is host minus reader, None while it isn't known."""

    source: Literal["reader", "host", "uptime"] = "reader"
    offset_us: int | None = None
    spread_us: int = 0
    stepped: bool = False
    host_synced: bool = True


@dataclass(frozen=True, slots=True)
class AntennaSettings:
    """One antenna of a portal.

    Attributes:
        side: None in the layout `single`.
        doorway_cdbm: how loud a tag is here that is carried through the doorway: the median of its peaks over the
            walks of the commissioning; None where nobody has walked. Levels are judged relative to it.
    """

    reader: str
    port: int
    side: Literal["inside", "outside"] | None = None
    doorway_cdbm: int | None = None


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """One doorway and the antennas that look at it.

    Attributes:
        gap_ms: silence that ends a visit: a carrier whose body hides the tag is unheard for seconds, and who is back
            within 5 s is still on the same visit. In the layout `single` at most 2 s (domain, Rates: 1.28 s).
        settle_ms: stillness that ends a visit of a tag that is still heard (contracts: "stays beyond it for 5 s").
        park_ms: stillness at the plane itself that is called `parked`.
        provisional_confidence: a crossing is published before the tag has left from this confidence on.
        resolve_confidence: below it a passage that looks like a crossing is `unresolved`.
        pass_intervals: layout `single` only: silence of so many of the tag's own read intervals ends a pass.
        pass_rise_cdb: layout `single` only: change of the smoothed RSSI on one channel that makes a pass; a tag at rest
            varies by 0.33 dB there (domain, Radio at a doorway).
        pass_valley_cdb: layout `single` only: a dip of the smoothed RSSI this deep between two peaks ends a pass.
        neighbours: ids of portals so near that both may hear one carrier; portals that share a reader always are.
        inside, outside: the places that it joins. Through neighbours that stand in a row, the one's outside being the
            other's inside, a carrier goes one after the other; of others only one has its crossing.
    """

    id: str
    layout: str
    antennas: tuple[AntennaSettings, ...]
    gap_ms: int = 5000
    settle_ms: int = 5000
    park_ms: int = 20000
    provisional_confidence: float = 0.97
    resolve_confidence: float = 0.6
    pass_intervals: int = 12
    pass_rise_cdb: int = 200
    pass_valley_cdb: int = 400
    neighbours: tuple[str, ...] = ()
    inside: str = "inside"
    outside: str = "outside"


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """A door contact or a light beam that tells something of a portal.

    Attributes:
        reader: reader or board that it is wired to.
        gpi: number of the input.
        kind: what it is.
        portal: the doorway that it watches.
        side: of two beams, whether this is the inner or the outer one; None for a door contact.
        active_high: the input's level while the beam is broken or the door is open.
    """

    reader: str
    gpi: int
    kind: Literal["beam", "door"]
    portal: str
    side: Literal["inside", "outside"] | None = None
    active_high: bool = True


@dataclass(frozen=True, slots=True)
class WindowsSettings:
    """A gateway's portals and the knobs that all of them share.

    Attributes:
        grace_ms: reads may come this much out of order; it delays each decision by as much.
        step_back_ms: a read older than this against the newest is a clock that was set back, not a late read.
        max_tags: (tag, portal) pairs held at most; then the quietest of a sample goes, counted as `evicted`.
        forget_s: a tag unheard for this long is a stranger again.
        min_reads: a visit of fewer reads is no evidence of anything and gives no event.
        motion_rad: mean in-channel phase change, modulo half a turn, that a tag at rest doesn't reach
            (noise 0.04-0.13 rad; a walker's is spread evenly, 0.79 rad).
        motion_cdb: rise or fall of the smoothed RSSI of one antenna that counts as motion where no phase is reported.
        batch_ms: crossings of one portal in one direction this close in time are one batch.
        rearm_s: a tag that was called `parked` may be called so again once it was unheard for this long. Hours, as
            Keonn documents: longer than a break or a delivery, in which the same thing stands in the same doorway.
        engine: `numba`, or `plain` where numba has no wheel.
        sensors: door contacts and light beams that are evidence.
    """

    gateway: str
    portals: tuple[PortalSettings, ...]
    grace_ms: int = 100
    step_back_ms: int = 5000
    max_tags: int = 32768
    forget_s: int = 600
    min_reads: int = 1
    motion_rad: float = 0.35
    motion_cdb: int = 600
    batch_ms: int = 1500
    rearm_s: int = 14_400
    engine: Engine = "numba"
    sensors: tuple[SensorSettings, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no window could work with."""
        claimed: dict[tuple[str, int], str] = {}
        for portal in self.portals:
            _check_portal(portal)
            for antenna in portal.antennas:
                other = claimed.setdefault((antenna.reader, antenna.port), portal.id)
                if other != portal.id:
                    raise WindowsError(
                        f"portals {other!r} and {portal.id!r} both claim antenna {antenna.port} of reader "
                        f"{antenna.reader!r}: give it to one of them"
                    )
        _check_names(self)


def _check_names(settings: WindowsSettings) -> None:
    known = {portal.id for portal in settings.portals}
    for portal in settings.portals:
        for name in portal.neighbours:
            if name not in known or name == portal.id:
                raise WindowsError(f"portal {portal.id!r} names {name!r} as its neighbour: name other portals' ids")
    for sensor in settings.sensors:
        if sensor.portal not in known:
            raise WindowsError(
                f"input {sensor.gpi} of {sensor.reader!r} watches {sensor.portal!r}: name the id of a portal"
            )


def _check_portal(portal: PortalSettings) -> None:
    sides = {antenna.side for antenna in portal.antennas}
    if not 0 < len(portal.antennas) <= MAX_ANTENNAS:
        raise WindowsError(f"portal {portal.id!r} has {len(portal.antennas)} antennas: give it 1 to {MAX_ANTENNAS}")
    if portal.layout == "single":
        if sides != {None} or len(portal.antennas) != 1:
            raise WindowsError(f"portal {portal.id!r} is 'single': give it one antenna and leave `side` out")
    elif sides != {"inside", "outside"}:
        raise WindowsError(
            f"portal {portal.id!r} is {portal.layout!r}: say `side` for each antenna, "
            "with at least one 'inside' and one 'outside'"
        )
