"""One passage as a PNG: the verdict on top, levels, balance and speeds over one time axis, the reasons below.

Dark is inside, orange is outside, in every part of it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from edge.agent.explain import R_ANTENNA, Called, Passage
from edge.agent.explain_measure import LEAST_PAIRS, STILL_RAD, Floats, Measured, measure, medians
from edge.agent.explain_words import reasons, span, subtitle, title
from edge.contracts import SensorRow, instant_us

WIDTH_IN: Final = 9.6
HEIGHT_IN: Final = 7.8
DPI: Final = 100
INK: Final = "#1e293b"
QUIET: Final = "#64748b"
FAINT: Final = "#cbd5e1"
SHADES: Final = (("#1e3a8a", "#3b82f6", "#60a5fa", "#93c5fd"), ("#c2410c", "#fb923c", "#f59e0b", "#fcd34d"))
"""Antennas inside and outside; the first of each is the side's colour."""
MARKS: Final = ("o", "s", "^", "D")
CROSSING: Final = "#15803d"
SENSOR: Final = "#7c3aed"
FAST_M_S: Final = 3.0
LEAST_DB: Final = 6.0
SENSOR_HEIGHT: Final = 0.32
FAR_S: Final = 1e5
"""Beyond any picture."""


def draw(passage: Passage) -> bytes:
    """Return the PNG; its bytes depend on the passage alone."""
    zero_us = instant_us(passage.final.started_at)
    seen = measure(passage, zero_us)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rc("font", family="DejaVu Sans", size=9)
        mpl.rc("text", color=INK)
        mpl.rc("axes", edgecolor=FAINT, labelcolor=QUIET, linewidth=0.8)
        mpl.rc("axes.spines", top=False, right=False)
        mpl.rc("xtick", color=QUIET)
        mpl.rc("ytick", color=QUIET)
        drawn = BytesIO()
        _sheet(passage, seen, zero_us).savefig(drawn, format="png", dpi=DPI, metadata={"Software": None})
    return drawn.getvalue()


def write(passage: Passage, out: Path) -> None:
    """Write the PNG; what was there before stays where that fails.

    Raises:
        OSError: it can't be written there.
    """
    drawn = draw(passage)
    if out.exists() and not out.is_file():
        out.write_bytes(drawn)
        return
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_bytes(drawn)
        os.replace(part, out)  # noqa: PTH105 - says that an existing file is replaced
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def _sheet(passage: Passage, seen: Measured, zero_us: int) -> Figure:
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI)
    FigureCanvasAgg(figure)
    sided = passage.portal.layout != "single"
    why, wired = reasons(passage, seen), spans(passage.sensors, zero_us)
    heights = [3.0, *([SENSOR_HEIGHT * len(wired)] if wired else []), *([1.4] if sided else []), 1.1]
    bottom = 0.09 + 0.027 * len(why)
    grid = GridSpec(len(heights), 1, figure, 0.085, bottom, 0.9, 0.845, hspace=0.16, height_ratios=heights)
    axes = [figure.add_subplot(grid[0, 0])]
    axes += [figure.add_subplot(grid[at, 0], sharex=axes[0]) for at in range(1, len(heights))]
    _levels(axes[0], passage, seen)
    if wired:
        _sensors(axes[1], wired)
    if sided:
        _balance(axes[-2], seen)
    _phases(axes[-1], seen)
    axes[0].set_xlim(*span(passage, zero_us, seen.seconds))
    for one in axes[:-1]:
        one.tick_params(labelbottom=False)
    axes[-1].set_xlabel(f"seconds since its visit began, at {passage.final.started_at[11:23]} UTC")
    _instants(axes, passage, zero_us)
    figure.text(0.02, 0.975, title(passage), size=17, weight="bold", va="top")
    figure.text(0.02, 0.927, subtitle(passage.final), size=8.5, color=QUIET, va="top")
    figure.text(0.02, 0.015, "\n".join(f"• {line}" for line in why), size=9.5, va="bottom", linespacing=1.45)
    return figure


def _levels(axes: Axes, passage: Passage, seen: Measured) -> None:
    """Every read by its antenna, and both sides' envelopes over them."""
    places = passage.reads[:, R_ANTENNA]
    number = [0, 0]
    for at, antenna in enumerate(passage.portal.antennas):
        side = int(antenna.side == "outside")
        color, mark = SHADES[side][number[side] % 4], MARKS[number[side] % 4]
        number[side] += 1
        mine = places == at
        label = f"{antenna.reader} {antenna.port}" + (f"\n{antenna.side}" if antenna.side else "")
        axes.plot(seen.seconds[mine], seen.levels[mine], mark, ms=3.2, color=color, alpha=0.6, mew=0, label=label)
    for side, name in enumerate(("inside", "outside")):
        curve = seen.envelopes[side]
        axes.plot(seen.grid, curve, lw=2.6, color=SHADES[side][0], solid_capstyle="round")
        heard = np.flatnonzero(~np.isnan(curve))
        if len(heard) and passage.portal.layout != "single":
            top = heard[int(np.argmax(curve[heard]))]
            axes.annotate(
                name, (seen.grid[top], curve[top]), (0, 7), textcoords="offset points", ha="center", size=10.5,
                weight="bold", color=SHADES[side][0],
            )  # fmt: skip
    axes.margins(y=0.14)
    axes.set_ylabel("level, dBm")
    axes.legend(loc="lower left", bbox_to_anchor=(1.0, 0.0), frameon=False, fontsize=7.5, handletextpad=0.1,
                borderpad=0, markerscale=1.6)  # fmt: skip


