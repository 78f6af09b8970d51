"""Rays between an antenna and a tag: their amplitudes, what stands in their way, and the waves that are scattered.

A point's arguments are x, y, z; `at` is a row of antennas, `site` what the site has in common (see `layout`).
"""

# ruff: noqa: PLR0917, PLR2004 - a kernel has its locals, takes its numbers one by one, and knife edges are literals

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulator.world.radio import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)

F64 = NDArray[np.float64]
Three = tuple[float, float, float]
Plan = tuple[float, float, float, float]


@njit(cache=True)
def within(height: float, bottom: float, top: float) -> float:
    """Return how much of an obstacle a ray meets at a height: 1 inside, 0 well above or below."""
    over = max(height - top, bottom - height)
    if over <= -L.EDGE_M:
        return 1.0
    return max(0.0, 0.5 - 0.5 * over / L.EDGE_M)


@njit(cache=True)
def surface_db(wall: F64, x: float, y: float, z: float, ax: float, ay: float, az: float) -> tuple[float, float]:
    """Return what an upright surface takes from the direct ray and from the one over the floor."""
    dx, dy = ax - x, ay - y
    ex, ey = wall[L.U_X2] - wall[L.U_X1], wall[L.U_Y2] - wall[L.U_Y1]
    turn = dx * ey - dy * ex
    wx, wy = wall[L.U_X1] - x, wall[L.U_Y1] - y
    part = wx * ey - wy * ex
    if part * turn <= 0.0 or abs(part) >= abs(turn):  # most walls aren't between: they shouldn't cost a division
        return 0.0, 0.0
    along = part / turn
    across = (wx * dy - wy * dx) / turn
    beyond = max(-across, across - 1.0)
    loss = wall[L.U_LOSS]
    if beyond > 0.0:
        beyond *= math.sqrt(ex * ex + ey * ey)
        if beyond >= L.EDGE_M:
            return 0.0, 0.0
        loss *= 1.0 - beyond / L.EDGE_M
    direct = loss * within(z + (az - z) * along, wall[L.U_BOTTOM], wall[L.U_TOP])
    return direct, loss * within(abs(z - (z + az) * along), wall[L.U_BOTTOM], wall[L.U_TOP])


@njit(cache=True)
def knife_edge_db(v: float) -> float:
    """Return the loss behind a knife edge, by Lee's approximation (ITU-R P.526, 4.1)."""
    if v <= -0.78:
        return 0.0
    return max(0.0, 6.9 + 20.0 * math.log10(math.sqrt((v - 0.1) * (v - 0.1) + 1.0) + v - 0.1))


@njit(cache=True)
def reach_m(length: float) -> float:
    """Return how far beside a cylinder its shadow can still be felt by a ray so long in the plan: edges of -0.78."""
    return 0.78 * math.sqrt(L.SHADOW_WAVE_M * length / 8.0) + 0.01


@njit(cache=True)
def cylinder_db(body: F64, before: float, after: float, aside: float, z: float, az: float) -> tuple[float, float]:
    """Return what a carrier takes from the direct ray and from the one over the floor.

    All its loss in the middle, and towards the side as much less as a knife edge there would take. Its middle is
    `before` metres from the tag along the ray in the plan, `after` from the antenna, and so far aside.
    """
    radius, length = body[L.B_RADIUS], before + after
    bend = math.sqrt(2.0 * length / (L.SHADOW_WAVE_M * max(before, 0.05) * max(after, 0.05)))
    edge = (radius - aside) * bend
    if edge <= -0.78:
        return 0.0, 0.0
    loss = body[L.B_LOSS] * min(1.0, knife_edge_db(edge) / knife_edge_db(radius * bend))
    loss *= min(1.0, before / radius) * min(1.0, after / radius)
    along = before / length
    direct = loss * within(z + (az - z) * along, body[L.B_BOTTOM], body[L.B_TOP])
    return direct, loss * within(abs(z - (z + az) * along), body[L.B_BOTTOM], body[L.B_TOP])


@njit(cache=True)
def bodies_db(body: F64, bodies: int, x: float, y: float, z: float, ray: Plan, az: float) -> tuple[float, float]:
    """Return what all carriers take from the direct ray and from the one over the floor."""
    ux, uy, length, reach = ray
    direct, ground = 0.0, 0.0
    for i in range(bodies):
        cx, cy = body[i, L.B_X] - x, body[i, L.B_Y] - y
        before = cx * ux + cy * uy
        aside = abs(cx * uy - cy * ux)
        if 0.0 < before < length and aside < body[i, L.B_RADIUS] + reach:
            one = cylinder_db(body[i], before, length - before, aside, z, az)
            direct += one[0]
            ground += one[1]
    return direct, ground


