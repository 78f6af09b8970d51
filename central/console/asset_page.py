"""One asset's page: where it is and why, what is open about it, and its whole life on one line of time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from nicegui import ui

from central.console import life_words, words
from central.console.board import Board
from central.console.elements import box, failed, link, nav, text
from central.console.errors import ConsoleError, NotThereError
from central.console.pulse import draw_tick

STYLE: Final = Path(__file__).with_name("life.css").read_text(encoding="utf-8")
SHOWN: Final = 50
PRINTED: Final = 2000
"""An auditor's paper holds this many moments; it says so where there are more."""
PER_READ: Final = 500
TAGS: Final = 8
LOOK_EVERY_S: Final = 0.5


class AssetPage:
    """One open page of an asset; what was picked stands in its address, so that it can be shared."""

    def __init__(self, board: Board, asset: str, kind: str, before: str, *, printed: bool) -> None:
        self._board, self._asset, self._printed = board, asset, printed
        self._kind = kind if kind in life_words.KINDS else life_words.ALL
        self._before = before
        self._found: dict[str, Any] = {}

    async def draw(self) -> None:
        """Draw the page; an unknown asset gets words and a way back."""
        ui.add_css(STYLE)
        with box("page narrow paper" if self._printed else "page narrow"):
            with box("crumbs"):
                link("← the board", "/")
                if not self._printed:
                    nav("")
                if self._printed:
                    link("back to the page", self._address())
                    ui.button("Print", on_click=lambda: ui.run_javascript("window.print()")).props("flat no-caps")
            try:
                self._found = await self._read()
            except ConsoleError as error:
                failed(error, "asset", isinstance(error, NotThereError))
                return
            draw_tick(lambda: words.clock_time(self._found["belief"]["as_of"]))
            body = ui.refreshable(self._body)
            body()
        if not self._printed and not self._before:
            self._follow(body)

    def _follow(self, body: Any) -> None:
        """Draw the page anew whenever the feed tells that the asset is held to be elsewhere."""
        seen = self._board.moved.get(self._asset)

        async def look() -> None:
            nonlocal seen
            if (now := self._board.moved.get(self._asset)) != seen:
                seen = now
                try:
                    self._found = await self._read()
                except ConsoleError:
                    return  # the page keeps what it shows and its time; the board says what is missing
                body.refresh()

        ui.timer(LOOK_EVERY_S, look)

    async def _read(self) -> dict[str, Any]:
        if not words.is_id(self._asset):
            raise NotThereError(
                f"{self._asset!r} can't be an asset's id: take the link from the board, or look for a typing error."
            )
        client, path = self._board.client, f"assets/{quote(self._asset, safe='')}"
        found = {
            "belief": await client.get(f"{path}/movements", limit=1),
            "register": (await client.get(path))["asset"],
            "verification": (await client.get(f"{path}/verification"))["verification"],
            "open": (await client.get("exceptions", asset=self._asset, limit=100))["exceptions"],
        }
        return found | await self._moments(path)

    async def _moments(self, path: str) -> dict[str, Any]:
        chosen: dict[str, str | int] = {"kinds": self._kind} if self._kind else {}
        moments: list[dict[str, Any]] = []
        before, limit = self._before, PER_READ if self._printed else SHOWN
        while True:
            params = chosen | ({"before": before} if before else {}) | {"limit": limit}
            page = await self._board.client.get(f"{path}/timeline", **params)
            moments += page["moments"]
            before = page["next"]
            if not before or not self._printed or len(moments) >= PRINTED:
                return {"moments": moments, "next": before}

    def _body(self) -> None:
        self._head()
        self._belief()
        self._open()
        self._identity()
        self._life()

    def _head(self) -> None:
        asset = self._found["register"]
        text(asset["name"], "asset-name", tag="h1")
        serial = f"serial {asset['serial']}" if asset["serial"] else ""
        cost = f"cost centre {asset['cost_centre']}" if asset["cost_centre"] else ""
        text(" · ".join(one for one in (asset["id"], asset["class"], asset["model"], serial, cost) if one), "dim")

    def _belief(self) -> None:
        """Draw where it is held to be, how sure that is and why, and what speaks against it."""
        belief, as_of, names = self._found["belief"]["asset"], self._found["belief"]["as_of"], self._board.names()
        with box("asset-place"):
            text(self._board.place(belief["location"]), "asset-where")
            since = f"since {words.when(belief['since'])}" if belief.get("since") else "as imported"
            told = [since, words.held(belief), f"as of {words.when(as_of)} {words.zone(as_of)}"]
            text(", ".join(one for one in told if one), "dim")
            if belief.get("doubt"):
                text(f"? Its place is in doubt. {words.with_names(belief['doubt'], names)}", "doubt")
            if belief.get("transit"):
                wrong = belief["transit"] == "wrong_destination"
                text("⇄ In transit: at a wrong place." if wrong else "⇄ In transit: not received yet.", "doubt")
            if belief.get("why"):
                text(words.with_names(belief["why"], names), "fact")
            self._known()

    def _known(self) -> None:
        register, now = self._found["register"], datetime.now(UTC)
        for one in register["counted"]:
            text(life_words.counted(one, self._board.place, now), "fact")
        text(life_words.verified(self._found["verification"], self._board.place, now), "fact")
        if axes := life_words.state(register["state"]):
            text(f"{axes[:1].upper()}{axes[1:]}.", "fact")
        if blocked := register["state"]["blocked_by"]:
            text(f"▲ Must not leave: {', '.join(blocked)}.", "doubt")

    def _open(self) -> None:
        """Draw what is open about it, apart from all that is verified: what is wrong, who has it, what is next."""
        if not self._found["open"]:
            return
        text(f"Open: {words.counted(len(self._found['open']), 'exception')}", "section-title", tag="h2")
        with box("open-list"):
            for one in self._found["open"]:
                with box("open-line"):
                    text("▲", "sign")
                    with box("grow"):
                        text(one["title"], "strong")
                        who = one["owner"] or words.role(one["owner_role"])
                        text(f"{who} has it · {words.due_words(one['due_at'], datetime.now(UTC))}", "fact")
                        text(f"Next: {one['closure_path']}", "fact dim")
                        if one["suggestion"]:
                            text(f"Close it? {one['suggestion']} ({one['suggested_by']})", "fact strong")
                    link("to the queue", f"/exceptions?asset={quote(self._asset, safe='')}")

    def _identity(self) -> None:
        """Draw its tags, what it lies in and what lies in it."""
        asset = self._found["register"]
        with box("identity"):
            for one in asset["tags"][:TAGS]:
                with box("identity-line"):
                    text(one["epc"], "mono")
                    text(life_words.tag(one), "dim")
            if not asset["tags"]:
                text("It bears no tag: no door and no reader can hear it.", "doubt")
            if len(asset["tags"]) > TAGS:
                text(f"and {len(asset['tags']) - TAGS} tags before", "dim")
            if asset["parent"]:
                with box("identity-line"):
                    text("lies in")
                    link(asset["parent"], f"/assets/{asset['parent']}")
                    text(f"since {words.when(asset['parent_since'])}", "dim")
            if asset["children"]:
                with box("identity-line"):
                    text(f"holds {words.counted(len(asset['children']), 'asset')}:")
                    for child in asset["children"][: 4 * TAGS]:
                        link(child, f"/assets/{child}")

    def _life(self) -> None:
        with box("life-head"):
            text("Its life, newest first", "section-title", tag="h2")
            if not self._printed:
                link("for print", self._address(kind=self._kind, printed="1"))
        if not self._printed:
            with box("kinds", role="navigation").props('aria-label="What to show"'):
                for kind, name in life_words.KINDS.items():
                    if kind == self._kind:
                        ui.label(name).classes("here").props("aria-current=page").tag = "span"
                    else:
                        link(name, self._address(kind=kind))
        self._moments_of()
        self._ends()

    def _moments_of(self) -> None:
        moments = self._found["moments"]
        if not moments:
            text(
                "Nothing of this kind yet. Each movement will stand here with the reads that prove it, each act with "
                "who told it and why.",
                "empty",
            )
        shown = ""
        for moment in moments:
            if (day := life_words.day(moment["at"])) != shown:
                shown = day
                text(day, "day", tag="h3")
            self._moment(moment)

    def _moment(self, moment: dict[str, Any]) -> None:
        line = life_words.line(moment, self._board.place, self._board.door)
        with box("moment loud" if line.loud else "moment"):
            text(line.sign, "sign")
            text(words.clock_time(moment["at"]), "time")
            with box("grow"):
                if line.link:
                    link(line.what, line.link)
                else:
                    text(line.what, "strong")
                text(line.how, "fact dim")
                if moment["kind"] == "movement":
                    self._evidence(moment["data"])

    def _evidence(self, movement: dict[str, Any]) -> None:
        """Each antenna in the order in which it heard the tag best: that order is the direction."""
        antennas = movement["evidence"].get("antennas", [])
        if not antennas:
            return
        most = max((antenna["reads"] for antenna in antennas), default=1) or 1
        with ui.element("details").props("open" if self._printed else ""):
            summary = ui.element("summary")
            with summary:
                text("evidence: antennas in the order of their strongest read", "dim")
            for antenna in sorted(antennas, key=lambda one: one.get("peak_at") or "9"):
                with box("antenna"):
                    text(f"{antenna['reader']} antenna {antenna['port']}", "mono")
                    with box("bar-rail"):
                        ui.element("div").classes("bar").style(f"width: {100 * antenna['reads'] / most:.0f}%")
                    text(words.counted(antenna["reads"], "read"), "num")
                    text(words.clock_time(antenna.get("peak_at")), "num wide")
                    peak = antenna.get("peak_rssi_cdbm")
                    text(f"{peak / 100:.0f} dBm" if peak is not None else "", "num")

    def _ends(self) -> None:
        with box("pages"):
            if self._before and not self._printed:
                link("← newest", self._address(kind=self._kind))
            if self._found["next"] and self._printed:
                text(f"Older than these {len(self._found['moments']):,} moments is not on this paper.", "strong")
            elif self._found["next"]:
                link("older →", self._address(kind=self._kind, before=self._found["next"]))
            elif self._found["moments"]:
                text("Here its life begins.", "dim")

    def _address(self, **chosen: str) -> str:
        asked = urlencode({name: value for name, value in chosen.items() if value})
        return f"/assets/{quote(self._asset, safe='')}" + (f"?{asked}" if asked else "")
