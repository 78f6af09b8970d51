"""The exception queue: what is wrong by due date, who has it, what may be put right, and the steps to its end."""

import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from nicegui import ui

from central.console import words
from central.console.board import Board
from central.console.elements import FIELD, RECALL_S, box, header, link, text
from central.console.errors import ConsoleError
from central.console.person import KEEP_PERSON, RECALL_PERSON
from central.console.pulse import draw_tick

PER_PAGE: Final = 50
LOOK_EVERY_S: Final = 10.0
ANY: Final = ""
SEVERITIES: Final = {ANY: "Any severity", "critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
SHOW: Final = {ANY: "Open", "suggested": "Perhaps put right", "ended": "Ended"}
HIGH_RISK: Final = frozenset({"critical", "high"})
NAMELESS: Final = 'error error-message="Your person id, please: then tap again"'


class ExceptionsPage:
    """One open page of the queue; what was picked stands in its address, so that it can be shared."""

    def __init__(self, board: Board, chosen: dict[str, str]) -> None:
        self._board = board
        self._chosen = {name: value for name, value in chosen.items() if value}
        self._found: dict[str, Any] = {}
        self._problem = ""

    async def draw(self) -> None:
        """Draw the page; a step draws the list anew."""
        await self._read()
        with box("page"):
            header("Exceptions", "/exceptions", self._pulse)
            draw_tick(lambda: words.clock_time(self._found.get("as_of")))
            self._choice()
            self._list = ui.refreshable(self._draw_list)
            self._list()
        ui.timer(0, self._recall, once=True)
        ui.timer(LOOK_EVERY_S, self._look)

    def _pulse(self) -> str:
        sign = "▲ Not live," if self._problem else "●"
        return f"{sign} {words.as_of(self._found.get('as_of'))}"

    def _choice(self) -> None:
        with box("choice queue-choice"):
            self._person = ui.input("Your person id", on_change=self._keep).props(f"{FIELD} maxlength=80")
            for name, label, options in (("show", "Show", SHOW), ("severity", "Severity", SEVERITIES)):
                picker = ui.select(options, value=self._chosen.get(name, ANY), label=label)
                picker.props(f"{FIELD} options-dense").on_value_change(self._goes(name))
            for name, label in (("owner", "Owner"), ("asset", "Asset")):
                field = ui.input(label, value=self._chosen.get(name, "")).props(f"{FIELD} maxlength=80")
                field.on("keydown.enter", lambda name=name, field=field: self._go({name: field.value or ""}))

    def _goes(self, name: str) -> Any:
        return lambda event: self._go({name: event.value})

    def _go(self, changed: dict[str, str]) -> None:
        ui.navigate.to(self._address(changed | {"page": ""}))

    def _address(self, changed: dict[str, str]) -> str:
        asked = {name: value.strip() for name, value in (self._chosen | changed).items() if value.strip()}
        return "/exceptions" + (f"?{urlencode(asked)}" if asked else "")

    @property
    def _page(self) -> int:
        page = self._chosen.get("page", "")
        return int(page) if page.isdecimal() and len(page) < len("100000") else 0

    async def _read(self) -> None:
        """Read a page; a failure is kept as words, and what was read before stays."""
        names = ("severity", "owner", "asset")
        asked: dict[str, str | int] = {name: self._chosen[name] for name in names if name in self._chosen}
        show = self._chosen.get("show")
        asked |= {"state": "ended"} if show == "ended" else {}
        asked |= {"suggested": "true"} if show == "suggested" else {}
        try:
            self._found = await self._board.client.get(
                "exceptions", limit=PER_PAGE + 1, skip=self._page * PER_PAGE, **asked
            )
            self._problem = ""
        except ConsoleError as error:
            self._problem = str(error)

    async def _again(self) -> None:
        await self._read()
        self._list.refresh()

    async def _look(self) -> None:
        """Say when others changed the list: nothing moves under somebody's hands."""
        before, problem = self._found, self._problem
        await self._read()
        if problem != self._problem:
            self._list.refresh()
        elif self._shown(self._found) != self._shown(before):
            self._found = before
            self._news.set_visibility(True)

    @staticmethod
    def _shown(found: dict[str, Any]) -> object:
        return [(one["id"], one["state"], one["owner"], one["suggestion"]) for one in found.get("exceptions", [])]

    async def _recall(self) -> None:
        person = str(await ui.run_javascript(RECALL_PERSON, timeout=RECALL_S))
        if not self._person.value:  # somebody may have written while the browser was asked
            self._person.set_value(person)

    def _keep(self) -> None:
        self._person.props(remove="error error-message")
        ui.run_javascript(KEEP_PERSON.format(person=json.dumps(self._person.value or "")))

    def _draw_list(self) -> None:
        self._news = ui.button("Others changed this list: show it anew", on_click=self._again)
        self._news.props("flat no-caps color=grey-4").set_visibility(False)
        if self._problem:
            with box("notice", role="alert"):
                text("▲", "sign")
                text(self._problem, "grow")
        if not self._found:
            return
        self._totals(self._found["open"])
        listed = self._found["exceptions"]
        if not listed:
            self._none()
        for one in listed[:PER_PAGE]:
            self._line(one)
        self._pages(len(listed) > PER_PAGE)

    def _none(self) -> None:
        if set(self._chosen) - {"page"} or self._page:
            text("No exception is like this.", "empty")
            link("show all that are open", "/exceptions")
            return
        text("What is wrong with an asset or a place stands here, by due date, until somebody shows evidence.", "empty")

    def _pages(self, more: bool) -> None:  # noqa: FBT001 (there is no other)
        with box("pages"):
            if self._page:
                link("← before", self._address({"page": str(self._page - 1) if self._page > 1 else ""}))
            if more:
                link("more →", self._address({"page": str(self._page + 1)}))

    def _totals(self, totals: dict[str, Any]) -> None:
        """Draw what is open over everything: no choice on this page reaches it."""
        with box("figures"):
            for label, name, address in (
                ("open", "total", "/exceptions"), ("of high risk", "high_risk", "/exceptions?severity=high"),
                ("overdue", "overdue", ""), ("not taken in time", "unassigned_overdue", ""),
                ("perhaps put right", "suggested", "/exceptions?show=suggested"),
            ):  # fmt: skip
                with box("figure"):
                    text(f"{totals[name]:,}", "figure-value")
                    if address and totals[name]:
                        link(label, address)
                    else:
                        text(label, "dim small")

    def _line(self, one: dict[str, Any]) -> None:
        ended = one["decided_at"] is not None
        late = not ended and datetime.fromisoformat(one["due_at"]) < datetime.now(UTC)
        with box("exception late" if late else "exception"):
            with box("exception-head"):
                text("✓" if ended else "▲" if one["severity"] in HIGH_RISK else "•", "sign")
                text(one["title"], "strong grow")
                due = self._ended(one) if ended else words.due_words(one["due_at"], datetime.now(UTC))
                text(f"{one['severity']} · {due}", "state")
            with box("exception-facts"):
                if one["asset"]:
                    link(f"{one['asset_name']} ({one['asset']})", f"/assets/{one['asset']}")
                text(one["location_name"] or "", "dim")
                text(words.often(one["occurrences"], one["last_at"]), "dim")
                text(f"{one['state'].replace('_', ' ')}, {one['owner'] or words.role(one['owner_role'])}", "dim")
            text(one["closure_path"], "small")
            if one["suggestion"] and not ended:
                since = f", {words.ago(one['suggested_at'], datetime.now(UTC))}" if one["suggested_at"] else ""
                text(f"Close it? {one['suggestion']} ({one['suggested_by']}{since})", "suggested")
            if self._board.client.may_acknowledge and not ended:
                self._steps(one)
            self._history(one)

    @staticmethod
    def _ended(one: dict[str, Any]) -> str:
        shown = one["evidence"] or {}
        outcome = str(one["outcome"]).replace("_", " ")
        return (
            f"{outcome} by {one['decided_by']}: {shown.get('kind', '').replace('_', ' ')} {shown.get('reference', '')}"
        )

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
            self._closing(one)
            self._giving(one)

    def _closing(self, one: dict[str, Any]) -> None:
        """Draw what closes it: its kind of evidence, where that can be looked up, and a tap."""
        kinds = {kind: kind.replace("_", " ") for kind in one["evidence_wanted"]}
        kind = ui.select(kinds, value=next(iter(kinds), None)).props(f"{FIELD} options-dense aria-label=Evidence")
        shown = ui.input(placeholder="where it can be looked up").classes("shown")
        shown.props(f'{FIELD} maxlength=400 aria-label="Where the evidence can be looked up"')
        grave = one["severity"] in HIGH_RISK
        closing = {"step": "propose", "outcome": "closed"} if grave else {"step": "close"}

        def step(body: dict[str, Any]) -> Any:
            async def close() -> None:
                evidence = {"kind": kind.value, "reference": (shown.value or "").strip()}
                if not evidence["reference"]:
                    shown.props('error error-message="What shows it?"')
                    shown.run_method("focus")
                    return
                await self._step(one, body | {"evidence": evidence})

            return close

        label = "Propose closing" if grave else "Close"
        ui.button(label, on_click=step(closing)).props("unelevated no-caps color=none").classes("verdict")
        risk = ui.button("Accept the risk", on_click=step({"step": "propose", "outcome": "accepted_risk"}))
        risk.props("flat no-caps color=grey-4")

    def _giving(self, one: dict[str, Any]) -> None:
        other = ui.input(placeholder="or give it to: person id").props(f'{FIELD} maxlength=80 aria-label="Give it to"')

        async def give() -> None:
            if owner := (other.value or "").strip():
                await self._step(one, {"step": "assign", "owner": owner})

        other.on("keydown.enter", give).classes("give")

    def _history(self, one: dict[str, Any]) -> None:
        """Draw what was seen and done, read when somebody opens it."""
        with ui.expansion("what was seen and done").props("dense dense-toggle").classes("history") as folded:
            inside = box("history-lines")

        async def read() -> None:
            inside.clear()
            with inside:
                try:
                    found = await self._board.client.get(f"exceptions/{one['id']}")
                except ConsoleError as error:
                    text(str(error), "dim")
                    return
                self._told(found)

        folded.on_value_change(lambda event: read() if event.value else None)

    def _told(self, found: dict[str, Any]) -> None:
        names = self._board.names()
        for event in found["history"]:
            detail = event["detail"]
            told = " · ".join(str(value) for value in detail.values() if isinstance(value, str) and value)
            with box("quiet-line"):
                text(words.when(event["at"]), "time")
                text(event["kind"].replace("_", " "), "strong")
                text(words.with_names(told, names), "grow")
                text(event["by"], "state")
        for seen in found["occurrences"]:
            why = str(seen["evidence"].get("why") or "")
            taken_back = "taken back" if seen["withdrawn_at"] else ""
            with box("quiet-line"):
                text(words.when(seen["at"]), "time")
                text(f"seen by {seen['source']}", "dim")
                text(words.with_names(why, names), "grow")
                text(taken_back, "state")

    def _button(self, label: str, one: dict[str, Any], body: dict[str, Any]) -> None:
        async def take() -> None:
            await self._step(one, body)

        ui.button(label, on_click=take).props("unelevated no-caps color=none").classes("verdict")

    async def _step(self, one: dict[str, Any], body: dict[str, Any]) -> None:
        person = (self._person.value or "").strip()
        if not person:
            self._person.props(NAMELESS)
            self._person.run_method("focus")
            return
        if body["step"] == "assign":
            body = {"owner": person} | body
        try:
            await self._board.client.post(f"exceptions/{one['id']}/steps", body | {"by": person})
        except ConsoleError as error:
            ui.notify(str(error), type="warning", position="top", timeout=8000)
            return
        await self._again()
