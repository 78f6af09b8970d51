"""The doorway as a terminal picture: what is heard on each side, by bars that a person on a ladder can read."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from edge.commissioning.survey import Now

BAR: Final = 18
FULL_RATE: Final = 60.0
"""Reads a second that fill a bar: one antenna of four with one tag gives 17."""
FAINT_CDBM: Final = -8000
LOUD_CDBM: Final = -3500
"""Levels at which a bar is empty and full."""
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"
EPC_END: Final = 8


def bar(share: float, width: int = BAR) -> str:
    """Return a bar of a share of the width, in eighths of a character."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_BLOCKS[rest] if rest else "")).ljust(width)


def level_share(cdbm: int | None) -> float:
    """Return how full a level's bar is."""
    return 0.0 if cdbm is None else (cdbm - FAINT_CDBM) / (LOUD_CDBM - FAINT_CDBM)


def level_words(cdbm: int | None) -> str:
    """Return a level in dBm for people."""
    return "-" if cdbm is None else f"{cdbm / 100:.1f} dBm"


def reference_words(rate: float | None) -> str:
    """Return how a reference tag is heard, for people."""
    if rate is None:
        return "none"
    return f"{rate:.0f}/s" if rate else "SILENT"


def doorway_table(portal: str, seconds_left: float, shown: Sequence[Now]) -> Table:
    """Return the picture: antennas by side, with their rate, the loudest tag that moves, and who stays."""
    table = Table(title=f"{portal}: {max(seconds_left, 0):.0f} s left, Control-C ends it", title_justify="left")
    for head in ("side", "antenna", "reads/s", "", "loudest that moves", "", "stay", "reference"):
        table.add_column(head, no_wrap=True)
    ordered = sorted(shown, key=lambda one: (one.place.side, one.place.reader, one.place.port))
    for number, one in enumerate(ordered):
        if number and one.place.side != ordered[number - 1].place.side:
            table.add_section()
        table.add_row(*_cells(one))
    return table


def _cells(one: Now) -> tuple[Text, ...]:
    words = (
        one.place.side,
        f"{one.place.reader}/{one.place.port}",
        f"{one.rate:.0f}",
        bar(one.rate / FULL_RATE),
        f"{level_words(one.loudest_cdbm)} {one.loudest[-EPC_END:]}",
        bar(level_share(one.loudest_cdbm)),
        str(one.residents),
        reference_words(one.reference_rate),
    )
    return tuple(Text(word) for word in words)


def plain_line(seconds: float, shown: Sequence[Now]) -> str:
    """Return the same as one line, for a log or a pipe."""
    parts = (
        f"{one.place.side} {one.place.reader}/{one.place.port} {one.rate:.0f}/s {level_words(one.loudest_cdbm)} "
        f"{one.residents} stay{_reference(one)}"
        for one in shown
    )
    return f"{seconds:.0f} s: " + " | ".join(parts)


def _reference(one: Now) -> str:
    return "" if one.reference_rate is None else f", reference {reference_words(one.reference_rate)}"
