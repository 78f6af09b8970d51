"""The operations board: what to act on, where everything is, what moved, and whether all doors are awake.

A page draws a section again only when what it would show has changed, so that a button never vanishes under a finger.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from nicegui import ui

from central.console import words
from central.console.asset_page import asset_page
from central.console.board import RECENT_ALERTS, Board
from central.console.elements import box, link, text
from central.console.errors import ConsoleError
from central.console.places import place_lines
from central.console.pulse import add_watch, draw_tick

STYLE: Final = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
LOOK_EVERY_S: Final = 0.5
CARDS: Final = 4
QUIET_ALERTS: Final = 6
ANY: Final = ""
STATES: Final = {ANY: "Any state", "open": "Open", "acknowledged": "Taken", "observed": "Only observed"}
MOVEMENTS: Final = 12
# "12 s ago" is drawn anew in such steps, to keep the board calm.
AGO_STEP_S: Final = 10


def register_pages(board: Board) -> None:
    """Tell NiceGUI the console's pages."""

    @ui.page("/")
    def index() -> None:
        ui.add_css(STYLE)
        add_watch()
        BoardPage(board).draw()

    @ui.page("/assets/{asset_id}")
    async def asset(asset_id: str) -> None:
        ui.add_css(STYLE)
        add_watch()
        await asset_page(board, asset_id)


