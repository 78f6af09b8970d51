"""How the machine fares that the agent runs on: heat, load, memory, disk, and how good its clock is."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from edge.agent.machine import THERMAL, disk, hottest
from edge.contracts import HostHealth

_T = TypeVar("_T")
_MEMINFO: Final = Path("/proc/meminfo")
_TIMEX_BYTES: Final = 512
"""`struct timex` has 208 bytes on 64-bit Linux; read only, since its first field (`modes`) stays 0."""
_OFFSET_AT: Final = 8
_STATUS_AT: Final = 40
"""Where `offset` and `status` stand in the 64-bit `struct timex` (adjtimex(2)): after `modes` and its padding, and
after `offset`, `freq`, `maxerror` and `esterror`."""
_ESTERROR_AT: Final = 32
_STA_NANO: Final = 0x2000
_TIME_ERROR: Final = 5
_NARROW: Final = 4
"""Bytes of a pointer on 32-bit machines, whose `struct timex` is another."""


def host_health(folder: Path, *, host_synced: bool, root: Path = Path("/")) -> HostHealth:
    """Return what the kernel tells; what it doesn't tell is None. `root` is where its files are looked for.

    Args:
        folder: the data folder, whose disk is told of.
        host_synced: whether event times are believed.
        root: the root of `/sys` and `/proc`.
    """
    offset_us, error_us = clock_offset_us()
    whole, free, _ = disk(folder)
    return HostHealth(
        temperature_c=hottest(root / THERMAL.relative_to("/")),
        load_1m=_or_none(lambda: round(os.getloadavg()[0], 2)),
        cpus=os.cpu_count() or 1,
        memory_available_bytes=_memory(root / _MEMINFO.relative_to("/"), "MemAvailable"),
        memory_bytes=_memory(root / _MEMINFO.relative_to("/"), "MemTotal"),
        disk_free_bytes=free,
        disk_bytes=whole,
        host_synced=host_synced,
        clock_offset_us=offset_us,
        clock_error_us=error_us,
    )


def clock_offset_us() -> tuple[int | None, int | None]:
    """Return how far the host's clock is from its time source and the estimated error, in microseconds.

    None where nothing disciplines the clock, or the kernel doesn't say.
    """
    if ctypes.sizeof(ctypes.c_void_p) == _NARROW:
        return None, None
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (OSError, AttributeError):
        return None, None
    return read_timex(buffer.raw, state)


def read_timex(raw: bytes, state: int) -> tuple[int | None, int | None]:
    """Take offset and estimated error, in microseconds, from the kernel's 64-bit `struct timex`."""
    if state < 0 or state == _TIME_ERROR:
        return None, None
    offset = int.from_bytes(raw[_OFFSET_AT : _OFFSET_AT + 8], "little", signed=True)
    error_us = int.from_bytes(raw[_ESTERROR_AT : _ESTERROR_AT + 8], "little", signed=True)
    status = int.from_bytes(raw[_STATUS_AT : _STATUS_AT + 4], "little")
    return (offset // 1000 if status & _STA_NANO else offset), max(error_us, 0)


def _memory(file: Path, name: str) -> int | None:
    """Return a line of /proc/meminfo in bytes; it tells kibibytes."""
    try:
        lines = file.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        key, _, told = line.partition(":")
        words = told.split()
        if key == name and words and words[0].isdigit():
            return int(words[0]) * 1024
    return None


def _or_none(ask: Callable[[], _T]) -> _T | None:
    try:
        return ask()
    except (OSError, ValueError):
        return None
