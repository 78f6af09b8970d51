"""The counts page: how many of what are where, how well that is known, and the ones in doubt."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from nicegui import ui

from central.console import count_words, words
from central.console.board import Board
from central.console.elements import box, cell, header, link, text
from central.console.errors import ConsoleError
from central.console.pulse import draw_tick

STYLE: Final = Path(__file__).with_name("counts.css").read_text(encoding="utf-8")
READ_EVERY_S: Final = 5.0
MAX_WORDS: Final = 80
MAX_DIGITS: Final = 4
DOUBTFUL: Final = 6
ALL_DOUBTFUL: Final = 500
"""Assets that an answer names: at first, and when all are asked for."""
ROWS: Final = 200
IN_DOUBT: Final = 5
SUMS: Final = (
    ("book", "book"),
    ("found", "found"),
    ("missing", "missing"),
    ("unexpected", "extra"),
    ("unknown", "unknown"),
)


class CountsPage:
    """One open page of counts; what was asked for stands in its address, so that it can be shared."""

    def __init__(self, board: Board, place: str, asked: str, listed: str = "", page: str = "") -> None:
        self._board = board
        self._place = place
        self._asked = asked
        self._all = bool(listed)
        self._page = int(page) if page.isdecimal() and len(page) <= MAX_DIGITS else 0
        self._counts: dict[str, Any] = {}
        self._runs: list[dict[str, Any]] = []
        self._answer: dict[str, Any] = {}
        self._problem = ""

    async def draw(self) -> None:
        """Draw the page, and again whenever what it would show has changed."""
        ui.add_css(STYLE)
        await self._read()
        with box("page"):
            header("Counts", "/counts", lambda: words.as_of(self._counts.get("as_of")))
            draw_tick(lambda: words.clock_time(self._counts.get("as_of")))
            self._ask()
            body = ui.refreshable(self._body)
            body()
        ui.timer(READ_EVERY_S, lambda: self._renew(body))

    async def _read(self) -> None:
        """Read all that the page shows; a failure is kept as words, and what was read before stays."""
        client = self._board.client
        try:
            self._counts = await client.get("counts")
            places = {one["id"] for one in self._counts["places"]}
            if self._place not in places:
                self._place = self._top()
            if self._place:
                path = f"counts/{quote(self._place, safe='')}"
                self._answer = await client.get(path, q=self._asked, limit=ALL_DOUBTFUL if self._all else DOUBTFUL)
            self._runs = (await client.get("count-runs", limit=8))["runs"]
            self._problem = ""
        except ConsoleError as error:
            self._problem = str(error)

    def _top(self) -> str:
        """The place that is asked about at first: the first of those with most assets."""
        return max(self._counts["places"], key=lambda one: one["total"]["book"], default={"id": ""})["id"]

    async def _renew(self, body: Any) -> None:
        before = self._shown()
        await self._read()
        if self._shown() != before:
            body.refresh()

    def _shown(self) -> object:
        times = {"as_of"}
        answer = {key: value for key, value in self._answer.items() if key not in times}
        return repr((self._counts.get("places"), answer, self._runs, self._problem))

    def _ask(self) -> None:
        """Draw the question: what, and where."""
        options = {one["id"]: one["name"] for one in self._counts.get("places", [])}
        with box("ask"):
            what = ui.input("How many …", placeholder="model, name, class or id", value=self._asked)
            what.props(f"dense outlined dark color=grey-4 maxlength={MAX_WORDS}").classes("ask-what")
            where = ui.select(options, label="are in …", value=self._place or None, with_input=True)
            where.props("dense outlined dark options-dense color=grey-4").classes("ask-where")

            def go() -> None:
                asked = quote(str(what.value or "").strip(), safe="")
                ui.navigate.to(f"/counts?place={quote(str(where.value or ''), safe='')}&q={asked}")

            what.on("keydown.enter", go)
            ui.button("Count", on_click=go).props("unelevated no-caps color=none").classes("ask-go")

    def _body(self) -> None:
        if self._problem:
            with box("notice", role="alert"):
                text("▲", "sign")
                text(self._problem, "grow")
        if self._problem and not self._counts:
            return
        if not self._counts.get("places"):
            text("Places appear here once stockgate-central import has read locations.csv.", "empty")
            return
        if self._answer:
            self._say(self._answer)
        self._table()
        self._schedule()

    def _say(self, found: dict[str, Any]) -> None:
        number, sentence = count_words.answer(found["count"], self._asked)
        with box("answer"):
            text(number, "answer-number", tag="h2")
            text(sentence, "answer-words")
            if by_hand := count_words.by_hand(found["places"], datetime.now(UTC)):
                text(by_hand, "answer-words")
            text(self._how_known(found), "dim")
            for doubt in found["doubtful"]:
                with box("movement count-line"):
                    text("▲" if doubt["bucket"] == "missing" else "?", "sign")
                    link(doubt["asset"], f"/assets/{doubt['asset']}")
                    text(doubt["name"], "strong")
                    place, elsewhere = self._board.place(doubt["location"]), self._board.place(doubt["elsewhere"])
                    text(count_words.doubt_words(doubt, place, elsewhere, datetime.now(UTC)), "grow")
                    text(count_words.verified(doubt, datetime.now(UTC)), "dim")
            self._more(found)

    def _more(self, found: dict[str, Any]) -> None:
        """Draw the way to all that are doubtful, and how many those are."""
        total = found["count"]["total"]
        doubtful = total["missing"] + total["unexpected"] + total["unknown"]
        address = f"/counts?place={quote(self._place, safe='')}&q={quote(self._asked, safe='')}"
        if self._all:
            if doubtful > len(found["doubtful"]):
                shown = f"The worst {len(found['doubtful']):,} of {doubtful:,}"
                text(f"{shown}; ask for a place or a model for others.", "dim")
            link("only the worst", address)
        elif doubtful > len(found["doubtful"]):
            link(f"all {doubtful:,} that are in doubt", f"{address}&listed=all")

    def _how_known(self, found: dict[str, Any]) -> str:
        count = found["count"]
        seen = count["sighted_at"]
        last = f"listened to {words.ago(seen, datetime.now(UTC))}" if seen else ""
        as_of = f"as of {words.clock_time(found['as_of'])} {words.zone(found['as_of'])}"
        return " · ".join(part for part in (count_words.coverage_words(count), last, as_of) if part)

    def _table(self) -> None:
        lines = count_words.place_lines(self._counts["places"])
        self._worst()
        text("All places", "section-title", tag="h2")
        with box("count-table", role="table"):
            with box("count-row count-head", role="row"):
                for name, classes in (("place", "grow"), ("how known", "known")):
                    cell(name, classes, "columnheader")
                for _, name in SUMS:
                    cell(name, "num", "columnheader")
                for name in ("net", "gross"):
                    cell(name, "num wide", "columnheader")
            for line in lines[self._page * ROWS : (self._page + 1) * ROWS]:
                self._row(line)
        with box("pages"):
            for step, name in ((-1, "← places before"), (1, "more places →")):
                page = self._page + step
                if 0 <= page * ROWS < len(lines):
                    link(name, f"/counts?place={quote(self._place, safe='')}&page={page}")

    def _worst(self) -> None:
        """Draw which counts are in doubt, before the table of all of them."""
        doubted = count_words.in_doubt(self._counts["places"])
        if not doubted:
            return
        text(f"In doubt: {words.counted(len(doubted), 'count')}", "section-title", tag="h2")
        with box("in-doubt"):
            for place, what in doubted[:IN_DOUBT]:
                with box("movement count-line"):
                    text("▲" if place["own"]["missing"] else "?", "sign")
                    link(place["name"], f"/counts?place={quote(place['id'], safe='')}")
                    text(what, "grow")
                    text(count_words.coverage_words(place | {"total": place["own"]}), "dim")
            if len(doubted) > IN_DOUBT:
                text(f"and {len(doubted) - IN_DOUBT:,} more in the table", "dim")

    def _row(self, line: count_words.PlaceLine) -> None:
        place, total = line.place, line.place["total"]
        with box(f"count-row depth-{min(line.depth, 3)}{' group' if line.holds_others else ''}", role="row"):
            with box("grow", role="rowheader"):
                link(place["name"], f"/counts?place={quote(place['id'], safe='')}")
            cell(count_words.coverage_words(place), "known")
            for name, _ in SUMS:
                known = total["counted"] or name in {"book", "unknown"} or total[name]
                loud = " loud" if name == "missing" and total[name] else ""
                cell(f"{total[name]:,}" if known else count_words.NONE, f"num{loud}")
            cell(count_words.variance(total["net"]), "num wide")
            cell(count_words.variance(total["gross"]), "num wide")

    def _schedule(self) -> None:
        text("Scheduled counts", "section-title", tag="h2")
        if not self._runs:
            text(
                "A count that is planned (POST /api/v1/count-runs) stands here until its owner has signed it.", "empty"
            )
        for run in self._runs:
            with box("movement count-line"):
                text("✓" if run["state"] == "signed" else "•", "sign")
                text(f"{count_words.KINDS[run['kind']]} of {self._board.place(run['location'])}", "strong")
                text(count_words.run_words(run), "grow")
                text(f"no. {run['id']}", "dim")
