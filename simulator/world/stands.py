"""What stands: antennas, walls with doorways cut out, shelves with tags on them, and tags that lie around."""

import itertools
import math
from typing import Final

import numpy as np

from simulator.scenarios.model import Scenario
from simulator.scenarios.space import AntennaPart, DoorwayPart, ReaderPart, ShelfPart, WallPart
from simulator.world.frames import Placed
from simulator.world.radio.surroundings import EXCESS_DELAY_S, SCATTERERS
from simulator.world.scene import STILL, Antennas, Floats, Holds, Walls
from simulator.world.tags import one_sided, poses

WALL_DB: Final = {"drywall": 3.0, "glass": 3.0, "brick": 6.0, "concrete": 12.0, "metal": 40.0}
SHELF_DB: Final = {"metal": 15.0, "wood": 3.0}
LINTEL_M: Final = 2.1
"""Above a doorway the wall goes on."""
ON_WALL_M: Final = 0.3
"""A doorway this close to a wall is in it."""
FOREVER_US: Final = 2**62
LOWEST_BOARD_M: Final = 0.1
UNDER_TOP_M: Final = 0.25
"""Highest board of a shelf below its top."""


def antennas_of(reader: ReaderPart, frames: dict[str | None, Placed], rng: np.random.Generator) -> Antennas:
    """One reader's antennas in the order of their ports; the surroundings of each are drawn in the file's order."""
    waves = {part.port: _waves(rng) for part in reader.antennas}
    parts = sorted(reader.antennas, key=lambda part: part.port)
    position = np.array([frames[part.portal].lift(part.position) for part in parts])
    look = np.array([frames[part.portal].lift(part.aim) for part in parts]) - position
    return Antennas(
        port=np.array([part.port for part in parts], dtype=np.int64),
        position=position,
        boresight=look / np.maximum(np.linalg.norm(look, axis=1, keepdims=True), 1e-9),
        axis=np.array([_axis(part, towards) for part, towards in zip(parts, look, strict=True)]),
        gain_dbi=np.array([part.gain_dbi for part in parts], dtype=np.float64),
        beam_deg=np.array([part.beam_deg for part in parts], dtype=np.float64),
        cable_loss_db=np.array([part.cable_loss_db for part in parts], dtype=np.float64),
        wave_directions=np.array([waves[part.port][0] for part in parts]),
        wave_phases=np.array([waves[part.port][1] for part in parts]),
        wave_delays_s=np.array([waves[part.port][2] for part in parts]),
    )


def walls_of(scenario: Scenario, frames: dict[str | None, Placed]) -> Walls:
    """Walls and shelves as upright surfaces."""
    doorways = [*scenario.portals, *scenario.openings]
    rows = [row for wall in scenario.walls for row in _wall(wall, doorways)]
    rows += [row for shelf in scenario.shelves for row in _shelf_sides(shelf, frames[shelf.portal])]
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    return Walls(table[:, :4].copy(), table[:, 4].copy(), table[:, 5].copy(), table[:, 6].copy())


def still_tags(scenario: Scenario, frames: dict[str | None, Placed], seed: int) -> Holds:
    """Residents and what lies on shelves."""
    axis, face = poses(scenario, seed)
    sided = one_sided(scenario)
    found: list[tuple[int, Floats, float, int, int]] = [
        (
            resident.tag - 1,
            frames[resident.portal].lift(resident.position),
            resident.extra_loss_db,
            round(1e6 * resident.from_s),
            FOREVER_US if resident.to_s is None else round(1e6 * resident.to_s),
        )
        for resident in scenario.residents
    ]
    for shelf in scenario.shelves:
        places = _on_shelf(shelf, frames[shelf.portal])
        found += [
            (tag - 1, place, shelf.extra_loss_db, 0, FOREVER_US) for tag, place in zip(shelf.tags, places, strict=True)
        ]
    tag = np.array([one[0] for one in found], dtype=np.int64)
    return Holds(
        tag=tag,
        carrier=np.full(len(tag), STILL, dtype=np.int64),
        begin_us=np.array([one[3] for one in found], dtype=np.int64),
        end_us=np.array([one[4] for one in found], dtype=np.int64),
        offset=np.array([one[1] for one in found], dtype=np.float64).reshape(-1, 3),
        axis=axis[tag],
        face=face[tag] * sided[tag, None],
        loss_db=np.array([one[2] for one in found], dtype=np.float64),
    )


