"""Training doors and lessons, played once and kept: reads take the time, measuring them anew doesn't.

Seeds from `LESSONS_FROM` on are lessons (`tests.accuracy.lessons`), those below are doors.
"""

import pickle
import statistics
import zlib
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.accuracy import doors, lessons
from tests.accuracy.commission import walks_at
from tests.accuracy.mix import TRAINING
from tests.accuracy.play import play
from tests.fit.dataset import examples_of

AROUND_US = 2_500_000
LESSONS_FROM = 100_000
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "fit"


def lesson_seeds(count):
    """Return the seeds of so many lessons."""
    return list(range(LESSONS_FROM, LESSONS_FROM + count))


def played(seed):
    """Return a training door or a lesson as played, from the cache where it is."""
    kept = CACHE / _family("doors", seed) / f"{seed}.pickle"
    if kept.exists():
        return pickle.loads(zlib.decompress(kept.read_bytes()))  # noqa: S301 (our own cache)
    made = _lesson(seed) if seed >= LESSONS_FROM else _door(seed)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(zlib.compress(pickle.dumps(made, 5), 1))
    return made


def _family(name, seed):
    """Return the directory of what is kept under a name; of lessons and doors that changed it is another one."""
    return f"lessons-{lessons.VERSION}-{name}" if seed >= LESSONS_FROM else f"{name}-{TRAINING.version}"


def _door(seed):
    scenario = doors.training(seed)
    return play(scenario, seed, settings=walked(scenario, seed))


def _lesson(seed):
    scenario, settings = lessons.lesson(seed - LESSONS_FROM)
    return play(scenario, seed, settings=settings)


def walked(scenario, seed):
    """Return settings with the levels that a commissioning's walks teach: medians of the peaks around each crossing.

    The walks are those of `commission.walked`, where the product's own calls say when they crossed. Here the truth says
    so, which needs no weights. Everyday's loads are weaker and would teach other levels.
    """
    made = walks_at(scenario, scenario.portals[0].id, seed)
    peaks, heard = defaultdict(list), _by_tag(made)
    through = [visit for visit in made.visits if visit.crossed_us is not None and visit.reads]
    for visit in through:
        reader, antenna, rssi, at_us = heard[visit.epc]
        near = np.abs(at_us - visit.crossed_us) <= AROUND_US
        for place in {*zip(reader[near], antenna[near], strict=True)}:
            mine = near & (reader == place[0]) & (antenna == place[1])
            peaks[place].append(int(rssi[mine].max()))
    known = {place: round(statistics.median(found)) for place, found in peaks.items() if 2 * len(found) >= len(through)}
    portals = (
        replace(
            portal,
            antennas=tuple(replace(one, doorway_cdbm=known.get((one.reader, one.port))) for one in portal.antennas),
        )
        for portal in made.settings.portals
    )
    return replace(made.settings, portals=tuple(portals))


def _by_tag(made):
    """Return (readers, antennas, RSSI, times) of each tag's reads."""
    found = defaultdict(list)
    for reader, _, batch in made.chunks:
        for k in range(len(batch)):
            epc = batch.epc[k, : batch.epc_bits[k] // 8].tobytes()
            found[epc].append((reader, int(batch.antenna[k]), int(batch.rssi_cdbm[k]), int(batch.last_us[k])))
    return defaultdict(
        lambda: [np.array([]) for _ in range(4)],
        {epc: [np.array(column) for column in zip(*rows, strict=True)] for epc, rows in found.items()},
    )


def prepared(seed):
    """Return a played door with its levels of the commissioning, or in 3 of 20 without."""
    made = played(seed)
    if seed % 20 in {3, 11, 17}:
        return replace(
            made, settings=replace(made.settings, portals=tuple(_bare(one) for one in made.settings.portals))
        )
    return made


def _bare(portal):
    return replace(portal, antennas=tuple(replace(one, doorway_cdbm=None) for one in portal.antennas))


def examples(seed, name):
    """Return a door's examples, from the cache of that name where they are."""
    kept = CACHE / f"{_family('examples', seed)}-{name}" / f"{seed}.npz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        arrays = examples_of(prepared(seed))
        part = kept.with_suffix(".part.npz")
        np.savez_compressed(part, **arrays)
        part.rename(kept)
    with np.load(kept) as held:
        return {key: held[key] for key in held.files}
