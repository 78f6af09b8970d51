"""The exception queue: what is wrong by due date, who has it, and the steps to its end."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from nicegui import ui

from central.console import words
from central.console.board import Board
from central.console.elements import RECALL_S, box, header, link, text
from central.console.errors import ConsoleError
from central.console.pulse import draw_tick

LISTED: Final = 200
ANY: Final = ""
SEVERITIES: Final = {ANY: "Any severity", "critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
HIGH_RISK: Final = frozenset({"critical", "high"})
KEEP_PERSON: Final = "localStorage.setItem('stockgate-person', {person})"
RECALL_PERSON: Final = "localStorage.getItem('stockgate-person') || ''"


class ExceptionsPage:
    """One open page of the queue."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._severity = ANY
        self._found: dict[str, Any] = {}

    async def draw(self) -> None:
        """Draw the page; a step draws the list anew."""
        with box("page"):
            header("Exceptions", "/exceptions", lambda: words.as_of(self._found.get("as_of")))
            with box("choice"):
                self._person = ui.input("Your person id", on_change=self._keep)
                self._person.props("dense outlined dark color=grey-4 maxlength=80")
                picker = ui.select(SEVERITIES, on_change=self._again).bind_value(self, "_severity")
                picker.props("dense outlined dark options-dense color=grey-4 aria-label=Severity")
            draw_tick(lambda: words.clock_time(self._found.get("as_of")))
            self._list = ui.refreshable(self._draw_list)
            await self._read()
            self._list()
        ui.timer(0, self._recall, once=True)

    async def _read(self) -> None:
        chosen = {"severity": self._severity} if self._severity else {}
        try:
            self._found = await self._board.client.get("exceptions", limit=LISTED, **chosen)
        except ConsoleError as error:
            self._found = {"problem": str(error)}

    async def _again(self) -> None:
        await self._read()
        self._list.refresh()

    async def _recall(self) -> None:
        self._person.set_value(self._person.value or str(await ui.run_javascript(RECALL_PERSON, timeout=RECALL_S)))

    def _keep(self) -> None:
        ui.run_javascript(KEEP_PERSON.format(person=json.dumps(self._person.value or "")))

    def _draw_list(self) -> None:
        if problem := self._found.get("problem"):
            text(problem, "empty")
            return
        self._totals(self._found["open"])
        if not self._found["exceptions"]:
            text(
                "What is wrong with an asset or a place stands here, by due date, until somebody shows evidence.",
                "empty",
            )
        for one in self._found["exceptions"]:
            self._line(one)

    def _totals(self, totals: dict[str, Any]) -> None:
        """Draw what is open over everything: no choice on this page reaches it."""
        with box("figures"):
            for label, name in (
                ("open", "total"), ("of high risk", "high_risk"), ("overdue", "overdue"),
                ("not taken in time", "unassigned_overdue"), ("perhaps put right", "suggested"),
            ):  # fmt: skip
                with box("figure"):
                    text(f"{totals[name]:,}", "figure-value")
                    text(label, "dim small")

    def _line(self, one: dict[str, Any]) -> None:
        late = datetime.fromisoformat(one["due_at"]) < datetime.now(UTC)
        with box("exception late" if late else "exception"):
            with box("exception-head"):
                text("▲" if one["severity"] in HIGH_RISK else "•", "sign")
                text(one["title"], "strong grow")
                text(f"{one['severity']} · {words.due_words(one['due_at'], datetime.now(UTC))}", "state")
            with box("exception-facts"):
                if one["asset"]:
                    link(f"{one['asset_name']} ({one['asset']})", f"/assets/{one['asset']}")
                text(one["location_name"] or "", "dim")
                text(words.often(one["occurrences"], one["last_at"]), "dim")
                text(f"{one['state'].replace('_', ' ')}, {one['owner'] or words.role(one['owner_role'])}", "dim")
            text(one["closure_path"], "small")
            if one["suggestion"]:
                text(f"Close it? {one['suggestion']} ({one['suggested_by']})", "strong small")
            if self._board.client.may_acknowledge:
                self._steps(one)

    def _steps(self, one: dict[str, Any]) -> None:
        with box("verdicts"):
            if one["state"] == "awaiting_approval":
                text(
                    f"{one['proposed_by']} proposes {one['outcome'].replace('_', ' ')}: {one['evidence']['reference']}",
                    "grow",
                )
                self._button("Approve", one, {"step": "approve"})
                self._button("Not yet", one, {"step": "reject", "reason": "not shown well enough"})
                return
            self._button("I take it", one, {"step": "assign"})
            kinds = {kind: kind.replace("_", " ") for kind in one["evidence_wanted"]}
            kind = ui.select(kinds, value=next(iter(kinds), None)).props(
                "dense outlined dark options-dense color=grey-4"
            )
            shown = ui.input(placeholder="where it can be looked up").classes("shown")
            shown.props("dense outlined dark color=grey-4")
            proposing = {"step": "propose", "outcome": "closed"} if one["severity"] in HIGH_RISK else {"step": "close"}
            label = "Propose closing" if one["severity"] in HIGH_RISK else "Close"

            async def close() -> None:
                evidence = {"kind": kind.value, "reference": (shown.value or "").strip()}
                if not evidence["reference"]:
                    shown.props('error error-message="What shows it?"')
                    return
                await self._step(one, proposing | {"evidence": evidence})

            ui.button(label, on_click=close).props("unelevated no-caps color=none").classes("verdict")

    def _button(self, label: str, one: dict[str, Any], body: dict[str, Any]) -> None:
        async def take() -> None:
            await self._step(one, body)

        ui.button(label, on_click=take).props("unelevated no-caps color=none").classes("verdict")

    async def _step(self, one: dict[str, Any], body: dict[str, Any]) -> None:
        person = (self._person.value or "").strip()
        if not person:
            self._person.props('error error-message="Your person id, please: then tap again"')
            return
        if body["step"] == "assign":
            body = body | {"owner": person}
        try:
            await self._board.client.post(f"exceptions/{one['id']}/steps", body | {"by": person})
        except ConsoleError as error:
            ui.notify(str(error), type="warning", position="top", timeout=8000)
            return
        await self._again()
