"""A score as tables for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table as Grid

from simulator.scoring.delays import summary
from simulator.scoring.files import Scored
from simulator.scoring.score import Score, together
from simulator.scoring.table import FIVE, NOTHING, THREE, Table
from simulator.scoring.units import CALLED
from simulator.scoring.visits import KINDS


def tables(scored: Sequence[Scored]) -> Iterator[RenderableType]:
    """Yield all tables: one line a scenario, then what they come to together."""
    overall = together(one.score for one in scored)
    named = [(one.scenario, one.score) for one in scored]
    if len(named) > 1:
        named.append(("overall", overall))
    yield _figures("Finals, tag by tag", [(name, one.final) for name, one in named])
    yield _figures("Finals, by carried group", [(name, one.groups) for name, one in named])
    yield _early(named)
    yield _fates(named)
    yield _bands(overall.final)
    yield _delays(named)
    yield _confusion("True kind against called kind: finals, tag by tag", overall.final)
    yield _confusion("True kind against called kind: provisionals, tag by tag", overall.provisional)


def _figures(title: str, rows: Sequence[tuple[str, Table]]) -> Grid:
    grid = _grid(title, "scenario", "visits", "right", "%", "F1 of 5", "F1 of 3", "wrong way", "visits missed",
                 "passages missed", "false events", "false passages", "never read", "unmonitored")  # fmt: skip
    for name, one in rows:
        grid.add_row(
            name,
            str(one.visits),
            str(one.right),
            _percent(one.right, one.visits),
            _figure(one.macro_f1(FIVE)),
            _figure(one.macro_f1(THREE)),
            *map(str, (one.direction_errors, one.missed_visits, one.missed_passages, one.false_events)),
            *map(str, (one.false_passages, one.never_read, one.unmonitored)),
        )
    return grid


def _early(rows: Sequence[tuple[str, Score]]) -> Grid:
    grid = _grid("Provisionals", "scenario", "passages", "contradicted by finals", "without a final", "right",
                 "wrong way", "false passages")  # fmt: skip
    for name, one in rows:
        early = one.provisional
        grid.add_row(
            name,
            *map(str, (one.provisionals, one.contradicted, one.open)),
            *map(str, (early.right, early.direction_errors, early.false_passages)),
        )
    return grid


def _fates(rows: Sequence[tuple[str, Score]]) -> Grid:
    kinds = ("right", "wrong_way", "called_otherwise", "unresolved", "missed", "never_read", "unmonitored")
    grid = _grid("Of all assets carried through a doorway", "scenario", "carried", *(_words(kind) for kind in kinds))
    for name, one in rows:
        fates = one.final.through
        total = sum(fates.values())
        shown = (f"{fates.get(kind, 0)} ({_percent(fates.get(kind, 0), total)} %)" for kind in kinds)
        grid.add_row(name, str(total), *shown)
    return grid


def _bands(table: Table) -> Grid:
    grid = _grid("Finals by reads of the visit", "reads", "visits", "right", "%", "wrong way", "never called")
    for name, rows in table.bands.items():
        band = Table(matrix=rows)
        numbers = (band.direction_errors, band.missed_visits)
        grid.add_row(name, str(band.visits), str(band.right), _percent(band.right, band.visits), *map(str, numbers))
    return grid


def _delays(rows: Sequence[tuple[str, Score]]) -> Grid:
    grid = _grid("Seconds from the true crossing", "scenario", "to", "crossings", "median", "90 %", "99 %", "longest")
    for name, one in rows:
        for stage, found in (("provisional", one.delays.provisional_us), ("final", one.delays.final_us)):
            figures: dict[str, Any] = summary(found)
            shown = ("" if value is None else f"{value:.2f}" for key, value in figures.items() if key != "crossings")
            grid.add_row(name, stage, str(figures["crossings"]), *shown)
    return grid


def _confusion(title: str, table: Table) -> Grid:
    grid = _grid(title, "true", *(_words(called) for called in CALLED))
    for true in (*KINDS, NOTHING):
        row = table.matrix.get(true, {})
        grid.add_row(_words(true), *(str(row.get(called, 0)) for called in CALLED))
    return grid


def _grid(title: str, *headings: str) -> Grid:
    grid = Grid(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if number else "left", no_wrap=not number)
    return grid


def _words(name: str) -> str:
    return name.replace("_", " ")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
