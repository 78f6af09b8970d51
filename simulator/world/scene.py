"""A stretch of the world as arrays, which is what radio and air kernels see of it.

`World` compiles a scenario into these; a scene holds for a stretch of scenario time and for one reader's surroundings.
Entries that lie outside of a moment (a carrier before its first keyframe or after its last, a hold before its begin)
don't exist at that moment, so that a scene with more entries than needed gives the same reads: reads never depend on
how time is cut. Places are metres on the site (x, y, and z up from the floor); instants are integer microseconds of
scenario time; angles are radians, counter-clockwise from +x.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
STILL = -1
"""Carrier of a tag that lies still."""


class Antennas(NamedTuple):
    """One reader's antennas, (a,) in the order of their ports.

    Attributes:
        port: LLRP port.
        position: (a, 3).
        boresight: (a, 3) unit vector of where it looks.
        axis: (a, 3) unit vector of its polarisation; all zero is circular.
        gain_dbi: gain in boresight.
        beam_deg: half-power beam width.
        cable_loss_db: each way.
        wave_directions: (a, w, 3) unit vectors of scattered plane waves, the site's own surroundings of this antenna.
        wave_phases: (a, w).
        wave_delays_s: (a, w) extra way of each, as time.
    """

    port: Ints
    position: Floats
    boresight: Floats
    axis: Floats
    gain_dbi: Floats
    beam_deg: Floats
    cable_loss_db: Floats
    wave_directions: Floats
    wave_phases: Floats
    wave_delays_s: Floats


class Tags(NamedTuple):
    """All tags of the scenario, (n,): index is number less one.

    Attributes:
        sensitivity_dbm: power that wakes the chip.
        loss_db: what label and object take, one way.
        modulation_db: what its backscatter loses (5 to 6).
        dead: never answers.
    """

    sensitivity_dbm: Floats
    loss_db: Floats
    modulation_db: Floats
    dead: Flags


class Carriers(NamedTuple):
    """What moves: people, carts, pallets, hands. (k,) with keyframes (f,) of carrier i at first[i]:first[i + 1].

    Between keyframes place is linear and heading holds that of the earlier one. A carrier exists from its first
    keyframe to its last.

    Attributes:
        first: (k + 1,).
        at_us: (f,) not falling within a carrier.
        place: (f, 3) middle of its foot.
        heading: (f,) where it faces.
        radius_m: (k,) of the upright cylinder that shadows; 0 shadows nothing.
        bottom_m, top_m: (k,) of that cylinder, above its foot.
        loss_db: (k,) of a ray through its middle (a body 10 to 25).
    """

    first: Ints
    at_us: Ints
    place: Floats
    heading: Floats
    radius_m: Floats
    bottom_m: Floats
    top_m: Floats
    loss_db: Floats


class Holds(NamedTuple):
    """Where tags are: (h,) "this tag is on this carrier, from then to then"; no tag has two at one time.

    Attributes:
        tag: index into Tags.
        carrier: index into Carriers, or STILL.
        begin_us, end_us: half open.
        offset: (h, 3) metres ahead, to the left and up of the carrier's foot; for STILL the place on the site.
        axis: (h, 3) unit vector of the tag's dipole, in (ahead, left, up); for STILL on the site.
        face: (h, 3) unit vector of the only side on which it can be read (on metal), in the same frame; zero: both.
        loss_db: what package, neighbours and a body that it is held against take, one way, beside Tags.loss_db.
    """

    tag: Ints
    carrier: Ints
    begin_us: Ints
    end_us: Ints
    offset: Floats
    axis: Floats
    face: Floats
    loss_db: Floats


class Walls(NamedTuple):
    """Upright surfaces that stand still, (w,): walls, and the sides of shelves.

    Attributes:
        ends: (w, 4) x, y of one end, x, y of the other.
        bottom_m, top_m: (w,).
        loss_db: of a ray through it.
    """

    ends: Floats
    bottom_m: Floats
    top_m: Floats
    loss_db: Floats


class Leaves(NamedTuple):
    """Door leaves, (d,), with angle keyframes (g,) of leaf i at first[i]:first[i + 1].

    The angle is linear between keyframes, and held before the first and after the last.

    Attributes:
        hinge: (d, 2).
        length_m: (d,).
        top_m: (d,).
        loss_db: (d,) of a ray through it.
        mirror: (d,) amplitude that it reflects, 0 to 1: metal is near 1.
        first: (d + 1,).
        at_us: (g,).
        angle: (g,) direction from the hinge to the leaf's free end.
    """

    hinge: Floats
    length_m: Floats
    top_m: Floats
    loss_db: Floats
    mirror: Floats
    first: Ints
    at_us: Ints
    angle: Floats


class Surroundings(NamedTuple):
    """What the whole site's radio has in common.

    Attributes:
        path_exponent: 2 is free space.
        k_db: Rician K in sight: direct against scattered power.
        ground: amplitude that the floor reflects, 0 to 1; its ray turns by half a wave.
    """

    path_exponent: float
    k_db: float
    ground: float


class Scene(NamedTuple):
    """What one reader can hear from `begin_us` to `end_us`."""

    begin_us: int
    end_us: int
    surroundings: Surroundings
    tags: Tags
    carriers: Carriers
    holds: Holds
    walls: Walls
    leaves: Leaves
