"""Another book's assets against ours: what both have, what only one has, and what they say differently. Pure.

A row is an asset of ours by the id that it names, or else by its serial. What is leased or a customer's stays out of
finance's register (requirement 94). What lacks in a book is a mismatch only where the book says that it is complete.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

Book = Literal["far", "itsm", "mdm", "discovery", "hrms"]
"""Finance's asset register, tickets, managed devices, what the network sees, HR's people."""
BOOKS: Final[tuple[str, ...]] = get_args(Book)
Verdict = Literal["only_here", "only_there", "conflict"]
EVERY_CLASS: Final = "*"
NOT_YET: Final = frozenset({"requested", "ordered"})
"""Lifecycles of what isn't here yet: no other book has to know it."""
WORDS: Final[Mapping[str, str]] = {
    "far": "finance's asset register", "itsm": "the ticket system", "mdm": "device management",
    "discovery": "the network", "hrms": "HR's list of people",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ours:
    """An asset as our register has it; `within` tells whether it lies where the other book is responsible."""

    asset: str
    asset_class: str
    serial: str | None = None
    lifecycle: str | None = None
    owned: bool = True
    person: str | None = None
    cost_centre: str | None = None
    within: bool = True


@dataclass(frozen=True, slots=True)
class Theirs:
    """A row of another book: its own id there, what it says that the thing is, and whether it is active there."""

    line: int
    id: str
    asset: str | None = None
    serial: str | None = None
    active: bool = True
    person: str | None = None
    cost_centre: str | None = None
    name: str = ""
    leaves_on: str | None = None
    """The day of a person's exit, as ISO 8601 has it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mismatch; `category` is the exception that it is, None for what is only listed.

    `key` names it within its book, so that the next snapshot's same mismatch is the same one.
    """

    verdict: Verdict
    category: str | None
    severity: str
    asset: str | None
    key: str
    why: str
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many rows agree with an asset of ours, and what doesn't."""

    matched: int
    findings: tuple[Finding, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many findings are of a verdict."""
        return sum(one.verdict == verdict for one in self.findings)


def compare(book: Book, ours: Collection[Ours], theirs: Sequence[Theirs], complete: Collection[str] = ()) -> Comparison:
    """Hold a book against our register.

    Args:
        book: whose it is.
        ours: all our assets, those that lie elsewhere too: they may be found.
        theirs: its rows.
        complete: classes of which the book has every asset that lies within, or `*`.
    """
    index = _Index(ours)
    findings: list[Finding] = []
    found: list[tuple[Ours, Theirs]] = []
    for row in theirs:
        one = index.find(row)
        if one is not None:
            found += [(one, row)] if one.owned or book != "far" else []
        elif row.active:
            findings.append(_only_there(book, row))
    wrong = [finding for one, row in found for finding in _conflicts(book, one, row)]
    if book == "far":
        wrong += _twice(found)
    findings += wrong
    known = {one.asset for one, _ in found}
    findings += [_only_here(book, one) for one in ours if one.asset not in known and _expected(book, one, complete)]
    at_odds = {finding.asset for finding in wrong}
    return Comparison(len(known - at_odds), _once(findings))


class _Index:
    """Our assets by id and serial."""

    def __init__(self, ours: Iterable[Ours]) -> None:
        self._by_id: dict[str, Ours] = {}
        self._by_serial: dict[str, list[Ours]] = defaultdict(list)
        for one in ours:
            self._by_id[one.asset] = one
            if one.serial:
                self._by_serial[one.serial.casefold()].append(one)

    def find(self, row: Theirs) -> Ours | None:
        """Return the asset that a row is about; of several with one serial the only one that isn't disposed of."""
        if row.asset is not None and row.asset in self._by_id:
            return self._by_id[row.asset]
        same = self._by_serial.get((row.serial or "").casefold(), [])
        if len(same) > 1:
            same = [one for one in same if one.lifecycle != "disposed"]
        return same[0] if len(same) == 1 else None


def _conflicts(book: Book, one: Ours, row: Theirs) -> Iterator[Finding]:
    if one.lifecycle == "disposed":
        if row.active:
            yield _conflict(("active_but_disposed", "high"), one, row, f"disposed of here, active in {WORDS[book]}")
        return
    if book == "far" and not row.active:
        severity = "critical" if one.lifecycle == "in_use" else "high"
        yield _conflict(("finance_mismatch", severity), one, row, "written off by finance, and not disposed of here")
        return
    category = "finance_mismatch" if book == "far" else "record_conflict"
    for name, severity in (("serial", "high"), ("cost_centre", "medium"), ("person", "medium")):
        here, there = getattr(one, name), getattr(row, name)
        if here and there and here.casefold() != there.casefold():
            words = f"{name.replace('_', ' ')} is {here} here and {there} in {WORDS[book]}"
            yield _conflict((category, severity), one, row, words, name)


def _conflict(kind: tuple[str, str], one: Ours, row: Theirs, why: str, name: str = "standing") -> Finding:
    return Finding("conflict", *kind, one.asset, f"asset/{one.asset}/{name}", why, _told(row))


def _twice(found: Sequence[tuple[Ours, Theirs]]) -> Iterator[Finding]:
    times = Counter(one.asset for one, row in found if row.active)
    for one, row in found:
        if times[one.asset] > 1 and row.active:
            why = f"capitalised {times[one.asset]} times by finance"
            yield _conflict(("finance_mismatch", "medium"), one, row, why, "twice")


_ONLY_THERE: Final[Mapping[str, tuple[str, str]]] = {
    "far": ("finance_mismatch", "high"),
    "itsm": ("record_conflict", "medium"),
    "mdm": ("mdm_not_in_inventory", "high"),
    "discovery": ("unknown_device", "high"),
}
"""What a thing is that only another book has."""


def _only_there(book: Book, row: Theirs) -> Finding:
    category, severity = _ONLY_THERE[book]
    return Finding("only_there", category, severity, None, f"row/{row.id}", f"only in {WORDS[book]}", _told(row))


def _only_here(book: Book, one: Ours) -> Finding:
    category, severity = ("finance_mismatch", "high") if book == "far" else ("record_conflict", "low")
    told = {"serial": one.serial} if one.serial else {}
    return Finding(
        "only_here", category, severity, one.asset, f"asset/{one.asset}/absent", f"not in {WORDS[book]}", told
    )


def _expected(book: Book, one: Ours, complete: Collection[str]) -> bool:
    claimed = EVERY_CLASS in complete or one.asset_class in complete
    if not (claimed and one.within) or one.lifecycle in NOT_YET or one.lifecycle == "disposed":
        return False
    return one.owned or book != "far"


def _told(row: Theirs) -> dict[str, str]:
    told = {"id": row.id, "asset": row.asset, "serial": row.serial, "name": row.name, "person": row.person}
    return {name: value for name, value in told.items() if value} | {"line": str(row.line)}


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by key, the first of each."""
    first: dict[str, Finding] = {}
    for one in findings:
        first.setdefault(one.key, one)
    return tuple(first[key] for key in sorted(first))
