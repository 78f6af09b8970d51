"""From doors' results to the figures of a table: conditional ones, and what became of all that was carried through."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from simulator.scoring.delays import summary
from simulator.scoring.table import FIVE, THREE, Table, table_of
from simulator.scoring.units import CALLED, Unit
from simulator.scoring.visits import CROSSINGS, KINDS
from tests.accuracy.peers import PEERS
from tests.accuracy.tally import Delay, DoorResult

NOT_CROSSED: Final = [called for called in CALLED if called not in CROSSINGS]
SPLITS: Final = ("fit", "layout", "channels", "commissioned", "residents", "model")
BANDS: Final = ("1-4", "5-14", "15-")
UNDECIDABLE: Final = "single"
"""Layout that tells no direction: all visits are `near` by definition, so no other figure has them."""


def report(results: Sequence[DoorResult], set_hash: str = "", of: int | None = None) -> dict[str, Any]:
    """Return all figures: of all doors that can tell a direction together, and split by what doors are.

    Args:
        results: of the doors that were measured.
        set_hash: of the set that they are from.
        of: how many doors the whole set has; None is as many as there are results.
    """
    main = [one for one in results if one.traits["layout"] != UNDECIDABLE]
    return {
        "hash": set_hash,
        "measured": len(results),
        "of": len(results) if of is None else of,
        "set": content(main),
        "all": figures(main),
        "peers": peers(main),
        "by": {name: split(results if name == "layout" else main, name) for name in SPLITS},
    }


def split(results: Sequence[DoorResult], name: str) -> dict[str, Any]:
    """Return figures by the values of one trait."""
    values = sorted({one.traits[name] for one in results})
    return {
        value: figures(mine) | {"peers": peers(mine)}
        for value in values
        if (mine := [one for one in results if one.traits[name] == value])
    }


def content(results: Sequence[DoorResult]) -> dict[str, Any]:
    """Return what the set promises: shares of its episodes, which are visits read at least once."""
    units = [unit for one in results for unit in one.tags if unit.true is not None and unit.reads]
    count = len(units)
    shares = {kind: sum(unit.true == kind for unit in units) / max(count, 1) for kind in KINDS}
    return {
        "doors": len(results),
        "hours": sum(one.seconds for one in results) / 3600,
        "reads": sum(one.reads for one in results),
        "episodes": count,
        "thin": sum(one.thin for one in results) / max(count, 1),
        "in_groups": sum(one.grouped for one in results) / max(count, 1),
        "shares": shares,
    }


def figures(results: Sequence[DoorResult]) -> dict[str, Any]:
    """Return one row of a table."""
    tags = table_of(_all(results, lambda one: one.tags))
    groups = table_of(_all(results, lambda one: one.groups))
    delays = [delay for one in results for delay in one.delays]
    provisionals = sum(one.provisionals for one in results)
    hours = sum(one.resident_hours for one in results)
    return {
        **of_table(tags),
        "groups": of_table(groups),
        "delay_15": of_delays([delay for delay in delays if delay.reads >= 15]),
        "delay_5_14": of_delays([delay for delay in delays if 5 <= delay.reads < 15]),
        "provisionals": provisionals,
        "contradicted": sum(one.contradicted for one in results),
        "retracted": sum(one.retracted for one in results),
        "resident_hours": hours,
        "resident_finals": sum(one.resident_finals for one in results),
        "resident_crossings": sum(one.resident_crossings for one in results),
    }


def peers(results: Sequence[DoorResult]) -> dict[str, Any]:
    """Return the same of other rules, which are told where each visit begins and ends."""
    return {name: of_table(table_of(_all(results, _of_peer(name)))) for name in PEERS}


def _of_peer(name: str) -> Callable[[DoorResult], tuple[Unit, ...]]:
    return lambda one: one.peers[name]


def of_table(table: Table) -> dict[str, Any]:
    """Return what is read off a confusion matrix: conditional on reads, by reads, and unconditional."""
    return {
        "visits": table.visits,
        "five": table.macro_f1(FIVE),
        "three": table.macro_f1(THREE),
        "crossings": table.count(CROSSINGS, CALLED),
        "direction_errors": table.direction_errors,
        "missed": table.missed_passages,
        "false_crossings": table.false_passages,
        "of_nothing": table.false_events,
        "through": table.through,
        "bands": {band: _band(table.bands[band]) for band in BANDS},
        "confusion": table.matrix,
    }


def _band(rows: dict[str, dict[str, int]]) -> dict[str, Any]:
    table = Table(matrix=rows)
    return {
        "visits": table.visits,
        "five": table.macro_f1(FIVE),
        "three": table.macro_f1(THREE),
        "crossings": table.count(CROSSINGS, CALLED),
        "direction_errors": table.direction_errors,
        "missed": table.count(CROSSINGS, NOT_CROSSED),
    }


def of_delays(delays: Sequence[Delay]) -> dict[str, Any]:
    """Return crossings, the share without a provisional, and quantiles of the others in seconds."""
    known = [delay.us for delay in delays if delay.us is not None]
    return {
        "of": len(delays),
        "without": 1 - len(known) / len(delays) if delays else None,
        "before": sum(us < 0 for us in known) / len(known) if known else None,
        **summary(known),
    }


def per_1000(part: float, whole: int) -> float:
    """Return how many in a thousand."""
    return 1000 * part / whole if whole else 0.0


def _all(results: Iterable[DoorResult], chosen: Callable[[DoorResult], tuple[Unit, ...]]) -> list[Unit]:
    return [unit for one in results for unit in chosen(one)]
