"""Training doors, played once and kept: reads take the time, measuring them anew doesn't."""

import pickle
import zlib
from pathlib import Path

import numpy as np

from tests.accuracy import doors
from tests.accuracy.play import play
from tests.fit.dataset import examples_of

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "fit"


def played(seed):
    """Return a training door as played, from the cache where it is."""
    kept = CACHE / f"doors-{doors.VERSION}" / f"{seed}.pickle"
    if kept.exists():
        return pickle.loads(zlib.decompress(kept.read_bytes()))  # noqa: S301 (our own cache)
    made = play(doors.training(seed), seed)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(zlib.compress(pickle.dumps(made), 1))
    return made


def examples(seed, name):
    """Return a door's examples, from the cache of that name where they are."""
    kept = CACHE / f"examples-{name}" / f"{seed}.npz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        arrays = examples_of(played(seed))
        part = kept.with_suffix(".part.npz")
        np.savez_compressed(part, **arrays)
        part.rename(kept)
    with np.load(kept) as held:
        return {key: held[key] for key in held.files}
