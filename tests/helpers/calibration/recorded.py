"""The FX7500's recordings beside the same tag simulated: what is measured here is measured anew from the files."""

import csv
import math

import numpy as np

from tests.helpers.calibration.figure import RECORDINGS, Compared
from tests.helpers.calibration.place import FX7500, Run, residents, scenario
from tests.helpers.calibration.still import TURN

SOURCE = "ECD data set, static.csv (Zebra FX7500), measured by this run"
NO_PAUSES = "an FX7500 now and then pauses for some ms, for reasons unknown; the simulated one doesn't"


def static():
    """Yield rate, gaps and noise of the tag that lay still; nothing where the recordings aren't there."""
    if not RECORDINGS.is_dir():
        return
    at_s, rssi_db, phase = _recorded()
    run = Run(scenario(1, residents=residents([(2.0, 0.0, 1.0)])), 66, traits=FX7500)
    mine = run.reads.at_us / 1e6, run.reads.rssi_cdbm / 100, TURN * run.reads.phase
    how = "one still tag on one channel, 66 s"
    for name, what, unit, measure, tolerance in (
        ("rate", "reads/s", "reads/s", _rate, 0.1),
        ("gap_median", "gap between reads, median", "ms", _median_gap, 0.25),
        ("gap_p99", "gap between reads, 99th percentile", "ms", _longer_gap, 0.3),
        ("rssi", "RSSI spread in steps of 1 dB", "dB", _spread, 0.25),
        ("phase", "phase noise", "rad", _phase_noise, 0.25),
    ):
        there, here = float(measure(at_s, rssi_db, phase)), float(measure(*mine))
        yield Compared(
            name=f"ecd.{name}", what=f"recorded still tag: {what}", value=here, unit=unit, measured=f"{there:.3g}",
            low=(1 - tolerance) * there, high=(1 + tolerance) * there, source=SOURCE, how=how,
            why=NO_PAUSES if name == "gap_p99" else "",
        )  # fmt: skip


def _rate(at_s, _rssi_db, _phase):
    return len(at_s) / (at_s[-1] - at_s[0])


def _median_gap(at_s, _rssi_db, _phase):
    return 1000 * np.median(np.diff(at_s))


def _longer_gap(at_s, _rssi_db, _phase):
    return 1000 * np.quantile(np.diff(at_s), 0.99)


def _spread(_at_s, rssi_db, _phase):
    return rssi_db.std()


def _phase_noise(_at_s, _rssi_db, phase):
    return math.sqrt(-2 * math.log(abs(np.exp(1j * phase).mean())))


def _recorded():
    """Times (s), levels (dB) and phases (rad) of the recording."""
    with (RECORDINGS / "static.csv").open(newline="") as file:
        rows = [{key: value.strip(" ,\t") for key, value in row.items() if key} for row in csv.DictReader(file)]
    at_s = np.array([float(row["time_reader"]) for row in rows])
    phase = np.radians([float(row["phase"]) for row in rows])
    return at_s, np.array([float(row["peakRssi"]) for row in rows]), phase
