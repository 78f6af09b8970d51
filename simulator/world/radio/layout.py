"""Columns of the arrays that the kernels of this room work on, and the constants of its model."""

from typing import Final

# One antenna.
A_X: Final = 0
A_BORE: Final = 3
A_AXIS: Final = 6
A_SCALE: Final = 9
"""Amplitude of gain and cable, in boresight."""
A_POWER: Final = 10
"""Half the exponent of the cosine that has the antenna's beam: of its amplitude."""
A_LINEAR: Final = 11
"""1 where the polarisation is linear."""
A_COLUMNS: Final = 12

# One scattered wave: unit vector of its way, phase, extra delay.
W_PHASE: Final = 3
W_DELAY: Final = 4
W_COLUMNS: Final = 5

# One hold: what is said of a tag's place; the first ten columns are all that a link to a still tag depends on.
H_PLACE: Final = 0
H_AXIS: Final = 3
H_FACE: Final = 6
H_LOSS: Final = 9
"""Tag and package, one way, dB."""
H_LINK: Final = 10
H_COLUMNS: Final = 10

# One hold, integers.
I_CARRIER: Final = 0
"""Row of the poses; a still tag's is the one behind all carriers."""
I_BEGIN: Final = 1
I_END: Final = 2
I_ROW: Final = 3
"""Row of the cache of still tags, or -1."""
I_COLUMNS: Final = 4

# One carrier's cylinder.
C_RADIUS: Final = 0
C_BOTTOM: Final = 1
C_TOP: Final = 2
C_LOSS: Final = 3
C_COLUMNS: Final = 4

# One keyframe: place, cosine and sine of the heading; the same columns are a carrier's pose, with its velocity behind.
K_COS: Final = 3
K_SIN: Final = 4
K_COLUMNS: Final = 5
P_VELOCITY: Final = 5
P_THERE: Final = 8
P_COLUMNS: Final = 9

# One cylinder that shadows now.
B_X: Final = 0
B_Y: Final = 1
B_BOTTOM: Final = 2
B_TOP: Final = 3
B_RADIUS: Final = 4
B_LOSS: Final = 5
B_COLUMNS: Final = 6

# One wall, and one leaf as it stands now: ends, height and loss; a leaf also mirrors.
U_X1: Final = 0
U_Y1: Final = 1
U_X2: Final = 2
U_Y2: Final = 3
U_BOTTOM: Final = 4
U_TOP: Final = 5
U_LOSS: Final = 6
U_MIRROR: Final = 7
U_ANGLE: Final = 8
U_COLUMNS: Final = 9

# One leaf at rest: hinge, length, top, loss, mirror.
L_LENGTH: Final = 2
L_TOP: Final = 3
L_LOSS: Final = 4
L_MIRROR: Final = 5
L_COLUMNS: Final = 6

# What the site has in common, and the reader's own.
S_HALF_EXPONENT: Final = 0
S_DIRECT: Final = 1
"""Amplitude of the direct ray, in sight."""
S_SCATTERED: Final = 2
"""Amplitude of one scattered wave."""
S_GROUND: Final = 3
S_MIDDLE_HZ: Final = 4
S_COLUMNS: Final = 5

# The reader's words: seed, RSSI step, half turns.
R_SEED: Final = 0
R_STEP: Final = 1
R_HALVES: Final = 2
R_COLUMNS: Final = 3

# What the scratch holds for: time, number of the leaves' present state, and how many cylinders shadow.
N_AT: Final = 0
N_LEAVES: Final = 1
N_BODIES: Final = 2
N_COLUMNS: Final = 3
NO_LEAVES: Final = -1
NOT_MADE: Final = -2
"""In place of the number of the leaves' state, where nothing is kept of them, or nothing at all."""

# The ray between an antenna and a still tag.
Y_WAY: Final = 0
Y_GROUND_WAY: Final = 1
Y_DIRECT: Final = 2
Y_GROUND: Final = 3
Y_SCATTERED: Final = 4
Y_LEAF_DIRECT: Final = 5
Y_LEAF_GROUND: Final = 6
Y_LEAF_SCATTERED: Final = 7
Y_X: Final = 8
Y_Y: Final = 9
Y_LENGTH: Final = 10
Y_REACH: Final = 11
Y_COLUMNS: Final = 12

LIGHT_M_S: Final = 299_792_458.0
RANGE_M: Final = 25.0
"""Farther than this nothing is computed: -24 dBm chips wake at 23 m in free space."""
NEAR_M: Final = 0.1
"""Nearer than this the far field's law isn't used."""
SHADOW_WAVE_M: Final = 0.33
"""Wavelength for knife edges: one for all bands, so that shadows needn't be made anew at a hop."""
BACK_LOBE: Final = 0.0794
"""Amplitude behind an antenna, -22 dB: patch antennas' front-to-back ratio."""
SCATTER_LOBE: Final = 0.25
"""Least amplitude (-12 dB) with which an antenna feeds the scattered field: walls send it round."""
DIPOLE: Final = 1.2808
"""Amplitude of a half-wave dipole's gain, 2.15 dBi."""
DIPOLE_NULL: Final = 0.03
"""A dipole's null along its axis is -30 dB deep, as its feed isn't perfect."""
CIRCULAR: Final = 0.7079
"""A linear tag takes half the power of a circular wave, and of scattered waves."""
CROSSED: Final = 0.1
"""A linear antenna's cross polarisation, -20 dB."""
BLIND_SIDE: Final = 0.03
"""What a tag on metal hears through the metal, -30 dB."""
SCATTER_SHARE: Final = 0.45
"""Share of a shadow's dB that the scattered field loses too, since much of it comes from about the same direction.

With 10 to 16 dB of a body it brings K from 8 dB in sight to 3 to 0 dB, which is what is measured behind one.
"""
EDGE_M: Final = 0.1
"""How far beyond an upright edge, and about a level one, a shadow fades out."""
MIRROR_LEAST: Final = 0.05

RSSI_NOISE_DB: Final = 0.297
"""With steps of 0.5 dB this gives the 0.33 dB that are measured within a channel."""
PHASE_STEPS: Final = 4096
PHASE_NOISE_RAD: Final = 0.05
"""In-channel noise with power to spare; at the reader's threshold it is 0.13."""
PHASE_NOISE_WEAK_RAD: Final = 0.12
DOPPLER_NOISE_HZ: Final = 6.5
DOPPLER_NOISE_WEAK_HZ: Final = 41.5
DOPPLER_STEPS: Final = 16.0