@njit(cache=True)
def planned(at: F64, x: float, y: float) -> Plan:
    """Return a ray in the plan: unit vector from the tag to the antenna, length, and reach of shadows beside it."""
    dx, dy = at[0] - x, at[1] - y
    length = max(math.sqrt(dx * dx + dy * dy), 1e-6)
    return dx / length, dy / length, length, reach_m(length)


@njit(cache=True)
def surfaces_db(surfaces: F64, at: F64, x: float, y: float, z: float) -> tuple[float, float]:
    """Return what walls, or leaves, take from the direct ray and from the one over the floor."""
    direct, ground = 0.0, 0.0
    for i in range(len(surfaces)):
        one = surface_db(surfaces[i], x, y, z, at[0], at[1], at[2])
        direct += one[0]
        ground += one[1]
    return direct, ground


@njit(cache=True)
def factor(loss_db: float) -> float:
    """Return the amplitude that a loss leaves."""
    if loss_db == 0.0:
        return 1.0
    return float(10.0 ** (-loss_db / 20.0))


@njit(cache=True)
def pattern(at: F64, ux: float, uy: float, uz: float) -> float:
    """Return an antenna's amplitude, against boresight, in the direction of a unit vector that leaves it."""
    cosine = ux * at[L.A_BORE] + uy * at[L.A_BORE + 1] + uz * at[L.A_BORE + 2]
    return float(max(L.BACK_LOBE, max(cosine, 1e-3) ** at[L.A_POWER]))


@njit(cache=True)
def sided(ux: float, uy: float, uz: float, face: Three) -> float:
    """Return how a tag hears a ray that comes along a unit vector, by the only side on which it hears."""
    if face[0] == 0.0 and face[1] == 0.0 and face[2] == 0.0:
        return 1.0
    return max(L.BLIND_SIDE, -(ux * face[0] + uy * face[1] + uz * face[2]))


@njit(cache=True)
def matched(at: F64, ux: float, uy: float, uz: float, axis: Three, face: Three) -> float:
    """Return a tag's amplitude for a ray that comes along a unit vector: pattern, polarisation and blind side."""
    tx, ty, tz = axis
    cosine = ux * tx + uy * ty + uz * tz
    sine = math.sqrt(max(0.0, 1.0 - cosine * cosine))
    amplitude = L.DIPOLE
    if tx != 0.0 or ty != 0.0 or tz != 0.0:
        amplitude *= max(L.DIPOLE_NULL, math.cos(0.5 * math.pi * cosine) / max(sine, 1e-6))
    if at[L.A_LINEAR] == 0.0:
        amplitude *= L.CIRCULAR
    else:
        px, py, pz = at[L.A_AXIS], at[L.A_AXIS + 1], at[L.A_AXIS + 2]
        along = ux * px + uy * py + uz * pz
        both = (tx * px + ty * py + tz * pz) - cosine * along
        scale = sine * math.sqrt(max(0.0, 1.0 - along * along))
        amplitude *= max(L.CROSSED, abs(both) / max(scale, 1e-6))
    return amplitude * sided(ux, uy, uz, face)


@njit(cache=True)
def straight(at: F64, site: F64, x: float, y: float, z: float, axis: Three, face: Three) -> Three:
    """Return way, amplitude and scattered amplitude of the direct ray, without anything that stands in it."""
    dx, dy, dz = x - at[0], y - at[1], z - at[2]
    way = max(L.NEAR_M, math.sqrt(dx * dx + dy * dy + dz * dz))
    dx, dy, dz = dx / way, dy / way, dz / way
    lobe = pattern(at, dx, dy, dz)
    falls = way ** -site[L.S_HALF_EXPONENT]
    direct = site[L.S_DIRECT] * falls * lobe * matched(at, dx, dy, dz, axis, face)
    return way, direct, site[L.S_SCATTERED] * falls * max(lobe, L.SCATTER_LOBE) * L.CIRCULAR * L.DIPOLE


