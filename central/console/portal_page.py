"""One door's page: what it does now and why, how far its alerts can be trusted, and what passed it last."""

from typing import Any
from urllib.parse import quote

from central.console import words
from central.console.board import Board
from central.console.capture_panel import CapturePanel
from central.console.command_panel import CommandPanel
from central.console.elements import box, failed, link, nav, text
from central.console.errors import ConsoleError, NotThereError
from central.console.pulse import draw_tick
from central.console.walk_panel import WalkPanel

SHOWN = 20


async def portal_page(board: Board, portal_id: str) -> None:
    """Draw the page of one door; an unknown one gets words and a way back."""
    with box("page narrow"):
        with box("crumbs"):
            link("← the board", "/")
            nav("")
        try:
            found = await board.client.get(f"portals/{quote(portal_id, safe='')}")
            passed = await board.client.get("movements", portal=portal_id, limit=SHOWN)
            measured = await board.client.get("portal-accuracy", portal=portal_id)
            ready = (await board.client.get(f"portals/{quote(portal_id, safe='')}/readiness"))["readiness"]
        except ConsoleError as error:
            failed(error, "door", isinstance(error, NotThereError))
            return
        draw_tick(lambda: words.clock_time(found["as_of"]))
        _head(board, found)
        _trust(found["figures"])
        _sees(measured["portals"])
        _ready(ready)
        await CommandPanel(board, found["portal"]["gateway"]).draw()
        WalkPanel(board, found["portal"]["gateway"], portal_id).draw()
        await CapturePanel(board, found["portal"]["gateway"], portal_id).draw()
        _passed(board, passed["movements"])


def _head(board: Board, found: dict[str, Any]) -> None:
    portal = found["portal"]
    text(portal["name"], "asset-name", tag="h1")
    text(f"{portal['id']} · {board.place(portal['inside'])} | {board.place(portal['outside'])}", "dim")
    with box("asset-place"):
        text(f"Now it {words.mode_words(found['mode_now'])}", "asset-where")
        for measure in found["measures"]:
            text(f"▲ {words.measure_words(measure)}", "measure")
        if found["measures"]:
            text(f"Afterwards it {words.mode_words(portal['mode'])} again.", "dim small")


def _trust(figures: dict[str, Any]) -> None:
    """Numbers first: how many of its alerts were false, by verdicts that the world has borne out."""
    text("Its alerts, of 90 days", "section-title", tag="h2")
    with box("figures"):
        share = figures["share_false"]
        for label, value in (
            ("false, of judged ones", "none" if share is None else f"{share:.0%}"),
            ("alerts", f"{figures['alerts']:,}"),
            ("not ended", f"{figures['unresolved']:,}"),
            ("false read, not confirmed", f"{figures['provisional']:,}"),
            ("tests", f"{figures['tests']:,}"),
        ):
            with box("figure"):
                text(value, "figure-value")
                text(label, "dim small")
    text(words.trust(figures), "dim")


def _sees(measured: list[dict[str, Any]]) -> None:
    """What it misses, by its own measure: contradictions between what doors saw, no ground truth."""
    text("What it misses, of 90 days", "section-title", tag="h2")
    if not measured:
        text("It isn't measured yet: that happens every quarter of an hour.", "empty")
        return
    (door,) = measured
    few = door["crossings"] < words.FEW_CROSSINGS
    with box("figures"):
        for label, value in (
            ("of its crossings are missed", "not known" if few else f"{door['miss_rate']:.1%}"),
            ("missed a month", "not known" if door["missed_month"] is None else f"{door['missed_month']:,.0f}"),
            ("misread a month", f"{door['misread_month']:,.0f}"),
            ("crossings seen", f"{door['crossings']:,}"),
        ):
            with box("figure"):
                text(value, "figure-value")
                text(label, "dim small")
    text(words.miss_words(door), "dim")


def _ready(door: dict[str, Any]) -> None:
    """Draw whether it may be louder: each thing that this wants of it beside what it shows."""
    if door["next"] is not None:
        text(f"Whether it may {words.LOUDER[door['next']]}", "section-title", tag="h2")
        for one in door["criteria"]:
            with box("quiet-line"):
                text("✓" if one["met"] else "✗", "sign")
                text(words.criterion_words(one), "grow" if one["met"] else "grow strong")
        told = "It may." if door["ready"] else "Not yet; another person's approval with a reason overrides that."
        text(told, "fact strong")
    if door["last"]:
        text(words.promotion_words(door["last"]), "fact dim")
    box("gap")


def _passed(board: Board, movements: list[dict[str, Any]]) -> None:
    text("What passed it last", "section-title", tag="h2")
    if not movements:
        text("Nothing has passed it yet. Each passage will stand here.", "empty")
    for movement in movements:
        with box("movement"):
            text(words.KIND_SIGNS.get(movement["kind"], "·"), "sign")
            text(words.when(movement["at"]), "time")
            asset = movement.get("asset")
            link(asset, f"/assets/{asset}") if asset else text(f"unknown tag {movement['epc']}", "mono")
            text(words.movement_line(movement, board.place), "grow")
            text(words.sureness(movement["confidence"]), "dim")
