"""Which attempt at each door was certified: a door goes into service only if its commissioning could certify it.

Who installs one that can't be does it again, up to `ATTEMPTS` times; then the door is left out. What came of it is
kept, a line a seed, so that doors are made again without playing their commissionings: `12 0` was certified at once,
`13 2` the third time, `14 -` never.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.scenarios.model import Scenario
from tests.accuracy.commission import certifies

ATTEMPTS: Final = 6
NEVER: Final = "-"


class InstalledError(Exception):
    """A kept list can't be used."""


@dataclass(frozen=True)
class Installed:
    """What came of the seeds that were tried: the attempt, from 0, that was certified; None is a door left out."""

    attempts: Mapping[int, int | None]

    def accepted(self, count: int | None = None) -> dict[int, int]:
        """Return the first so many seeds in service with their attempts, by seed."""
        found = [(seed, attempt) for seed, attempt in sorted(self.attempts.items()) if attempt is not None]
        return dict(found[:count])

    def left_out(self) -> list[int]:
        """Return the seeds of doors that were never certified."""
        return sorted(seed for seed, attempt in self.attempts.items() if attempt is None)

    def refused_at_first(self) -> int:
        """Return how many doors had to be done again, those left out among them."""
        return sum(attempt != 0 for attempt in self.attempts.values())


def kept_in(path: Path, version: int) -> Installed:
    """Return what is kept; nothing is, of another version of the doors.

    Raises:
        InstalledError: the file isn't such a list.
    """
    if not path.exists():
        return Installed({})
    head, *lines = path.read_text("utf-8").splitlines()
    if head != _head(version):
        return Installed({})
    try:
        pairs = [line.split() for line in lines]
        return Installed({int(seed): None if attempt == NEVER else int(attempt) for seed, attempt in pairs})
    except ValueError as error:
        raise InstalledError(f"{path.name}: not lines of a seed and an attempt ({error}): write it anew") from error


def install(
    path: Path, version: int, door: Callable[[int, int], Scenario], seeds: Iterable[int], *, enough: int
) -> Installed:
    """Try the seeds that weren't, until enough doors are in service; each result is kept at once.

    Args:
        path: where results are kept; another version's are thrown away.
        version: of the doors.
        door: makes a door of a seed and an attempt.
        seeds: in their order.
        enough: doors in service.
    """
    attempts = dict(kept_in(path, version).attempts)
    if not attempts:
        path.write_text(_head(version) + "\n", "utf-8")
    for seed in seeds:
        if len(Installed(attempts).accepted()) >= enough:
            break
        if seed not in attempts:
            began = time.monotonic()
            attempts[seed] = first_certified(door, seed)
            with path.open("a", encoding="utf-8") as kept:
                kept.write(_line(seed, attempts[seed]) + "\n")
            print(f"{_line(seed, attempts[seed])}: {time.monotonic() - began:.1f} s", flush=True)  # noqa: T201
    return Installed(attempts)


def first_certified(door: Callable[[int, int], Scenario], seed: int) -> int | None:
    """Return the first attempt at a door that could be certified."""
    return next((attempt for attempt in range(ATTEMPTS) if certifies(door(seed, attempt), seed)), None)


def _head(version: int) -> str:
    return f"version {version}: seed, attempt that was certified"


def _line(seed: int, attempt: int | None) -> str:
    return f"{seed} {NEVER if attempt is None else attempt}"
