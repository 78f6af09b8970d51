"""One alert's page: what happened, who has it, what was done, and how it ends: a verdict with what shows it."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from nicegui import ui

from central.console import words
from central.console.board import Board
from central.console.elements import FIELD, RECALL_S, box, failed, link, nav, text
from central.console.errors import ConsoleError, NotThereError
from central.console.person import KEEP_PERSON, RECALL_PERSON
from central.console.pulse import draw_tick

EVIDENCE: Final = {
    "authorised_late": "approval",
    "recovered": "hand_over",
    "theft": "report",
    "false_read": "inspection",
    "test": "test_tag",
}
"""What kind of evidence a verdict rests on."""
HINT: Final = "where it can be looked up: camera and time, ticket, who handed it back"
NAMELESS: Final = "Your person id, please: then press again"
MAX_DIGITS: Final = 18
"""What the database's numbers hold."""
SHOWN: Final = 12
"""Assets of a cart that are named on top; its page has all of them."""


async def alert_page(board: Board, alert_id: str) -> None:
    """Draw the page of one alert; an unknown one gets words and a way back."""
    with box("page narrow"):
        with box("crumbs"):
            link("← the board", "/")
            nav("")
        try:
            found = await board.client.get(f"alerts/{_number(alert_id)}")
        except ConsoleError as error:
            failed(error, "alert", isinstance(error, NotThereError))
            return
        draw_tick(lambda: words.clock_time(found["as_of"]))
        _head(board, found["alert"])
        _Steps(board, found["alert"]).draw()
        _history(found)


def _number(text: str) -> int:
    """Return an alert's number from an address.

    Raises:
        NotThereError: it is none that an alert can have.
    """
    if not (text.isascii() and text.isdecimal()) or not int(text[:MAX_DIGITS]) > 0 or len(text) > MAX_DIGITS:
        raise NotThereError(f"{text[:40]} is no alert's number: the list of alerts has all of them.")
    return int(text)


def _head(board: Board, alert: dict[str, Any]) -> None:
    """Draw what a guard has to know, biggest first: what, which way, where, when, how sure, why."""
    now = datetime.now(UTC)
    with box("card" if words.is_act_now(alert) else "card settled"):
        with box("card-head"):
            text("▲" if words.is_act_now(alert) else "•", "sign")
            text(words.alert_title(alert), "card-title", tag="h1")
            text(words.happened(1, alert["at"], now), "card-time")
        text(words.alert_subject(alert), "card-subject")
        ids = words.alert_asset_ids(alert)
        with box("card-ids"):
            for asset in ids[:SHOWN]:
                link(asset, f"/assets/{asset}")
            if len(ids) > SHOWN:
                text(f"and {len(ids) - SHOWN} more")
        if not words.is_about_gateway(alert):
            text(words.alert_way(alert, board.place), "card-way")
        if where := words.now_where(alert, board.place):
            text(where, "card-now")
        door = "" if words.is_about_gateway(alert) else board.door(alert["portal"])
        facts = [door, words.sureness(alert["confidence"]), f"severity {alert['severity']}"]
        text(" · ".join(fact for fact in facts if fact), "card-facts")
        text(words.alert_reason(alert), "card-reason")
        if said := words.alert_door_said(alert):
            text(said, "card-reason")
        text(f"{words.alert_state(alert)[:1].upper()}{words.alert_state(alert)[1:]}.", "card-facts strong")


