"""Training doors, played once and kept: reads take the time, measuring them anew doesn't."""

import pickle
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.accuracy import doors
from tests.accuracy.commission import commissioned
from tests.accuracy.play import play
from tests.fit.dataset import examples_of

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "fit"


def played(seed):
    """Return a training door as played, from the cache where it is."""
    kept = CACHE / f"doors-{doors.VERSION}" / f"{seed}.pickle"
    if kept.exists():
        return pickle.loads(zlib.decompress(kept.read_bytes()))  # noqa: S301 (our own cache)
    scenario = doors.training(seed)
    made = play(scenario, seed, settings=commissioned(scenario, seed))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(zlib.compress(pickle.dumps(made, 5), 1))
    return made


def prepared(seed):
    """Return a played door with its levels of the commissioning, or in 3 of 20 without."""
    made = played(seed)
    if seed % 20 in {3, 11, 17}:
        return replace(made, settings=replace(made.settings, portals=tuple(_bare(one) for one in made.settings.portals)))
    return made


def _bare(portal):
    return replace(portal, antennas=tuple(replace(one, doorway_cdbm=None) for one in portal.antennas))


def examples(seed, name):
    """Return a door's examples, from the cache of that name where they are."""
    kept = CACHE / f"examples-{name}" / f"{seed}.npz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        arrays = examples_of(prepared(seed))
        part = kept.with_suffix(".part.npz")
        np.savez_compressed(part, **arrays)
        part.rename(kept)
    with np.load(kept) as held:
        return {key: held[key] for key in held.files}
