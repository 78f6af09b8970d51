"""Random doors: the place, its radio, what lies around and the people who walk, as a `Scenario` each.

Two families of the same generator: `frozen` doors, that the figures are measured at, and `training` doors, whose
seeds are others and whose spans are wider. Nothing here looks at what a decision does.
"""

from typing import Any, Final

from simulator.scenarios.model import Scenario
from tests.accuracy.draw import Draw
from tests.accuracy.mix import FROZEN, TRAINING, Mix
from tests.accuracy.stands import antennas, readers_of, shelves, site_and_walls
from tests.accuracy.walks import Traffic

WALKS: Final = 54
PREFIX: Final = "3034257bf7194e40000000"
LAYOUTS: Final = {
    "two-sided": 0.34,
    "one-sided": 0.12,
    "overhead": 0.14,
    "corners": 0.12,
    "two-readers": 0.11,
    "beam": 0.12,
    "single": 0.05,
}


def frozen(seed: int) -> Scenario:
    """Return a door of the frozen set."""
    return _door(f"frozen-{seed}", WALKS, FROZEN)


def training(seed: int, *, walks: int = WALKS) -> Scenario:
    """Return a door to fit on; no seed of it is a seed of `frozen`."""
    return _door(f"training-{seed}", walks, TRAINING)


def _door(name: str, walks: int, mix: Mix) -> Scenario:
    draw = Draw(name, mix.version, "place", widen=mix.widen)
    layout, (model, region) = draw.weighted(LAYOUTS), draw.weighted(mix.radios).split()
    place = site_and_walls(draw, layout)
    width_m = place["portals"][0]["width_m"]
    lying = int(draw.weighted(mix.residents))
    tags = _tags(draw)
    # People walk alike everywhere: only places and radio are wider where one trains.
    traffic = Traffic(Draw(name, mix.version, "walks"), place, lying, mix)
    traffic.fill(walks)
    sensors = place.pop("sensors")
    room = place.pop("room")
    weak_db = draw.span(*mix.weak_db)
    scenario: dict[str, Any] = {
        "name": name,
        "description": f"{layout}, {model} {region}, {lying} residents",
        "seed": 1,
        **place,
        "readers": readers_of(draw, layout, antennas(draw, layout, width_m), f"{model} {region}"),
        "sensors": sensors,
        "shelves": shelves(draw, room, width_m, lying),
        "tags": tags | {"count": traffic.count},
        "tag_types": [
            *({"tags": [tag], "loss_db": round(tags["loss_db"] + weak_db, 3)} for tag in traffic.weak),
            *({"tags": [tag], "mount": "on-metal"} for tag in traffic.on_metal),
        ],
        "routes": traffic.routes,
        "walks": traffic.walks,
    }
    return Scenario.model_validate(scenario)


def _tags(draw: Draw) -> dict[str, Any]:
    return {
        "epc_prefix": PREFIX,
        "number_bytes": 2,
        "loss_db": draw.span(4.0, 9.0, least=2.0),
        "loss_spread_db": draw.span(1.0, 3.0, least=0.5),
        "sensitivity_dbm": draw.span(-23.0, -18.5, least=-24.0),
        "dead_share": 0.004,
    }
