"""The arrays of one reader's links, packed from a scene; and who keeps what of still tags from scene to scene."""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.world.radio import layout as L  # noqa: N812 (as in the kernels)
from simulator.world.scene import STILL, Antennas, Carriers, Floats, Holds, Ints, Leaves, Scene, Tags, Walls
from simulator.world.values import ReaderTraits

MAX_ROWS: Final = 4096
"""Still tags of one reader that are kept, 16 KiB each of 4 antennas and 50 channels; others are computed anew."""
FIRST_ROWS: Final = 16


class Channel(NamedTuple):
    """What the kernels take: columns are named in `layout`. Scratch and what is kept change under the kernels' hands.

    Attributes:
        antenna: (a, A_COLUMNS).
        waves: (a, w, W_COLUMNS).
        frequency_hz: (c,).
        site: (S_COLUMNS,).
        reader: (R_COLUMNS,).
        hold: (h, H_COLUMNS), in the order of the scene's holds.
        held: (h, I_COLUMNS).
        carrier: (k, C_COLUMNS).
        first: (k + 1,) of the carriers' keyframes.
        key_us: (f,).
        key: (f, K_COLUMNS).
        wall: (w, U_COLUMNS).
        leaf: (d, L_COLUMNS).
        leaf_first: (d + 1,).
        leaf_us: (g,).
        leaf_angle: (g,).
        now: (N_COLUMNS,) what the scratch holds for.
        pose: (k + 1, P_COLUMNS) scratch; the last is that of tags that lie still.
        body: (k, B_COLUMNS) scratch.
        leaf_now: (d, U_COLUMNS) scratch.
        ray: (a, rows, Y_COLUMNS) kept.
        ray_leaves: (a, rows) state of the leaves for which a ray is kept; -1: without leaves; -2: not at all.
        bounce: (a, rows, d, 2) way and amplitude over each leaf.
        field: (a, c, rows, 6) direct, floor and scattered field, re and im of each.
        kept: (a, c, rows, 2) gain in dB and phase without carriers, as `one_way_db` gives them.
        kept_leaves: (a, c, rows) as `ray_leaves`.
    """

    antenna: Floats
    waves: Floats
    frequency_hz: Floats
    site: Floats
    reader: Ints
    hold: Floats
    held: Ints
    carrier: Floats
    first: Ints
    key_us: Ints
    key: Floats
    wall: Floats
    leaf: Floats
    leaf_first: Ints
    leaf_us: Ints
    leaf_angle: Floats
    now: Ints
    pose: Floats
    body: Floats
    leaf_now: Floats
    ray: Floats
    ray_leaves: Ints
    bounce: Floats
    field: Floats
    kept: Floats
    kept_leaves: Ints


