"""Units counted into a confusion matrix, and what is read off it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.scoring.units import CALLED, NEVER, UNRESOLVED, Unit
from simulator.scoring.visits import CROSSINGS, KINDS

NOTHING: Final = "nothing"
"""Row of the matrix for calls of no visit."""
BANDS: Final = ((1, 4), (5, 14), (15, None))
"""Reads of a visit, from and to; domain.md: four reads are too few to be sure, forty are plenty."""
FIVE: Final = {kind: kind for kind in KINDS}
THREE: Final = {"in": "in", "out": "out", "turned_back": "stayed", "near": "stayed", "parked": "stayed"}


@dataclass(frozen=True, slots=True)
class Table:
    """Counts of units.

    Attributes:
        matrix: how often what was true (or `nothing`) was called what; monitored doorways and read tags only, and
            calls of nothing. A tag that nobody read can't be called, so those stand in `never_read`.
        bands: the same by reads of the visit, named "1-4", "5-14", "15-".
        through: what became of all assets that were carried through a doorway, read or not.
        never_read: visits of any kind at monitored doorways without a single read.
        unmonitored: visits to openings without antennas.
    """

    matrix: dict[str, dict[str, int]] = field(default_factory=dict)
    bands: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    through: dict[str, int] = field(default_factory=dict)
    never_read: int = 0
    unmonitored: int = 0

    @property
    def visits(self) -> int:
        """Visits that could be called: monitored, and read at least once."""
        return sum(sum(row.values()) for true, row in self.matrix.items() if true != NOTHING)

    @property
    def right(self) -> int:
        """Visits that were called what they were."""
        return sum(self.count([kind], [kind]) for kind in KINDS)

    @property
    def direction_errors(self) -> int:
        """Crossings that were called as the opposite one."""
        return self.count(["in"], ["out"]) + self.count(["out"], ["in"])

    @property
    def missed_visits(self) -> int:
        """Visits that were read and never called."""
        return self.count(KINDS, [NEVER])

    @property
    def missed_passages(self) -> int:
        """Crossings that were read and not called as a crossing of either direction."""
        return self.count(CROSSINGS, [called for called in CALLED if called not in CROSSINGS])

    @property
    def false_events(self) -> int:
        """Calls of nothing, whatever their kind."""
        return self.count([NOTHING], CALLED)

    @property
    def false_passages(self) -> int:
        """Crossings that were called where nobody crossed: at a visit of another kind, or at none."""
        return self.count([true for true in (*KINDS, NOTHING) if true not in CROSSINGS], CROSSINGS)

    def count(self, true: Sequence[str], called: Sequence[str]) -> int:
        """Sum of some rows and columns."""
        return sum(self.matrix.get(row, {}).get(column, 0) for row in true for column in called)

    def macro_f1(self, classes: Mapping[str, str]) -> float | None:
        """Mean F1 over the classes that occur, as truth or as a call; None where none does.

        What is unresolved or never called is nobody's hit: it lowers recall. A call of nothing lowers precision.
        """
        found = [one for name in dict.fromkeys(classes.values()) if (one := self._f1(name, classes)) is not None]
        return sum(found) / len(found) if found else None

    def plus(self, other: "Table") -> "Table":
        """Return the sum of two tables."""
        return Table(
            matrix=_summed(self.matrix, other.matrix),
            bands={band: _summed(self.bands.get(band, {}), other.bands.get(band, {})) for band in _BAND_NAMES},
            through=_added(self.through, other.through),
            never_read=self.never_read + other.never_read,
            unmonitored=self.unmonitored + other.unmonitored,
        )

    def as_json(self) -> dict[str, Any]:
        """Return counts and what is read off them."""
        figures = ("visits", "right", "direction_errors", "missed_visits", "missed_passages", "false_events")
        read_off = {name: getattr(self, name) for name in (*figures, "false_passages", "never_read", "unmonitored")}
        bands = {name: Table(matrix=rows) for name, rows in self.bands.items()}
        return read_off | {
            "macro_f1": {"five_classes": self.macro_f1(FIVE), "three_classes": self.macro_f1(THREE)},
            "confusion": self.matrix,
            "by_reads": {
                name: {"visits": one.visits, "right": one.right, "confusion": one.matrix} for name, one in bands.items()
            },
            "through": self.through,
        }

    def _f1(self, name: str, classes: Mapping[str, str]) -> float | None:
        mine = [kind for kind, class_ in classes.items() if class_ == name]
        hits = self.count(mine, mine)
        true = self.count(mine, CALLED)
        called = self.count([*KINDS, NOTHING], mine)
        return 2 * hits / (true + called) if true + called else None


def table_of(units: Iterable[Unit]) -> Table:
    """Count units."""
    rows: dict[str, dict[str, int]] = _empty()
    bands = {name: _empty() for name in _BAND_NAMES}
    through = dict.fromkeys(_THROUGH, 0)
    never_read = unmonitored = 0
    for unit in units:
        if unit.true in CROSSINGS:
            through[_fate(unit)] += 1
        if not unit.monitored:
            unmonitored += 1
        elif unit.true is not None and not unit.heard:
            never_read += 1
        else:
            rows[unit.true or NOTHING][unit.called] += 1
            if unit.true is not None:
                bands[_band(unit.reads)][unit.true][unit.called] += 1
    return Table(rows, bands, through, never_read, unmonitored)


_THROUGH: Final = ("right", "wrong_way", "called_otherwise", "unresolved", "missed", "never_read", "unmonitored")
_BAND_NAMES: Final = tuple(f"{low}-{high or ''}" for low, high in BANDS)


def _fate(unit: Unit) -> str:
    """What became of an asset that was carried through."""
    if not unit.monitored:
        return "unmonitored"
    if unit.called == NEVER:
        return "missed" if unit.heard else "never_read"
    if unit.called in CROSSINGS:
        return "right" if unit.called == unit.true else "wrong_way"
    return UNRESOLVED if unit.called == UNRESOLVED else "called_otherwise"


def _band(reads: int) -> str:
    """Name of the band; a visit that was called without counted reads was read outside of its time: the lowest."""
    return next(name for name, (_, high) in zip(_BAND_NAMES, BANDS, strict=True) if high is None or reads <= high)


def _empty() -> dict[str, dict[str, int]]:
    return {true: dict.fromkeys(CALLED, 0) for true in (*KINDS, NOTHING)}


def _summed(one: Mapping[str, dict[str, int]], other: Mapping[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {true: _added(one.get(true, {}), other.get(true, {})) for true in (*KINDS, NOTHING)}


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in dict.fromkeys((*one, *other))}
