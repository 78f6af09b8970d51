"""One alert's page: what happened, what was done, and how it ends: a verdict with what shows it."""

from typing import Any, Final

from nicegui import ui

from central.console import words
from central.console.board import Board
from central.console.elements import RECALL_S, box, link, text
from central.console.errors import ConsoleError, NotThereError
from central.console.pulse import draw_tick

EVIDENCE: Final = {
    "authorised_late": "approval",
    "recovered": "hand_over",
    "theft": "report",
    "false_read": "inspection",
    "test": "test_tag",
}
"""What kind of evidence a verdict rests on."""
RECALL_NAME: Final = "localStorage.getItem('stockgate-on-duty') || ''"
HINT: Final = "where it can be looked up: camera and time, ticket, who handed it back"


async def alert_page(board: Board, alert_id: int) -> None:
    """Draw the page of one alert; an unknown one gets words and a way back."""
    with box("page narrow"):
        link("← the board", "/")
        try:
            found = await board.client.get(f"alerts/{alert_id}")
        except ConsoleError as error:
            missing = isinstance(error, NotThereError)
            text("There is no such alert" if missing else "This alert can't be shown", "section-title", tag="h1")
            text(str(error), "empty")
            return
        draw_tick(lambda: words.clock_time(found["as_of"]))
        _head(board, found["alert"])
        if board.client.may_acknowledge and words.is_taken(found["alert"]):
            _Ending(board, found["alert"]).draw()
        _history(found)


def _head(board: Board, alert: dict[str, Any]) -> None:
    text(words.alert_title(alert), "asset-name", tag="h1")
    with box("asset-place"):
        text(words.alert_subject(alert), "asset-where")
        for asset in words.alert_asset_ids(alert):
            link(asset, f"/assets/{asset}")
        if said := words.alert_door_said(alert):
            text(said, "small")
        if not words.is_about_gateway(alert):
            text(f"{words.alert_way(alert, board.place)}, {board.door(alert['portal'])}", "small")
        text(f"{words.clock_time(alert['at'])} · {alert['severity']} · {words.alert_state(alert)}", "dim small")
        text(words.alert_reason(alert), "small")


class _Ending:
    """The form that ends an alert: evidence, then one tap on the verdict."""

    def __init__(self, board: Board, alert: dict[str, Any]) -> None:
        self._board, self._alert = board, alert

    def draw(self) -> None:
        """Draw it."""
        text("How it ends", "section-title", tag="h2")
        with box("ending"):
            self._who = ui.input("Your name").props("dense outlined dark color=grey-4 maxlength=80")
            self._shown = ui.input("What shows it", placeholder=HINT)
            self._shown.props("dense outlined dark color=grey-4 maxlength=400").classes("wide-field")
            with box("verdicts"):
                for verdict, label in words.VERDICTS.items():
                    self._button(verdict, label)
            text(
                "A false read stands for two business days; unless the asset is then seen inside, it opens again.",
                "dim",
            )
            if self._alert["state"] == "acknowledged":
                ui.button("I look into it", on_click=self._investigate).props("flat no-caps color=grey-4")
        ui.timer(0, self._recall, once=True)

    def _button(self, verdict: str, label: str) -> None:
        async def end() -> None:
            evidence = {"kind": EVIDENCE[verdict], "reference": (self._shown.value or "").strip()}
            if not evidence["reference"]:
                self._shown.props('error error-message="What shows it? Then tap again"')
                return
            await self._post("resolve", {"verdict": verdict, "evidence": evidence})

        ui.button(label, on_click=end).props("unelevated no-caps color=none").classes("verdict")

    async def _recall(self) -> None:
        name = str(await ui.run_javascript(RECALL_NAME, timeout=RECALL_S))
        if not self._who.value:
            self._who.set_value(name[:80])

    async def _investigate(self) -> None:
        await self._post("investigate", {})

    async def _post(self, step: str, body: dict[str, Any]) -> None:
        who = (self._who.value or "").strip()
        if not who:
            self._who.props('error error-message="Your name, please: then tap again"')
            return
        try:
            await self._board.client.post(f"alerts/{self._alert['id']}/{step}", body | {"by": who})
        except ConsoleError as error:
            ui.notify(str(error), type="warning", position="top", timeout=8000)
            return
        await self._board.refresh()
        ui.navigate.to("/" if step == "resolve" else f"/alerts/{self._alert['id']}")


def _history(found: dict[str, Any]) -> None:
    text("What happened", "section-title", tag="h2")
    for event in found["history"]:
        with box("quiet-line"):
            text(words.clock_time(event["at"]), "time")
            text(event["kind"].replace("_", " "), "strong")
            text(event["detail"], "grow")
            text(event["by"], "state")
