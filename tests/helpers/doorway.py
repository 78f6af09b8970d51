"""A small doorway of our own, apart from `simulator`: seeded walks, residents and passers-by heard by four antennas.

The plane stands at x = 0, inside is x < 0. Radio: link budget with a tag threshold, a ground ray, Rician fading that is
coherent in space and frequency, a body in the way, 1 dB RSSI steps, phase by distance with an offset a channel.
"""

from dataclasses import dataclass, field

import numpy as np

from edge.llrp.batch import EPC_BYTES, NO_CHANNEL, NO_PHASE, NO_RSSI_CDBM, NO_TIME_US, TagBatch
from edge.windows import AntennaSettings, PortalSettings, WindowsSettings

EPOCH_US = 1_700_000_000_000_000
CONFIGURATION = """site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "192.0.2.10"
[[portals]]
id = "door"
inside = "stockroom"
outside = "corridor"
provisional_confidence = 0.7
antennas = [
  { reader = "r1", port = 1, side = "inside" }, { reader = "r1", port = 2, side = "inside" },
  { reader = "r1", port = 3, side = "outside" }, { reader = "r1", port = 4, side = "outside" },
]
[mqtt]
url = "mqtt://localhost"
"""
"""The agent's configuration of such a door, which tells early."""
WAVE_M = 0.328
SIDES = ("inside", "inside", "outside", "outside")
TX_DBM = 30.0
TAG_DBM = -18.0
READER_DBM = -82.0


def settings(**knobs):
    """One two-sided portal with four antennas of reader r1."""
    antennas = tuple(AntennaSettings("r1", port, side) for port, side in enumerate(SIDES, 1))
    return WindowsSettings(gateway="gw", portals=(PortalSettings("door", "two-sided", antennas),), **knobs)


def batch(rows):
    """Make a batch of (t_us, epc, antenna, rssi_cdbm, phase, channel) rows; None leaves a parameter out."""
    n = len(rows)
    epc = np.zeros((n, EPC_BYTES), np.uint8)
    for i, row in enumerate(rows):
        epc[i, : len(row[1])] = np.frombuffer(row[1], np.uint8)

    def column(k, absent, kind):
        return np.array([absent if row[k] is None else row[k] for row in rows], kind)

    times = column(0, NO_TIME_US, np.int64)
    return TagBatch(
        epc=epc,
        epc_bits=np.array([8 * len(row[1]) for row in rows], np.uint16),
        antenna=column(2, 0, np.uint16),
        rssi_cdbm=column(3, NO_RSSI_CDBM, np.int16),
        phase=column(4, NO_PHASE, np.int16),
        channel=column(5, NO_CHANNEL, np.uint16),
        first_us=times,
        last_us=times,
        first_uptime_us=np.full(n, NO_TIME_US, np.int64),
        last_uptime_us=np.full(n, NO_TIME_US, np.int64),
        seen_count=np.ones(n, np.uint16),
        rospec_id=np.ones(n, np.uint32),
        message=np.zeros(n, np.int32),
    )


def cut(whole, begin, end):
    """Return rows of a batch as a batch."""
    return TagBatch(*(getattr(whole, name)[begin:end] for name in TagBatch.__slots__))


@dataclass
class Mover:
    """One tag's path: knots (t_s, x, y), and what was true of it."""

    epc: bytes
    kind: str | None
    knots: list
    gain_db: float = -6.0
    crossed_s: float | None = None


@dataclass
class Scene:
    """A stretch of time at the door."""

    rng: np.random.Generator
    seconds: float
    movers: list = field(default_factory=list)
    rate_hz: float = 160.0
    channels: int = 50

    def walk(self, kind, start_s, epc=None):
        """Add one walker of a kind, with a speed and a line of its own."""
        rng = self.rng
        epc = epc or b"\x30\x34" + rng.bytes(10)
        speed, y = rng.uniform(0.8, 2.0), rng.uniform(-0.4, 0.4)
        side = rng.choice([-1.0, 1.0])
        crossed = None
        far, gain = 6.0, rng.uniform(-11, -2)
        if kind in {"in", "out"}:
            side = 1.0 if kind == "in" else -1.0
            crossed = start_s + far / speed
            knots = [(start_s, side * far, y), (start_s + 2 * far / speed, -side * far, y)]
        elif kind == "turned_back":
            nearest, stop = rng.uniform(0.1, 0.8), rng.uniform(0.0, 2.0)
            there = start_s + (far - nearest) / speed
            knots = [
                (start_s, side * far, y),
                (there, side * nearest, y),
                (there + stop, side * nearest, y),
                (there + stop + (far - nearest) / speed, side * far, y + rng.uniform(-1, 1)),
            ]
        elif kind == "near":
            x, way = side * rng.uniform(1.5, 4.0), rng.choice([-1.0, 1.0])
            knots = [(start_s, x, -far * way), (start_s + 2 * far / speed, x + rng.uniform(-0.3, 0.3), far * way)]
        else:
            x, y = side * rng.uniform(2.0, 6.0), rng.uniform(-3.0, 3.0)
            knots, gain = [(0.0, x, y), (self.seconds, x, y)], rng.uniform(-14, -3)
        self.movers.append(Mover(epc, None if kind == "resident" else kind, knots, gain, crossed))
        return self.movers[-1]

    def rows(self):
        """Read the scene: (t_us, epc, antenna, rssi_cdbm, phase, channel) in time order."""
        rng = self.rng
        t = np.arange(0.0, self.seconds, 1 / self.rate_hz) + rng.uniform(0, 0.5 / self.rate_hz)
        port = (t / 0.04).astype(int) % 4
        channel = rng.permutation(self.channels)[(t / 0.2).astype(int) % self.channels]
        place = _antennas(rng)
        heard = [_link(rng, mover, t, (port, channel, place)) for mover in self.movers]
        rssi = np.array([one[0] for one in heard])
        score = np.where(np.isnan(rssi), -1.0, rng.uniform(0, 1, rssi.shape))
        winner = score.argmax(axis=0)
        out = []
        for i in np.flatnonzero(score.max(axis=0) >= 0):
            k = winner[i]
            level = round(rssi[k, i]) * 100
            turn = round((heard[k][1][i] + rng.normal(0, 0.09)) / (2 * np.pi) * 4096) % 4096
            at = EPOCH_US + int(t[i] * 1e6)
            out.append((at, self.movers[k].epc, int(port[i]) + 1, level, turn, int(channel[i]) + 1))
        return out