class BoardPage:
    """One open page of the board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._sections: list[tuple[Callable[[], object], Any, list[object]]] = []
        self._chosen_door = ANY
        self._chosen_state = ANY

    def draw(self) -> None:
        """Draw the page once and look for changes from then on."""
        with box("page"):
            self._header()
            draw_tick(lambda: words.clock_time(self._board.as_of))
            self._section(self._feed_key, self._feed_notice)
            with box("columns"):
                with box("main"):
                    self._section(self._alerts_key, self._alerts)
                    self._section(self._choice_key, self._choice)
                    self._section(self._quiet_key, self._quiet_alerts)
                    self._section(self._movements_key, self._movements)
                with box("side"):
                    self._section(self._places_key, self._places)
                    self._section(self._gateways_key, self._gateways)
        ui.timer(LOOK_EVERY_S, self._look)

    def _section(self, key: Callable[[], object], draw: Callable[[], None]) -> None:
        refreshable = ui.refreshable(draw)
        refreshable()
        self._sections.append((key, refreshable, [key()]))

    def _look(self) -> None:
        for key, refreshable, seen in self._sections:
            if (now := key()) != seen[0]:
                seen[0] = now
                refreshable.refresh()

    def _header(self) -> None:
        with box("header"):
            text("Stockgate", "brand", tag="h1")
            self._section(self._pulse_key, self._pulse)
            if self._board.client.may_acknowledge:
                duty = (
                    ui.input("On duty", placeholder="your name")
                    .props("dense outlined dark color=grey-4")
                    .classes("duty")
                )
                duty.bind_value(self._board, "on_duty")

    def _pulse_key(self) -> object:
        return self._board.stale, self._board.as_of and self._board.as_of[:19]

    def _pulse(self) -> None:
        if self._board.stale:
            text("▲ Not live", "pulse pulse-stale")
        else:
            text(f"● Live, as of {words.clock_time(self._board.as_of)}", "pulse")

    def _feed_key(self) -> object:
        return self._feed_text()

    def _feed_text(self) -> str | None:
        board = self._board
        return words.feed_words(board.silent_s, board.problem) if board.stale else None

    def _feed_notice(self) -> None:
        if (notice := self._feed_text()) is not None:
            with box("notice", role="alert"):
                text("▲", "sign")
                text(notice)

    def _alerts_key(self) -> object:
        return self._board.stale, repr(self._board.alerts), self._names(), int(_now().timestamp()) // AGO_STEP_S

    def _names(self) -> object:
        board = self._board
        return [(item["id"], item["name"]) for item in (*board.locations, *board.portals)]

    def _alerts(self) -> None:
        urgent = [alert for alert in self._board.alerts if words.is_act_now(alert)]
        urgent.sort(key=words.is_about_gateway)  # what was carried away comes before what is set up wrongly
        calm = "No open alert when last heard" if self._board.stale else "Nothing to act on"
        title = f"Act now: {len(urgent)}" if urgent else calm
        text(title, "section-title act" if urgent else "section-title", tag="h2")
        with box("cards", role="alert"):
            for alert in urgent[:CARDS]:
                self._gateway_card(alert) if words.is_about_gateway(alert) else self._card(alert)
        if len(urgent) > CARDS:
            text(f"and {len(urgent) - CARDS} more, oldest not shown", "more")
        if not self._board.alerts:
            text("An asset that leaves a guarded place without permission stands here within seconds.", "empty")

    def _card(self, alert: dict[str, Any]) -> None:
        place = self._board.place
        with box("card"):
            self._card_head(alert)
            text(words.alert_subject(alert), "card-subject")
            with box("card-ids"):
                for asset in words.alert_asset_ids(alert):
                    link(asset, f"/assets/{asset}")
            text(words.alert_way(alert, place), "card-way")
            facts = [self._board.door(alert["portal"]), words.sureness(alert["confidence"])]
            text(" · ".join(fact for fact in facts if fact), "card-facts")
            text(alert["reason"], "card-reason")
            self._take_button(alert)

    def _gateway_card(self, alert: dict[str, Any]) -> None:
        """Draw what is wrong with a gateway: nothing was carried off, so it is smaller and calmer."""
        with box("card gateway-card"):
            self._card_head(alert)
            text(words.alert_subject(alert).capitalize(), "card-subject")
            text(alert["reason"], "card-reason happened")
            text(words.what_to_do(alert), "card-reason")
            self._take_button(alert)

    def _card_head(self, alert: dict[str, Any]) -> None:
        with box("card-head"):
            text("▲", "sign")
            text(words.alert_title(alert), "card-title")
            text(f"{words.clock_time(alert['at'])}, {words.ago(alert['at'], _now())}", "card-time")

    def _take_button(self, alert: dict[str, Any]) -> None:
        if self._board.client.may_acknowledge:
            button = ui.button("I have it", on_click=lambda: self._take(alert["id"]))
            button.props("unelevated no-caps color=none").classes("take")

    def _quiet_of_all(self) -> list[dict[str, Any]]:
        return [alert for alert in self._board.alerts if not words.is_act_now(alert)]

    def _choice_key(self) -> object:
        return bool(self._quiet_of_all()), self._names()

    def _choice(self) -> None:
        """Draw what picks among the alerts that are no cards: no choice can hide what to act on."""
        if not self._quiet_of_all():
            return
        doors = {ANY: "Any door"} | {portal["id"]: portal["name"] for portal in self._board.portals}
        with box("choice"):
            text("Other alerts", "section-title grow", tag="h2")
            for options, name, label in ((doors, "_chosen_door", "Door"), (STATES, "_chosen_state", "State")):
                picker = ui.select(options).props(f"dense outlined dark options-dense color=grey-4 aria-label={label}")
                picker.bind_value(self, name)

    def _quiet_key(self) -> object:
        return self._quiet_of_all(), self._names(), self._chosen_door, self._chosen_state

    def _quiet_alerts(self) -> None:
        door, state = self._chosen_door, self._chosen_state
        quiet = self._quiet_of_all()
        found = [one for one in quiet if door in {ANY, one["portal"]} and state in {ANY, one["state"]}]
        with box("quiet"):
            for alert in found if door or state else found[:QUIET_ALERTS]:
                self._quiet(alert)
            if quiet and not found:
                text(f"No other alert among the newest {RECENT_ALERTS} is like this.", "dim")

    def _quiet(self, alert: dict[str, Any]) -> None:
        with box("quiet-line"):
            taken = alert["state"] == "acknowledged"
            text("✓" if taken else "•", "sign")
            text(words.clock_time(alert["at"]), "time")
            text(f"{words.alert_title(alert)}: {words.alert_subject(alert)}", "grow")
            for asset in words.alert_asset_ids(alert)[:1]:
                link(asset, f"/assets/{asset}")
            state = f"{alert.get('acknowledged_by') or 'somebody'} has it" if taken else _why_quiet(alert)
            text(state, "state")

    async def _take(self, alert: int | str) -> None:
        try:
            await self._board.acknowledge(alert)
        except ConsoleError as error:
            ui.notify(str(error), type="warning", position="top", timeout=8000)

    def _movements_key(self) -> object:
        return [(one["passage"], one["rev"]) for one in self._recent()], self._names()

    def _recent(self) -> list[dict[str, Any]]:
        return self._board.movements[:MOVEMENTS]

    def _movements(self) -> None:
        text("Movements", "section-title", tag="h2")
        if not self._board.movements:
            text("Everything that passes a door is listed here, newest first.", "empty")
        with box("movements"):
            for movement in self._recent():
                with box("movement"):
                    text(words.KIND_SIGNS.get(movement["kind"], "·"), "sign")
                    text(words.clock_time(movement["at"]), "time")
                    asset = movement.get("asset")
                    link(asset, f"/assets/{asset}") if asset else text(f"unknown tag {movement['epc']}", "mono")
                    text(words.movement_line(movement, self._board.place), "grow")
                    text(self._board.door(movement["portal"]), "dim wide")
                    text(
                        words.sureness(movement["confidence"]) if movement["final"] else "still in the door", "dim wide"
                    )

    def _places_key(self) -> object:
        return [(place["id"], place["name"], place["count"]) for place in self._board.locations], self._as_of_minute()

    def _as_of_minute(self) -> str | None:
        return self._board.as_of and self._board.as_of[:19]

    def _places(self) -> None:
        with box("section-head"):
            text("Where assets are", "section-title", tag="h2")
            if self._board.as_of:
                text(f"as of {words.clock_time(self._board.as_of)}", "dim")
        if not self._board.locations:
            text("Locations appear here once stockgate-central import has read locations.csv.", "empty")
        with box("places"):
            for line in place_lines(self._board.locations):
                with box(f"place depth-{min(line.depth, 3)}{' group' if line.holds_others else ''}"):
                    text(line.name, "grow")
                    text("guarded" if line.guarded else "", "tag")
                    text(f"{line.total:,}", "count")

    def _gateways_key(self) -> object:
        return (
            [words.gateway_words(one) for one in self._board.gateways],
            self._board.quarantined,
            self._board.portals,
        )

    def _gateways(self) -> None:
        text("Doors and readers", "section-title", tag="h2")
        if not self._board.gateways:
            text("A gateway appears here as soon as its agent connects to the broker.", "empty")
        for gateway in self._board.gateways:
            well, state = words.gateway_words(gateway)
            with box("gateway" if well else "gateway ill"):
                text("●" if well else "▲", "sign")
                with box("grow"):
                    text(gateway["gateway"])
                    text(", ".join(self._doors_of(gateway["gateway"])), "dim doors")
                text(state, "state")
        if self._board.quarantined:
            text(f"▲ {self._board.quarantined:,} messages could not be read and are in quarantine", "quarantine")

    def _doors_of(self, gateway: str) -> list[str]:
        return [portal["name"] for portal in self._board.portals if portal["gateway"] == gateway]


def _why_quiet(alert: dict[str, Any]) -> str:
    if alert.get("corrected"):
        return "corrected: probably a false read"
    return "late: older than 5 minutes" if alert.get("late") else "for information"


def _now() -> datetime:
    return datetime.now(UTC)
