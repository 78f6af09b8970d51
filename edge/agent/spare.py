"""Gives the memory of the compiler's program back once it has loaded the kernels: it has nothing more to do.

LLVM stands in one library of 150 MB, of which loading kernels reads 65 MB into the process. Those pages are as they are
in the file: whoever needs one again, as a kernel for another kind of array, has it read again.
"""

import ctypes
import re
from pathlib import Path
from typing import Final

LIBRARY: Final = "libllvmlite"
MAPS: Final = Path("/proc/self/smaps")
MADV_DONTNEED: Final = 4
"""As Linux has it on every processor."""
_MAPPING: Final = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9]\d* +(\S.*)$")


def unwritten(smaps: str, library: str = LIBRARY) -> list[tuple[int, int]]:
    """Return begin and size of a library's mappings that are read only and, page by page, as they are in the file."""
    found: list[tuple[int, int]] = []
    mine = False
    for line in smaps.splitlines():
        mapping = _MAPPING.match(line)
        if mapping:
            begin, end = int(mapping[1], 16), int(mapping[2], 16)
            mine = library in mapping[3]
            if mine:
                found.append((begin, end - begin))
        elif re.match(r"^[0-9a-f]+-[0-9a-f]+ ", line):
            mine = False
        elif mine and line.startswith("Anonymous:") and int(line.split()[1]):
            found.pop()  # the loader has written addresses into it
    return found


def give_back() -> int:
    """Give back what can be read again; return how many bytes of address space that was, 0 where Linux isn't."""
    if not MAPS.is_file():
        return 0
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return sum(
        size for begin, size in unwritten(MAPS.read_text("utf-8", "replace"))
        if advise(begin, size, MADV_DONTNEED) == 0
    )  # fmt: skip
