"""The frozen set: which doors it is made of, and its hash, which was committed before any decision was fitted.

`python -m tests.accuracy.frozen` prints the hash of what the generator makes now; `--write` keeps it, for a new version
of the set only: figures of two versions can't be compared.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from simulator.scenarios.model import Scenario
from tests.accuracy import doors
from tests.accuracy.mix import FROZEN

COUNT: Final = 330
"""Doors, and so many walks at each that more than 20,000 tags' visits are read at least once."""
SEEDS: Final = range(COUNT)
HASH_FILE: Final = Path(__file__).with_name("frozen.sha256")


class FrozenError(Exception):
    """The set isn't the one whose hash is committed."""


def play_seed(seed: int) -> int:
    """Return the seed that a door is played with."""
    return 7_000_000 + seed


def is_commissioned(seed: int) -> bool:
    """Whether a door is commissioned: 85 of 100 are, by their seeds alone."""
    return seed % 20 not in {3, 11, 17}


def scenarios() -> Iterator[tuple[int, Scenario]]:
    """Yield seed and scenario of each door."""
    for seed in SEEDS:
        yield seed, doors.frozen(seed)


def digest() -> str:
    """Return the SHA-256, in hex, over the canonical JSON of all scenarios with the seeds that they are played with."""
    found = hashlib.sha256(f"version {FROZEN.version}\n".encode())
    for seed, scenario in scenarios():
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
            f"tests/accuracy makes the set {now}, but {HASH_FILE.name} says {kept}: take back what changed doors, "
            "walks or the scenario model's defaults, or make a new version of the set (mix.FROZEN) and measure all"
        )
    return now


if __name__ == "__main__":
    made = digest()
    if "--write" in sys.argv[1:]:
        HASH_FILE.write_text(f"{made}  {COUNT} doors, version {FROZEN.version}\n")
    print(made)  # noqa: T201 (it is what the program is for)
