"""Which signals a process minds, as the kernel tells it."""

from pathlib import Path


def catches(pid: int, number: int) -> bool:
    """Tell whether a process has a handler for a signal: before, the signal would end it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, mask = line.partition(":")
        if name == "SigCgt":
            return bool(int(mask, 16) >> (number - 1) & 1)
    return False
