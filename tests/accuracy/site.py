"""Places of the alarm, group and neighbour scenarios: what stands there, of the random doors' own generator.

As at those, a door goes into service only if a commissioning could certify it. Antennas that it can't be with are hung
anew, with care from the second attempt on; a place where none of the attempts can be certified isn't fitted out, and
the next draw of the place is. Nothing here looks at what a decision does.

Errors: SiteError, no draw of a place could be certified.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from edge.windows import WindowsSettings
from simulator.scenarios.model import Scenario
from tests.accuracy.commission import walked
from tests.accuracy.doors import CAREFUL_FROM, LAYOUTS, PREFIX
from tests.accuracy.draw import Draw
from tests.accuracy.installed import ATTEMPTS
from tests.accuracy.mix import TRAINING
from tests.accuracy.play import settings_of
from tests.accuracy.stands import PORTAL, antennas, readers_of, shelves, site_and_walls

VERSION: Final = 4
"""Of these places: another one makes others."""
BETWEEN_M: Final = 1.5
"""Wall between two doors side by side."""
NARROW_M: Final = 1.25
"""Doors side by side are no wider."""
SIDED: Final = {name: weight for name, weight in LAYOUTS.items() if name != "single"}
"""`single` tells no direction, so it alarms for nobody."""
PLACES: Final = 12
"""So many draws of a place are tried: about half of them have a door that can be certified, with one reader for two
doors one in five."""


class SiteError(Exception):
    """No draw of a place has a door that could be certified."""


@dataclass(frozen=True)
class Site:
    """What stands.

    Attributes:
        parts: of the scenario, without tags' count, routes and walks.
        portals: each doorway's name, its place along the wall and its width.
        corridor_m: how deep it is outside.
        residents: how many tags lie on shelves; they have the first numbers.
        levels: what the commissioning that certified it taught, by reader and port.
        hung: how often antennas were hung, at draws of the place that were given up too.
    """

    parts: dict[str, Any]
    portals: tuple[tuple[str, float, float], ...]
    corridor_m: float
    residents: int
    layout: str
    radio: str
    levels: Mapping[tuple[str, int], int]
    hung: int = 0

    def settings(self, scenario: Scenario) -> WindowsSettings:
        """Return the settings of a scenario at this site, as it was commissioned."""
        return settings_of(scenario, self.levels)


def one_door(
    name: str,
    *,
    layout: str | None = None,
    radio: str | None = None,
    residents: int | None = None,
    widen: float = 0.0,
) -> Site:
    """Draw a room with one door; what is given isn't drawn.

    Args:
        name: another one is another door.
        layout: of the portal.
        radio: model and region of its readers.
        residents: how many tags lie on shelves.
        widen: how much wider every span is, as a part of it.

    Raises:
        SiteError: none of the draws could be certified.
    """
    return _in_service(name, _one_doors(name, layout, radio, residents, widen))


def two_doors(name: str, *, readers: int) -> Site:
    """Draw a room with two doors side by side; one reader with an antenna a side serves both, or each has its own.

    Raises:
        SiteError: none of the draws could be certified.
    """
    return _in_service(name, _pairs(name, readers))


def _in_service(name: str, drawn: Iterator[Site]) -> Site:
    for count, site in enumerate(drawn, start=1):
        tags = site.parts["tags"] | {"count": max(site.residents, 1)}
        scenario = Scenario.model_validate(site.parts | {"name": name, "tags": tags})
        levels, fit = walked(scenario)
        if fit:
            return replace(site, levels=levels, hung=count)
    raise SiteError(
        f"{name}: no commissioning could certify any of {ATTEMPTS} ways to hang the antennas at {PLACES} draws of the "
        "place: take another layout, radio or count of residents"
    )


def _one_doors(
    name: str, layout: str | None, radio: str | None, residents: int | None, widen: float
) -> Iterator[Site]:  # fmt: skip
    """Yield attempt after attempt at draw after draw of a place with one door."""
    for number in range(PLACES):
        draw = Draw(name, VERSION, "site", number, widen=widen)
        chosen = layout or draw.weighted(SIDED)
        place = site_and_walls(draw, chosen)
        width_m = place["portals"][0]["width_m"]
        bought = radio or draw.weighted(TRAINING.radios)
        lying = int(draw.weighted(TRAINING.residents)) if residents is None else residents
        site = _site(draw, place, [(PORTAL, 0.0, width_m)], lying, bought)
        for attempt in range(ATTEMPTS):
            hanging = Draw(name, VERSION, "radio", number, attempt, widen=widen)
            careful = attempt >= CAREFUL_FROM
            found = antennas(hanging, chosen, width_m, careful=careful)
            hung = readers_of(hanging, chosen, found, bought, careful=careful)
            yield replace(site, parts=site.parts | {"readers": hung})


def _pairs(name: str, readers: int) -> Iterator[Site]:
    """Yield attempt after attempt at draw after draw of a place with two doors."""
    for number in range(PLACES):
        draw = Draw(name, VERSION, "two doors", number)
        layout = draw.one(("two-sided", "overhead"))
        place = site_and_walls(draw, layout)
        while place["portals"][0]["width_m"] > NARROW_M:
            place = site_and_walls(draw, layout)
        width_m, radio = place["portals"][0]["width_m"], draw.weighted(TRAINING.radios)
        aside_m = (BETWEEN_M + width_m) / 2
        doorways = [("left", aside_m, width_m), ("right", -aside_m, width_m)]
        place["portals"] = [{**place["portals"][0], "id": door, "at": [0.0, at_m]} for door, at_m, _ in doorways]
        place["doors"] = [
            {**leaf, "id": f"leaf-{door}", "doorway": door} for leaf in place["doors"] for door, *_ in doorways
        ]
        place["sensors"] = []
        site = _site(draw, place, doorways, int(draw.one(("0", "5", "20"))), radio)
        for attempt in range(ATTEMPTS):
            hanging = Draw(name, VERSION, "radio of two", number, attempt)
            hung = _hung_beside(hanging, site, readers, careful=attempt >= CAREFUL_FROM)
            yield replace(site, parts=site.parts | {"readers": hung})


def _hung_beside(draw: Draw, site: Site, readers: int, *, careful: bool) -> list[dict[str, Any]]:
    """Return the readers of two doors. Who fits out two buys one kind of antenna, with cables as long as they must."""
    gains_dbi, beams_deg = ((7.0, 9.0), (65.0, 90.0)) if careful else ((5.5, 9.0), (60.0, 100.0))
    bought = {"gain_dbi": draw.span(*gains_dbi), "beam_deg": draw.span(*beams_deg), "polarisation": "circular"}
    found = []
    for door, _, width_m in site.portals:
        mine = antennas(draw, site.layout, width_m, careful=careful)
        if readers == 1:
            mine = [next(one for one in mine if one["side"] == side) for side in ("inside", "outside")]
        found.append([antenna | bought | {"portal": door} for antenna in mine])
    if readers == 1:
        return readers_of(draw, site.layout, found[0] + found[1], site.radio, careful=careful)
    hung = []
    for (door, *_), mine in zip(site.portals, found, strict=True):
        (reader,) = readers_of(draw, site.layout, mine, site.radio, careful=careful)
        hung.append(reader | {"id": f"r-{door}"})
    return hung


def _site(
    draw: Draw,
    place: dict[str, Any],
    doorways: list[tuple[str, float, float]],
    lying: int,
    radio: str,
) -> Site:
    """Return a place without readers, that nobody commissioned yet."""
    room = place.pop("room")
    away_m = max(at_m + width_m / 2 for _, at_m, width_m in doorways)
    stands = [shelf | {"portal": None} for shelf in shelves(draw, room, 2 * away_m, lying)]
    parts = {**place, "shelves": stands, "tags": _tags(draw)}
    return Site(parts, tuple(doorways), room[2], lying, place["portals"][0]["layout"], radio, {})


def _tags(draw: Draw) -> dict[str, Any]:
    """Tags as at the random doors, without the weak ones among them."""
    return {
        "epc_prefix": PREFIX,
        "number_bytes": 2,
        "loss_db": draw.span(4.0, 9.0, least=2.0),
        "loss_spread_db": draw.span(1.0, 3.0, least=0.5),
        "sensitivity_dbm": draw.span(-23.0, -18.5, least=-24.0),
        "dead_share": 0.004,
    }
