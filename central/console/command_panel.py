"""Orders to a door's gateway: a tap gives one in a person's name, and what the gateway answered stands below."""

import json
from typing import Any, Final
from urllib.parse import quote

from nicegui import ui

from central.console import words
from central.console.board import Board
from central.console.configure_panel import ConfigurePanel
from central.console.elements import FIELD, RECALL_S, box, text
from central.console.errors import ConsoleError
from central.console.exceptions_page import NAMELESS
from central.console.gateway_words import host_words
from central.console.person import KEEP_PERSON, RECALL_PERSON

SHOWN: Final = 6
LOOK_EVERY_S: Final = 1.0
LABELS: Final = {
    "blink": "Blink its light",
    "survey": "What each antenna hears",
    "sweep": "Count the tags",
    "restart-reader": "Begin anew at the reader",
    "reload": "Read its file again",
}
SIGNS: Final = {"waiting": "…", "done": "✓", "refused": "▲", "unanswered": "▲"}


class CommandPanel:
    """The orders and answers of one gateway, on an open page."""

    def __init__(self, board: Board, gateway: str) -> None:
        self._board, self._gateway = board, gateway
        self._path = f"gateways/{quote(gateway, safe='')}/commands"
        self._given: list[dict[str, Any]] = []
        self._problem = ""

    async def draw(self) -> None:
        """Draw fields, buttons and answers; the answers are read anew each second."""
        await self._read()
        text(f"Orders to {self._gateway}", "section-title", tag="h2")
        health = self._health()
        text(f"Its machine: {host_words(health.get('host') or {}) or 'tells nothing'}", "dim")
        readers = [one["id"] for one in health.get("readers", [])]
        if self._board.client.may_acknowledge and readers:
            self._fields(readers)
        elif readers:
            text("This console can only read: start it with --token-file to give orders.", "dim")
        else:
            text("The gateway has told of no reader yet, so there is nobody to order anything of.", "empty")
        self._answers = ui.refreshable(self._draw_answers)
        self._answers()
        ui.timer(LOOK_EVERY_S, self._look)

    def _health(self) -> dict[str, Any]:
        told = next((one for one in self._board.gateways if one["gateway"] == self._gateway), {})
        return dict(told.get("health") or {})

    def _fields(self, readers: list[str]) -> None:
        with box("choice"):
            self._person = ui.input("Your person id", on_change=self._keep).props(f"{FIELD} maxlength=80")
            self._reader = ui.select(readers, value=readers[0], label="Reader").props(f"{FIELD} options-dense")
            self._output = ui.number("Output", value=1, min=1, max=65535, precision=0).props(FIELD)
            self._seconds = ui.number("Seconds", value=5, min=1, max=30, precision=0).props(FIELD)
        with box("choice"):
            for name, label in LABELS.items():
                button = ui.button(label, on_click=lambda name=name: self._give(name))
                button.props("unelevated no-caps color=none").classes("verdict")
        ConfigurePanel(self._gateway, self._configure).draw()
        ui.timer(0, self._recall, once=True)

    async def _recall(self) -> None:
        person = str(await ui.run_javascript(RECALL_PERSON, timeout=RECALL_S))
        if not self._person.value:  # somebody may have written while the browser was asked
            self._person.set_value(person)

    def _keep(self) -> None:
        self._person.props(remove="error error-message")
        ui.run_javascript(KEEP_PERSON.format(person=json.dumps(self._person.value or "")))

    def _args(self, name: str) -> dict[str, Any]:
        if name == "reload":
            return {}
        if name == "restart-reader":
            return {"reader": self._reader.value}
        seconds = int(self._seconds.value or 5)
        if name == "blink":
            return {"device": self._reader.value, "output": int(self._output.value or 1), "seconds": seconds}
        return {"reader": self._reader.value, "seconds": seconds}

    async def _give(self, name: str) -> None:
        await self._order(name, self._args(name))

    async def _configure(self, toml: str) -> bool:
        return await self._order("configure", {"toml": toml})

    async def _order(self, name: str, args: dict[str, Any]) -> bool:
        """Give an order in the person's name; tell whether it went out."""
        given = False
        person = (self._person.value or "").strip()
        if not person:
            self._person.props(NAMELESS)
            self._person.run_method("focus")
            return False
        try:
            await self._board.client.post(self._path, {"by": person, "name": name, "args": args})
            given = True
        except ConsoleError as error:
            ui.notify(str(error), type="warning", position="top", timeout=8000)
        await self._look()
        return given

    async def _read(self) -> None:
        try:
            self._given = (await self._board.client.get(self._path, limit=SHOWN))["commands"]
            self._problem = ""
        except ConsoleError as error:
            self._problem = str(error)

    async def _look(self) -> None:
        before = (self._given, self._problem)
        await self._read()
        if (self._given, self._problem) != before:
            self._answers.refresh()

    def _draw_answers(self) -> None:
        if self._problem:
            text(f"▲ {self._problem}", "strong")
        elif not self._given:
            text("Nothing was ordered of it yet.", "empty")
        for one in self._given:
            with box("quiet-line command"):
                text(SIGNS[one["state"]], "sign")
                text(words.when(one["given_at"]), "time")
                text(one["name"], "strong")
                text(answer_words(one), "grow")
                text(one["by"], "state")


def answer_words(command: dict[str, Any]) -> str:
    """What a gateway answered to a command, or that it hasn't."""
    if command["state"] == "waiting":
        return "waits for its answer"
    if command["state"] == "unanswered":
        return "was not answered: the gateway may not have heard it"
    if command["state"] == "refused":
        return str(command["problem"])
    return " · ".join(f"{name} {value}" for name, value in sorted(command["result"].items())) or "done"
