"""RSSI and phase over time of one tag at one portal, antenna by antenna, with what truly happened."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from simulator.plotting.observed import Observed
from simulator.plotting.style import ACCENT, FAINT, INK, INSIDE, OUTSIDE, QUIET
from simulator.scenarios.space import AntennaPart
from simulator.world.values import Crossing

PHASE_STEPS = 4096
FEW_READS = 400
"""Up to so many reads of an antenna are drawn as dots that can be told apart."""
MOST_READS = 1000
"""Of more reads of an antenna only some are drawn, evenly, and its label says so."""
AROUND_S = 1.0
TOGETHER_S = 60.0
"""Visits closer than this are drawn in one picture."""
WORDS = {"in": "in", "out": "out", "turned_back": "turned back", "near": "near", "parked": "parked"}


@dataclass(frozen=True, slots=True)
class Trace:
    """What one antenna heard of the tag."""

    label: str
    colour: str
    at_s: NDArray[np.float64]
    rssi_dbm: NDArray[np.float64]
    phase_rad: NDArray[np.float64]


def shown_visits(seen: Observed, portal: str) -> list[Crossing]:
    """The visits of a portal that one picture shows: the one with most reads, and those close to it in time."""
    visits = [visit for visit in seen.visits if visit.portal == portal]
    middle = max(visits, key=lambda visit: visit.reads)
    return [visit for visit in visits if _between_us(visit, middle) < 1e6 * TOGETHER_S]


def traces(seen: Observed, portal: str, begin_us: int, end_us: int) -> list[Trace]:
    """What each antenna of a portal heard in a span."""
    found, counts = [], {"inside": 0, "outside": 0}
    for reader in seen.scenario.readers:
        reads = seen.reads[reader.id]
        for antenna in reader.antennas:
            if antenna.portal != portal:
                continue
            side = _side(antenna)
            shades = INSIDE if side == "inside" else OUTSIDE
            colour = shades[counts[side] % len(shades)]
            counts[side] += 1
            heard = (reads.antenna == antenna.port) & (reads.at_us >= begin_us) & (reads.at_us <= end_us)
            step = math.ceil(np.count_nonzero(heard) / MOST_READS) or 1
            chosen = reads.at(np.flatnonzero(heard)[::step])
            thinned = "" if step == 1 else f" (1 read in {step})"
            label = f"{reader.id} port {antenna.port}, {side}{thinned}"
            phase = chosen.phase.astype(np.float64) * (2 * math.pi / PHASE_STEPS)
            found.append(Trace(label, colour, chosen.at_us / 1e6, chosen.rssi_cdbm / 100, phase))
    return found


def draw(rssi: Axes, phase: Axes, seen: Observed, portal: str) -> None:
    """Draw both pictures of a portal, one above the other."""
    visits = shown_visits(seen, portal)
    begin_us = min(visit.started_us for visit in visits) - round(1e6 * AROUND_S)
    end_us = max(visit.ended_us for visit in visits) + round(1e6 * AROUND_S)
    drawn = traces(seen, portal, begin_us, end_us)
    for axes in (rssi, phase):
        axes.set_xlim(begin_us / 1e6, end_us / 1e6)
        axes.grid(axis="y", color=FAINT, lw=0.5, alpha=0.6)
        axes.tick_params(length=2, labelsize=7)
        _truth(axes, visits)
    for trace in drawn:
        size = 6 if len(trace.at_s) <= FEW_READS else 1
        rssi.scatter(trace.at_s, trace.rssi_dbm, s=size, color=trace.colour, lw=0, label=trace.label, zorder=3)
        phase.scatter(trace.at_s, trace.phase_rad, s=size * 0.7, color=trace.colour, lw=0, zorder=3)
    _axes(rssi, phase, seen, portal)
    _said(rssi, visits)
    if not any(len(trace.at_s) for trace in drawn):
        _silent(rssi, seen, visits)


def _between_us(one: Crossing, other: Crossing) -> int:
    """Time from the end of the earlier to the start of the later; below 0 where they overlap."""
    return max(one.started_us - other.ended_us, other.started_us - one.ended_us)


def _side(antenna: AntennaPart) -> str:
    return antenna.side or ("outside" if antenna.position[0] > 0 else "inside")


def _axes(rssi: Axes, phase: Axes, seen: Observed, portal: str) -> None:
    rssi.set_ylabel("RSSI, dBm")
    rssi.tick_params(labelbottom=False)
    rssi.set_title(f"tag {seen.tag} at {portal}", loc="left", fontsize=8.5, color=INK, pad=15)
    rssi.margins(y=0.12)
    phase.set_ylim(0, 2 * math.pi)
    phase.set_yticks([0, math.pi, 2 * math.pi], ["0", "π", "2π"])
    phase.set_ylabel("phase, rad")
    phase.set_xlabel("seconds of the scenario")


def _truth(axes: Axes, visits: Sequence[Crossing]) -> None:
    """The visit as a band, the true crossing as a line in the accent colour."""
    for visit in visits:
        axes.axvspan(visit.started_us / 1e6, visit.ended_us / 1e6, color=FAINT, alpha=0.25, lw=0, zorder=0)
        if visit.crossed_us is not None:
            axes.axvline(visit.crossed_us / 1e6, color=ACCENT, lw=1.4, zorder=2)


def _said(axes: Axes, visits: Sequence[Crossing]) -> None:
    """The true kind of each visit, above the picture."""
    for visit in visits:
        crossed = visit.crossed_us
        at_s = (visit.started_us + visit.ended_us) / 2e6 if crossed is None else crossed / 1e6
        words = WORDS[visit.kind] if crossed is None else f"{WORDS[visit.kind]}, {at_s:.2f} s"
        colour = QUIET if crossed is None else ACCENT
        where = axes.get_xaxis_transform()
        axes.text(at_s, 1.02, words, transform=where, color=colour, fontsize=7.5, ha="center", va="bottom")


def _silent(axes: Axes, seen: Observed, visits: Sequence[Crossing]) -> None:
    why = {"ok": "", "dead": ": it is dead", "foil": ": it is wrapped in foil", "peeled": ": it was peeled off"}
    words = f"tag {seen.tag} was never read{why[visits[0].tag]}"
    axes.text(0.5, 0.5, words, transform=axes.transAxes, color=QUIET, ha="center", va="center")
    axes.set_yticks([])
