"""The installer's walks at a door: ten in and ten out by the recipe, and the levels that they teach the windows."""

from dataclasses import replace
from typing import Any, Final

from edge.windows import WindowClock, Windows, WindowsSettings
from edge.windows.levels import doorway_levels
from simulator.scenarios.model import Scenario
from tests.accuracy.draw import Draw
from tests.accuracy.play import play, settings_of

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
    levels: dict[tuple[str, int], int] = {}
    for portal in scenario.portals:
        if portal.layout == "single":
            continue
        played = play(commissioning(scenario, portal.id, seed), COMMISSIONING_SEED + seed)
        windows = Windows(_alone(played.settings, portal.id), boot="commissioning")
        rows = []
        for reader, arrival_us, batch in played.chunks:
            rows += windows.feed(reader, batch, arrival_us=arrival_us, clock=WindowClock(offset_us=0))
        rows += windows.flush()
        levels |= doorway_levels(rows)
    return settings_of(scenario, levels)


def _alone(settings: WindowsSettings, portal: str) -> WindowsSettings:
    """Return the settings of one portal: who commissions it walks there, so no neighbour may take the walks."""
    return replace(
        settings,
        portals=tuple(replace(one, neighbours=()) for one in settings.portals if one.id == portal),
        sensors=tuple(one for one in settings.sensors if one.portal == portal),
    )


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
