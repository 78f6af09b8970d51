"""The machine under the agent: disk, clock, temperature and power, as `status`, `doctor` and metrics tell them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from edge.agent.clock import host_synced, kernel_says_unset

THERMAL: Final = Path("/sys/class/thermal")
THROTTLED: Final = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
"""A Raspberry Pi's firmware tells its worries here, in hex; absent elsewhere."""
POWER_WORDS: Final = {
    0: "the supply voltage is too low",
    1: "the processor's clock is held down",
    2: "the processor is throttled",
    3: "the processor is near its temperature limit",
    16: "the supply voltage was too low since the start",
    17: "the processor's clock was held down since the start",
    18: "the processor was throttled since the start",
    19: "the processor was near its temperature limit since the start",
}
"""Bits of the firmware's word, by the Raspberry Pi documentation of `vcgencmd get_throttled`."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of the machine; None or empty where it doesn't tell."""

    folder: str
    disk_bytes: int | None = None
    disk_free_bytes: int | None = None
    read_only: bool | None = None
    outbox_bytes: int | None = None
    clock_set: bool = True
    """Whether the kernel says that somebody synchronises the clock."""
    clock_believed: bool = True
    """Whether the agent believes the clock: a machine without NTP, but with a clock that runs on a battery, may."""
    cpu_celsius: float | None = None
    power: list[str] = []


def look_at(folder: Path, *, outbox_file: str) -> Machine:
    """Look at the machine and at the data directory on it; what can't be seen is left out."""
    total, free, read_only = disk(folder)
    return Machine(
        folder=str(folder),
        disk_bytes=total,
        disk_free_bytes=free,
        read_only=read_only,
        outbox_bytes=_sizes(folder / f"{outbox_file}{suffix}" for suffix in ("", "-wal", "-shm")),
        clock_set=not kernel_says_unset(),
        clock_believed=host_synced(),
        cpu_celsius=hottest(THERMAL),
        power=worries(THROTTLED),
    )


def hottest(folder: Path) -> float | None:
    """Return the highest temperature, degrees Celsius, of a folder of `thermal_zone*/temp` in 1/1000 degrees."""
    found = []
    for zone in sorted(folder.glob("thermal_zone*/temp")):
        try:
            found.append(int(zone.read_text("ascii")) / 1000)
        except (OSError, ValueError):
            continue  # a sensor that doesn't answer now
    return max(found, default=None)


def worries(file: Path) -> list[str]:
    """Return what a Raspberry Pi's firmware complains of, in words."""
    try:
        bits = int(file.read_text("ascii").strip(), 16)
    except (OSError, ValueError):
        return []
    return [words for bit, words in POWER_WORDS.items() if bits >> bit & 1]


def disk(folder: Path) -> tuple[int | None, int | None, bool | None]:
    """Return the disk's bytes, those that a program without privileges may still write, and whether it is read-only."""
    try:
        usage = shutil.disk_usage(folder)
        flags = os.statvfs(folder).f_flag
    except OSError:
        return None, None, None
    return usage.total, usage.free, bool(flags & os.ST_RDONLY)


def _sizes(files: Iterator[Path]) -> int | None:
    sizes = []
    for file in files:
        try:
            sizes.append(file.stat().st_size)
        except OSError:
            continue
    return sum(sizes) if sizes else None
