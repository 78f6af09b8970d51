"""Places of the alarm, group and neighbour scenarios: what stands there, of the random doors' own generator."""

from dataclasses import dataclass
from typing import Any, Final

from tests.accuracy.doors import LAYOUTS, PREFIX
from tests.accuracy.draw import Draw
from tests.accuracy.mix import TRAINING
from tests.accuracy.stands import PORTAL, antennas, readers_of, shelves, site_and_walls

VERSION: Final = 3
"""Of these places: another one makes others."""
BETWEEN_M: Final = 1.5
"""Wall between two doors side by side."""
NARROW_M: Final = 1.25
"""Doors side by side are no wider."""
SIDED: Final = {name: weight for name, weight in LAYOUTS.items() if name != "single"}
"""`single` tells no direction, so it alarms for nobody."""


@dataclass(frozen=True)
class Site:
    """What stands.

    Attributes:
        parts: of the scenario, without tags' count, routes and walks.
        portals: each doorway's name, its place along the wall and its width.
        corridor_m: how deep it is outside.
        residents: how many tags lie on shelves; they have the first numbers.
    """

    parts: dict[str, Any]
    portals: tuple[tuple[str, float, float], ...]
    corridor_m: float
    residents: int
    layout: str
    radio: str


def one_door(
    name: str, *, layout: str | None = None, radio: str | None = None, residents: int | None = None
) -> Site:  # fmt: skip
    """Draw a room with one door; what is given isn't drawn."""
    draw = Draw(name, VERSION, "site")
    layout = layout or draw.weighted(SIDED)
    place = site_and_walls(draw, layout)
    width_m = place["portals"][0]["width_m"]
    radio = radio or draw.weighted(TRAINING.radios)
    place["readers"] = readers_of(draw, layout, antennas(draw, layout, width_m), radio)
    lying = int(draw.weighted(TRAINING.residents)) if residents is None else residents
    return _site(draw, place, [(PORTAL, 0.0, width_m)], lying, radio)


def two_doors(name: str, *, readers: int) -> Site:
    """Draw a room with two doors side by side; one reader with an antenna a side serves both, or each has its own."""
    draw = Draw(name, VERSION, "two doors")
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
    hung = []
    # Whoever fits out two doors buys one kind of antenna; the cables are as long as they have to be.
    bought = {"gain_dbi": draw.span(5.5, 9.0), "beam_deg": draw.span(60.0, 100.0), "polarisation": "circular"}
    for door, _, _ in doorways:
        (reader,) = readers_of(draw, layout, antennas(draw, layout, width_m), radio)
        mine = [antenna | bought | {"portal": door} for antenna in reader["antennas"]]
        hung.append(reader | {"id": f"r-{door}", "antennas": mine})
    place["readers"] = hung if readers == 2 else [_joined(*hung)]
    return _site(draw, place, doorways, int(draw.one(("0", "5", "20"))), radio)


def _joined(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """One reader with four ports: of each door's antennas the first of each side."""
    kept: list[dict[str, Any]] = []
    for reader in (left, right):
        for side in ("inside", "outside"):
            antenna = next(one for one in reader["antennas"] if one["side"] == side)
            kept.append(antenna | {"port": len(kept) + 1})
    return left | {"id": "r1", "antennas": kept}


def _site(
    draw: Draw,
    place: dict[str, Any],
    doorways: list[tuple[str, float, float]],
    lying: int,
    radio: str,
) -> Site:
    room = place.pop("room")
    away_m = max(at_m + width_m / 2 for _, at_m, width_m in doorways)
    stands = [shelf | {"portal": None} for shelf in shelves(draw, room, 2 * away_m, lying)]
    parts = {**place, "shelves": stands, "tags": _tags(draw)}
    return Site(parts, tuple(doorways), room[2], lying, place["portals"][0]["layout"], radio)


def _tags(draw: Draw) -> dict[str, Any]:
    """Tags as at the random doors, without the weak ones among them."""
    return {
        "epc_prefix": PREFIX,
        "number_bytes": 2,
        "loss_db": draw.span(4.0, 9.0),
        "loss_spread_db": draw.span(1.0, 3.0),
        "sensitivity_dbm": draw.span(-23.0, -18.5),
        "dead_share": 0.004,
    }
