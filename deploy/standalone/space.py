"""Notices that a disk is full, before what stands on it falls silent or dies of it."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

# PostgreSQL's next segment of its log wants 16 MB at once; with less than that something is about to stop.
FULL_BYTES = 16 * 1024**2
# More than that again, so that a disk at the edge isn't told every second.
ROOM_BYTES = 24 * 1024**2


def free_bytes(place: Path) -> int | None:
    """Free space for ordinary users; None where it can't be told."""
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


class DiskSpace:
    """Looks at the filesystems of some places; `note` tells of each once when it is full and once when it isn't."""

    def __init__(self, places: Iterable[Path], measure: Callable[[Path], int | None] = free_bytes) -> None:
        self._measure = measure
        # Places on one disk are one thing to be freed: the first stands for all.
        self._places = list({_device(place): place for place in reversed(list(places))}.values())[::-1]
        self._full: set[Path] = set()

    def note(self, pending: int = 0) -> list[str]:
        """Return what is to be told now; `pending` events are known to wait for the database."""
        lines = []
        for place in self._places:
            free = self._measure(place)
            if free is None:
                continue
            if place not in self._full and free < FULL_BYTES:
                self._full.add(place)
                lines.append(f"disk full: free space on {place} ({_mb(free)} left). {_waits(pending)}")
            elif place in self._full and free >= ROOM_BYTES:
                self._full.remove(place)
                lines.append(f"disk has room again: {place} ({_mb(free)} left). What waited goes on by itself.")
        return lines


def _waits(pending: int) -> str:
    known = f"{pending} events wait for the database" if pending else "New events wait"
    return f"{known} until then; programs may stop and be started again."


def _device(place: Path) -> int | Path:
    try:
        return place.stat().st_dev
    except OSError:
        return place


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
