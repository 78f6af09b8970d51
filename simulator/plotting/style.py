"""How pictures look, and how they are saved: one accent colour for the tag that is followed, quiet ones beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simulator.truth import write_atomically

WIDTH_PX: Final = 900
DPI: Final = 100
PAPER: Final = "#ffffff"
INK: Final = "#1e293b"
QUIET: Final = "#64748b"
FAINT: Final = "#cbd5e1"
ACCENT: Final = "#c2410c"
GROUPS: Final = ("#1d4ed8", "#0f766e", "#7c3aed", "#4d7c0f", "#0369a1", "#a16207", "#be185d")
"""Colours of groups that aren't followed, over and over."""
INSIDE: Final = ("#0f172a", "#64748b")
OUTSIDE: Final = ("#c2410c", "#fb923c")
"""Antennas of either side, dark and light, over and over."""


@contextmanager
def look() -> Iterator[None]:
    """Draw within this: no setting of whoever runs it changes the picture."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rc("font", family="DejaVu Sans", size=8.5)
        mpl.rc("text", color=INK)
        mpl.rc("figure", facecolor=PAPER)
        mpl.rc("axes", edgecolor=FAINT, labelcolor=QUIET, linewidth=0.8, facecolor=PAPER)
        mpl.rc("axes.spines", top=False, right=False)
        mpl.rc("xtick", color=QUIET)
        mpl.rc("ytick", color=QUIET)
        yield


def sheet(height_px: int) -> Figure:
    """An empty picture that draws without a screen."""
    figure = Figure(figsize=(WIDTH_PX / DPI, height_px / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, out: Path) -> None:
    """Write a PNG whose bytes depend on the picture alone.

    Raises:
        OSError: it can't be written there.
    """
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, metadata={"Software": None}, pil_kwargs={"optimize": True})
    write_atomically(out, drawn.getvalue())
