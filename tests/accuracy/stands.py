"""What stands at a random door: walls, a leaf, sensors, antennas, readers, shelves with tags that never move."""

import math
from typing import Any, Final

from edge.profiles import region_named
from edge.profiles.legal import AntennaRadio, legal_power
from simulator.server.profiles import REGIONS
from tests.accuracy.draw import Draw

PORTAL: Final = "door"
WALLS: Final = {"drywall": 0.4, "brick": 0.2, "concrete": 0.2, "glass": 0.12, "metal": 0.08}
WIDE_M: Final = 1.8
"""From this width on it is a dock, where pallets go."""
SPARE_M: Final = 0.4
"""Shelves keep so far from walls and from where people walk."""
LEAST_EIRP_DBM: Final = 31.0
"""With less a doorway isn't covered, and `survey` would say so."""
A_SHELF: Final = 60
"""Tags on one shelf at most."""


def site_and_walls(draw: Draw, layout: str) -> dict[str, Any]:
    """Return site, portal, walls, leaf and sensors; `room` is (depth, half width, corridor's depth), metres."""
    two = layout == "two-readers"
    spans = {"office": (0.9, 1.25), "double": (1.25, 1.8), "dock": (1.8, 3.0)}
    size = draw.weighted({"office": 0.2 if two else 0.55, "double": 0.4 if two else 0.3, "dock": 0.4 if two else 0.15})
    width_m = draw.span(*spans[size], least=0.85)
    offices, warehouses = (0.2, 0.6) if size == "dock" else (0.7, 0.2)
    environment = draw.weighted({"office": offices, "warehouse": warehouses, "open": 1 - offices - warehouses})
    room = (draw.span(6.0, 9.0, least=5.6), draw.span(4.0, 7.0, least=3.6), draw.span(2.2, 6.5, least=2.0))
    leaf = _leaf(draw, width_m)
    return {
        "site": {
            "environment": environment,
            "path_exponent": draw.span(1.85, 2.25, least=1.6),
            "rician_k_db": draw.span(3.0, 12.0, least=0.0),
            "ground_reflection": draw.span(0.2, 0.55, least=0.1, most=0.7),
        },
        "portals": [{"id": PORTAL, "layout": layout, "width_m": width_m, "inside": "stockroom", "outside": "corridor"}],
        "walls": _walls(draw, room) if environment != "open" else _walls(draw, room)[:1],
        "doors": leaf,
        "sensors": _sensors(draw, layout, leaf=bool(leaf)),
        "room": room,
    }


def _walls(draw: Draw, room: tuple[float, float, float]) -> list[dict[str, Any]]:
    """The doorway's own wall first, then the rest of the room, then the corridor's other wall where there is one."""
    depth, half, corridor = room
    material = draw.weighted(WALLS)
    walls = [
        {"points": [[0.0, -half], [0.0, half]], "material": material},
        {"points": [[0.0, half], [-depth, half], [-depth, -half], [0.0, -half]], "material": draw.weighted(WALLS)},
    ]
    if draw.chance(0.7):
        walls.append({"points": [[corridor, -8.0], [corridor, 8.0]], "material": draw.weighted(WALLS)})
    return walls


def _leaf(draw: Draw, width_m: float) -> list[dict[str, Any]]:
    if draw.chance(0.5):
        return []
    leaf = {
        "id": "leaf",
        "doorway": PORTAL,
        "leaves": 2 if width_m > 1.3 else 1,
        "material": draw.weighted({"metal": 0.4, "wood": 0.4, "glass": 0.2}),
        "swings": draw.one(("in", "out")),
        "opens": draw.weighted({"for-walkers": 0.7, "always": 0.3}),
        "opening_s": draw.span(0.7, 2.0, least=0.5),
        "angle_deg": draw.span(80.0, 110.0, most=130.0),
    }
    return [leaf]


