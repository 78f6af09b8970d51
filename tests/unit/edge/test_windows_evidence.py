"""What is measured of a visit's log."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from edge.windows import layout as L  # noqa: N812 (as in the room)
from edge.windows.company import Company
from edge.windows.decide import WIDTH, Companions, _together, look
from edge.windows.evidence import columns, kernels, together
from edge.windows.evidence.balance import kernels as balance
from edge.windows.evidence.levels import kernels as levels
from edge.windows.evidence.measure import AMPLITUDES, COSINES
from edge.windows.evidence.speeds import kernels as speeds
from edge.windows.looks import kernels as looks
from edge.windows.model import kernels as trees
from edge.windows.model.trees import shares
from edge.windows.snapshot import Snapshot
from tests.helpers import doorway

REFS = np.array([-5000, -5200, -4800, -5100, 1], np.int64)
INSIDE_FIRST = (0, 0, 1, 1)


def log_of(rows):
    """(us, antenna, rssi, phase, channel) rows as a log; antennas 0 and 1 are inside."""
    log = np.zeros((max(len(rows), 1), L.LOG), np.int32)
    for k, (at_us, antenna, rssi, phase, channel) in enumerate(rows):
        log[k] = at_us, antenna, INSIDE_FIRST[antenna], rssi, phase, channel, 1
    return log


def scribble(rng, count):
    """A log of nothing in particular."""
    at_us = np.sort(rng.integers(0, 6_000_000, count))
    return log_of(
        [
            (at, rng.integers(4), rng.choice([-8000, -6500, -5000, L.NO_RSSI]), rng.integers(-1, 4096), rng.integers(3))
            for at in at_us
        ]
    )


def measured(log, now_us=7_000_000):
    out = np.full(len(columns.MEASURED), np.nan)
    heads = np.array([120, 300, 2, 0, 0, L.NO_BASE, -5000, len(log), 1, 0, 2], np.int64)
    at_s = kernels.measure(log, len(log), now_us, heads, REFS, AMPLITUDES, COSINES, out)
    return out, at_s


@pytest.mark.parametrize("count", [1, 2, 3, 17, 120])
def test_a_door_seen_in_a_mirror_measures_the_same_with_its_sides_swapped(count):
    """Whatever the reads: features of sides swap, odd ones change sign, all others stay."""
    rng = np.random.default_rng(count)
    for _ in range(20):
        log = scribble(rng, count)
        mirrored = log.copy()
        mirrored[:, L.G_SIDE] = 1 - log[:, L.G_SIDE]
        straight, at_s = measured(log)
        swapped, again_s = measured(mirrored)
        assert np.isfinite(straight).all()
        many = len(columns.MEASURED)
        np.testing.assert_allclose(straight[columns.MIRROR[:many]] * columns.SIGN[:many], swapped, atol=1e-9)
        assert at_s == pytest.approx(again_s)


def without_compiler(monkeypatch):
    """Put the source of every kernel of this room in its place, as where there is no numba."""
    for module in (kernels, levels, balance, speeds, looks, trees):
        for name, one in vars(module).copy().items():
            if hasattr(one, "py_func"):
                monkeypatch.setattr(module, name, one.py_func)


@pytest.mark.parametrize("count", [1, 2, 9, 40])
def test_compiled_evidence_is_that_of_plain_python_byte_by_byte(count, monkeypatch):
    """The kernels' source is their own plain twin: without the compiler, down to the last, it gives the same bits."""
    rng = np.random.default_rng(count)
    logs = [scribble(rng, count) for _ in range(5)]
    compiled = [measured(log) for log in logs]
    without_compiler(monkeypatch)
    assert not any(hasattr(one, "py_func") for one in (kernels.measure, levels.db, balance.gain, speeds.radial))
    for log, (features, at_s) in zip(logs, compiled, strict=True):
        plain, plain_s = measured(log)
        assert features.tobytes() == plain.tobytes()
        assert at_s == plain_s


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_look_alone_and_in_company_is_that_of_plain_python_byte_by_byte(count, monkeypatch):
    """The calls that a decision makes, with the weights in use."""
    portal = doorway.settings().portals[0]
    snap = Snapshot(L.LEFT, 9_000_000, b"\1", head_of(count), np.zeros((8, L.ANT), np.int64), None)
    snaps = [replace(snap, log=scribble(np.random.default_rng([count, k]), count)) for k in range(4)]

    def told():
        company, said = Company(WIDTH), []
        for k, one in enumerate(snaps):
            seen = look(one, portal)
            company.note(bytes([k]), 8_000_000, seen.measured, seen.told())
            found = company.beside(b"\1", 8_000_000, seen.measured)
            beside = Companions(company.values[found.places], found.alike)
            odds = [_together(name, seen, own, beside, part) for name, own, part in (
                ("together", seen.late, slice(0, 6)), ("together_early", seen.early, slice(6, 9)),
            )]  # fmt: skip
            said += [seen.measured.features, seen.measured.outline, seen.told(), found.alike, *odds, shares(odds[0])]
        return [one.tobytes() for one in said]

    compiled = told()
    without_compiler(monkeypatch)
    assert told() == compiled


