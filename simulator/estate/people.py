"""Assets, people and tags, and the registry's sheets of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge.contracts import instant
from simulator.estate.dice import Dice
from simulator.estate.model import EstateScenario
from simulator.estate.world import World

MODELS: Final = (("laptop", "Latitude 7450"), ("laptop", "ThinkPad T14"), ("monitor", "U2723"), ("server", "R660"))
EPC_HEAD: Final = "3034257bf7194e4"
"""First 60 bits of the estate's own EPCs."""
AT_HOME: Final = 0.4
"""Share of the assets that aren't carried which begin in a stockroom."""

Sheets = Mapping[str, Sequence[Mapping[str, str]]]
"""Registry sheets: kind to rows of cells by column."""


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset, its tag, and where it begins; `habit` is carrier, mover or rest."""

    id: str
    epc: str
    kind: str
    model: str
    habit: str
    start: str
    person: str = ""


def make_assets(scenario: EstateScenario, world: World) -> list[Asset]:
    """Return all assets."""
    dice = Dice(scenario.seed, "assets")
    return [_asset(scenario, world, dice, number) for number in range(scenario.assets)]


def _asset(scenario: EstateScenario, world: World, dice: Dice, number: int) -> Asset:
    building = world.buildings[dice.randrange(len(world.buildings))]
    epc, name = f"{EPC_HEAD}{number:09x}", f"A-{number + 1:07}"
    habits = scenario.habits
    if number < habits.carriers:
        return Asset(name, epc, *MODELS[number % 2], "carrier", building.floor, f"P-{number + 1:05}")
    habit = "mover" if number < habits.carriers + habits.movers else "rest"
    start = building.floor
    if dice.chance(AT_HOME):
        start = dice.choice([*building.stockrooms, *building.stockrooms, building.lab])
    return Asset(name, epc, *MODELS[dice.randrange(len(MODELS))], habit, start)


def owner(place: str) -> str:
    """Return the person who answers for a building."""
    return f"OWNER-{place.upper()}"


def make_sheets(scenario: EstateScenario, world: World, assets: Sequence[Asset]) -> Sheets:
    """Return the sheets as they are before the first day, standing authorisations with them."""
    return {
        "people": _people(world, assets),
        "roles": [{"id": "stockroom-owner", "name": "Stockroom owner"}],
        "role_holders": [
            {"role": "stockroom-owner", "location": one.id, "person": owner(one.id)} for one in world.buildings
        ],
        "locations": [
            {
                "id": one.id, "name": one.name, "kind": one.kind, "parent": one.parent,
                "guarded": "true" if one.guarded else "false", "country": one.country, "subdivision": one.subdivision,
                "timezone": one.timezone, "owner_role": "stockroom-owner" if one.kind == "building" else "",
            }
            for one in world.places.values()
        ],
        "portals": [
            {"id": one.id, "name": f"Door {one.id}", "site": one.site, "gateway": one.gateway, "inside": one.inside,
             "outside": one.outside, "mode": "alarm"}
            for one in world.portals
        ],
        "openings": [
            {"id": one.id, "location": one.inside, "kind": one.kind, "portal": one.id if one.kind == "portal" else ""}
            for one in world.openings.values()
        ],
        "assets": [
            {"id": one.id, "name": one.model, "class": one.kind, "serial": f"SN{one.id[2:]}", "location": one.start}
            for one in assets
        ],
        "tags": [{"epc": one.epc, "asset": one.id, "role": "body"} for one in assets],
        "authorisations": [_standing(scenario, world, one) for one in assets if one.habit == "carrier"],
    }  # fmt: skip


def _people(world: World, assets: Sequence[Asset]) -> list[dict[str, str]]:
    owners = [{"id": owner(one.id), "name": f"Owner of {one.id}", "location": one.id} for one in world.buildings]
    users = [
        {"id": one.person, "name": f"Person {one.person[2:]}", "location": world.home[one.start].id}
        for one in assets
        if one.person
    ]
    return owners + users


def _standing(scenario: EstateScenario, world: World, asset: Asset) -> dict[str, str]:
    return {
        "id": f"ST-{asset.id}", "asset": asset.id, "boundary": world.home[asset.start].id, "kind": "standing",
        "valid_from": instant(scenario.start_us), "valid_to": "", "reason": "carried by its user",
        "person": asset.person, "requested_by": "", "approved_by": "",
    }  # fmt: skip