@njit(cache=True)
def floored(at: F64, site: F64, x: float, y: float, z: float, axis: Three, face: Three) -> tuple[float, float]:
    """Return way and amplitude of the ray over the floor; the amplitude is negative, as the floor turns it."""
    if site[L.S_GROUND] == 0.0:
        return 1.0, 0.0
    dx, dy, dz = x - at[0], y - at[1], z + at[2]
    way = max(L.NEAR_M, math.sqrt(dx * dx + dy * dy + dz * dz))
    dx, dy, dz = dx / way, dy / way, dz / way
    amplitude = pattern(at, dx, dy, -dz) * matched(at, dx, dy, dz, axis, face)
    return way, -site[L.S_GROUND] * site[L.S_DIRECT] * way ** -site[L.S_HALF_EXPONENT] * amplitude


@njit(cache=True)
def mirrored(
    leaf: F64, at: F64, site: F64, x: float, y: float, z: float, axis: Three, face: Three
) -> tuple[float, float]:
    """Return way and amplitude of the ray over a leaf, from the antenna's image behind it; no amplitude: none."""
    ex, ey = leaf[L.U_X2] - leaf[L.U_X1], leaf[L.U_Y2] - leaf[L.U_Y1]
    length = math.sqrt(ex * ex + ey * ey)
    if leaf[L.U_MIRROR] < L.MIRROR_LEAST or length == 0.0:
        return 1.0, 0.0
    nx, ny = -ey / length, ex / length
    from_antenna = (at[0] - leaf[L.U_X1]) * nx + (at[1] - leaf[L.U_Y1]) * ny
    from_tag = (x - leaf[L.U_X1]) * nx + (y - leaf[L.U_Y1]) * ny
    if from_antenna * from_tag <= 0.0:
        return 1.0, 0.0
    dx, dy, dz = x - at[0] + 2.0 * from_antenna * nx, y - at[1] + 2.0 * from_antenna * ny, z - at[2]
    share = from_antenna / (from_antenna + from_tag)
    ix, iy, iz = x - (1.0 - share) * dx, y - (1.0 - share) * dy, z - (1.0 - share) * dz
    along = ((ix - leaf[L.U_X1]) * ex + (iy - leaf[L.U_Y1]) * ey) / length
    hit = within(along, 0.0, length) * within(iz, leaf[L.U_BOTTOM], leaf[L.U_TOP])
    if hit == 0.0:
        return 1.0, 0.0
    way = max(L.NEAR_M, math.sqrt(dx * dx + dy * dy + dz * dz))
    out = max(L.NEAR_M, share * way)
    amplitude = pattern(at, (ix - at[0]) / out, (iy - at[1]) / out, (iz - at[2]) / out)
    amplitude *= matched(at, dx / way, dy / way, dz / way, axis, face)
    return way, -hit * leaf[L.U_MIRROR] * site[L.S_DIRECT] * way ** -site[L.S_HALF_EXPONENT] * amplitude


@njit(cache=True)
def scattered(
    waves: F64, at: F64, middle_hz: float, hz: float, x: float, y: float, z: float, face: Three
) -> tuple[float, float]:
    """Return the sum (re, im) of the scattered waves at a place.

    Their pattern in space is that of the middle frequency; over frequency each comes later than the direct ray by its
    own delay, wherever the tag is, so that levels differ between channels as delays say.
    """
    dx, dy, dz = x - at[0], y - at[1], z - at[2]
    turns = 2.0 * math.pi * middle_hz / L.LIGHT_M_S
    detuned = 2.0 * math.pi * (hz - middle_hz)
    late = detuned * math.sqrt(dx * dx + dy * dy + dz * dz) / L.LIGHT_M_S
    re, im = 0.0, 0.0
    for w in range(len(waves)):
        ux, uy, uz = waves[w, 0], waves[w, 1], waves[w, 2]
        angle = turns * (ux * dx + uy * dy + uz * dz) + waves[w, L.W_PHASE] + detuned * waves[w, L.W_DELAY] + late
        heard = sided(ux, uy, uz, face)
        re += heard * math.cos(angle)
        im -= heard * math.sin(angle)
    return re, im


@njit(cache=True)
def gained(re: float, im: float, scale: float, hz: float, loss_db: float) -> float:
    """Return the gain in dB of a sum of amplitudes, with antenna and cable, wavelength and the tag's own loss."""
    scale *= L.LIGHT_M_S / (4.0 * math.pi * hz)
    return 10.0 * math.log10((re * re + im * im) * scale * scale + 1e-30) - loss_db