def head_of(reads):
    """What an engine knows of a visit of so many reads."""
    head = np.zeros(L.HEAD, np.int64)
    head[L.READS], head[L.BASE_CDBM], head[L.PEAK_CDBM], head[L.STIR_TOP] = reads, L.NO_BASE, -5000, 300
    return head


def walk(speed_mps, *, seconds=4.0, every_us=30_000):
    """Somebody walks out along the middle, heard by one antenna a side at half a metre from the plane."""
    rows = []
    for k, at_us in enumerate(range(0, int(seconds * 1e6), every_us)):
        x = speed_mps * (at_us / 1e6 - seconds / 2)
        antenna = 0 if k % 2 == 0 else 2
        away = np.hypot(x + (0.5 if antenna == 0 else -0.5), 0.8)
        phase = round(away / speeds.METRES_A_STEP) % 4096
        rows.append((at_us, antenna, round(100 * (-45 - 40 * np.log10(away))), phase, 1))
    return log_of(rows)


@pytest.mark.parametrize("way", [1, -1])
def test_a_walk_through_changes_the_balance_where_it_crosses_and_turns_from_approaching_to_receding(way):
    """Positive speaks for out; phases tell of the speeds by the same signs at both sides."""
    seen, at_s = measured(walk(1.0 * way))
    told = dict(zip(columns.MEASURED, seen, strict=True))
    assert way * told["lag_amp"] > 0.5
    assert way * told["change"] > 0.2
    assert way * told["between"] > 0.3
    assert at_s == pytest.approx(2.0, abs=0.2)
    for side in ("in", "out"):
        assert told[f"recede_first_{side}"] < -0.2
        assert told[f"recede_then_{side}"] > 0.2
        assert told[f"speed_then_{side}"] == pytest.approx(-told[f"speed_first_{side}"], abs=0.2)


def outlined(log, begins_us=1_700_000_000_000_000):
    out = np.zeros((2, kernels.OUTLINE))
    return out, kernels.outline(log, len(log), begins_us, REFS, AMPLITUDES, out)


def likeness(one, other):
    mine, my_bin = outlined(one)
    theirs, their_bin = outlined(other)
    out = np.zeros(1)
    kernels.alike(mine, my_bin, theirs[np.newaxis], np.array([their_bin]), out)
    return out[0]


def test_who_walks_along_is_alike_and_who_comes_the_other_way_is_not():
    """The same walk is wholly alike, half a second behind nearly; against it the sides' order is wrong."""
    walked, behind = walk(1.2), walk(1.2)
    behind[:, L.G_US] += 300_000
    assert likeness(walked, walked) == pytest.approx(1.0)
    assert likeness(walked, behind) > 0.8
    assert likeness(walked, walk(-1.2)) < likeness(walked, behind) - 0.2


def test_companions_add_what_they_say_by_likeness_and_reads_and_nobody_adds_nothing():
    """A companion read often weighs more than one read once."""
    own = np.array([0.0, 0.5, -0.5])
    odds = np.array([[3.0, -1.0, -2.0]])
    often, once = (np.array([[np.log(reads), 0.0, 0.0, 0.0]]) for reads in (40, 1))
    alone = together.pooled(own, np.zeros((0, 4)), np.zeros((0, 3)), np.zeros(0))
    assert alone[:3].tolist() == [0, 0, 0]
    assert alone[3:6].tolist() == own.tolist()
    heavy, light = (together.pooled(own, told, odds, np.array([0.9])) for told in (often, once))
    assert heavy[3] > light[3] > own[0]


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
import subprocess
import sys

import numpy as np
from edge.windows import WindowClock, Windows
from tests.helpers import doorway
made = doorway.Scene(np.random.default_rng(3), seconds=20.0)
made.walk("out", 1.0)
windows = Windows(doorway.settings(engine="plain"), boot="b")
out = windows.feed("r1", doorway.batch(made.rows()), arrival_us=None, clock=WindowClock()) + windows.flush()
print(*(row.kind for row in out if row.final))
"""


def test_without_numba_the_plain_engine_decides_with_the_same_evidence():
    """Where there is no wheel, the kernels' source is what runs."""
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMBA], capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["out"]
