"""Other books beside ours: how each agrees, the two figures that follow, and what differs, the gravest first."""

from pathlib import Path
from typing import Any, Final

from nicegui import ui

from central.console import words
from central.console.board import Board
from central.console.elements import box, cell, header, link, text
from central.console.errors import ConsoleError
from central.console.pulse import draw_tick

LISTED: Final = 50
"""Mismatches of one book that stand open; the API lists more."""
STYLE: Final = Path(__file__).with_name("books.css").read_text(encoding="utf-8")
NAMES: Final = {
    "far": "Finance's register", "itsm": "Tickets", "mdm": "Managed devices", "discovery": "The network", "hrms": "HR",
}  # fmt: skip
COLUMNS: Final = ("book", "of", "as it stood", "agree", "only here", "only there", "differ")
SIGNS: Final = {"green": "●", "yellow": "◐", "red": "▲", "n/a": "○"}


async def books_page(board: Board) -> None:
    """Draw the books and what differs."""
    ui.add_css(STYLE)
    with box("page"):
        found: dict[str, Any] = {}
        header("Books", "/books", lambda: words.as_of(found.get("as_of")))
        draw_tick(lambda: words.clock_time(found.get("as_of")))
        try:
            found |= await board.client.get("reconciliation", limit=LISTED)
            figures = await board.client.get("reconciliation/figures")
        except ConsoleError as error:
            with box("notice", role="alert"):
                text("▲", "sign")
                text(str(error), "grow")
            return
        if not found["books"]:
            text("Finance, tickets, devices, network and HR stand here once a snapshot of theirs was taken.", "empty")
            return
        with box("book-lights"):
            text(far_words(figures), "strong")
            text(discovery_words(figures), "strong")
        _table(found["books"])
        for one in found["books"]:
            _mismatches(one)


def far_words(figures: dict[str, Any]) -> str:
    """Finance's mismatches that are open beyond their date."""
    told = [f"{figures[f'far_{name}']} {name}" for name in ("critical", "high") if figures[f"far_{name}"]]
    late = ", ".join(told) or "nothing grave"
    return f"{SIGNS[figures['far']]} Finance, open beyond the date: {late} ({figures['far']})"


def discovery_words(figures: dict[str, Any]) -> str:
    """Unknown devices that were closed in time."""
    if figures["discovery_ratio"] is None:
        return f"{SIGNS['n/a']} Unknown devices: none fell due in 30 days"
    share = f"{figures['discovery_closed']} of {figures['discovery_due']} closed in time"
    return f"{SIGNS[figures['discovery']]} Unknown devices: {share} ({figures['discovery']})"


def _table(books: list[dict[str, Any]]) -> None:
    with box("book-table", role="table"):
        with box("book-row book-head", role="row"):
            for name in COLUMNS:
                cell(name, "", "columnheader")
        for one in books:
            with box("book-row", role="row"):
                cell(NAMES[one["book"]], "strong", "rowheader")
                cell(one["location_name"], "")
                cell(words.when(one["taken_at"]), "num")
                for name in ("matched", "only_here", "only_there", "conflicts"):
                    cell(f"{one['compared'][name]:,}", "num")
    box("gap")


def _mismatches(one: dict[str, Any]) -> None:
    compared = one["compared"]
    total = compared["only_here"] + compared["only_there"] + compared["conflicts"]
    if not total:
        return
    text(f"{NAMES[one['book']]}, {one['location_name']}: {total:,} to put right", "section-title", tag="h2")
    with box("mismatches"):
        for finding in one["findings"]:
            with box("mismatch"):
                text(finding["severity"], "strong" if finding["severity"] in {"critical", "high"} else "dim")
                _subject(finding)
                text(finding["why"], "grow")
                told = finding["told"]
                text(
                    ", ".join(f"{name} {told[name]}" for name in ("id", "serial", "name", "line") if told.get(name)),
                    "dim",
                )
        if total > len(one["findings"]):
            text(f"The {len(one['findings'])} gravest are listed.", "dim")


def _subject(finding: dict[str, Any]) -> None:
    if finding["asset"]:
        link(finding["asset"], f"/assets/{finding['asset']}")
    else:
        text("not in our register")
