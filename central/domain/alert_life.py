"""The life of an alert from open to resolved, and when a verdict of "false read" is believed.

A false read is a claim about the world: the asset never left. It stands provisionally until every asset of the alert is
seen inside again; seen coming back through the boundary, or not seen in time, it falls and the alert opens higher.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, get_args

from central.domain.places import Places

AlertState = Literal["open", "acknowledged", "investigating", "resolved", "observed"]
Verdict = Literal["authorised_late", "recovered", "theft", "false_read", "test"]
AlertStep = Literal["acknowledge", "investigate", "resolve", "reopen"]
Settled = Literal["confirmed", "refuted"]

VERDICTS: Final[tuple[str, ...]] = get_args(Verdict)
CONFIRM_WITHIN_BD: Final = 2
"""Business days in which a false read has to be borne out (requirement 98)."""

ALERT_TABLE: Final[Mapping[AlertStep, Mapping[AlertState, AlertState]]] = MappingProxyType({
    "acknowledge": {"open": "acknowledged", "observed": "acknowledged"},
    "investigate": {"acknowledged": "investigating"},
    "resolve": {"acknowledged": "resolved", "investigating": "resolved"},
    "reopen": {"resolved": "open"},
})  # fmt: skip
"""For each step the states that it may start from, and where it leads."""
_HIGHER: Final = MappingProxyType({"low": "high", "high": "critical", "critical": "critical"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """An asset seen at a door between two places, or in one place, which then is both.

    `crossed` tells whether it went from `origin` to `destination`; if not, nobody knows on which side it was.
    """

    asset: str
    at: datetime
    origin: str
    destination: str
    crossed: bool


def higher(severity: str) -> str:
    """Return the severity that an alert reopens with."""
    return _HIGHER[severity]


def settle_false_read(
    places: Places,
    left: Mapping[str, tuple[str, str]],
    sightings: Sequence[Sighting],
    now: datetime,
    confirm_by: datetime,
) -> tuple[Settled, str] | None:
    """Return whether the world bears a false read out, and why; None while it may still.

    Args:
        places: the location tree.
        left: for each asset of the alert from where to where it was said to go.
        sightings: of these assets, after they were said to have gone, in any order.
        now: the present.
        confirm_by: until when they have to be seen inside.
    """
    unseen = set(left)
    for one in sorted(sightings, key=lambda each: (each.at, each.asset)):
        boundary = _outermost(places, *left[one.asset])
        inside = (_within(places, one.origin, boundary), _within(places, one.destination, boundary))
        if one.asset not in unseen:
            continue
        if one.crossed and inside == (False, True):
            return "refuted", f"{one.asset} came back at {one.at.isoformat()}: it had been outside"
        if inside == (True, True) or (one.crossed and inside[0]):
            unseen.discard(one.asset)
    if not unseen:
        return "confirmed", "seen inside again"
    if now > confirm_by:
        return "refuted", f"{', '.join(sorted(unseen))} was not seen inside within {CONFIRM_WITHIN_BD} business days"
    return None


def share_interval(hits: int, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, which lies in it; of nothing, anything from 0 to 1 is possible."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = hits / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * (share * (1 - share) / of + z2 / (4 * of * of)) ** 0.5
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


_Z: Final = 1.959963984540054


def _outermost(places: Places, origin: str, destination: str) -> str:
    """Return the outermost guarded place that was said to be left; of none, the place itself."""
    return (places.boundaries_left(origin, destination) or (origin,))[-1]


def _within(places: Places, location: str, boundary: str) -> bool:
    return boundary in places.chain(location)
