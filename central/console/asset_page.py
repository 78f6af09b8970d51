"""One asset's page: where it is, and every movement with the evidence that it was decided on."""

from typing import Any
from urllib.parse import quote

from nicegui import ui

from central.console import words
from central.console.board import Board
from central.console.elements import box, link, text
from central.console.errors import ConsoleError, NotThereError
from central.console.pulse import draw_tick


async def asset_page(board: Board, asset_id: str) -> None:
    """Draw the page of one asset; an unknown one gets words and a way back."""
    with box("page narrow"):
        link("← all locations", "/")
        try:
            found = await _found(board, asset_id)
        except ConsoleError as error:
            missing = isinstance(error, NotThereError)
            text("There is no such asset" if missing else "This asset can't be shown", "section-title", tag="h1")
            text(str(error), "empty")
            return
        draw_tick(lambda: words.clock_time(found["as_of"]))
        _head(board, found["asset"], found["as_of"])
        _movements(board, found["movements"])


async def _found(board: Board, asset_id: str) -> dict[str, Any]:
    if not words.is_id(asset_id):
        raise NotThereError(
            f"{asset_id!r} can't be an asset's id: take the link from the board, or look for a typing error."
        )
    return await board.client.get(f"assets/{quote(asset_id, safe='')}/movements")


def _head(board: Board, asset: dict[str, Any], as_of: str) -> None:
    text(f"{asset['name']}", "asset-name", tag="h1")
    facts = [asset["id"], asset["class"], f"serial {asset['serial']}" if asset.get("serial") else ""]
    text(" · ".join(fact for fact in facts if fact), "dim")
    if asset.get("doubt"):
        text(f"Its place is in doubt. {words.with_names(asset['doubt'], board.names())}", "doubt")
    if asset.get("transit"):
        text("In transit: not received yet.", "doubt")
    with box("asset-place"):
        text(board.place(asset["location"]), "asset-where")
        since = f"since {words.clock_time(asset['since'])}" if asset.get("since") else "as imported"
        sure = words.sureness(asset.get("confidence"))
        text(
            ", ".join(fact for fact in (since, sure, f"as of {words.clock_time(as_of)} {words.zone(as_of)}") if fact),
            "dim",
        )
        if asset.get("why"):
            text(words.with_names(asset["why"], board.names()), "dim")


def _movements(board: Board, movements: list[dict[str, Any]]) -> None:
    text("Movements, newest first", "section-title", tag="h2")
    finals = _newest_revisions(movements)
    if not finals:
        text("It has not passed a portal yet. Each passage will stand here with the reads that prove it.", "empty")
    for movement in finals:
        with box("life"):
            with box("movement"):
                text(words.KIND_SIGNS.get(movement["kind"], "·"), "sign")
                text(words.clock_time(movement["at"]), "time")
                text(words.movement_line(movement, board.place), "grow strong")
                text(board.door(movement["portal"]), "dim wide")
                text(words.certainty(movement), "dim")
            _evidence(movement)


def _newest_revisions(movements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The highest revision of each passage, newest first."""
    newest: dict[str, dict[str, Any]] = {}
    for movement in movements:
        known = newest.get(movement["passage"])
        if known is None or movement["rev"] > known["rev"]:
            newest[movement["passage"]] = movement
    return sorted(newest.values(), key=lambda one: str(one["at"]), reverse=True)


def _evidence(movement: dict[str, Any]) -> None:
    """Each antenna in the order in which it heard the tag best: that order is the direction."""
    antennas = movement["evidence"].get("antennas", [])
    most = max((antenna["reads"] for antenna in antennas), default=1) or 1
    text(f"{words.counted(movement['reads'], 'read')}; antennas in the order of their strongest read:", "dim small")
    for antenna in sorted(antennas, key=lambda one: one.get("peak_at") or "9"):
        with box("antenna"):
            text(f"{antenna['reader']} antenna {antenna['port']}", "mono")
            with box("bar-rail"):
                ui.element("div").classes("bar").style(f"width: {100 * antenna['reads'] / most:.0f}%")
            text(words.counted(antenna["reads"], "read"), "num")
            text(words.clock_time(antenna.get("peak_at")), "num wide")
            peak = antenna.get("peak_rssi_cdbm")
            text(f"{peak / 100:.0f} dBm" if peak is not None else "", "num")
