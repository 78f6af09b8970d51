"""When readers are down and gateways have no network."""

from collections.abc import Iterable
from typing import Final

from simulator.estate.dice import Dice
from simulator.estate.model import EstateScenario
from simulator.estate.truth import Truth
from simulator.estate.values import DAY, HOUR, MINUTE

MONTH_DAYS: Final = 30
LONGEST_DOWN_H: Final = 24.0
LONGEST_OFFLINE_H: Final = 72.0


def plan_outages(scenario: EstateScenario, truth: Truth) -> None:
    """Draw all outages into the truth."""
    dice, faults, world = Dice(scenario.seed, "outages"), scenario.faults, truth.world
    zones = [one.id for one in world.places.values() if one.zone_reader]
    for watcher in [*(one.id for one in world.portals), *zones]:
        truth.down[watcher] = _spans(scenario, dice, faults.reader_down, faults.reader_down_h, LONGEST_DOWN_H)
    for building in world.buildings:
        for gateway in building.gateways:
            truth.offline[gateway] = _spans(scenario, dice, faults.offline, faults.offline_h, LONGEST_OFFLINE_H)


def overlap_us(spans: Iterable[tuple[int, int]], from_us: int, to_us: int) -> int:
    """Return for how long a span is covered by others."""
    return sum(max(0, min(high, to_us) - max(low, from_us)) for low, high in spans)


def _spans(
    scenario: EstateScenario, dice: Dice, monthly: float, median_h: float, most_h: float
) -> list[tuple[int, int]]:
    count = dice.count(monthly * scenario.days / MONTH_DAYS)
    starts = sorted(dice.randrange(scenario.days * DAY) for _ in range(count))
    spans: list[tuple[int, int]] = []
    for start in starts:
        low = scenario.start_us + start
        high = low + max(MINUTE, round(dice.around(median_h, 1.0, most_h) * HOUR))
        if not spans or low > spans[-1][1] + MINUTE:
            spans.append((low, high))
    return spans
