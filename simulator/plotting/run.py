"""Run a scenario as a picture wants it, and write the picture."""

from pathlib import Path

from simulator.plotting import figure, style
from simulator.plotting.observed import Observed, PlotError, all_reads, followed, of_tag, span_us
from simulator.runs.sources import cast
from simulator.scenarios.model import Scenario
from simulator.world.world import World


def observe(scenario: Scenario, seed: int | None, seconds: float | None, tag: int | None) -> Observed:
    """Run a scenario with all antennas of all readers on.

    Raises:
        PlotError: nobody walks in it, or there is no such tag.
    """
    if tag is not None and not 1 <= tag <= scenario.tags.count:
        raise PlotError(f"tag {tag} doesn't exist: scenario {scenario.name} has tags 1 to {scenario.tags.count}")
    number = scenario.seed if seed is None else seed
    world, end_us = _world(scenario, number, seconds)
    tracks = world.tracks(0, end_us)
    reads = all_reads(world, scenario, end_us)
    crossings = world.take_crossings(end_us)
    numbers = {scenario.epc(one): one for one in range(1, scenario.tags.count + 1)}
    shown = followed(crossings, numbers) if tag is None else tag
    visits = [one for one in crossings if numbers[one.epc] == shown and one.monitored]
    return Observed(scenario, number, end_us, tracks, shown, visits, of_tag(reads, shown or 0))


def picture(scenario: Scenario, seed: int | None, seconds: float | None, tag: int | None, out: Path) -> Observed:
    """Write a scenario's picture as PNG.

    Raises:
        PlotError: nothing can be drawn, or the file can't be written.
    """
    seen = observe(scenario, seed, seconds, tag)
    with style.look():
        drawn = figure.draw(seen)
        try:
            style.save(drawn, out)
        except OSError as error:
            raise PlotError(f"{out}: the picture can't be written there: {error.strerror}") from error
    return seen


def _world(scenario: Scenario, seed: int, seconds: float | None) -> tuple[World, int]:
    """The world, and how long it is looked at: one that lasts longer is made anew so that no walk is cut."""
    source = cast(scenario, seed, seconds).source
    if not isinstance(source, World):
        raise PlotError(f"scenario {scenario.name} is load without walks: there is nothing to draw")
    end_us = span_us(scenario, source.ends_us, seconds)
    if source.ends_us == end_us:
        return source, end_us
    return _world(scenario, seed, end_us / 1e6)
