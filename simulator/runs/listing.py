"""What scenarios there are and what is in them, as values and as a table."""

from collections.abc import Iterator

import msgspec
from rich.table import Table

from simulator.runs.places import gateways_in_use
from simulator.scenarios.load import builtin_names, load
from simulator.scenarios.model import Scenario
from simulator.world.obstacles import Met, met


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario in a list.

    Attributes:
        shows: its description.
        seconds: how long it lasts; None is until its last walk has ended, unless it is endless.
        endless: whether it goes on for as long as one likes.
        tags: how many it names, and how many of them lie still.
    """

    name: str
    shows: str
    seconds: float | None
    endless: bool
    gateways: int
    readers: int
    portals: int
    openings: int
    tags: int
    still: int
    walks: int
    faults: int


def listed(scenario: Scenario) -> Listed:
    """Return what is in a scenario."""
    still = len(scenario.residents) + sum(len(shelf.tags) for shelf in scenario.shelves)
    traffic = scenario.traffic
    return Listed(
        name=scenario.name,
        shows=scenario.description,
        seconds=scenario.seconds if scenario.seconds is not None or traffic is None else traffic.seconds,
        endless=scenario.seconds is None and (scenario.cycle_s or scenario.crowd) is not None,
        gateways=len(gateways_in_use(scenario)),
        readers=len(scenario.readers),
        portals=len(scenario.portals),
        openings=len(scenario.openings),
        tags=scenario.tags.count,
        still=still,
        walks=len(scenario.walks),
        faults=len(scenario.faults),
    )


def gallery() -> Iterator[Listed]:
    """Yield the built-in scenarios by name."""
    for name in builtin_names():
        yield listed(load(name))


def table(scenarios: Iterator[Listed]) -> Table:
    """Return scenarios as a table."""
    made = Table(title="Scenarios", title_justify="left")
    made.add_column("name", no_wrap=True)
    made.add_column("what it shows", overflow="fold")
    for heading in ("seconds", "portals", "readers", "gateways", "tags"):
        made.add_column(heading, justify="right")
    for one in scenarios:
        made.add_row(one.name, one.shows, _lasts(one), *map(str, (one.portals, one.readers, one.gateways, one.tags)))
    return made


def sentences(one: Listed) -> Iterator[str]:
    """Yield what is in a scenario, for people."""
    yield f"{one.name}: {one.shows or 'no description'}"
    yield (
        f"{_count(one.portals, 'portal')} and {_count(one.openings, 'opening')}, {_count(one.readers, 'reader')} on "
        f"{_count(one.gateways, 'gateway')}, {_count(one.tags, 'tag')} of which {one.still} lie still, "
        f"{_count(one.walks, 'walk')}, {_count(one.faults, 'fault')}; lasts {_lasts(one)}"
    )


def warnings(scenario: Scenario) -> Iterator[str]:
    """Yield what is odd in a scenario and played all the same, for people: what its walks go through."""
    for one in met(scenario):
        yield f"walk {one.walk}, route {one.route}: at x = {one.at[0]:.2f} m, y = {one.at[1]:.2f} m {_met(one)}"


def _met(one: Met) -> str:
    if one.door is None:
        return "of the site it goes through a wall where no doorway is; lead the route through one, or add an opening"
    return f"of the site it goes through door {one.door}, which never opens; let the door open, or end the route there"


def _lasts(one: Listed) -> str:
    if one.seconds is not None:
        return f"{one.seconds:,g} s"
    return "as one likes" if one.endless else "to its last walk"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
