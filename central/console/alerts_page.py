"""All alerts, newest first: page by page, picked by state, each with who has it or how it ended."""

from typing import Any, Final
from urllib.parse import urlencode

from nicegui import ui

from central.console import words
from central.console.board import Board
from central.console.elements import FIELD, box, header, link, text
from central.console.errors import ConsoleError
from central.console.pulse import draw_tick

PER_PAGE: Final = 50
LOOK_EVERY_S: Final = 0.5
STATES: Final = {
    "all": "Any state",
    "open": "Open",
    "acknowledged": "Taken",
    "investigating": "Looked into",
    "resolved": "Ended",
    "observed": "Only observed",
}


class AlertsPage:
    """One open page of the list; what was picked stands in its address, so that it can be shared."""

    def __init__(self, board: Board, state: str, page: str) -> None:
        self._board = board
        self._state = state if state in STATES else "all"
        self._page = int(page) if page.isdecimal() and len(page) < len("100000") else 0
        self._found: dict[str, Any] = {}
        self._problem = ""
        self._read_at: str | None = None

    async def draw(self) -> None:
        """Draw the page, and again whenever what it would show has changed."""
        await self._read()
        with box("page"):
            header("Alerts", "/alerts", self._pulse)
            draw_tick(lambda: words.clock_time(self._found.get("as_of")))
            with box("choice"):
                picker = ui.select(STATES, value=self._state, label="State").props(f"{FIELD} options-dense")
                picker.on_value_change(lambda event: ui.navigate.to(self._address(str(event.value), 0)))
            body = ui.refreshable(self._body)
            body()
        ui.timer(LOOK_EVERY_S, lambda: self._look(body))

    async def _read(self) -> None:
        """Read a page; a failure is kept as words, and what was read before stays."""
        self._read_at = self._board.as_of
        try:
            self._found = await self._board.client.get(
                "alerts", state=self._state, limit=PER_PAGE + 1, skip=self._page * PER_PAGE
            )
            self._problem = ""
        except ConsoleError as error:
            self._problem = str(error)

    async def _look(self, body: Any) -> None:
        if self._read_at == self._board.as_of:
            return
        before = repr((self._found.get("alerts"), self._problem))
        await self._read()
        if repr((self._found.get("alerts"), self._problem)) != before:
            body.refresh()

    def _pulse(self) -> str:
        as_of = self._found.get("as_of")
        if self._problem or self._board.stale:
            return f"▲ Not live, from {words.clock_time(as_of)}" if as_of else "▲ Not live"
        return f"● Live, {words.as_of(as_of)}"

    def _body(self) -> None:
        if self._problem:
            with box("notice", role="alert"):
                text("▲", "sign")
                text(self._problem, "grow")
        listed = self._found.get("alerts", [])
        if not listed and not self._problem:
            text("An asset that leaves a guarded place without permission stands here within seconds.", "empty")
        for alert in listed[:PER_PAGE]:
            self._line(alert)
        with box("pages"):
            if self._page:
                link("← newer", self._address(self._state, self._page - 1))
            if len(listed) > PER_PAGE:
                link("older →", self._address(self._state, self._page + 1))

    def _line(self, alert: dict[str, Any]) -> None:
        act = words.is_act_now(alert)
        with box("alert-line act" if act else "alert-line"):
            text("▲" if act else "•", "sign")
            text(words.when(alert["at"]), "time")
            with box("grow"):
                link(f"{words.alert_title(alert)}: {words.alert_subject(alert)}", f"/alerts/{alert['id']}")
                where = "" if words.is_about_gateway(alert) else words.alert_way(alert, self._board.place)
                door = "" if words.is_about_gateway(alert) else self._board.door(alert["portal"])
                facts = [where, door, alert["severity"], *words.alert_asset_ids(alert)[:3]]
                text(" · ".join(one for one in facts if one), "fact dim")
            text(words.alert_state(alert), "state")

    @staticmethod
    def _address(state: str, page: int) -> str:
        asked = ({"state": state} if state != "all" else {}) | ({"page": page} if page else {})
        return "/alerts" + (f"?{urlencode(asked)}" if asked else "")
