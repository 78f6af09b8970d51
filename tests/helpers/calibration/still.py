"""Figures of tags that lie still: noise of what is reported, levels across channels, range, bodies in the ray."""

import math

import numpy as np

from tests.helpers.calibration.figure import Compared
from tests.helpers.calibration.place import (
    BARE,
    FREE,
    KEEN,
    OFFICE,
    R420,
    SENSITIVE,
    Run,
    residents,
    scenario,
    walks,
)

TURN = 2 * math.pi / 4096
R420_MEASURED = "measured on an R420"
LEAST_READS = 10
STEEPER = "waves that cancel go deeper than those that add go high, so ours lean down, where those measured lean up"


def noise():
    """Yield phase noise, Doppler spread and RSSI spread within a channel, of a near tag and of the weakest one."""
    places = [(distance, 0.0, 1.0) for distance in (1, 1.5, 2, 3, 4, 6, 8, 10, 12, 13, 14, 14.8)]
    run = Run(scenario(len(places), tags=KEEN, residents=residents(places)), 120)
    heard = [reads for reads in map(run.of_tag, range(1, len(places) + 1)) if len(reads) > 500]
    how = f"{len(heard)} still tags at 1 to 14.8 m, 120 s"
    phases = [np.median([phase_sd(reads.phase) for reads in by_channel(one)]) for one in heard]
    for name, value in (("strongest", min(phases)), ("weakest", max(phases))):
        yield Compared(
            name=f"phase_noise.{name}", what=f"phase noise within a channel, {name} tag", value=value, unit="rad",
            measured="0.04 to 0.13", low=0.04, high=0.13, source=R420_MEASURED, how=how,
        )  # fmt: skip
    shifts = [np.std(one.doppler / 16) for one in heard]
    for name, value in (("strongest", min(shifts)), ("weakest", max(shifts))):
        yield Compared(
            name=f"doppler.{name}", what=f"spread of Doppler of a still tag, {name} tag", value=value, unit="Hz",
            measured="6 to 48", low=6, high=48, source=R420_MEASURED, how=how,
        )  # fmt: skip
    levels = [np.mean([reads.rssi_cdbm.std(ddof=1) / 100 for reads in by_channel(one)]) for one in heard]
    yield Compared(
        name="rssi.in_channel", what="RSSI spread within a channel", value=float(np.mean(levels)), unit="dB",
        measured="0.33", low=0.28, high=0.38, source=R420_MEASURED, how=how,
    )  # fmt: skip


def across_channels():
    """Yield RSSI spread over 50 channels of all still tags that are read, and the extremes that single reads reach."""
    tags = [reads for seed in range(1, 6) for reads in _scattered(seed)]
    spreads = [np.std([one.rssi_cdbm.mean() / 100 for one in by_channel(reads, least=1)]) for reads in tags]
    off = [(reads.rssi_cdbm - np.median(reads.rssi_cdbm)) / 100 for reads in tags]
    how = f"all {len(tags)} of 60 still tags that are read, 1 to 4 m, any direction, office, 5 seeds, 60 s each"
    yield Compared(
        name="rssi.across_channels", what="RSSI spread of a still tag across channels, median tag",
        value=float(np.median(spreads)), unit="dB", measured="1.64", low=1.4, high=1.9, source=R420_MEASURED,
        how=f"{how}; fitted: the longest delay of scattered waves; from {min(spreads):.1f} to {max(spreads):.1f} dB",
    )  # fmt: skip
    lows, highs = [one.min() for one in off], [one.max() for one in off]
    for name, value, furthest, stated, why in (
        ("lowest", np.quantile(lows, 0.1), min(lows), -5.5, STEEPER),
        ("highest", np.quantile(highs, 0.9), max(highs), 8.5, ""),
    ):
        yield Compared(
            name=f"rssi.{name}", what=f"{name} read of a still tag against its median; a tenth of tags goes beyond",
            value=float(value), unit="dB", measured=f"{stated:+}", low=stated - 0.35 * abs(stated),
            high=stated + 0.35 * abs(stated), source=R420_MEASURED, how=f"{how}; the furthest {furthest:+.1f} dB",
            why=why,
        )  # fmt: skip