def _sensors(draw: Draw, layout: str, *, leaf: bool) -> list[dict[str, Any]]:
    found = []
    if layout == "beam" or (layout != "single" and draw.chance(0.06)):
        off_m = draw.span(0.15, 0.5, least=0.08)
        for gpi, (name, x_m) in enumerate((("beam-inside", -off_m), ("beam-outside", off_m)), start=1):
            found.append({"id": name, "kind": "beam", "portal": PORTAL, "reader": "r1", "gpi": gpi, "x_m": x_m})
    if leaf and draw.chance(0.5):
        found.append({"id": "contact", "kind": "contact", "portal": PORTAL, "reader": "r1", "gpi": 3, "door": "leaf"})
    return found


def antennas(draw: Draw, layout: str, width_m: float, *, careful: bool = False) -> list[dict[str, Any]]:
    """Return the antennas of a layout, those that serve the inside first.

    Args:
        draw: of their places and makes.
        layout: of the portal.
        width_m: of the opening.
        careful: two a side and one a jamb, of one good make, with short cables, aimed along the way.
    """
    if careful:
        return _carefully(draw, layout, width_m)
    if layout == "single":
        return [_single(draw, width_m)]
    each = 1 if layout != "two-readers" and draw.chance(0.2) else 2
    beside_m, high_m = width_m / 2 + draw.span(0.15, 0.55, least=0.05), draw.span(1.0, 1.6, least=0.6)
    away_m, lock_side = _away(draw, layout), draw.sign()
    together = layout in {"two-sided", "beam"} and draw.chance(0.15)
    found = []
    for side in (-1, 1):
        for number in range(each):
            y = lock_side if each == 1 or together else (1 if number else -1)
            found.append(_antenna(draw, layout, side, y, (away_m, beside_m, high_m - 0.35 * number * together)))
    return found


def _carefully(draw: Draw, layout: str, width_m: float) -> list[dict[str, Any]]:
    bought = {"gain_dbi": draw.span(7.0, 9.0), "beam_deg": draw.span(65.0, 90.0), "polarisation": "circular"}
    if layout == "single":
        return [_single(draw, width_m) | bought]
    beside_m, high_m, away_m = width_m / 2 + draw.span(0.15, 0.4, least=0.05), draw.span(1.0, 1.4), _away(draw, layout)
    found = []
    for side in (-1, 1):
        for y in (-1, 1):
            antenna = _antenna(draw, layout, side, y, (away_m, beside_m, high_m)) | bought
            ahead_m = draw.span(0.4, 0.7) if layout == "corners" else draw.span(0.8, 1.4)
            antenna["aim"] = [side * ahead_m, draw.span(-0.1, 0.1), draw.span(0.9, 1.1)]
            antenna["cable_loss_db"] = draw.span(0.5, 2.0, least=0.0)
            found.append(antenna)
    return found


def _away(draw: Draw, layout: str) -> float:
    """How far from the plane a layout's antennas are, metres."""
    if layout == "corners":
        return draw.span(0.8, 1.6, least=0.6)
    return draw.span(0.12, 0.4, least=0.05)


def _antenna(
    draw: Draw, layout: str, side: int, y: int, where: tuple[float, float, float]
) -> dict[str, Any]:  # fmt: skip
    away_m, beside_m, high_m = where
    jitter = [draw.span(-0.08, 0.08) for _ in range(3)]
    x, wide = side * max(away_m + jitter[0], 0.03), y * (beside_m + abs(jitter[1]))
    aim = [side * draw.span(0.8, 1.6, least=0.4), draw.span(-0.3, 0.3), draw.span(0.75, 1.2)]
    if layout == "overhead":
        wide, high_m = y * draw.span(0.15, 0.45), draw.span(2.2, 2.9, least=2.0)
    elif layout == "corners":
        aim = [side * draw.span(0.1, 0.7, least=0.0), draw.span(-0.2, 0.2), draw.span(0.8, 1.2)]
        high_m = draw.span(1.1, 2.3)
    elif layout == "one-sided":
        # All of them on the inner face of the wall: half look into the room, half out through the doorway.
        x = -abs(x) if side < 0 else -draw.span(0.02, 0.25, least=0.01)
        aim[1] = draw.span(-0.2, 0.2)
    return {
        "position": [round(x, 3), round(wide, 3), round(high_m + jitter[2], 3)],
        "aim": aim,
        "side": "inside" if side < 0 else "outside",
        **_make(draw),
    }