def _balance(axes: Axes, seen: Measured) -> None:
    limit = max(float(np.nanmax(np.abs(seen.balance), initial=LEAST_DB)), LEAST_DB)
    for side, sign in enumerate((1, -1)):
        use = np.nan_to_num(seen.balance) * sign > 0
        axes.fill_between(seen.grid, 0, seen.balance, where=list(use), color=SHADES[side][0], alpha=0.75, lw=0)
    axes.axhline(0, color=FAINT, lw=0.8)
    axes.set_ylim(-1.1 * limit, 1.1 * limit)
    axes.set_ylabel("balance, dB")
    axes.text(1.01, 0.8, "inside\nlouder", transform=axes.transAxes, va="center", color=SHADES[0][0], size=8)
    axes.text(1.01, 0.2, "outside\nlouder", transform=axes.transAxes, va="center", color=SHADES[1][0], size=8)


def _phases(axes: Axes, seen: Measured) -> None:
    """Speeds, where phases are near enough in time; else how much they changed, over a band of what noise does."""
    if len(seen.speeds) >= LEAST_PAIRS:
        axes.axhline(0, color=FAINT, lw=0.8)
        axes.set_ylim(-FAST_M_S, FAST_M_S)
        axes.set_ylabel("speed, m/s")
        axes.text(1.01, 0.8, "away from\nthe antenna", transform=axes.transAxes, va="center", color=QUIET, size=8)
        axes.text(1.01, 0.2, "towards it", transform=axes.transAxes, va="center", color=QUIET, size=8)
        _dots(axes, seen.speeds)
        return
    axes.set_ylim(0, np.pi / 2)
    axes.set_ylabel("phase\nchange, rad")
    axes.axhspan(0, STILL_RAD, color=FAINT, alpha=0.5, lw=0)
    axes.text(1.01, 0.11, "at rest", transform=axes.transAxes, va="center", color=QUIET, size=8)
    axes.text(1.01, 0.6, "moves", transform=axes.transAxes, va="center", color=QUIET, size=8)
    _dots(axes, seen.turns)
    if not len(seen.turns):
        axes.text(0.5, 0.5, "no two phases of one antenna and channel", ha="center", transform=axes.transAxes,
                  color=QUIET, size=8)  # fmt: skip


def _dots(axes: Axes, pairs: Floats) -> None:
    for side in (0, 1):
        mine = pairs[pairs[:, 2] == side]
        axes.plot(mine[:, 0], mine[:, 1], ".", ms=4, color=SHADES[side][1], alpha=0.6)
        middle = medians(mine)
        axes.plot(middle[:, 0], middle[:, 1], "-", lw=1.8, color=SHADES[side][0])


@dataclass(frozen=True, slots=True, order=True)
class _Mark:
    at_s: float
    name: str
    color: str = QUIET
    style: str = "--"


def _instants(axes: list[Axes], passage: Passage, zero_us: int) -> None:
    """Mark the crossing and every call in all parts; named above the first."""
    begin, end = axes[0].get_xlim()
    before_s, row = begin - end, 0
    for mark in sorted(_marks(passage, zero_us)):
        if not begin <= mark.at_s <= end:
            continue
        row = (row + 1) % 3 if mark.at_s - before_s < 0.16 * (end - begin) else 0
        before_s = mark.at_s
        for one in axes:
            one.axvline(mark.at_s, color=mark.color, lw=1.6 if mark.style == "-" else 1.1, ls=mark.style, zorder=0.5)
        axes[0].annotate(
            mark.name, (mark.at_s, 1.0), (0, 2 + 10 * row), xycoords=("data", "axes fraction"), size=8.5,
            color=mark.color, textcoords="offset points", ha="center", va="bottom", weight="bold",
        )  # fmt: skip


def _marks(passage: Passage, zero_us: int) -> Iterator[_Mark]:
    for call in passage.calls:
        yield _Mark((call.at_us - zero_us) / 1e6, _name(call))
    if passage.final.crossed_at is not None:
        yield _Mark((instant_us(passage.final.crossed_at) - zero_us) / 1e6, "crossed", CROSSING, "-")


def spans(sensors: Sequence[SensorRow], zero_us: int) -> dict[str, list[tuple[float, float]]]:
    """Return when each beam was broken and each door open, seconds from and to; what goes on has no end."""
    found: dict[str, list[tuple[float, float]]] = {}
    since: dict[str, float] = {}
    for row in sensors:
        name = f"beam {row.gpi} broken" if row.kind == "beam" else f"door {row.gpi} open"
        at_s = (instant_us(row.at) - zero_us) / 1e6
        mine = found.setdefault(name, [])
        if row.state:
            since.setdefault(name, at_s)
        elif name in since or not mine:
            mine.append((since.pop(name, -np.inf), at_s))
    for name, at_s in since.items():
        found[name].append((at_s, np.inf))
    return found


def _sensors(axes: Axes, wired: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """One line a beam or door, filled while it is broken or open."""
    axes.set_ylim(len(wired) - 0.5, -0.5)
    axes.set_yticks([])
    for number, (name, times) in enumerate(wired.items()):
        for begin_s, end_s in times:
            left, right = max(begin_s, -FAR_S), min(end_s, FAR_S)
            axes.barh(number, right - left, left=left, height=0.6, color=SENSOR, lw=0)
        axes.text(1.01, number, name, transform=axes.get_yaxis_transform(), va="center", color=SENSOR, size=8)


def _name(call: Called) -> str:
    return f"final: {call.row.kind}" if call.row.final else f"provisional: {call.row.kind}"