class Links:
    """One reader's links through all scenes: packs each, and keeps what doesn't change between them."""

    def __init__(self, antennas: Antennas, traits: ReaderTraits, seed: int) -> None:
        self._frequency_hz = 1000.0 * np.array(traits.frequencies_khz, dtype=np.float64)
        self._antenna = packed_antennas(antennas)
        self._waves = np.ascontiguousarray(
            np.concatenate(
                [antennas.wave_directions, antennas.wave_phases[..., None], antennas.wave_delays_s[..., None]], axis=2
            )
        )
        self._reader = np.array([seed & 0xFFFFFFFF, traits.rssi_step_cdbm, traits.half_turns], dtype=np.int64)
        self._scene: Scene | None = None
        self._channel: Channel | None = None
        self._rows: dict[bytes, int] = {}
        self._tags = np.zeros(0, dtype=np.int64)
        self._tag_rows = np.zeros(0, dtype=np.int64)
        self._places = np.zeros((FIRST_ROWS, L.H_LINK))

    def channel(self, scene: Scene) -> Channel:
        """The channel of a scene; the one before it no longer holds."""
        if self._channel is not None and scene is self._scene:
            return self._channel
        before, known = self._scene, self._channel
        same = known is not None and before is not None and _same_holds(scene, before)
        if known and same:
            hold, held = known.hold, known.held
        else:
            hold, held = _holds(scene.holds, scene.tags, len(scene.carriers.radius_m))
        wall = known.wall if known and before and scene.walls is before.walls else packed_walls(scene.walls)
        leaf = _leaves(scene.leaves)
        if known and not (np.array_equal(wall, known.wall) and np.array_equal(leaf, known.leaf)):
            known = None
        site = self._site(scene)
        if not same:
            held[:, L.I_ROW] = self._rows_of(scene.holds, hold)
        first, key_us, key = _keyframes(scene.carriers)
        leaf_now, now = _leaf_now(leaf), np.array([np.iinfo(np.int64).min, 0, 0], dtype=np.int64)
        if known:
            leaf_now, now[L.N_LEAVES] = known.leaf_now, known.now[L.N_LEAVES]
        cylinders = np.zeros((len(first) - 1, L.B_COLUMNS))
        self._scene = scene
        self._channel = Channel(
            self._antenna, self._waves, self._frequency_hz, site, self._reader, hold, held,
            _carriers(scene.carriers), first, key_us, key, wall,
            leaf, _ints(scene.leaves.first), _ints(scene.leaves.at_us), _floats(scene.leaves.angle),
            now, _poses(len(first) - 1), cylinders, leaf_now, *self._kept(known, len(leaf)),
        )  # fmt: skip
        return self._channel

    def _site(self, scene: Scene) -> Floats:
        k = 10 ** (scene.surroundings.k_db / 10)
        waves = max(1, self._waves.shape[1])
        return np.array(
            [
                scene.surroundings.path_exponent / 2,
                math.sqrt(k / (k + 1)),
                math.sqrt(1 / (waves * (k + 1))),
                scene.surroundings.ground,
                float(self._frequency_hz.mean()),
            ]
        )

    def _kept(self, known: Channel | None, leaves: int) -> tuple[Floats, Ints, Floats, Floats, Floats, Ints]:
        """What is kept of still tags, with room for all rows."""
        antennas, channels, rows = len(self._antenna), len(self._frequency_hz), len(self._places)
        if known and known.ray.shape[1] == rows:
            return known.ray, known.ray_leaves, known.bounce, known.field, known.kept, known.kept_leaves
        made = (
            np.zeros((antennas, rows, L.Y_COLUMNS)),
            np.full((antennas, rows), L.NOT_MADE, dtype=np.int64),
            np.zeros((antennas, rows, leaves, 2)),
            np.zeros((antennas, channels, rows, 6)),
            np.zeros((antennas, channels, rows, 2)),
            np.full((antennas, channels, rows), L.NOT_MADE, dtype=np.int64),
        )
        if known:
            old = known.ray.shape[1]
            made[0][:, :old], made[1][:, :old], made[2][:, :old] = known.ray, known.ray_leaves, known.bounce
            made[3][:, :, :old], made[4][:, :, :old] = known.field, known.kept
            made[5][:, :, :old] = known.kept_leaves
        return made

    def _rows_of(self, holds: Holds, hold: Floats) -> Ints:
        """(h,) row of each still tag; -1 for the others, and where there is no room."""
        rows = np.full(len(hold), -1, dtype=np.int64)
        lying = np.flatnonzero(holds.carrier == STILL)
        if not len(lying):
            return rows
        tags = holds.tag[lying]
        at = np.minimum(np.searchsorted(self._tags, tags), max(0, len(self._tags) - 1))
        if len(self._tags):
            rows[lying] = self._tag_rows[at]
            known = (self._tags[at] == tags) & (self._places[rows[lying]] == hold[lying, : L.H_LINK]).all(axis=1)
            lying = lying[~known]
        for h in lying:
            rows[h] = self._row(int(holds.tag[h]), hold[h, : L.H_LINK])
        return rows

    def _row(self, tag: int, place: Floats) -> int:
        """Row of one tag at one place; a tag that lay in two places has two, and the later is found faster."""
        key = tag.to_bytes(8, "big") + place.tobytes()
        row = self._rows.setdefault(key, len(self._rows)) if len(self._rows) < MAX_ROWS else self._rows.get(key, -1)
        if row < 0:
            return row
        if row >= len(self._places):
            self._places = np.concatenate([self._places, np.zeros_like(self._places)])
        self._places[row] = place
        at = int(np.searchsorted(self._tags, tag))
        if at < len(self._tags) and self._tags[at] == tag:
            self._tag_rows[at] = row
        else:
            self._tags = np.insert(self._tags, at, tag)
            self._tag_rows = np.insert(self._tag_rows, at, row)
        return row


def _same_holds(scene: Scene, before: Scene) -> bool:
    """Whether the very same arrays say where tags are, as between scenes in which nobody comes or goes."""
    carriers = len(scene.carriers.radius_m) == len(before.carriers.radius_m)
    return carriers and scene.holds is before.holds and scene.tags is before.tags


