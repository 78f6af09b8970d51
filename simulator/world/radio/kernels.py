"""Links between antennas and tags: rays, shadows, mirrors and scattered waves; and what a reader reports of them.

A link's one-way gain is the sum of complex amplitudes: the direct ray, the one over the floor, one over each metal
leaf, and plane waves that are scattered by the antenna's surroundings and stay the same, so that fading is a property
of place and channel. Carriers, walls and leaves take from the rays that they cross. A still tag's parts are kept per
antenna and channel; what changes them (a leaf that turns, a carrier near the ray) is looked at each time, so that the
kept values depend on nothing but the place.

All functions are called compiled; with NUMBA_DISABLE_JIT=1 they give the same numbers.
"""

# ruff: noqa: PLR0917 - a kernel has its locals and takes its numbers one by one

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulator.world.radio import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)
from simulator.world.radio.channel import Channel
from simulator.world.radio.rays.kernels import (
    bodies_db,
    factor,
    floored,
    gained,
    mirrored,
    planned,
    scattered,
    straight,
    surfaces_db,
)

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Three = tuple[float, float, float]


@njit(cache=True)
def mixed(word: int, salt: int) -> int:
    """Return 32 well mixed bits of a word and a salt; the products' low bits are the same in plain Python."""
    value = (int(word) ^ (int(word) >> 32) ^ (int(salt) * 0x9E3779B9)) & 0xFFFFFFFF
    value = ((value ^ (value >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    value = ((value ^ (value >> 15)) * 0x046CA68B) & 0xFFFFFFFF
    return value ^ (value >> 16)


@njit(cache=True)
def frame_at(at_us: int, begin: int, end: int, times: I64) -> int:
    """Return the last index of begin:end whose time isn't after `at_us`; `begin` if there is none."""
    low, high = begin, end - 1
    while low < high:
        middle = (low + high + 1) // 2
        if times[middle] <= at_us:
            low = middle
        else:
            high = middle - 1
    return low


@njit(cache=True)
def pose(out: F64, at_us: int, begin: int, end: int, key_us: I64, key: F64) -> None:
    """Put the place, heading and velocity (m/s) of the carrier with those keyframes into `out`."""
    out[L.P_THERE] = 0.0
    if begin == end or at_us < key_us[begin] or at_us > key_us[end - 1]:
        return
    i = frame_at(at_us, begin, end, key_us)
    out[L.P_THERE] = 1.0
    out[L.K_COS] = key[i, L.K_COS]
    out[L.K_SIN] = key[i, L.K_SIN]
    if i + 1 == end:
        for axis in range(3):
            out[axis] = key[i, axis]
            out[L.P_VELOCITY + axis] = 0.0
        return
    span = float(key_us[i + 1] - key_us[i])
    share = (at_us - key_us[i]) / span
    for axis in range(3):
        step = key[i + 1, axis] - key[i, axis]
        out[axis] = key[i, axis] + share * step
        out[L.P_VELOCITY + axis] = 1e6 * step / span


@njit(cache=True)
def angle_at(at_us: int, begin: int, end: int, leaf_us: I64, leaf_angle: F64) -> float:
    """Return a leaf's angle: linear between keyframes, held before the first and after the last."""
    i = frame_at(at_us, begin, end, leaf_us)
    if i + 1 == end or at_us <= leaf_us[i]:
        return float(leaf_angle[i])
    share = (at_us - leaf_us[i]) / float(leaf_us[i + 1] - leaf_us[i])
    return float(leaf_angle[i] + share * (leaf_angle[i + 1] - leaf_angle[i]))


@njit(cache=True)
def turn_leaves(now: I64, leaf_now: F64, at_us: int, leaf: F64, first: I64, leaf_us: I64, leaf_angle: F64) -> None:
    """Put the leaves where they are; if one has turned since, what is kept of leaves no longer holds."""
    turns = False
    for i in range(len(leaf)):
        if first[i] == first[i + 1]:
            continue
        angle = angle_at(at_us, first[i], first[i + 1], leaf_us, leaf_angle)
        if leaf_now[i, L.U_ANGLE] != angle:
            turns = True
            leaf_now[i, L.U_ANGLE] = angle
            leaf_now[i, L.U_X2] = leaf_now[i, L.U_X1] + leaf[i, L.L_LENGTH] * math.cos(angle)
            leaf_now[i, L.U_Y2] = leaf_now[i, L.U_Y1] + leaf[i, L.L_LENGTH] * math.sin(angle)
    if turns:
        now[L.N_LEAVES] += 1


@njit(cache=True)
def prepare(ch: Channel, at_us: int) -> None:
    """Bring carriers and leaves to a moment, and list the cylinders that shadow then."""
    if ch.now[L.N_AT] == at_us:
        return
    ch.now[L.N_AT] = at_us
    turn_leaves(ch.now, ch.leaf_now, at_us, ch.leaf, ch.leaf_first, ch.leaf_us, ch.leaf_angle)
    bodies = 0
    for k in range(len(ch.carrier)):
        pose(ch.pose[k], at_us, ch.first[k], ch.first[k + 1], ch.key_us, ch.key)
        if ch.pose[k, L.P_THERE] != 0.0 and ch.carrier[k, L.C_RADIUS] > 0.0 and ch.carrier[k, L.C_LOSS] > 0.0:
            ch.body[bodies, L.B_X] = ch.pose[k, 0]
            ch.body[bodies, L.B_Y] = ch.pose[k, 1]
            ch.body[bodies, L.B_BOTTOM] = ch.pose[k, 2] + ch.carrier[k, L.C_BOTTOM]
            ch.body[bodies, L.B_TOP] = ch.pose[k, 2] + ch.carrier[k, L.C_TOP]
            ch.body[bodies, L.B_RADIUS] = ch.carrier[k, L.C_RADIUS]
            ch.body[bodies, L.B_LOSS] = ch.carrier[k, L.C_LOSS]
            bodies += 1
    ch.now[L.N_BODIES] = bodies


@njit(cache=True)
def turned(hold: F64, column: int, at: F64) -> Three:
    """Return a direction of a hold on the site, by the pose of its carrier."""
    ahead, left = hold[column], hold[column + 1]
    cos, sin = at[L.K_COS], at[L.K_SIN]
    return cos * ahead - sin * left, sin * ahead + cos * left, hold[column + 2]


@njit(cache=True)
def moving(
    at: F64, waves: F64, site: F64, hz: float, hold: F64, pose_of: F64, wall: F64, leaf_now: F64, body: F64, bodies: int
) -> tuple[float, float]:
    """Return the sum (re, im) of all rays to a tag that moves, or that isn't kept; nothing beyond range."""
    x, y, z = turned(hold, L.H_PLACE, pose_of)
    x, y, z = x + pose_of[0], y + pose_of[1], z + pose_of[2]
    dx, dy, dz = x - at[0], y - at[1], z - at[2]
    if dx * dx + dy * dy + dz * dz > L.RANGE_M * L.RANGE_M:
        return 0.0, 0.0
    axis, face = turned(hold, L.H_AXIS, pose_of), turned(hold, L.H_FACE, pose_of)
    walls = surfaces_db(wall, at, x, y, z)
    leaves = surfaces_db(leaf_now, at, x, y, z)
    carriers = bodies_db(body, bodies, x, y, z, planned(at, x, y), at[2])
    shadow = walls[0] + leaves[0] + carriers[0]
    wavenumber = 2.0 * math.pi / L.LIGHT_M_S * hz
    way, direct, spread = straight(at, site, x, y, z, axis, face)
    direct *= factor(shadow)
    re, im = direct * math.cos(wavenumber * way), -direct * math.sin(wavenumber * way)
    way, ground = floored(at, site, x, y, z, axis, face)
    if ground != 0.0:
        ground *= factor(walls[1] + leaves[1] + carriers[1])
        re += ground * math.cos(wavenumber * way)
        im -= ground * math.sin(wavenumber * way)
    for i in range(len(leaf_now)):
        way, bounced = mirrored(leaf_now[i], at, site, x, y, z, axis, face)
        if bounced != 0.0:
            re += bounced * math.cos(wavenumber * way)
            im -= bounced * math.sin(wavenumber * way)
    spread *= factor(L.SCATTER_SHARE * shadow)
    field = scattered(waves, at, site[L.S_MIDDLE_HZ], hz, x, y, z, face)
    return re + spread * field[0], im + spread * field[1]


@njit(cache=True)
def keep_ray(ray: F64, at: F64, site: F64, hold: F64, wall: F64) -> None:
    """Keep what of a still tag's rays depends on neither channel nor leaves nor carriers."""
    x, y, z = hold[L.H_PLACE], hold[L.H_PLACE + 1], hold[L.H_PLACE + 2]
    axis = hold[L.H_AXIS], hold[L.H_AXIS + 1], hold[L.H_AXIS + 2]
    face = hold[L.H_FACE], hold[L.H_FACE + 1], hold[L.H_FACE + 2]
    walls = surfaces_db(wall, at, x, y, z)
    way, direct, spread = straight(at, site, x, y, z, axis, face)
    ray[L.Y_X], ray[L.Y_Y], ray[L.Y_LENGTH], ray[L.Y_REACH] = planned(at, x, y)
    near = way <= L.RANGE_M
    ray[L.Y_WAY] = way
    ray[L.Y_DIRECT] = direct * factor(walls[0]) if near else 0.0
    ray[L.Y_SCATTERED] = spread * factor(L.SCATTER_SHARE * walls[0]) if near else 0.0
    way, ground = floored(at, site, x, y, z, axis, face)
    ray[L.Y_GROUND_WAY] = way
    ray[L.Y_GROUND] = ground * factor(walls[1]) if near else 0.0


@njit(cache=True)
def keep_leaves(ray: F64, bounce: F64, at: F64, site: F64, hold: F64, leaf_now: F64) -> None:
    """Keep what the leaves, as they stand, do to a still tag's rays."""
    x, y, z = hold[L.H_PLACE], hold[L.H_PLACE + 1], hold[L.H_PLACE + 2]
    axis = hold[L.H_AXIS], hold[L.H_AXIS + 1], hold[L.H_AXIS + 2]
    face = hold[L.H_FACE], hold[L.H_FACE + 1], hold[L.H_FACE + 2]
    leaves = surfaces_db(leaf_now, at, x, y, z)
    ray[L.Y_LEAF_DIRECT] = factor(leaves[0])
    ray[L.Y_LEAF_GROUND] = factor(leaves[1])
    ray[L.Y_LEAF_SCATTERED] = factor(L.SCATTER_SHARE * leaves[0])
    for i in range(len(leaf_now)):
        way, bounced = mirrored(leaf_now[i], at, site, x, y, z, axis, face)
        bounce[i, 0] = way
        bounce[i, 1] = bounced if ray[L.Y_WAY] <= L.RANGE_M else 0.0


@njit(cache=True)
def keep_field(field: F64, ray: F64, at: F64, waves: F64, middle_hz: float, hz: float, hold: F64) -> None:
    """Keep a still tag's three fields of a channel: direct, floor, scattered."""
    wavenumber = 2.0 * math.pi / L.LIGHT_M_S * hz
    angle = wavenumber * ray[L.Y_WAY]
    field[0], field[1] = ray[L.Y_DIRECT] * math.cos(angle), -ray[L.Y_DIRECT] * math.sin(angle)
    angle = wavenumber * ray[L.Y_GROUND_WAY]
    field[2], field[3] = ray[L.Y_GROUND] * math.cos(angle), -ray[L.Y_GROUND] * math.sin(angle)
    face = hold[L.H_FACE], hold[L.H_FACE + 1], hold[L.H_FACE + 2]
    re, im = scattered(waves, at, middle_hz, hz, hold[L.H_PLACE], hold[L.H_PLACE + 1], hold[L.H_PLACE + 2], face)
    field[4], field[5] = ray[L.Y_SCATTERED] * re, ray[L.Y_SCATTERED] * im


@njit(cache=True)
def summed(
    field: F64, ray: F64, bounce: F64, hz: float, direct_db: float, ground_db: float
) -> tuple[float, float]:  # fmt: skip
    """Return the sum (re, im) of a still tag's kept rays behind carriers that take so much."""
    direct = factor(direct_db) * ray[L.Y_LEAF_DIRECT]
    ground = factor(ground_db) * ray[L.Y_LEAF_GROUND]
    spread = factor(L.SCATTER_SHARE * direct_db) * ray[L.Y_LEAF_SCATTERED]
    re = direct * field[0] + ground * field[2] + spread * field[4]
    im = direct * field[1] + ground * field[3] + spread * field[5]
    wavenumber = 2.0 * math.pi / L.LIGHT_M_S * hz
    for i in range(len(bounce)):
        if bounce[i, 1] != 0.0:
            angle = wavenumber * bounce[i, 0]
            re += bounce[i, 1] * math.cos(angle)
            im -= bounce[i, 1] * math.sin(angle)
    return re, im


@njit(cache=True)
def keep(ch: Channel, a: int, h: int, c: int, row: int) -> None:
    """See that all that is kept of a still tag is there, for the leaves as they stand."""
    at, hold, ray, hz = ch.antenna[a], ch.hold[h], ch.ray[a, row], ch.frequency_hz[c]
    if ch.ray_leaves[a, row] == L.NOT_MADE:
        keep_ray(ray, at, ch.site, hold, ch.wall)
        ch.ray_leaves[a, row] = L.NO_LEAVES
    if ch.ray_leaves[a, row] != ch.now[L.N_LEAVES]:
        keep_leaves(ray, ch.bounce[a, row], at, ch.site, hold, ch.leaf_now)
        ch.ray_leaves[a, row] = ch.now[L.N_LEAVES]
    if ch.kept_leaves[a, c, row] == L.NOT_MADE:
        keep_field(ch.field[a, c, row], ray, at, ch.waves[a], ch.site[L.S_MIDDLE_HZ], hz, hold)
    re, im = summed(ch.field[a, c, row], ray, ch.bounce[a, row], hz, 0.0, 0.0)
    ch.kept[a, c, row, 0] = gained(re, im, at[L.A_SCALE], hz, hold[L.H_LOSS]) if ray[L.Y_WAY] <= L.RANGE_M else -np.inf
    ch.kept[a, c, row, 1] = -math.atan2(im, re)
    ch.kept_leaves[a, c, row] = ch.now[L.N_LEAVES]


@njit(cache=True)
def one_way_db(ch: Channel, a: int, h: int, at_us: int, c: int) -> tuple[float, float]:
    """Return gain in dB from antenna port to chip, and the phase in radians by which one way delays.

    -inf where the hold isn't there, its tag is dead, or it is out of range. Phase grows with distance; a reader sees
    twice of it, and twice the gain.
    """
    prepare(ch, at_us)
    k, row = ch.held[h, L.I_CARRIER], ch.held[h, L.I_ROW]
    if at_us < ch.held[h, L.I_BEGIN] or at_us >= ch.held[h, L.I_END] or ch.pose[k, L.P_THERE] == 0.0:
        return -math.inf, 0.0
    at, hold, hz, bodies = ch.antenna[a], ch.hold[h], ch.frequency_hz[c], ch.now[L.N_BODIES]
    if row < 0:
        re, im = moving(at, ch.waves[a], ch.site, hz, hold, ch.pose[k], ch.wall, ch.leaf_now, ch.body, bodies)
    else:
        if ch.kept_leaves[a, c, row] != ch.now[L.N_LEAVES]:
            keep(ch, a, h, c, row)
        ray = ch.ray[a, row]
        plan = ray[L.Y_X], ray[L.Y_Y], ray[L.Y_LENGTH], ray[L.Y_REACH]
        taken = bodies_db(ch.body, bodies, hold[0], hold[1], hold[2], plan, at[2])
        if taken[0] == 0.0 and taken[1] == 0.0:
            return ch.kept[a, c, row, 0], ch.kept[a, c, row, 1]
        re, im = summed(ch.field[a, c, row], ray, ch.bounce[a, row], hz, taken[0], taken[1])
    if re == 0.0 and im == 0.0:
        return -math.inf, 0.0
    return gained(re, im, at[L.A_SCALE], hz, hold[L.H_LOSS]), -math.atan2(im, re)


@njit(cache=True)
def all_gains(ch: Channel, a: int, at_us: int, c: int, out_gain_db: F64) -> None:
    """Put the one-way gain of every hold into (h,) `out_gain_db`; -inf as in `one_way_db`."""
    prepare(ch, at_us)
    at, waves, hz, bodies, leaves = (
        ch.antenna[a],
        ch.waves[a],
        ch.frequency_hz[c],
        ch.now[L.N_BODIES],
        ch.now[L.N_LEAVES],
    )
    pose_of, hold_of, held, body = ch.pose, ch.hold, ch.held, ch.body
    kept, kept_leaves, field = ch.kept[a, c], ch.kept_leaves[a, c], ch.field[a, c]
    ray, bounce = ch.ray[a], ch.bounce[a]
    for h in range(len(hold_of)):
        out_gain_db[h] = -math.inf
        k, row = held[h, L.I_CARRIER], held[h, L.I_ROW]
        if at_us < held[h, L.I_BEGIN] or at_us >= held[h, L.I_END] or pose_of[k, L.P_THERE] == 0.0:
            continue
        if row >= 0 and bodies == 0 and kept_leaves[row] == leaves:
            out_gain_db[h] = kept[row, 0]
            continue
        hold = hold_of[h]
        if row < 0:
            re, im = moving(at, waves, ch.site, hz, hold, pose_of[k], ch.wall, ch.leaf_now, body, bodies)
        else:
            if kept_leaves[row] != leaves:
                keep(ch, a, h, c, row)
            one = ray[row]
            plan = one[L.Y_X], one[L.Y_Y], one[L.Y_LENGTH], one[L.Y_REACH]
            taken = bodies_db(body, bodies, hold[0], hold[1], hold[2], plan, at[2])
            if taken[0] == 0.0 and taken[1] == 0.0:
                out_gain_db[h] = kept[row, 0]
                continue
            re, im = summed(field[row], ray[row], bounce[row], hz, taken[0], taken[1])
        if re != 0.0 or im != 0.0:
            out_gain_db[h] = gained(re, im, at[L.A_SCALE], hz, hold[L.H_LOSS])


@njit(cache=True)
def closing_mps(ch: Channel, a: int, h: int, at_us: int) -> float:
    """Return how fast a tag comes nearer to an antenna, metres a second; negative where it goes."""
    prepare(ch, at_us)
    k = ch.held[h, L.I_CARRIER]
    at, pose_of = ch.antenna[a], ch.pose[k]
    if k == len(ch.carrier) or pose_of[L.P_THERE] == 0.0:
        return 0.0
    x, y, z = turned(ch.hold[h], L.H_PLACE, pose_of)
    dx, dy, dz = at[0] - x - pose_of[0], at[1] - y - pose_of[1], at[2] - z - pose_of[2]
    way = max(L.NEAR_M, math.sqrt(dx * dx + dy * dy + dz * dz))
    v = L.P_VELOCITY
    return float((dx * pose_of[v] + dy * pose_of[v + 1] + dz * pose_of[v + 2]) / way)


@njit(cache=True)
def normal(word: int, salt: int) -> float:
    """Return a standard normal number of a word: the same word and salt, the same number."""
    first = (mixed(word, 2 * salt) + 0.5) / 4294967296.0
    second = (mixed(word, 2 * salt + 1) + 0.5) / 4294967296.0
    return math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)


@njit(cache=True)
def offset_rad(ch: Channel, a: int, c: int, hop: int) -> float:
    """Return what cable and oscillator add to the phase: fixed for antenna and channel, and half a turn by the hop."""
    seed = ch.reader[L.R_SEED]
    turn = 2.0 * math.pi * mixed(seed, 4 * (a * 1024 + c) + 1) / 4294967296.0
    if ch.reader[L.R_HALVES] != 0:
        turn += math.pi * (mixed(seed + 0x5BD1 * hop, 4 * a + 2) & 1)
    return turn


@njit(cache=True)
def observe(
    ch: Channel, a: int, c: int, hop: int, word: int, power_dbm: float, gain_db: float, phase_rad: float,
    closing: float, modulation_db: float, floor_dbm: float,
) -> tuple[int, int, int]:  # fmt: skip
    """Return what the reader reports of one read: RSSI (cdBm, in its steps), phase (4096 to a turn), Doppler (Hz / 16).

    Args:
        ch: of the reader.
        a: index of the antenna.
        c: index of the channel.
        hop: number of this stay on the channel: half turns of phase change with it.
        word: 64 random bits of this read alone.
        power_dbm: at the antenna's port.
        gain_db: one way, of `one_way_db`.
        phase_rad: one way, of `one_way_db`.
        closing: metres a second, of `closing_mps`.
        modulation_db: what the tag's backscatter loses.
        floor_dbm: the weakest answer that would be heard now.
    """
    level = power_dbm + 2.0 * gain_db - modulation_db
    weak = min(1.0, 10.0 ** ((floor_dbm - level) / 20.0))
    step = float(ch.reader[L.R_STEP])
    rssi = step * math.floor(100.0 * (level + L.RSSI_NOISE_DB * normal(word, 1)) / step + 0.5)
    phase = 2.0 * phase_rad + offset_rad(ch, a, c, hop)
    phase += math.sqrt(L.PHASE_NOISE_RAD**2 + (L.PHASE_NOISE_WEAK_RAD * weak) ** 2) * normal(word, 2)
    steps = math.floor(phase * L.PHASE_STEPS / (2.0 * math.pi)) & (L.PHASE_STEPS - 1)
    doppler = 2.0 * closing * ch.frequency_hz[c] / L.LIGHT_M_S
    doppler += (L.DOPPLER_NOISE_HZ + L.DOPPLER_NOISE_WEAK_HZ * weak) * normal(word, 3)
    return int(rssi), steps, math.floor(doppler * L.DOPPLER_STEPS + 0.5)
