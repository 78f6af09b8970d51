"""The whole picture: plan and words above, reads of the followed tag below."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec, SubplotSpec

from simulator.plotting import plan, traces
from simulator.plotting.observed import Observed, numbers
from simulator.plotting.style import ACCENT, INK, QUIET, WIDTH_PX, sheet
from simulator.scenarios.model import Scenario
from simulator.world.world import Way

TRACES_PX = 330
WORDS_SHARE = 0.28
"""Part of the width that the words beside the plan take."""
PLAN_PX = (230, 420)
"""Least and greatest height of the plan."""
PORTALS = 2
"""So many portals are followed beside one another."""


def draw(seen: Observed) -> Figure:
    """Draw a run."""
    parts = plan.parts(seen)
    plan_px, traced = max(_plan_px(parts), _words_px(seen)), _traced(seen)
    figure = sheet(plan_px + 60 + (TRACES_PX if traced else 0))
    heights = [plan_px, TRACES_PX] if traced else [plan_px]
    grid = figure.add_gridspec(
        len(heights), 1, height_ratios=heights, left=0.065, right=0.985, hspace=0.24 if len(traced) < PORTALS else 0.32
    )
    grid.update(top=1 - 14 / (figure.get_figheight() * figure.dpi), bottom=44 / (figure.get_figheight() * figure.dpi))
    _plans(figure, grid[0], parts, seen)
    if traced:
        _traces(figure, grid[1], traced, seen)
    return figure


def _plan_px(parts: Sequence[plan.Part]) -> int:
    """A height at which the plans just fill their width."""
    wide = sum(float(part.size_m[0]) for part in parts)
    high = max(float(part.size_m[1]) for part in parts)
    return round(min(max(WIDTH_PX * 0.9 * (1 - WORDS_SHARE) * high / wide, PLAN_PX[0]), PLAN_PX[1]))


def _words_px(seen: Observed) -> int:
    """The height that the words beside the plan take."""
    return round(sum(_line_px(size) for _, _, size, _ in _lines(seen)))


def _line_px(size: float) -> float:
    """From one line of words to the next."""
    return size * 1.75 + 2


def _traced(seen: Observed) -> list[str]:
    """Portals at which the followed tag is shown: most reads first, then in the order of its visits."""
    reads: dict[str, int] = {}
    for visit in seen.visits:
        reads[visit.portal] = reads.get(visit.portal, 0) + visit.reads
    best = sorted(reads, key=lambda portal: -reads[portal])[:PORTALS]
    return [portal for portal in reads if portal in best]


def _plans(figure: Figure, where: SubplotSpec, parts: Sequence[plan.Part], seen: Observed) -> None:
    inner = GridSpecFromSubplotSpec(
        1,
        len(parts) + 1,
        subplot_spec=where,
        width_ratios=[*(float(part.size_m[0]) for part in parts), _words_width(parts)],
        wspace=0.08,
    )
    for index, part in enumerate(parts):
        plan.draw(figure.add_subplot(inner[index]), part, seen)
    _words(figure, inner[len(parts)], seen)


def _words_width(parts: Sequence[plan.Part]) -> float:
    return sum(float(part.size_m[0]) for part in parts) * WORDS_SHARE / (1 - WORDS_SHARE)


def _words(figure: Figure, where: SubplotSpec, seen: Observed) -> None:
    """Name, what it shows, and the groups by colour."""
    axes = figure.add_subplot(where)
    axes.set_axis_off()
    at = 1.0
    height = axes.get_window_extent().height
    for words, colour, size, weight in _lines(seen):
        axes.text(0.02, at, words, color=colour, fontsize=size, weight=weight, va="top", transform=axes.transAxes)
        at -= _line_px(size) / height


def _lines(seen: Observed) -> list[tuple[str, str, float, str]]:
    """Each line of words with its colour, size and weight."""
    lines = [(seen.scenario.name, INK, 11.0, "bold")]
    lines += [(line, QUIET, 8.0, "normal") for line in textwrap.wrap(seen.scenario.description, 35)]
    return [*lines, ("", QUIET, 8.0, "normal"), *((words, colour, 7.5, "normal") for words, colour in _groups(seen))]


def _groups(seen: Observed) -> list[tuple[str, str]]:
    """A line for each way: what is carried, when."""
    if len(seen.tracks) > plan.FEW_TRACKS:
        carrying = sum(bool(track.tags) for track in seen.tracks)
        ways = f"{len(seen.tracks)} ways in {seen.end_us / 6e7:.0f} minutes,"
        return [
            (ways, QUIET),
            (f"{carrying} of them with tags", QUIET),
            ("", QUIET),
            (f"in red: who carries tag {seen.tag}", ACCENT),
        ]
    named = zip(seen.tracks, plan.colours(seen), strict=True)
    return [(_group(track, seen.scenario), colour) for track, colour in named]


def _group(track: Way, scenario: Scenario) -> str:
    carry = next((walk.carry for walk in scenario.walks if walk.id == track.group), None)
    what = _tags(numbers(track)) + (f", {carry}" if carry and carry != "none" else "")
    return f"{track.at_us[0] / 1e6:g} s → {track.group} ({what})"


def _tags(carried: Sequence[int]) -> str:
    if not carried:
        return "no tags"
    if len(carried) == 1:
        return f"tag {carried[0]}"
    consecutive = carried[-1] - carried[0] == len(carried) - 1
    return f"tags {carried[0]} to {carried[-1]}" if consecutive else f"{len(carried)} tags"


def _traces(figure: Figure, where: SubplotSpec, portals: Sequence[str], seen: Observed) -> None:
    inner = GridSpecFromSubplotSpec(
        2, len(portals), subplot_spec=where, hspace=0.1, wspace=0.14, height_ratios=[1.5, 1]
    )
    for column, portal in enumerate(portals):
        rssi, phase = figure.add_subplot(inner[0, column]), figure.add_subplot(inner[1, column])
        traces.draw(rssi, phase, seen, portal)
        if column:
            rssi.set_ylabel("")
            phase.set_ylabel("")
        thinned = any("(" in text for text in rssi.get_legend_handles_labels()[1])
        _legend(rssi, columns=2 if len(portals) > 1 or thinned else 4)


def _legend(rssi: Axes, columns: int) -> None:
    """Antennas by colour, above the picture, right of its title."""
    rssi.legend(
        loc="lower right",
        bbox_to_anchor=(1.01, 1.07),
        ncols=columns,
        fontsize=6.5,
        frameon=False,
        borderpad=0.0,
        handletextpad=0.1,
        columnspacing=1.0,
        markerscale=1.6,
    )