def _waves(rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    directions = rng.normal(size=(SCATTERERS, 3))
    return (
        directions / np.linalg.norm(directions, axis=1, keepdims=True),
        rng.uniform(0, 2 * math.pi, SCATTERERS),
        rng.uniform(0, EXCESS_DELAY_S, SCATTERERS),
    )


def _axis(part: AntennaPart, look: Floats) -> Floats:
    """Unit vector of a linear antenna's field, across where it looks; zero where it turns."""
    if part.polarisation == "circular":
        return np.zeros(3)
    towards = look / max(float(np.linalg.norm(look)), 1e-9)
    up = np.array([0.0, 0.0, 1.0]) if abs(towards[2]) < 0.99 else np.array([1.0, 0.0, 0.0])  # noqa: PLR2004 - straight up or down
    level = np.cross(towards, up)
    axis = level if part.polarisation == "horizontal" else np.cross(level, towards)
    unit: Floats = axis / np.linalg.norm(axis)
    return unit


def _wall(wall: WallPart, doorways: list[DoorwayPart]) -> list[tuple[float, ...]]:
    """Pieces of a wall beside its doorways, and above them."""
    loss, rows = WALL_DB[wall.material], []
    points = np.array(wall.points, dtype=np.float64)
    for start, end in itertools.pairwise(points):
        length = float(np.linalg.norm(end - start))
        if not length:
            continue
        along, done = (end - start) / length, 0.0
        for first, last in _gaps(start, along, length, doorways):
            if first > done:
                rows.append((*(start + done * along), *(start + first * along), 0.0, wall.height_m, loss))
            if wall.height_m > LINTEL_M and last > max(first, done):
                rows.append((*(start + first * along), *(start + last * along), LINTEL_M, wall.height_m, loss))
            done = max(done, last)
        if done < length:
            rows.append((*(start + done * along), *end, 0.0, wall.height_m, loss))
    return rows


def _gaps(start: Floats, along: Floats, length: float, doorways: list[DoorwayPart]) -> list[tuple[float, float]]:
    """Where doorways are in a straight wall, metres from its start, in order."""
    found = []
    for doorway in doorways:
        off = np.array(doorway.at) - start
        distance = float(off @ along)
        aside = abs(float(off[0] * along[1] - off[1] * along[0]))
        half = doorway.width_m / 2
        outward = math.radians(doorway.facing_deg)
        faces_along = abs(math.cos(outward) * along[0] + math.sin(outward) * along[1])
        if aside <= ON_WALL_M and faces_along < math.sqrt(0.5) and -half < distance < length + half:
            found.append((max(distance - half, 0.0), min(distance + half, length)))
    return sorted(found)


def _shelf_sides(shelf: ShelfPart, frame: Placed) -> list[tuple[float, ...]]:
    """Its back panel in the middle takes all, and its two ends half each: a ray through it meets one or both."""
    depth, length = min(shelf.size) / 2, max(shelf.size) / 2
    loss = SHELF_DB[shelf.material]
    sides = [
        ((0.0, -length), (0.0, length), loss),
        ((-depth, -length), (depth, -length), loss / 2),
        ((-depth, length), (depth, length), loss / 2),
    ]
    return [
        (*_of_shelf(shelf, frame, start), *_of_shelf(shelf, frame, end), 0.0, shelf.height_m, taken)
        for start, end, taken in sides
    ]


def _of_shelf(shelf: ShelfPart, frame: Placed, place: tuple[float, float]) -> Floats:
    """A place (2,) of a shelf's own frame, whose y runs along its longer side, on the site."""
    across, along = place
    off = (across, along) if shelf.size[1] >= shelf.size[0] else (along, across)
    return frame.to_site(np.array(shelf.at) + off)


def _on_shelf(shelf: ShelfPart, frame: Placed) -> list[Floats]:
    """Places (3,) of a shelf's tags on the site: board by board, before and behind the back panel in turn."""
    count = len(shelf.tags)
    each = math.ceil(count / shelf.levels)
    index = np.arange(count)
    board, place = index // max(each, 1), index % max(each, 1)
    room = max(shelf.height_m - UNDER_TOP_M - LOWEST_BOARD_M, 0.0)
    up = LOWEST_BOARD_M + room * board / max(shelf.levels - 1, 1)
    along = max(shelf.size) * ((place + 0.5) / max(each, 1) - 0.5)
    across = np.where(place % 2 == 0, 0.3, -0.3) * min(shelf.size)
    flat = [_of_shelf(shelf, frame, (float(one), float(other))) for one, other in zip(across, along, strict=True)]
    return [np.append(one, height) for one, height in zip(flat, up, strict=True)]
