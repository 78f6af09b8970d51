"""A guard's test of a door: a tag that is nobody's is carried through, and the door says what it made of it."""

import json
from typing import Final
from urllib.parse import quote

from nicegui import ui

from central.console.board import Board
from central.console.elements import FIELD, RECALL_S, box, text
from central.console.errors import ConsoleError
from central.console.person import RECALL_PERSON

KEEP_TAG: Final = "localStorage.setItem('stockgate-test-tag', {tag})"
RECALL_TAG: Final = "localStorage.getItem('stockgate-test-tag') || ''"
NAMELESS: Final = "Write your person id beside the orders above: the test is logged in your name."
WALK: Final = "Walk through the door with the tag now. What the door made of it stands above, among the answers."


class WalkPanel:
    """The test of one door on an open page; its answer stands among those of its gateway's orders."""

    def __init__(self, board: Board, gateway: str, portal: str) -> None:
        self._board, self._portal = board, portal
        self._path = f"gateways/{quote(gateway, safe='')}/commands"

    def draw(self) -> None:
        """Draw the field, the choice and the button."""
        if not self._board.client.may_acknowledge:
            return
        text("Test this door with a tag", "section-title", tag="h2")
        with box("choice"):
            self._tag = ui.input("Test tag's EPC").props(f"{FIELD} maxlength=124")
            self._walk_s = ui.number("Seconds to walk", value=20, min=1, max=60, precision=0).props(FIELD)
            self._sound = ui.checkbox("sound the alarm")
            button = ui.button("Begin the test", on_click=self._give)
            button.props("unelevated no-caps color=none").classes("verdict")
        ui.timer(0, self._recall, once=True)

    async def _recall(self) -> None:
        tag = str(await ui.run_javascript(RECALL_TAG, timeout=RECALL_S))
        if not self._tag.value:  # somebody may have written while the browser was asked
            self._tag.set_value(tag)

    async def _give(self) -> None:
        person = str(await ui.run_javascript(RECALL_PERSON, timeout=RECALL_S)).strip()
        if not person:
            ui.notify(NAMELESS, type="warning", position="top", timeout=8000)
            return
        tag = "".join((self._tag.value or "").split()).replace("-", "").lower()
        args = {"portal": self._portal, "epc": tag, "seconds": int(self._walk_s.value or 20)}
        args["sound"] = bool(self._sound.value)
        try:
            await self._board.client.post(self._path, {"by": person, "name": "test-tag", "args": args})
        except ConsoleError as error:
            ui.notify(str(error), type="warning", position="top", timeout=8000)
            return
        ui.run_javascript(KEEP_TAG.format(tag=json.dumps(tag)))
        ui.notify(WALK, position="top", timeout=8000)