class _Steps:
    """What can be done now: take it, look into it, end it by a tap with what shows it, open it again with a reason."""

    def __init__(self, board: Board, alert: dict[str, Any]) -> None:
        self._board, self._alert = board, alert

    def draw(self) -> None:
        """Draw it, if this console may write and there is anything left to do."""
        steps = {
            "open": ("Who has it", self._taking),
            "acknowledged": ("How it ends", self._ending),
            "investigating": ("How it ends", self._ending),
            "resolved": ("If the verdict is wrong", self._reopening),
        }
        if not self._board.client.may_acknowledge or self._alert["state"] not in steps:
            return
        title, draw = steps[self._alert["state"]]
        text(title, "section-title", tag="h2")
        with box("ending"):
            self._who = ui.input("Your person id", on_change=self._keep).props(f"{FIELD} maxlength=80")
            draw()
        ui.timer(0, self._recall, once=True)

    def _taking(self) -> None:
        self._who.on("keydown.enter", self._take)
        with box("verdicts"):
            button = ui.button("I have it", on_click=self._take).props(
                "unelevated no-caps color=none text-color=black autofocus"
            )
            button.classes("verdict act-now")
        text("The others see your name at once. Enter takes it, too.", "dim")

    def _ending(self) -> None:
        self._shown = ui.input("What shows it", placeholder=HINT)
        self._shown.props(f"{FIELD} maxlength=400").classes("wide-field")
        with box("verdicts", role="group").props('aria-label="Verdict"'):
            for verdict, label in words.VERDICTS.items():
                self._button(verdict, label)
        text("A false read stands for two business days; unless the asset is then seen inside, it opens again.", "dim")
        if self._alert["state"] == "acknowledged":
            ui.button("I look into it", on_click=self._investigate).props("flat no-caps color=grey-4")

    def _button(self, verdict: str, label: str) -> None:
        async def end() -> None:
            evidence = {"kind": EVIDENCE[verdict], "reference": (self._shown.value or "").strip()}
            if not evidence["reference"]:
                self._shown.props('error error-message="What shows it? Then tap again"')
                self._shown.run_method("focus")
                return
            await self._post("resolve", {"verdict": verdict, "evidence": evidence})

        ui.button(label, on_click=end).props("unelevated no-caps color=none").classes("verdict")

    def _reopening(self) -> None:
        self._shown = ui.input("What is wrong with it", placeholder="tapped by mistake; it was found elsewhere")
        self._shown.props(f"{FIELD} maxlength=400").classes("wide-field")
        ui.button("Open it again", on_click=self._reopen).props("unelevated no-caps color=none").classes("verdict")
        text("It stands among the cards again, one severity higher; the verdict counts as refuted.", "dim")

    async def _recall(self) -> None:
        name = str(await ui.run_javascript(RECALL_PERSON, timeout=RECALL_S))
        if not self._who.value:
            self._who.set_value(name[:80])

    def _keep(self) -> None:
        if name := self._name():
            ui.run_javascript(KEEP_PERSON.format(person=json.dumps(name)))
            self._who.props(remove="error error-message")

    def _name(self) -> str:
        return str(self._who.value or "").strip()

    async def _take(self) -> None:
        await self._post("acknowledge", {})

    async def _investigate(self) -> None:
        await self._post("investigate", {})

    async def _reopen(self) -> None:
        reason = (self._shown.value or "").strip()
        if not reason:
            self._shown.props('error error-message="What is wrong with it? Then tap again"')
            self._shown.run_method("focus")
            return
        await self._post("reopen", {"reason": reason})

    async def _post(self, step: str, body: dict[str, Any]) -> None:
        who = self._name()
        if not who:
            self._who.props(f'error error-message="{NAMELESS}"')
            self._who.run_method("focus")
            return
        try:
            await self._board.client.post(f"alerts/{self._alert['id']}/{step}", body | {"by": who})
        except ConsoleError as error:
            ui.notify(str(error), type="warning", position="top", timeout=8000)
            return
        await self._board.refresh()
        ui.navigate.to("/" if step == "resolve" else f"/alerts/{self._alert['id']}")


def _history(found: dict[str, Any]) -> None:
    text("What was done", "section-title", tag="h2")
    for event in found["history"]:
        with box("quiet-line"):
            text(words.when(event["at"]), "time")
            text(words.alert_event(found["alert"], event["kind"]), "strong")
            text(event["detail"], "grow")
            text(event["by"], "state")
