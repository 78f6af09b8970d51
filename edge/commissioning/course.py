"""One commissioning under way: which walk is next, what was called meanwhile, and whether that was right. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from edge.commissioning.proof import LIMIT, margin
from edge.commissioning.recipe import Walk
from edge.contracts import MovementRow

CROSSINGS: Final = ("in", "out")
SETTLE_S: Final = 2.0
"""So long after the last final a walk is over: a group's tags leave one after the other."""
FAINT_S: Final = 4.0
"""Of a walk through the door that was called `near` so far, more may come: its own tag, say, not a neighbour's."""

DOUBTFUL_READS: Final = 3
"""A tag of fewer reads beside one of more may lie at the edge of hearing, and have borrowed its way from the walker."""
STRAY_READS: Final = 5
"""A tag of fewer reads that was called `near` lies at the edge of hearing: who walks by is read more often."""
ON_ITS_WAY_S: Final = 20.0
"""A tag that is still there so long after its passage began was put down: it holds up nobody."""
BESIDE_S: Final = 12.0
"""A tag that crossed at another doorway so short a time ago walked there: finals of one walk at two doorways come some
seconds apart."""

Result = Literal["right", "wrong", "missed", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One walk as it was done; `rows` are the finals of the tags that were carried."""

    walk: Walk
    result: Result
    rows: tuple[MovementRow, ...] = ()

    @property
    def margin(self) -> float:
        """The least margin of its tags; a walk that was missed is as wrong as can be."""
        margins = [margin(row.confidence, right=_is_right(self.walk, row)) for row in self.rows]
        return min(margins, default=-LIMIT)

    @property
    def confidence(self) -> float | None:
        """The least confidence of its tags."""
        return min((row.confidence for row in self.rows), default=None)

    @property
    def reads(self) -> dict[str, int]:
        """Reads by antenna (`reader/port`) of all its tags together."""
        found: dict[str, int] = {}
        for row in self.rows:
            for heard in row.evidence.antennas:
                name = f"{heard.reader}/{heard.port}"
                found[name] = found.get(name, 0) + heard.reads
        return dict(sorted(found.items()))

    @property
    def kinds(self) -> str:
        """What its tags were called, in words."""
        kinds = [row.kind for row in self.rows]
        counted = [(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds)]
        if len(kinds) == 1:
            return kinds[0]
        return ", ".join(f"{count} {kind}" for kind, count in counted) or "nothing"


@dataclass(slots=True)
class _Current:
    """The walk that is waited for."""

    begun_s: float
    finals: list[MovementRow] = field(default_factory=list)
    last_s: float = 0.0


class Course:
    """A course of walks.

    Args:
        portal: whose rows count.
        walks: in their order.
        residents: EPCs that lie there: what is called of them is no walk's.
        wait_s: a walk of which nothing was called for so long was missed; None waits for ever.
    """

    def __init__(
        self, portal: str, walks: Sequence[Walk], *, residents: Collection[str] = (), wait_s: float | None = None
    ) -> None:
        self._portal, self._walks = portal, list(walks)
        self._residents, self._wait_s = frozenset(residents), wait_s
        self._open: dict[str, float] = {}
        self._open_beside: dict[str, tuple[str, float]] = {}
        self._crossed_beside: dict[str, float] = {}
        self._current: _Current | None = None
        self.outcomes: list[Outcome] = []
        self.strays: list[MovementRow] = []
        """Crossings that were called of tags that lie there."""
        self.doubtful: list[MovementRow] = []
        """Crossings of a read or two beside a walk: nobody but the installer knows whether the tag was carried."""
        self.beside: list[MovementRow] = []
        """Crossings that were called at other doorways: no walks here, though this one may have heard them pass."""

    @property
    def walk(self) -> Walk | None:
        """The walk that is next or under way; None after the last."""
        return self._walks[len(self.outcomes)] if len(self.outcomes) < len(self._walks) else None

    @property
    def to_come(self) -> list[Walk]:
        """The walks that aren't done, the one under way among them."""
        return self._walks[len(self.outcomes) :]

    @property
    def place(self) -> str:
        """Which one it is: `3 of 34`."""
        return f"{min(len(self.outcomes) + 1, len(self._walks))} of {len(self._walks)}"

    def begin(self, now_s: float) -> None:
        """Wait for the next walk from now on."""
        self._current = _Current(now_s)

    def take(self, rows: Iterable[MovementRow], now_s: float) -> list[MovementRow]:
        """Take rows as they are decided; return those that are of the walk under way, provisionals too."""
        mine = []
        for row in rows:
            if row.portal != self._portal:
                self._take_beside(row, now_s)
                continue
            if row.epc in self._residents:
                if row.final and row.kind in CROSSINGS:
                    self.strays.append(row)
                continue
            if row.kind == "near" and row.reads < STRAY_READS:
                continue
            if row.final and row.kind != "retracted":
                if row.kind not in CROSSINGS and self._walked_beside(row.epc, now_s):
                    continue
                self._add(row, now_s)
            mine.append(row)
        return mine

    def opened(self, opened: Iterable[tuple[str, str, str]], closed: Iterable[str], now_s: float) -> None:
        """Say which passages (id, EPC, portal) have begun and which ended.

        A walk isn't over while one of its tags is still on its way, here or through another doorway.
        """
        for passage, epc, portal in opened:
            if epc in self._residents:
                continue
            if portal == self._portal:
                self._open.setdefault(passage, now_s)
            else:
                self._open_beside.setdefault(passage, (epc, now_s))
        for passage in closed:
            self._open.pop(passage, None)
            self._open_beside.pop(passage, None)

    def settle(self, now_s: float) -> Outcome | None:
        """Return the walk's outcome once it is over."""
        current, walk = self._current, self.walk
        if current is None or walk is None:
            return None
        if not current.finals:
            lost = self._wait_s is not None and now_s - current.begun_s >= self._wait_s and not self._on_its_way(now_s)
            return self._end(_uncalled(walk), now_s) if lost else None
        faint = walk.expect != "none" and all(row.kind == "near" for row in current.finals)
        quiet_s = FAINT_S if faint else SETTLE_S
        if now_s - current.last_s < quiet_s or (self._on_its_way(now_s) and now_s - current.last_s < 2 * FAINT_S):
            return None
        if any(row.kind not in CROSSINGS and self._is_beside(row.epc, now_s) for row in current.finals):
            return None
        return self._end(self._judged(walk, current.finals), now_s)

    def missed(self, now_s: float) -> Outcome | None:
        """Say that the walk was done and nothing was called."""
        return None if self.walk is None else self._end(_uncalled(self.walk), now_s)

    def skip(self, now_s: float) -> Outcome | None:
        """Leave the next walk out."""
        return None if self.walk is None else self._end(Outcome(self.walk, "skipped"), now_s)

    def repeat(self, now_s: float) -> Walk | None:
        """Do the last walk once more; what was called of it then counts no more."""
        if not self.outcomes:
            return None
        self.outcomes.pop()
        self.begin(now_s)
        return self.walk

    def _on_its_way(self, now_s: float) -> bool:
        return any(now_s - begun_s < ON_ITS_WAY_S for begun_s in self._open.values())

    def _is_beside(self, epc: str, now_s: float) -> bool:
        """Whether a tag is on its way through another doorway."""
        return any(mine == epc and now_s - begun_s < ON_ITS_WAY_S for mine, begun_s in self._open_beside.values())

    def _walked_beside(self, epc: str, now_s: float) -> bool:
        crossed_s = self._crossed_beside.get(epc)
        return crossed_s is not None and now_s - crossed_s < BESIDE_S

    def _take_beside(self, row: MovementRow, now_s: float) -> None:
        """Take another doorway's row: a tag that crossed there and was heard here too did no walk here."""
        if not row.final or row.kind not in CROSSINGS or row.epc in self._residents:
            return
        self.beside.append(row)
        self._crossed_beside[row.epc] = now_s
        if self._current is not None:
            finals = self._current.finals
            finals[:] = [one for one in finals if one.epc != row.epc or one.kind in CROSSINGS]

    def _add(self, row: MovementRow, now_s: float) -> None:
        if self._current is not None:
            self._current.finals.append(row)
            self._current.last_s = now_s

    def _judged(self, walk: Walk, finals: Sequence[MovementRow]) -> Outcome:
        """A tag that was only near while others crossed was not carried: its own visit is another's."""
        carried = [row for row in finals if row.kind != "near"] if walk.expect != "none" else list(finals)
        if any(row.reads >= DOUBTFUL_READS for row in carried):
            self.doubtful += [row for row in carried if row.reads < DOUBTFUL_READS and row.kind in CROSSINGS]
            carried = [row for row in carried if row.reads >= DOUBTFUL_READS]
        rows = tuple(carried or finals)
        return Outcome(walk, "right" if all(_is_right(walk, row) for row in rows) else "wrong", rows)

    def _end(self, outcome: Outcome, now_s: float) -> Outcome:
        self.outcomes.append(outcome)
        self.begin(now_s)
        return outcome


def _uncalled(walk: Walk) -> Outcome:
    """A walk past the door that no antenna made anything of is as it should be; one through it was missed."""
    return Outcome(walk, "right" if walk.expect == "none" else "missed")


def _is_right(walk: Walk, row: MovementRow) -> bool:
    return row.kind not in CROSSINGS if walk.expect == "none" else row.kind == walk.expect
