"""The in-transit board: what is under way, who answers for it and until when, grouped by transfer, live."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from nicegui import ui

from central.console import transit_words, words
from central.console.board import Board
from central.console.elements import box, header, link, text
from central.console.errors import ConsoleError
from central.console.pulse import draw_tick

STYLE: Final = Path(__file__).with_name("transit.css").read_text(encoding="utf-8")
LOOK_EVERY_S: Final = 0.5
LISTED: Final = 1000
SHOWN: Final = 6
WAITING: Final = 20
"""Assets of a trip that stand open; the others are one tap away."""
FIGURES: Final = (
    ("under_way", "under way"), ("overdue", "overdue"), ("undeclared", "undeclared"), ("astray", "at a wrong place"),
    ("inferred", "inferred"),
)  # fmt: skip


class TransitPage:
    """One open page; what is chosen stands in its address, so that it can be shared."""

    def __init__(self, board: Board, place: str, what: str) -> None:
        self._board = board
        self._place = place
        self._what = what if what in transit_words.CHOICES else transit_words.EVERYTHING
        self._found: dict[str, Any] = {}
        self._waiting: list[dict[str, Any]] = []
        self._problem = ""
        self._read_at: str | None = None
        self._ages: list[tuple[ui.label, Any]] = []

    async def draw(self) -> None:
        """Draw the page, and again whenever what it would show has changed."""
        ui.add_css(STYLE)
        await self._read()
        with box("page"):
            header("In transit", "/in-transit", self._pulse)
            draw_tick(lambda: words.clock_time(self._found.get("as_of")))
            self._choice()
            body = ui.refreshable(self._body)
            body()
        ui.timer(LOOK_EVERY_S, lambda: self._look(body))

    async def _read(self) -> None:
        """Read what is under way; a failure is kept as words, and what was read before stays."""
        self._read_at = self._board.as_of
        chosen = {"location": self._place} if self._place else {}
        try:
            self._found = await self._board.client.get("in-transit", limit=LISTED, **chosen)
            asked = (await self._board.client.get("transfers", limit=LISTED))["transfers"]
            self._waiting = [one for one in asked if transit_words.waits(one, self._place)]
            self._problem = ""
        except ConsoleError as error:
            self._problem = str(error)

    async def _look(self, body: Any) -> None:
        """Read again when the board heard of something, and draw again if that changed anything here."""
        for label, age in self._ages:
            if (told := age()) != label.text:
                label.set_text(told)
        if self._read_at == self._board.as_of:
            return
        before = self._shown()
        await self._read()
        if self._shown() != before:
            body.refresh()

    def _pulse(self) -> str:
        """Whether what stands here is fresh, and as of when."""
        as_of = self._found.get("as_of")
        if self._problem or self._board.stale:
            return f"▲ Not live, from {words.clock_time(as_of)}" if as_of else "▲ Not live"
        return f"● Live, as of {words.clock_time(as_of)} {words.zone(as_of)}"

    def _shown(self) -> object:
        return repr((self._found.get("trips"), self._found.get("totals"), self._waiting, self._problem))

    def _choice(self) -> None:
        places = {"": "Any place"} | {one["id"]: one["name"] for one in self._board.locations}
        if self._place:
            places.setdefault(self._place, self._place)
        with box("choice transit-choice"):
            where = ui.select(places, value=self._place, label="From, to or at", with_input=True)
            where.props("dense outlined dark options-dense color=grey-4").classes("transit-where")
            what = ui.select(transit_words.CHOICES, value=self._what, label="Show")
            what.props("dense outlined dark options-dense color=grey-4").classes("transit-what")

            def go() -> None:
                place, shown = quote(str(where.value or ""), safe=""), quote(str(what.value or ""), safe="")
                ui.navigate.to(f"/in-transit?place={place}&what={shown}")

            where.on_value_change(go)
            what.on_value_change(go)

    def _body(self) -> None:
        self._ages.clear()
        if self._problem:
            with box("notice", role="alert"):
                text("▲", "sign")
                text(self._problem, "grow")
        if not self._found:
            return
        self._figures(self._found["totals"])
        self._asked()
        trips = self._found["trips"]
        listed = sum(len(one["legs"]) for one in trips)
        if listed < self._found["totals"]["under_way"]:
            text(f"The {listed:,} that are due first are listed: choose a place to see the others.", "strong")
        shown = transit_words.chosen(trips, self._what)
        if not trips:
            text(
                "Nothing is under way. What is dispatched by a door or a scan stands here until it is received; "
                "ask for a transfer with POST /api/v1/transfers.", "empty",
            )  # fmt: skip
        elif not shown:
            text(f"Nothing under way is like that; choose {transit_words.CHOICES['']} to see all.", "empty")
        for trip in shown:
            self._trip(trip)

    def _figures(self, totals: dict[str, Any]) -> None:
        with box("figures"):
            for name, label in FIGURES:
                with box("figure"):
                    text(f"{totals[name]:,}", "figure-value")
                    text(label, "dim small")

    def _trip(self, trip: dict[str, Any]) -> None:
        kind = transit_words.kind(trip)
        with box(f"trip {kind}"):
            with box("trip-head"):
                text(transit_words.sign(trip), "sign")
                text(transit_words.way(trip), "trip-way grow", tag="h2")
                self._age("trip-due", lambda: transit_words.how_late(trip, _now()))
            facts = [transit_words.title(trip), transit_words.manifest(trip), transit_words.due(trip["legs"][0])]
            text(" · ".join(facts), "trip-facts")
            about = trip["manifest"] or {}
            more = [about.get("reason"), about.get("ticket"), transit_words.escalated(trip, _now())]
            text(" · ".join([transit_words.who(trip), *(one for one in more if one)]), "dim")
            for told in transit_words.lacking(trip):
                text(f"◐ {told}", "trip-unread")
            self._legs(trip)

    def _legs(self, trip: dict[str, Any]) -> None:
        legs = trip["legs"]
        for leg in legs[:SHOWN]:
            self._leg(leg, trip)
        if more := legs[SHOWN:]:
            with ui.element("details").classes("trip-more"):
                with ui.element("summary"):
                    text(f"{len(more)} more", "link")
                for leg in more:
                    self._leg(leg, trip)

    def _leg(self, leg: dict[str, Any], trip: dict[str, Any]) -> None:
        loud = leg["overdue"] or leg["state"] == "wrong_destination"
        with box("leg loud" if loud else "leg"):
            link(leg["asset"], f"/assets/{leg['asset']}")
            text(leg["asset_name"], "leg-name")
            text(f"left {transit_words.dispatched(leg)}, {transit_words.basis(leg)}", "leg-basis dim")
            self._age("state", lambda: transit_words.state(leg, trip, _now()))

    def _asked(self) -> None:
        """Draw the transfers that wait for an owner's word: nothing may leave by them before."""
        if not self._waiting:
            return
        text(f"Waiting for approval: {len(self._waiting)}", "section-title", tag="h2")
        for one in self._waiting[:WAITING]:
            with box("trip waiting"):
                with box("trip-head"):
                    text("…", "sign")
                    way = f"{self._board.place(one['from'])} → {self._board.place(one['to'])}"
                    text(way, "trip-way grow", tag="h3")
                    self._age("trip-due", lambda one=one: f"asked {words.ago(one['requested_at'], _now())}")
                text(transit_words.asked(one), "trip-facts")
                text(transit_words.consent(one), "strong")
        if len(self._waiting) > WAITING:
            text(f"and {len(self._waiting) - WAITING:,} more (/api/v1/transfers)", "dim")

    def _age(self, classes: str, age: Any) -> None:
        """Draw words that change with time alone; nothing else is drawn anew for them."""
        self._ages.append((ui.label(age()).classes(classes), age))


def _now() -> datetime:
    return datetime.now(UTC)
