"""The frozen set: which doors it is made of, and its hash, which was committed before any decision was fitted.

`python -m tests.accuracy.frozen` prints the hash of what the generator makes now; `--write` keeps it, for a new version
of the set only: figures of two versions can't be compared. Doors are those that a commissioning could certify:
`--install` plays commissionings until enough doors are in service and keeps which these are, `--install-training` does
so with the doors to fit on; both go on where they were stopped.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import count as count_up
from pathlib import Path
from typing import Final

from simulator.scenarios.model import Scenario
from tests.accuracy import doors
from tests.accuracy.installed import install, kept_in
from tests.accuracy.mix import FROZEN, TRAINING

COUNT: Final = 306
"""Doors, and so many walks at each that more than 20,000 tags' visits are read at least once."""
HASH_FILE: Final = Path(__file__).with_name("frozen.sha256")
DOORS_FILE: Final = Path(__file__).with_name("frozen_doors.txt")
INSTALLED: Final = kept_in(DOORS_FILE, FROZEN.version)
"""What came of the installations: one that can't be certified is done anew, or the next seed takes its place."""
ATTEMPTS: Final = INSTALLED.accepted(COUNT)
SEEDS: Final = tuple(ATTEMPTS)


class FrozenError(Exception):
    """The set isn't the one whose hash is committed."""


def play_seed(seed: int) -> int:
    """Return the seed that a door is played with."""
    return 7_000_000 + seed


def is_commissioned(seed: int) -> bool:
    """Whether a door's windows are told what its commissioning taught: of 85 in 100, by their seeds alone."""
    return seed % 20 not in {3, 11, 17}


def door(seed: int) -> Scenario:
    """Return a door as it went into service."""
    return doors.frozen(seed, ATTEMPTS[seed])


def scenarios() -> Iterator[tuple[int, Scenario]]:
    """Yield seed and scenario of each door."""
    for seed in SEEDS:
        yield seed, door(seed)


def digest(made: Iterable[tuple[int, Scenario]] | None = None) -> str:
    """Return the SHA-256, in hex, over the canonical JSON of all scenarios with the seeds that they are played with."""
    found = hashlib.sha256(f"version {FROZEN.version}\n".encode())
    for seed, scenario in scenarios() if made is None else made:
        content = scenario.model_dump(mode="json")
        line = [play_seed(seed), is_commissioned(seed), content]
        found.update(json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode() + b"\n")
    return found.hexdigest()


def committed() -> str:
    """Return the hash that is committed."""
    return HASH_FILE.read_text().split()[0]


def check() -> str:
    """Return the hash.

    Raises:
        FrozenError: the generator, or the scenario model, makes another set than the committed one.
    """
    now, kept = digest(), committed()
    if now != kept:
        raise FrozenError(
            f"tests/accuracy makes the set {now} of {len(SEEDS)} doors, but {HASH_FILE.name} says {kept}: take back "
            f"what changed doors, walks, {DOORS_FILE.name} or the scenario model's defaults, or make a new version of "
            "the set (mix.FROZEN), write it (python -m tests.accuracy.frozen --write) and measure all"
        )
    return now


def write() -> str:
    """Keep the hash of the version in use; return it.

    Raises:
        FrozenError: doors are missing.
    """
    if len(SEEDS) < COUNT:
        raise FrozenError(
            f"{DOORS_FILE.name} has {len(SEEDS)} doors of {COUNT}: python -m tests.accuracy.frozen --install"
        )
    made = digest()
    HASH_FILE.write_text(f"{made}  {COUNT} doors, version {FROZEN.version}\n")
    return made


def install_frozen() -> None:
    """Install as many doors as are missing, and keep what came of it."""
    install(DOORS_FILE, FROZEN.version, doors.frozen, count_up(), enough=COUNT)


def install_training() -> None:
    """Install the training doors that weren't tried yet, and keep what came of it."""
    hung = lambda seed, attempt: doors.training(seed, attempt=attempt)  # noqa: E731
    install(doors.TRAINING_FILE, TRAINING.version, hung, doors.TRAINING_SEEDS, enough=len(doors.TRAINING_SEEDS))


def main(words: list[str]) -> None:
    """Do what is asked for, and print the hash."""
    if "--install" in words:
        install_frozen()
    if "--install-training" in words:
        install_training()
    print(write() if "--write" in words else digest())  # noqa: T201 (it is what the program is for)


if __name__ == "__main__":
    main(sys.argv[1:])
