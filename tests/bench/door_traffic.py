"""What the windows are timed on: the bytes of one busy door, as an R420 reports them with phase and fine RSSI.

Four antennas, switched every 25 ms; a channel of 50 for 200 ms. Most reads are of tags at rest, each with levels and
phases of its own on each antenna and channel and the noise of a reader in them. A tag is carried through now and then.
"""

from dataclasses import dataclass

import numpy as np

from tests.helpers import doorway
from tests.helpers.llrp_messages import custom, report, tag

ANTENNA_X_M = np.array([-0.6, -0.6, 0.6, 0.6])
WALK_US = 4_000_000
WALK_READS = 60
SPEED_M_S = 1.2
TAGS_A_MESSAGE = 50


@dataclass
class Traffic:
    """Columns of reads in order of time."""

    epc: np.ndarray
    t_us: np.ndarray
    antenna: np.ndarray
    channel: np.ndarray
    rssi_cdbm: np.ndarray
    phase: np.ndarray

    def __len__(self) -> int:
        return len(self.t_us)

    def wire(self):
        """Return the reads as RO_ACCESS_REPORTs of 50 tags; what doesn't fill one is left out."""
        kept = len(self) - len(self) % TAGS_A_MESSAGE
        tags = np.tile(np.frombuffer(_marked(), np.uint8), (kept, 1))
        tags[:, _at("epc")] = self.epc[:kept]
        for name, column, kind in (
            ("antenna", self.antenna, ">u2"), ("channel", self.channel, ">u2"),
            ("rssi_dbm", self.rssi_cdbm // 100, "i1"),
            ("first_us", self.t_us, ">u8"), ("last_us", self.t_us, ">u8"), ("phase", self.phase, ">u2"),
            ("rssi_cdbm", self.rssi_cdbm, ">i2"),
        ):  # fmt: skip
            tags[:, _at(name)] = column[:kept].astype(kind).view(np.uint8).reshape(kept, -1)
        bodies = tags.reshape(kept // TAGS_A_MESSAGE, -1)
        head = np.frombuffer(report(*[_marked()] * TAGS_A_MESSAGE)[:10], np.uint8)
        return np.hstack([np.tile(head, (len(bodies), 1)), bodies]).tobytes()


def traffic(tags, reads, *, part=0, rate_hz=8000, walks_per_s=1 / 30):
    """Return reads of `tags` tags at rest, `rate_hz` of them a second, and tags that are carried through.

    Parts follow one another in time; all have the same tags at rest, each has its own walkers.
    """
    rng = np.random.default_rng(part)
    lasts_us = reads * 1_000_000 // rate_hz
    t = doorway.EPOCH_US + part * lasts_us + np.sort(rng.integers(0, lasts_us, reads))
    rest = _seen(rng.integers(0, tags, reads), t)
    level = -6200 + 700 * _own(rest, 1) + 250 * _own(rest, 2) + 33 * rng.standard_normal(reads)
    phase = 4096 * _own(rest, 3) + 65 * rng.standard_normal(reads)
    walks = walks_per_s * lasts_us / 1e6
    begins = rng.uniform(t[0], max(t[-1] - WALK_US, t[0] + 1), int((part + 1) * walks) - int(part * walks))
    walkers = tags + 1000 * part + np.repeat(np.arange(len(begins)), WALK_READS)
    since = np.sort(rng.uniform(0, WALK_US, (len(begins), WALK_READS)), axis=1)
    walk = _seen(walkers, np.round(begins[:, None] + since).astype(np.int64).ravel())
    ahead = SPEED_M_S * (since - WALK_US / 2).ravel() / 1e6 * np.where(walkers % 2, 1, -1)
    range_m = np.hypot(ahead - ANTENNA_X_M[walk[2] - 1], 1.0)
    near = -4800 - 4000 * np.log10(range_m) + 100 * _own(walk, 2) + 33 * rng.standard_normal(len(range_m))
    turned = 2 * range_m / doorway.WAVE_M * 4096 + 4096 * _own(walk, 3) + 65 * rng.standard_normal(len(range_m))
    who, t, antenna, channel = (np.concatenate(pair) for pair in zip(rest, walk, strict=True))
    rssi, angle = (np.concatenate(pair).astype(np.int64) for pair in ((level, near), (phase, turned)))
    columns = _epcs(who), t, antenna, channel, rssi, angle % 4096
    order = np.argsort(t, kind="stable")
    return Traffic(*(column[order] for column in columns))


def _seen(who, t):
    return who, t, t // 25_000 % 4 + 1, t // 200_000 % 50 + 1


def _own(seen, what):
    """Return a number of -1.7 to 1.7, the same whenever a tag is heard on that antenna (and channel, from 2 on)."""
    who, _, antenna, channel = seen
    mixed = (who * 4 + antenna) * 64 + (channel if what > 1 else 0)
    mixed = (mixed * 2_654_435_761 + what * 40_503) % (1 << 32)
    return ((mixed ^ mixed >> 15) * 2_246_822_519 % (1 << 32) / (1 << 32) - 0.5) * 3.46


def _epcs(who):
    serial = who.astype(">u4").view(np.uint8).reshape(-1, 4)
    return np.hstack([np.tile(np.frombuffer(_MARKS["epc"][:8], np.uint8), (len(who), 1)), serial])


_MARKS = {
    "epc": b"\x30\x34\x25\x7b\xf7\x19\x4e\x40\x00\x00\x00\x01", "antenna": b"\x7a\x01", "rssi_dbm": b"\xa5",
    "channel": b"\x7a\x02",
    "first_us": b"\x7a\x03\x04\x05\x06\x07\x08\x09", "last_us": b"\x7a\x13\x14\x15\x16\x17\x18\x19",
    "phase": b"\x7a\x05", "rssi_cdbm": b"\x7a\x06",
}  # fmt: skip


def _marked():
    number = {name: int.from_bytes(mark, "big") for name, mark in _MARKS.items()}
    return tag(
        custom(25882, 56, _MARKS["phase"]), custom(25882, 57, _MARKS["rssi_cdbm"]), epc=_MARKS["epc"],
        antenna=number["antenna"], rssi_dbm=number["rssi_dbm"] - 256, channel=number["channel"],
        first_us=number["first_us"], last_us=number["last_us"], seen_count=1, rospec_id=14,
    )  # fmt: skip


def _at(name):
    """Return where a value stands in a tag's report: found by its mark, so that the encoding stays the helper's."""
    begin = _marked().index(_MARKS[name])
    return slice(begin, begin + len(_MARKS[name]))
