"""Is the host's clock to be believed? A board without a battery clock starts in the past until NTP has set it."""

import ctypes
import os
from pathlib import Path
from typing import Final

_TIMEX_BYTES: Final = 512
"""`struct timex` has 208 bytes on 64-bit Linux; read only, since its first field (`modes`) stays 0."""
_TIME_ERROR: Final = 5
"""adjtimex(2) returns this while nobody has synchronised the clock."""
_BOARD: Final = Path("/proc/device-tree/model")
"""There on boards such as a Raspberry Pi, absent on x86 machines and in most virtual ones."""


def host_synced() -> bool:
    """Say whether event times may be believed.

    False only where it is known to matter: a board with a device tree (they come without a battery clock) whose kernel
    says that nothing has set the clock. Elsewhere that kernel flag says only that no NTP daemon runs here, which is
    ordinary in containers and virtual machines, whose clock their host sets.
    """
    return not (_BOARD.exists() and kernel_says_unset())


def kernel_says_unset() -> bool:
    """Ask adjtimex(2); a kernel that doesn't answer is taken at its best."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    return bool(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) == _TIME_ERROR) and os.name == "posix"
