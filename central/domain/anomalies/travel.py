"""One asset at two sites faster than anything travels."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Final

from central.domain.anomalies.records import Knowledge, Spot, Suspicion
from central.domain.anomalies.tags import Visit, in_order

FASTEST_M_S: Final = 250.0
"""An airliner's 900 km/h, from door to door: nothing that carries a laptop is faster."""
EARTH_M: Final = 6_371_000.0


def site_of(known: Knowledge, location: str) -> str | None:
    """Return the site that a location lies in."""
    return next((place for place in known.places.chain(location) if known.places[place].kind == "site"), None)


def needed(known: Knowledge, one: str, other: str) -> timedelta | None:
    """Return how long the fastest way between two sites takes, as told or by their distance; None if nobody knows."""
    told = known.travel.get((min(one, other), max(one, other)))
    if told is not None:
        return told
    spots = known.spots.get(one), known.spots.get(other)
    if spots[0] is None or spots[1] is None:
        return None
    return timedelta(seconds=distance_m(spots[0], spots[1]) / FASTEST_M_S)


def distance_m(one: Spot, other: Spot) -> float:
    """Return the distance on the globe, by haversines."""
    south, north = radians(one.latitude), radians(other.latitude)
    across = radians(other.longitude - one.longitude)
    half = sin((north - south) / 2) ** 2 + cos(south) * cos(north) * sin(across / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))


def impossible_travel(visits: Sequence[Visit], known: Knowledge) -> list[tuple[Visit, Suspicion]]:
    """Return the visits of one tag that come too soon after one at another site (requirement 34).

    Visits of gateways without the right time are left out, as are sites whose distance nobody told.
    """
    found = []
    for one, other in pairwise(sorted((each for each in visits if each.synced), key=in_order)):
        sites = site_of(known, one.origin), site_of(known, other.origin)
        if sites[0] is None or sites[1] is None or sites[0] == sites[1]:
            continue
        least, took = needed(known, sites[0], sites[1]), other.at - one.at
        if least is not None and took < least:
            told = {
                "from": sites[0],
                "to": sites[1],
                "took": str(took),
                "least": str(least),
                "other_passage": one.passage,
            }
            reason = f"{took} from {sites[0]} to {sites[1]}: the fastest way takes {least}."
            found.append((other, Suspicion("impossible_travel", "high", reason, told)))
    return found
