"""The operations board: what to act on, where everything is, what moved, and whether all doors are awake.

A page draws a section again only when what it would show has changed, so that a button never vanishes under a finger.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from nicegui import ui

from central.console import grouping, words
from central.console.alert_page import alert_page
from central.console.alerts_page import AlertsPage
from central.console.asset_page import AssetPage
from central.console.board import RECENT_ALERTS, Board
from central.console.books_page import books_page
from central.console.counts_page import MAX_WORDS, CountsPage
from central.console.elements import RECALL_S, box, link, nav, text
from central.console.errors import ConsoleError
from central.console.exceptions_page import SEVERITIES, SHOW, ExceptionsPage
from central.console.gateway_words import gateway_words
from central.console.person import KEEP_PERSON, RECALL_PERSON
from central.console.places import place_lines
from central.console.portal_page import portal_page
from central.console.portals_page import portals_page
from central.console.pulse import add_watch, draw_tick
from central.console.transit_page import TransitPage

STYLE: Final = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
LOOK_EVERY_S: Final = 0.5
CARDS: Final = 4
QUIET_ALERTS: Final = 6
ANY: Final = ""
STATES: Final = {
    ANY: "Any state",
    "open": "Open",
    "acknowledged": "Taken",
    "investigating": "Looked into",
    "resolved": "Ended",
    "observed": "Only observed",
}
MOVEMENTS: Final = 12
QUIET_SIGNS: Final = {"acknowledged": "✓", "investigating": "…", "resolved": "■"}
# A card that has just come where another one stood may be hit by a tap that was meant for that one.
SETTLE_S: Final = 0.6
MAX_NAME: Final = 80


def register_pages(board: Board) -> None:
    """Tell NiceGUI the console's pages."""

    @ui.page("/")
    def index() -> None:
        ui.add_css(STYLE)
        add_watch()
        BoardPage(board).draw()

    @ui.page("/counts")
    async def counts(place: str = "", q: str = "", listed: str = "", page: str = "") -> None:
        ui.add_css(STYLE)
        add_watch()
        await CountsPage(board, place, q[:MAX_WORDS], listed, page).draw()

    @ui.page("/in-transit")
    async def in_transit(place: str = "", what: str = "") -> None:
        ui.add_css(STYLE)
        add_watch()
        await TransitPage(board, place, what).draw()

    @ui.page("/assets/{asset_id}")
    async def asset(asset_id: str, kind: str = "", before: str = "", printed: str = "") -> None:
        ui.add_css(STYLE)
        add_watch()
        await AssetPage(board, asset_id, kind, before[:200], printed=bool(printed)).draw()

    @ui.page("/alerts")
    async def alerts(state: str = "", page: str = "") -> None:
        ui.add_css(STYLE)
        add_watch()
        await AlertsPage(board, state, page).draw()

    @ui.page("/portals")
    async def portals() -> None:
        ui.add_css(STYLE)
        add_watch()
        await portals_page(board)

    @ui.page("/alerts/{alert_id}")
    async def alert(alert_id: str) -> None:
        ui.add_css(STYLE)
        add_watch()
        await alert_page(board, alert_id)

    @ui.page("/portals/{portal_id}")
    async def portal(portal_id: str) -> None:
        ui.add_css(STYLE)
        add_watch()
        await portal_page(board, portal_id)

    @ui.page("/exceptions")
    async def exceptions(show: str = "", severity: str = "", owner: str = "", asset: str = "", page: str = "") -> None:
        ui.add_css(STYLE)
        add_watch()
        chosen = {"show": show if show in SHOW else "", "severity": severity if severity in SEVERITIES else ""}
        chosen |= {"owner": owner[:80], "asset": asset[:80], "page": page}
        await ExceptionsPage(board, chosen).draw()

    _register_books(board)


def _register_books(board: Board) -> None:
    @ui.page("/books")
    async def books() -> None:
        ui.add_css(STYLE)
        add_watch()
        await books_page(board)


