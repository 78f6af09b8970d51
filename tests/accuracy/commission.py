"""The installer's walks at a door: ten in and ten out by the recipe, and the levels that they teach the windows."""

from typing import Any, Final

from edge.commissioning.rule import best, proves
from edge.windows import WindowClock, Windows, WindowsSettings
from edge.windows.levels import doorway_levels
from simulator.scenarios.model import Scenario
from tests.accuracy.draw import Draw
from tests.accuracy.heard import NO_READS, reads_by_tag
from tests.accuracy.play import Played, play, settings_of

EACH_WAY: Final = 10
EVERY_S: Final = 8.0
FROM_M, TO_M = -4.0, 2.2
"""Inside and outside ends of the walks; a corridor is no deeper than that."""
RECIPE: Final = ("hand", "hand", "backpack", "hand", "face-to-face", "hand", "hand", "backpack", "hand", "hand")
"""As somebody carries laptops: one under an arm, on the back, two with their lids together."""
COMMISSIONING_SEED: Final = 9_000_000


def commissioned(scenario: Scenario, seed: int = 0) -> WindowsSettings:
    """Return a scenario's settings with the levels of a commissioning at its own doors.

    Args:
        scenario: place, radio and residents; its own walks don't take place.
        seed: of the commissioning's walks and everything random about them.
    """
    return settings_of(scenario, walked(scenario, seed)[0])


def walked(scenario: Scenario, seed: int = 0) -> tuple[dict[tuple[str, int], int], bool]:
    """Return the levels that the walks teach, and whether all portals are fit to be used, as the walks were heard."""
    levels: dict[tuple[str, int], int] = {}
    fit = True
    for portal in scenario.portals:
        played = walks_at(scenario, portal.id, seed)
        fit &= is_fit(played, portal.id)
        if portal.layout == "single":
            continue
        windows = Windows(played.settings, boot="commissioning")
        rows = []
        for reader, arrival_us, batch in played.chunks:
            rows += windows.feed(reader, batch, arrival_us=arrival_us, clock=WindowClock(offset_us=0))
        rows += windows.flush()
        levels |= doorway_levels(row for row in rows if row.portal == portal.id)
    return levels, fit


def certifies(scenario: Scenario, seed: int = 0) -> bool:
    """Whether a commissioning's walks, those that `walked` learns from, could certify all portals."""
    return all(is_fit(walks_at(scenario, portal.id, seed), portal.id) for portal in scenario.portals)


def walks_at(scenario: Scenario, portal: str, seed: int) -> Played:
    """Play the walks at one portal."""
    return play(commissioning(scenario, portal, seed), COMMISSIONING_SEED + seed)


def is_fit(played: Played, portal: str) -> bool:
    """Whether the walks prove a portal, by the rule of `stockgate-edge commission`.

    A walk counts by its best tag: lids together, laptops hide each other's tags at the best of doors. Nothing here
    looks at what a decision said of the walks.
    """
    settings = next(one for one in played.settings.portals if one.id == portal)
    sides = sorted({int(antenna.side == "outside") for antenna in settings.antennas})
    reads = reads_by_tag(played)
    tags: dict[str, list[list[int]]] = {}
    for visit in played.visits:
        if visit.portal == portal:
            mine = reads.get((portal, visit.epc.hex()), NO_READS).within((visit.started_us, visit.ended_us))
            tags.setdefault(visit.group, []).append([int((mine.side == side).sum()) for side in sides])
    return proves([best(walk) for walk in tags.values()])


def commissioning(scenario: Scenario, portal: str, seed: int = 0) -> Scenario:
    """Return the scenario of the walks at one portal: the same place with other walks and tags of their own."""
    content: dict[str, Any] = scenario.model_dump(mode="python", exclude_defaults=True)
    for part in ("walks", "routes", "badges", "traffic", "faults", "crowd", "seconds", "cycle_s"):
        content.pop(part, None)
    width_m = next(one.width_m for one in scenario.portals if one.id == portal)
    first = scenario.tags.count + 1
    walks, routes, tag = [], [], first
    draw = Draw("commissioning", scenario.name, portal, seed)
    for number in range(2 * EACH_WAY):
        carry = RECIPE[number // 2]
        tags = list(range(tag, tag + (2 if carry == "face-to-face" else 1)))
        tag += len(tags)
        name = f"recipe-{number + 1}"
        lane = round(draw.span(-1.0, 1.0) * max(width_m / 2 - 0.3, 0.05), 3)
        points = [[FROM_M, lane], [-0.8, lane], [0.8, lane], [TO_M, lane]]
        routes.append({"id": name, "portal": portal, "points": points})
        walks.append(
            {
                "id": name,
                "at_s": 12.0 + EVERY_S * number,
                "route": name,
                "reverse": number % 2 == 1,
                "tags": tags,
                "speed_mps": draw.span(1.0, 1.4),
                "carry": carry,
            }
        )
    content["tags"] = _more_tags(content["tags"], tag - 1)
    return Scenario.model_validate(content | {"walks": walks, "routes": routes})


def _more_tags(part: dict[str, Any], count: int) -> dict[str, Any]:
    """Return so many tags, with numbers of as many bytes as that takes; no list of who may leave."""
    needed = (count.bit_length() + 7) // 8
    bytes_ = max(part.get("number_bytes", 1), needed)
    kept = {key: value for key, value in part.items() if key != "authorised"}
    return kept | {"count": count, "number_bytes": bytes_}