def _antennas(rng):
    """Places and boresights: each side's pair on the frame, turned away from the plane by 10 to 60 degrees."""
    off, turn = rng.uniform(0.1, 0.8), rng.uniform(10, 60) * np.pi / 180
    place = []
    for side in (-1.0, 1.0):
        for hand in (-1.0, 1.0):
            look = np.array([side * np.sin(turn), -hand * np.cos(turn), -0.1])
            place.append((np.array([side * off, hand * 0.9, 1.5]), look / np.linalg.norm(look)))
    return place


def _link(rng, mover, t, radio):
    """Return RSSI in dBm (nan where not read) and phase in rad of one tag at each singulation."""
    port, channel, place = radio
    knots = np.array(mover.knots)
    x, y = (np.interp(t, knots[:, 0], knots[:, k]) for k in (1, 2))
    here = np.stack([x, y, np.full_like(t, rng.uniform(0.8, 1.2))], axis=1)
    at = np.array([one[0] for one in place])[port]
    look = np.array([one[1] for one in place])[port]
    line = here - at
    d = np.linalg.norm(line, axis=1)
    cosine = (line * look).sum(axis=1) / d
    pattern = 6.0 + 20 * np.log10(np.clip(0.5 + 0.5 * cosine, 0.16, 1.0))
    k_db = rng.uniform(3, 9)
    los, diffuse = np.sqrt(1 / (1 + 10 ** (-k_db / 10))), np.sqrt(1 / (1 + 10 ** (k_db / 10)))
    fade = np.full(len(t), los, complex)
    for _ in range(6):
        ray, delay = rng.normal(size=3), rng.exponential(30e-9)
        ray *= 2 * np.pi / WAVE_M / np.linalg.norm(ray)
        start = rng.uniform(0, 2 * np.pi, 4)[port]
        fade += diffuse / np.sqrt(6) * np.exp(1j * (here @ ray + start + 2 * np.pi * channel * 5e5 * delay))
    ground = np.sqrt(line[:, 0] ** 2 + line[:, 1] ** 2 + (here[:, 2] + at[:, 2]) ** 2)
    fade += 0.3 * d / ground * np.exp(-2j * np.pi * (ground - d) / WAVE_M)
    body = rng.uniform(0, 10) * (rng.random(4) < 0.4)[port]
    one_way = pattern + 20 * np.log10(WAVE_M / (4 * np.pi * d)) + 20 * np.log10(np.abs(fade)) - 3 - body + mover.gain_db
    rssi = TX_DBM + 2 * one_way - 6 - 2
    read = (TX_DBM + one_way > TAG_DBM) & (rssi > READER_DBM) & (t >= knots[0, 0]) & (t <= knots[-1, 0])
    read &= rng.random(len(t)) < 0.9
    phase = 4 * np.pi * d / WAVE_M + 2 * np.angle(fade) + rng.uniform(0, 2 * np.pi, 50)[channel]
    return np.where(read, rssi, np.nan), phase


def trial(rng):
    """One scene with residents and one walker of a random kind; walker first in `movers`."""
    rate_hz = float(np.exp(rng.uniform(np.log(15), np.log(250))))
    scene = Scene(rng, seconds=20.0, rate_hz=rate_hz, channels=int(rng.choice([4, 50])))
    kind = str(rng.choice(["in", "out", "turned_back", "near"]))
    scene.walk(kind, rng.uniform(0.5, 3.0))
    for _ in range(int(rng.integers(0, 25))):
        scene.walk("resident", 0.0)
    return scene