class BoardPage:
    """One open page of the board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._sections: list[tuple[Callable[[], object], Any, list[object]]] = []
        self._groups = grouping.act_now(board.alerts)
        self._pushed_at: dict[grouping.Key, float] = {}
        self._ages: list[tuple[ui.label, Callable[[], str]]] = []
        self._duty: ui.input | None = None
        self._chosen_door = ANY
        self._chosen_state = ANY

    def draw(self) -> None:
        """Draw the page once and look for changes from then on."""
        with box("page"):
            self._header()
            draw_tick(lambda: words.clock_time(self._board.as_of))
            self._out_loud = ui.label(self._spoken()).classes("heard-out").props("aria-live=assertive aria-atomic=true")
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
        self._regroup()
        if (spoken := self._spoken()) != self._out_loud.text:
            self._out_loud.set_text(spoken)
        for label, age in self._ages:
            if (told := age()) != label.text:
                label.set_text(told)
        for key, refreshable, seen in self._sections:
            if (now := key()) != seen[0]:
                seen[0] = now
                refreshable.refresh()

    def _regroup(self) -> None:
        """Group what calls for action anew; what is on screen keeps its order."""
        before = [group.key for group in self._groups]
        self._groups = grouping.act_now(self._board.alerts, before)
        for key in grouping.pushed(before, [group.key for group in self._groups]):
            self._pushed_at[key] = time.monotonic()

    def _header(self) -> None:
        with box("header"):
            text("Stockgate", "brand", tag="h1")
            nav("/")
            self._section(self._pulse_key, self._pulse)
            if self._board.client.may_acknowledge:
                duty = ui.input("On duty", placeholder="your person id", on_change=self._named)
                self._duty = duty.props(f"dense outlined dark color=grey-4 maxlength={MAX_NAME}").classes("duty")
                ui.timer(0, self._recall_name, once=True)  # the browser is asked once it is there

    async def _recall_name(self) -> None:
        name = str(await ui.run_javascript(RECALL_PERSON, timeout=RECALL_S))
        if self._duty is not None and not self._duty.value:
            self._duty.set_value(name[:MAX_NAME])

    def _named(self) -> None:
        if self._duty is not None:
            ui.run_javascript(KEEP_PERSON.format(person=json.dumps(self._name())))
            if self._name():
                self._duty.props(remove="error error-message")

    def _name(self) -> str:
        return str((self._duty and self._duty.value) or "").strip()

    def _pulse_key(self) -> object:
        return self._board.stale, self._board.as_of and self._board.as_of[:19]

    def _pulse(self) -> None:
        if self._board.stale:
            text(f"▲ Not live (times in {words.zone(self._board.as_of)})", "pulse pulse-stale")
        else:
            as_of = self._board.as_of
            text(f"● Live, as of {words.clock_time(as_of)} {words.zone(as_of)}", "pulse")

    def _feed_key(self) -> object:
        return self._board.notice

    def _feed_notice(self) -> None:
        if notice := self._board.notice:
            with box("notice", role="alert"):
                text("▲", "sign")
                with box("grow"):
                    text("Not live", "strong notice-title")
                    text(notice)

    def _spoken(self) -> str:
        """Say to who can't see the screen what is to be acted on, the newest first."""
        newest = max(self._groups, key=lambda one: words.instant(one.newest["at"]), default=None)
        if newest is None:
            return ""
        alert = newest.newest
        way = "" if words.is_about_gateway(alert) else words.alert_way(alert, self._board.place)
        told = [f"Act now: {len(self._groups)}", words.alert_title(alert), words.alert_subject(alert), way]
        return ". ".join(one for one in told if one)

    def _alerts_key(self) -> object:
        board = self._board
        return board.stale, bool(board.alerts), board.cut, repr(self._groups), self._names()

    def _names(self) -> object:
        board = self._board
        return [(item["id"], item["name"]) for item in (*board.locations, *board.portals)]

    def _alerts(self) -> None:
        self._ages.clear()
        with box("act-head"):
            calm = "No open alert when last heard" if self._board.stale else "Nothing to act on"
            text(self._act_now() or calm, "section-title act" if self._groups else "section-title", tag="h2")
            if newest := self._newest_below():
                text(newest, "newest")
        with box("cards"):
            for group in self._groups[:CARDS]:
                self._gateway_card(group) if words.is_about_gateway(group.newest) else self._card(group)
        if below := self._groups[CARDS:]:
            with box("below"):
                for group in below:
                    self._below(group)
        if self._board.cut:
            with box("cut"):
                text(words.cut_words(self._board.alerts), "dim")
                link("all open alerts", "/alerts?state=open")
        if not self._board.alerts:
            text("An asset that leaves a guarded place without permission stands here within seconds.", "empty")

    def _act_now(self) -> str:
        alerts = sum(len(group.alerts) for group in self._groups)
        more = f" ({alerts} alerts)" if alerts > len(self._groups) else ""
        return f"Act now: {len(self._groups)}{more}" if self._groups else ""

    def _newest_below(self) -> str:
        """Name the newest thing where it is no card: those on screen keep their places."""
        newest = max(self._groups, key=lambda one: words.instant(one.newest["at"]), default=None)
        if newest is None or newest in self._groups[:CARDS]:
            return ""
        what = ", ".join(words.alert_asset_ids(newest.newest)[:1]) or words.alert_subject(newest.newest)
        return f"newest below: {what}, {words.clock_time(newest.newest['at'])}"

    def _card(self, group: grouping.Group) -> None:
        place, alert = self._board.place, group.newest
        with box("card"):
            self._card_head(group)
            text(words.alert_subject(alert), "card-subject")
            with box("card-ids"):
                for asset in words.alert_asset_ids(alert):
                    link(asset, f"/assets/{asset}")
            text(words.alert_way(alert, place), "card-way")
            if where := words.now_where(alert, place):
                text(where, "card-now")
            facts = [self._board.door(alert["portal"]), words.sureness(alert["confidence"])]
            text(" · ".join(fact for fact in facts if fact), "card-facts")
            text(words.alert_reason(alert), "card-reason")
            self._take_button(group)

    def _gateway_card(self, group: grouping.Group) -> None:
        """Draw what is wrong with a gateway: nothing was carried off, so it is smaller and calmer."""
        alert = group.newest
        with box("card gateway-card"):
            self._card_head(group)
            text(words.alert_subject(alert).capitalize(), "card-subject")
            text(alert["reason"], "card-reason happened")
            text(words.what_to_do(alert), "card-reason")
            self._take_button(group)

    def _below(self, group: grouping.Group) -> None:
        """Draw one line of what has no place among the cards: nothing that is open is out of reach."""
        alert = group.newest
        with box("below-line"):
            text("▲", "sign")
            self._age(group)
            text(f"{words.alert_subject(alert)}: {words.alert_title(alert).lower()}", "grow strong")
            for asset in words.alert_asset_ids(alert)[:1]:
                link(asset, f"/assets/{asset}")
            where = "" if words.is_about_gateway(alert) else self._board.door(alert["portal"])
            text(words.now_where(alert, self._board.place) or where, "dim")
            self._take_button(group)

    def _card_head(self, group: grouping.Group) -> None:
        with box("card-head"):
            text("▲", "sign")
            text(words.alert_title(group.newest), "card-title")
            self._age(group)

    def _age(self, group: grouping.Group) -> None:
        """Draw when it happened; the age is counted on without drawing anything else anew."""
        last, times = group.newest["at"], len(group.alerts)

        def age() -> str:
            return words.happened(times, last, _now())

        self._ages.append((ui.label(age()).classes("card-time"), age))

    def _take_button(self, group: grouping.Group) -> None:
        if self._board.client.may_acknowledge:
            label = f"I have all {len(group.alerts)}" if len(group.alerts) > 1 else "I have it"
            button = ui.button(label, on_click=lambda: self._take(group))
            calm = words.is_about_gateway(group.newest) and group in self._groups[:CARDS]
            button.props(f"unelevated no-caps color=none text-color={'white' if calm else 'black'}").classes("take")
            about = [words.alert_subject(group.newest), *words.alert_asset_ids(group.newest)[:1]]
            button.props["aria-label"] = f"{label}: {', '.join(about)}"

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
            text(QUIET_SIGNS.get(alert["state"], "•"), "sign")
            text(words.when(alert["at"]), "time")
            text(f"{words.alert_title(alert)}: {words.alert_subject(alert)}", "grow")
            for asset in words.alert_asset_ids(alert)[:1]:
                link(asset, f"/assets/{asset}")
            text(words.alert_state(alert), "state")
            link("end it" if words.is_taken(alert) else "open", f"/alerts/{alert['id']}")

    async def _take(self, group: grouping.Group) -> None:
        if time.monotonic() - self._pushed_at.get(group.key, -SETTLE_S) < SETTLE_S:
            ui.notify("This one came under your finger just now: look, and tap again.", position="top", timeout=4000)
            return
        if not self._name():
            self._ask_name()
            return
        try:
            await self._board.acknowledge(group.ids, self._name())
        except ConsoleError as error:
            ui.notify(str(error), type="warning", position="top", timeout=8000)

    def _ask_name(self) -> None:
        if self._duty is not None:
            self._duty.props('error error-message="Your person id, please: then tap again"')
            self._duty.run_method("focus")
            ui.notify(
                "Not taken yet: write your person id under On duty, then tap again.", position="top", timeout=6000
            )

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
                    text(words.when(movement["at"]), "time")
                    asset = movement.get("asset")
                    link(asset, f"/assets/{asset}") if asset else text(f"unknown tag {movement['epc']}", "mono")
                    text(words.movement_line(movement, self._board.place), "grow")
                    text(self._board.door(movement["portal"]), "dim wide")
                    text(words.certainty(movement), "dim wide")

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
            [gateway_words(one) for one in self._board.gateways],
            self._board.quarantined,
            self._board.portals,
            self._board.measures,
            self._board.stale,
        )

    def _gateways(self) -> None:
        text("Doors and readers", "section-title", tag="h2")
        if not self._board.gateways:
            text("A gateway appears here as soon as its agent connects to the broker.", "empty")
        for gateway in self._board.gateways:
            well, state = gateway_words(gateway)
            if well and self._board.stale:
                well, state = False, f"when last heard: {state}"
            with box("gateway" if well else "gateway ill"):
                text("●" if well else "▲", "sign")
                with box("grow"):
                    text(gateway["gateway"])
                    with box("doors"):
                        for door in self._doors_of(gateway["gateway"]):
                            link(door["name"], f"/portals/{door['id']}")
                text(state, "state")
                for measure in self._quiet_of(gateway["gateway"]):
                    text(f"▲ {self._board.door(measure['portal'])} {words.measure_words(measure)}", "measure")
        if self._board.quarantined:
            text(f"▲ {self._board.quarantined:,} messages could not be read and are in quarantine", "quarantine")

    def _doors_of(self, gateway: str) -> list[dict[str, Any]]:
        return [portal for portal in self._board.portals if portal["gateway"] == gateway]

    def _quiet_of(self, gateway: str) -> list[dict[str, Any]]:
        doors = {portal["id"] for portal in self._doors_of(gateway)}
        return [measure for measure in self._board.measures if measure["portal"] in doors]


def _now() -> datetime:
    return datetime.now(UTC)