def _single(draw: Draw, width_m: float) -> dict[str, Any]:
    if draw.chance(0.5):
        place = {"position": [draw.span(-0.2, 0.2), draw.span(-0.2, 0.2), draw.span(2.2, 2.7)], "aim": [0.0, 0.0, 1.0]}
    else:
        y = draw.sign() * (width_m / 2 + draw.span(0.2, 0.5))
        place = {"position": [draw.span(-0.2, 0.2), round(y, 3), draw.span(0.9, 1.6)], "aim": [0.0, 0.0, 1.0]}
    return place | _make(draw)


def _make(draw: Draw) -> dict[str, Any]:
    """What an antenna is."""
    return {
        "gain_dbi": draw.span(5.0, 9.0, least=3.0),
        "beam_deg": draw.span(60.0, 100.0, least=40.0, most=130.0),
        "polarisation": draw.weighted({"circular": 0.85, "vertical": 0.1, "horizontal": 0.05}),
        "cable_loss_db": draw.span(0.5, 4.0, least=0.0),
    }


def readers_of(
    draw: Draw, layout: str, found: list[dict[str, Any]], radio: str, *, careful: bool = False
) -> list[dict[str, Any]]:
    """Give the antennas to one reader, or to two: one a side, or one a jamb; with `careful` at full legal power."""
    model, region = radio.split()
    power_dbm = _legal_dbm(found, region) if careful else _power_dbm(draw, found)
    common = {"model": model, "region": region, "power_dbm": power_dbm}
    if layout != "two-readers":
        return [{"id": "r1", **common, "antennas": _ported(found)}]
    parts = (found[:2], found[2:]) if draw.chance(0.6) else (found[::2], found[1::2])
    return [{"id": f"r{number}", **common, "antennas": _ported(part)} for number, part in enumerate(parts, start=1)]


def _power_dbm(draw: Draw, found: list[dict[str, Any]]) -> float:
    """Any power of 24 to 32 dBm that whoever installs the door would leave: its weakest antenna radiates enough."""
    beside_db = min(antenna["gain_dbi"] - antenna["cable_loss_db"] for antenna in found)
    needed_dbm = min(max(LEAST_EIRP_DBM - beside_db, 24.0), 31.0)
    return draw.span(needed_dbm, 32.0, least=20.0, most=32.5)


def _legal_dbm(found: list[dict[str, Any]], region: str) -> float:
    """The most that a region allows at each of the antennas."""
    law = region_named(REGIONS[region])
    radios = (
        AntennaRadio(
            gain_dbi=antenna["gain_dbi"],
            polarisation="circular" if antenna["polarisation"] == "circular" else "linear",
            cable_db=antenna["cable_loss_db"],
        )
        for antenna in found
    )
    return min(legal_power(law, radio).cap_cdbm for radio in radios) / 100


def _ported(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"port": port, "portal": PORTAL, **antenna} for port, antenna in enumerate(found, start=1)]


def shelves(draw: Draw, room: tuple[float, float, float], width_m: float, lying: int) -> list[dict[str, Any]]:
    """Put so many tags on shelves 1.5 to 8 m off, most of them inside and beside the way; tags 1 to `lying`."""
    depth, half, _ = room
    found: list[dict[str, Any]] = []
    first = 1
    for number in range(math.ceil(lying / A_SHELF) if lying else 0):
        last = min(first + A_SHELF - 1, lying)
        outside = draw.chance(0.08)
        x = draw.span(1.5, 4.0) if outside else -draw.span(1.5, min(depth - 0.5, 8.0))
        clear_m = width_m / 2 + SPARE_M
        found.append(
            {
                "id": f"shelf-{number + 1}",
                "portal": PORTAL,
                "at": [x, round(draw.sign() * draw.span(clear_m + 0.3, half - SPARE_M, most=half), 3)],
                "size": [0.5, draw.span(1.0, 1.8)] if draw.chance(0.5) else [draw.span(1.0, 1.8), 0.5],
                "levels": draw.whole(3, 6),
                "material": draw.weighted({"metal": 0.5, "wood": 0.5}),
                "tags": list(range(first, last + 1)),
                "extra_loss_db": draw.span(-2.0, 6.0),
            }
        )
        first = last + 1
    return found
