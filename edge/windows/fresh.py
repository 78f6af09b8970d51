"""Throws compiled kernels away once any source that they were made from has changed.

Numba keys what it keeps of a kernel by the kernel's own module: it doesn't see that a constant in `layout`, or a kernel
that is called, has changed in another one, and would go on with the old code.
"""

import contextlib
import hashlib
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
STAMP: Final = "kernels.sha256"


def forget_stale(folder: Path = FOLDER) -> None:
    """Remove what numba keeps beside the kernels of a folder, and of those in it, if a source has changed since.

    Where the folder can't be written, numba keeps its files elsewhere and this does nothing.
    """
    sources = sorted(path for path in folder.rglob("*.py") if path.stem in {"kernels", "layout", "ahead"})
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = folder / "__pycache__" / STAMP
    with contextlib.suppress(OSError):
        if stamp.is_file() and stamp.read_text("ascii") == digest:
            return
        for kept in folder.rglob("__pycache__/*.nb[ic]"):
            kept.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest, "ascii")
