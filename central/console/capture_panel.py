"""Captures of a door's readers: a tap orders one, and what came of each stands below with the file."""

from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Response
from nicegui import ui
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse

from central.console import words
from central.console.board import Board
from central.console.client import ApiClient
from central.console.elements import FIELD, RECALL_S, box, text
from central.console.errors import ConsoleError
from central.console.person import RECALL_PERSON

SHOWN: Final = 6
LOOK_EVERY_S: Final = 2.0
PASSED_ON: Final = ("content-type", "content-length", "content-disposition")
SIGNS: Final = {"awaited": "…", "kept": "✓", "unconfirmed": "✓", "dropped": "·"}
STATES: Final = {
    "awaited": "is being recorded, or on its way",
    "missing": "has not come: the gateway may not have heard the order",
    "dropped": "was deleted since, for newer ones",
    "contradicted": "isn't what the gateway says it sent: order another",
    "unconfirmed": "the gateway has not said that it is whole",
}
NAMELESS: Final = "Write your person id beside the orders above: it stands with what is ordered and fetched."


class CapturePanel:
    """The captures of one gateway on an open page; orders are for one of its doors."""

    def __init__(self, board: Board, gateway: str, portal: str) -> None:
        self._board, self._portal = board, portal
        self._path = f"gateways/{quote(gateway, safe='')}"
        self._made: list[dict[str, Any]] = []
        self._problem = ""

    async def draw(self) -> None:
        """Draw the button and the list, which is read anew every other second."""
        await self._read()
        text("What its readers say, recorded", "section-title", tag="h2")
        if self._board.client.may_acknowledge:
            with box("choice"):
                self._seconds = ui.number("Seconds to record", value=30, min=1, max=300, precision=0).props(FIELD)
                button = ui.button("Record this door's readers", on_click=self._give)
                button.props("unelevated no-caps color=none").classes("verdict")
        self._list = ui.refreshable(self._draw_list)
        self._list()
        ui.timer(LOOK_EVERY_S, self._look)

    async def _person(self) -> str:
        person = str(await ui.run_javascript(RECALL_PERSON, timeout=RECALL_S)).strip()
        if not person:
            ui.notify(NAMELESS, type="warning", position="top", timeout=8000)
        return person

    async def _give(self) -> None:
        person = await self._person()
        if not person:
            return
        args = {"portal": self._portal, "seconds": int(self._seconds.value or 30)}
        try:
            await self._board.client.post(f"{self._path}/commands", {"by": person, "name": "capture", "args": args})
        except ConsoleError as error:
            ui.notify(str(error), type="warning", position="top", timeout=8000)
        await self._look()

    async def _fetch(self, number: int) -> None:
        if person := await self._person():
            ui.navigate.to(f"/captures/{number}/file?by={quote(person, safe='')}")

    async def _read(self) -> None:
        try:
            self._made = (await self._board.client.get(f"{self._path}/captures", limit=SHOWN))["captures"]
            self._problem = ""
        except ConsoleError as error:
            self._problem = str(error)

    async def _look(self) -> None:
        before = (self._made, self._problem)
        await self._read()
        if (self._made, self._problem) != before:
            self._list.refresh()

    def _draw_list(self) -> None:
        if self._problem:
            text(f"▲ {self._problem}", "strong")
        elif not self._made:
            text("Nothing was recorded by an order yet.", "empty")
        for one in self._made:
            with box("quiet-line capture"):
                text(SIGNS.get(one["state"], "▲"), "sign")
                text(words.when(one["given_at"]), "time")
                text(one["args"].get("portal") or one["args"].get("reader", ""), "strong")
                text(capture_words(one), "grow")
                if one["state"] in {"kept", "unconfirmed"} and self._board.client.may_acknowledge:
                    button = ui.button("Fetch", on_click=lambda number=one["id"]: self._fetch(number))
                    button.props("flat dense no-caps color=none")
                text(one["by"], "state")


def capture_words(capture: dict[str, Any]) -> str:
    """What came of a capture."""
    if capture["state"] == "failed":
        return str(capture["problem"])
    told = STATES.get(capture["state"], "")
    if capture["bytes"] is None or capture["state"] == "dropped":
        return told
    result = capture["result"] or {}
    parts = [f"{capture['bytes'] / 1e6:,.2f} MB"]
    parts += [f"{result['packets']:,} packets in {result['seconds']} s"] if "packets" in result else []
    parts += [f"sha256 {capture['sha256'][:12]}…", told]
    return " · ".join(part for part in parts if part)


def register_files(app: FastAPI, client: ApiClient) -> None:
    """Hand captures on to browsers, part by part."""

    @app.get("/captures/{number}/file")
    async def file(number: int, by: str) -> Response:
        try:
            answer = await client.file(f"captures/{number}/file", by=by)
        except ConsoleError as error:
            return PlainTextResponse(f"{error}\n", 404)
        headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        return StreamingResponse(answer.aiter_raw(), headers=headers, background=BackgroundTask(answer.aclose))
