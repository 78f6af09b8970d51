"""All doors: what each does now, how far its alerts can be trusted, and what it misses. Trust is a number here."""

from typing import Any

from central.console import words
from central.console.board import Board
from central.console.elements import box, cell, header, link, text
from central.console.errors import ConsoleError
from central.console.pulse import draw_tick


async def portals_page(board: Board) -> None:
    """Draw the table of doors."""
    with box("page"):
        found: dict[str, Any] = {}
        header("Doors", "/portals", lambda: words.as_of(found.get("as_of")))
        draw_tick(lambda: words.clock_time(found.get("as_of")))
        try:
            found |= await board.client.get("portals")
            figures = (await board.client.get("portal-figures"))["figures"]
            measured = (await board.client.get("portal-accuracy"))["portals"]
            measures = (await board.client.get("portal-measures"))["measures"]
        except ConsoleError as error:
            with box("notice", role="alert"):
                text("▲", "sign")
                text(str(error), "grow")
            return
        if not found["portals"]:
            text("Doors appear here once stockgate-central import has read portals.csv.", "empty")
            return
        _table(board, found["portals"], {one["portal"]: one for one in figures},
               {one["portal"]: one for one in measured}, {one["portal"]: one for one in measures})  # fmt: skip


def _table(
    board: Board,
    portals: list[dict[str, Any]],
    figures: dict[str, dict[str, Any]],
    measured: dict[str, dict[str, Any]],
    measures: dict[str, dict[str, Any]],
) -> None:
    gateways = {one["gateway"]: words.gateway_words(one) for one in board.gateways}
    with box("door-table", role="table"):
        with box("door-row door-head", role="row"):
            for name in ("door", "what it does", "its gateway", "false alerts, 90 days", "misses"):
                cell(name, "grow" if name == "door" else "", "columnheader")
        for portal in sorted(portals, key=lambda one: one["name"]):
            well, state = gateways.get(portal["gateway"], (False, "was never heard"))
            with box("door-row", role="row"):
                with box("grow", role="rowheader"):
                    link(portal["name"], f"/portals/{portal['id']}")
                    text(f"{board.place(portal['inside'])} | {board.place(portal['outside'])}", "fact dim")
                muted = measures.get(portal["id"])
                mode = words.measure_words(muted) if muted else words.mode_words(portal["mode"])
                cell(f"▲ {mode}" if muted else mode, "strong" if muted else "")
                cell(f"{'●' if well else '▲'} {portal['gateway']} {state}", "" if well else "strong")
                cell(words.trust(figures[portal["id"]]) if portal["id"] in figures else "no alert yet", "")
                door = measured.get(portal["id"])
                cell(_misses(door) if door else "not measured yet", "")


def _misses(door: dict[str, Any]) -> str:
    if door["crossings"] < words.FEW_CROSSINGS:
        return f"too few crossings to tell ({door['crossings']:,})"
    return f"{door['miss_rate']:.1%} ({door['miss_rate_low']:.1%} to {door['miss_rate_high']:.1%})"