def _scattered(seed):
    """Reads of those of twelve tags that are read, also of tags with the null of their dipole towards the antenna."""
    places = np.random.default_rng(seed).uniform([1, -1, 0.6], [4, 1, 1.4], (12, 3))
    run = Run(scenario(12, site=OFFICE, residents=residents(places)), 60, seed=seed)
    return [reads for reads in map(run.of_tag, range(1, 13)) if len(reads) >= LEAST_READS]


def reach(sensitivity_dbm=-20.0):
    """Yield the range in free space; the places go on as far as a chip of -24 dBm wakes, so that such a one shows."""
    distances = np.repeat(np.concatenate([np.arange(9.0, 15.95, 0.1), np.arange(16.0, 23.1, 0.5)]), 8)
    places = [(distance, 0.0, 1.0) for distance in distances]
    tags = BARE | {"sensitivity_dbm": sensitivity_dbm}
    run = Run(scenario(len(places), tags=tags, residents=residents(places)), 60)
    reads = np.bincount(run.reads.tag, minlength=len(places)).reshape(-1, 8).max(axis=1)
    full = np.median(reads[:5])
    yield Compared(
        name="range", what="range in free space, tag of -20 dBm, EIRP 36 dBm",
        value=float(distances[::8][reads >= full / 2].max()), unit="m", measured="14.7", low=14.2, high=15.2,
        source="link budget",
        how=f"farthest of {len(places)} tags at 9 to 23 m that is read half as often as the nearest ones",
    )  # fmt: skip


def bodies():
    """Yield what a person between antenna and tag takes."""
    takes = [{"at_s": 20 * number + 5, "carry": "none"} for number in range(5)]
    places = [(2.0, 0.0, height) for height in (0.8, 1.0, 1.2, 1.4)]
    taken = []
    for seed in range(1, 9):
        parts = walks([[1.0, -4], [1.0, 0, 8], [1.0, 4]], *takes)
        tags = BARE | {"sensitivity_dbm": -30.0}
        run = Run(
            scenario(4, site=OFFICE, tags=tags, residents=residents(places), **parts), 110, traits=SENSITIVE, seed=seed
        )
        clear = levels_of(run.between(0, 5))
        for number in range(5):
            begin_s = 20 * number + 5 + 4 / 1.2
            behind = levels_of(run.between(begin_s + 0.5, begin_s + 7.5))
            taken += [(clear[tag] - behind[tag]) / 2 for tag in clear if tag in behind]
    yield Compared(
        name="body", what="what a person in the ray takes, one way, median", value=float(np.median(taken)), unit="dB",
        measured="10 to 25", low=10, high=25, source="measured indoors",
        how=f"{len(taken)} pairs of 40 people who stand 1 m before an antenna and tags 1 m behind them, office",
    )  # fmt: skip


def turns():
    """Yield how long a reader stays on a channel."""
    run = Run(scenario(1, site=FREE, residents=residents([(1.5, 0.0, 1.0)])), 60, traits=R420)
    begins = run.reads.at_us[1:][np.diff(run.reads.channel) != 0]
    yield Compared(
        name="hop_dwell", what="stay on a channel, FCC", value=float(np.mean(np.diff(begins)) / 1e6), unit="s",
        measured="0.2", low=0.19, high=0.21, source=R420_MEASURED, how="one still tag, 60 s",
    )  # fmt: skip


def by_channel(reads, least=LEAST_READS):
    """Reads of each antenna and channel that has enough."""
    key = 1000 * reads.antenna + reads.channel
    groups = [reads.at(np.flatnonzero(key == one)) for one in np.unique(key)]
    return [one for one in groups if len(one) >= least]


def phase_sd(phase):
    """Circular standard deviation of 12-bit phases that are ambiguous by half a turn, without bias for few reads."""
    count = len(phase)
    length = abs(np.exp(2j * TURN * phase).mean())
    return math.sqrt(-2 * math.log(length) * count / (count - 1)) / 2


def levels_of(reads):
    """Mean RSSI in dB of each tag that was read at least five times."""
    counts = np.bincount(reads.tag)
    return {int(tag): reads.rssi_cdbm[reads.tag == tag].mean() / 100 for tag in np.flatnonzero(counts >= 5)}
