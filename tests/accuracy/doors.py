"""Random doors: the place, its radio, what lies around and the people who walk, as a `Scenario` each.

Two families of the same generator: `frozen` doors, that the figures are measured at, and `training` doors, whose
seeds are others and whose spans are wider. Nothing here looks at what a decision does. Who installs a door that can't
be certified hangs its antennas anew (`installed.py`): each attempt is another one at the same place.
"""

from pathlib import Path
from typing import Any, Final

from simulator.scenarios.model import Scenario
from tests.accuracy.draw import Draw
from tests.accuracy.installed import kept_in
from tests.accuracy.mix import FROZEN, TRAINING, Mix
from tests.accuracy.stands import antennas, readers_of, shelves, site_and_walls
from tests.accuracy.walks import Traffic

WALKS: Final = 54
TRAINING_FILE: Final = Path(__file__).with_name("training_doors.txt")
TRAINING_SEEDS: Final = range(600)
"""Seeds whose doors are to be certified; those beyond are as they were first hung."""
CAREFUL_FROM: Final = 1
"""From this attempt on, the second, whoever installs a door takes care."""
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


TRAINED: Final = kept_in(TRAINING_FILE, TRAINING.version)
"""What came of training doors' installations."""


def frozen(seed: int, attempt: int = 0, mix: Mix = FROZEN) -> Scenario:
    """Return a door of the frozen set's family, as hung at an attempt; `frozen.py` knows which are in service."""
    return _door(f"frozen-{seed}", WALKS, mix, attempt)


def training(seed: int, *, walks: int = WALKS, attempt: int | None = None, mix: Mix = TRAINING) -> Scenario:
    """Return a door to fit on, as it went into service unless an attempt is named; none is a door of `frozen`.

    Raises:
        ValueError: the door never went into service.
    """
    hung = TRAINED.attempts.get(seed, 0) if attempt is None else attempt
    if hung is None:
        raise ValueError(f"training door {seed} was never certified: take seeds of doors.training_seeds")
    return _door(f"training-{seed}", walks, mix, hung)


def training_seeds(count: int) -> list[int]:
    """Return the first so many seeds but those of doors that were left out."""
    out = set(TRAINED.left_out())
    return [seed for seed in range(count + len(out)) if seed not in out][:count]


def _door(name: str, walks: int, mix: Mix, attempt: int) -> Scenario:
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
    careful = attempt >= CAREFUL_FROM
    hanging = Draw(name, mix.version, "radio", attempt, widen=mix.widen)
    hung = antennas(hanging, layout, width_m, careful=careful)
    scenario: dict[str, Any] = {
        "name": name,
        "description": f"{layout}, {model} {region}, {lying} residents",
        "seed": 1,
        **place,
        "readers": readers_of(hanging, layout, hung, f"{model} {region}", careful=careful),
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
