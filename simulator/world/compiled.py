"""Throws compiled kernels away once any source that they were made from has changed.

Numba keys what it keeps of a kernel by the kernel's own module: it doesn't see that a constant, or a kernel that is
called, has changed in another one, and would go on with the old code after an upgrade.
"""

import contextlib
import hashlib
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
ROOMS: Final = ("radio", "air")
STAMP: Final = "kernels.sha256"


def forget_stale(folder: Path = FOLDER) -> None:
    """Remove what numba keeps beside the rooms' kernels if a source differs from when it was kept.

    Where the folder can't be written, numba keeps its files elsewhere and this does nothing.
    """
    sources = [path for room in ROOMS for path in sorted((folder / room).rglob("*.py"))]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = folder / "__pycache__" / STAMP
    with contextlib.suppress(OSError):
        if stamp.is_file() and stamp.read_text("ascii") == digest:
            return
        for room in ROOMS:
            for kept in (folder / room).rglob("__pycache__/*.nb[ic]"):
                kept.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest, "ascii")
