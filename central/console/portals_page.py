"""All doors: what each does now, how far its alerts can be trusted, and what it misses. Trust is a number here."""

from typing import Any, Final

from central.console import words
from central.console.board import Board
from central.console.elements import box, cell, header, link, text
from central.console.errors import ConsoleError
from central.console.gateway_words import gateway_words
from central.console.pulse import draw_tick

Known = dict[str, dict[str, Any]]
"""Something that is told of each door, by door."""

LISTS: Final = {
    "portal-figures": "figures",
    "portal-measures": "measures",
    "portal-accuracy": "portals",
    "portal-readiness": "portals",
}
"""What the API calls each of them, and the list in its answer."""
COLUMNS: Final = ("door", "what it does", "its gateway", "false alerts, 90 days", "misses", "may it be louder")


async def portals_page(board: Board) -> None:
    """Draw the table of doors."""
    with box("page"):
        found: dict[str, Any] = {}
        header("Doors", "/portals", lambda: words.as_of(found.get("as_of")))
        draw_tick(lambda: words.clock_time(found.get("as_of")))
        try:
            found |= await board.client.get("portals")
            known = {path: await _by_door(board, path, name) for path, name in LISTS.items()}
        except ConsoleError as error:
            with box("notice", role="alert"):
                text("▲", "sign")
                text(str(error), "grow")
            return
        if not found["portals"]:
            text("Doors appear here once stockgate-central import has read portals.csv.", "empty")
            return
        _table(board, found["portals"], known)


async def _by_door(board: Board, path: str, name: str) -> Known:
    return {one["portal"]: one for one in (await board.client.get(path))[name]}


def _table(board: Board, portals: list[dict[str, Any]], known: dict[str, Known]) -> None:
    gateways = {one["gateway"]: gateway_words(one) for one in board.gateways}
    with box("door-table", role="table"):
        with box("door-row door-head", role="row"):
            for name in COLUMNS:
                cell(name, "grow" if name == "door" else "", "columnheader")
        for portal in sorted(portals, key=lambda one: one["name"]):
            with box("door-row", role="row"):
                _row(board, portal, known, gateways.get(portal["gateway"], (False, "was never heard")))


def _row(board: Board, portal: dict[str, Any], known: dict[str, Known], gateway: tuple[bool, str]) -> None:
    figures, muted, measured, ready = (known[path].get(portal["id"]) for path in LISTS)
    well, state = gateway
    with box("grow", role="rowheader"):
        link(portal["name"], f"/portals/{portal['id']}")
        text(f"{board.place(portal['inside'])} | {board.place(portal['outside'])}", "fact dim")
    mode = words.measure_words(muted) if muted else words.mode_words(portal["mode"])
    cell(f"▲ {mode}" if muted else mode, "strong" if muted else "")
    cell(f"{'●' if well else '▲'} {portal['gateway']} {state}", "" if well else "strong")
    cell(words.trust(figures) if figures else "no alert yet", "")
    cell(_misses(measured) if measured else "not measured yet", "")
    cell(words.ready_words(ready) if ready else "", "")


def _misses(door: dict[str, Any]) -> str:
    if door["crossings"] < words.FEW_CROSSINGS:
        return f"too few crossings to tell ({door['crossings']:,})"
    return f"{door['miss_rate']:.1%} ({door['miss_rate_low']:.1%} to {door['miss_rate_high']:.1%})"