def packed_antennas(given: Antennas) -> Floats:
    """Antennas as the kernels take them."""
    out = np.zeros((len(given.port), L.A_COLUMNS))
    out[:, L.A_X : L.A_X + 3] = given.position
    out[:, L.A_BORE : L.A_BORE + 3] = given.boresight
    out[:, L.A_AXIS : L.A_AXIS + 3] = given.axis
    out[:, L.A_SCALE] = 10 ** ((given.gain_dbi - given.cable_loss_db) / 20)
    edge = np.cos(np.radians(np.minimum(given.beam_deg, 179.8) / 2))
    out[:, L.A_POWER] = math.log(0.5) / np.log(edge) / 2
    out[:, L.A_LINEAR] = np.any(given.axis != 0, axis=1)
    return out


def _holds(holds: Holds, tags: Tags, carriers: int) -> tuple[Floats, Ints]:
    hold = np.zeros((len(holds.tag), L.H_COLUMNS))
    hold[:, L.H_PLACE : L.H_PLACE + 3] = holds.offset
    hold[:, L.H_AXIS : L.H_AXIS + 3] = holds.axis
    hold[:, L.H_FACE : L.H_FACE + 3] = holds.face
    hold[:, L.H_LOSS] = holds.loss_db + tags.loss_db[holds.tag]
    held = np.zeros((len(holds.tag), L.I_COLUMNS), dtype=np.int64)
    held[:, L.I_CARRIER] = np.where(holds.carrier == STILL, carriers, holds.carrier)
    held[:, L.I_BEGIN] = holds.begin_us
    held[:, L.I_END] = np.where(tags.dead[holds.tag], holds.begin_us, holds.end_us)
    return hold, held


def _carriers(given: Carriers) -> Floats:
    out = np.zeros((len(given.radius_m), L.C_COLUMNS))
    out[:, L.C_RADIUS] = given.radius_m
    out[:, L.C_BOTTOM] = given.bottom_m
    out[:, L.C_TOP] = given.top_m
    out[:, L.C_LOSS] = given.loss_db
    return out


def _keyframes(given: Carriers) -> tuple[Ints, Ints, Floats]:
    key = np.zeros((len(given.at_us), L.K_COLUMNS))
    key[:, :3] = given.place
    key[:, L.K_COS] = np.cos(given.heading)
    key[:, L.K_SIN] = np.sin(given.heading)
    return _ints(given.first), _ints(given.at_us), key


def _poses(carriers: int) -> Floats:
    """Room for poses; behind them that of the site itself."""
    out = np.zeros((carriers + 1, L.P_COLUMNS))
    out[carriers, [L.K_COS, L.P_THERE]] = 1.0
    return out


def packed_walls(given: Walls) -> Floats:
    """Walls as the kernels take them."""
    out = np.zeros((len(given.loss_db), L.U_COLUMNS))
    out[:, L.U_X1 : L.U_Y2 + 1] = given.ends
    out[:, L.U_BOTTOM] = given.bottom_m
    out[:, L.U_TOP] = given.top_m
    out[:, L.U_LOSS] = given.loss_db
    return out


def _leaves(given: Leaves) -> Floats:
    out = np.zeros((len(given.length_m), L.L_COLUMNS))
    out[:, :2] = given.hinge
    out[:, L.L_LENGTH] = given.length_m
    out[:, L.L_TOP] = given.top_m
    out[:, L.L_LOSS] = given.loss_db
    out[:, L.L_MIRROR] = given.mirror
    return out


def _leaf_now(leaf: Floats) -> Floats:
    """Leaves before their angle is known; no angle is equal to NaN."""
    out = np.zeros((len(leaf), L.U_COLUMNS))
    out[:, L.U_X1 : L.U_Y1 + 1] = leaf[:, :2]
    out[:, L.U_X2 : L.U_Y2 + 1] = leaf[:, :2]
    out[:, L.U_TOP] = leaf[:, L.L_TOP]
    out[:, L.U_LOSS] = leaf[:, L.L_LOSS]
    out[:, L.U_MIRROR] = leaf[:, L.L_MIRROR]
    out[:, L.U_ANGLE] = np.nan
    return out


def _ints(given: NDArray[np.int64]) -> Ints:
    return np.require(given, np.int64, ["C", "W", "O"])


def _floats(given: NDArray[np.float64]) -> Floats:
    return np.require(given, np.float64, ["C", "W", "O"])
