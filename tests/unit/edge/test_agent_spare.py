"""What of the compiler's library is given back: what the file has, and nothing that was written since."""

import os
import subprocess
import sys

import pytest

from edge.agent.spare import MAPS, unwritten

SMAPS = """\
7f0000000000-7f0000001000 r--p 00000000 fe:01 77    /lib/libllvmlite.so
Rss:                   4 kB
Anonymous:             0 kB
7f0000001000-7f0000003000 r-xp 00001000 fe:01 77    /lib/libllvmlite.so
Anonymous:             0 kB
7f0000003000-7f0000004000 r--p 00003000 fe:01 77    /lib/libllvmlite.so
Anonymous:             4 kB
7f0000004000-7f0000005000 rw-p 00004000 fe:01 77    /lib/libllvmlite.so
Anonymous:             0 kB
7f0000005000-7f0000006000 r-xp 00000000 fe:01 78    /lib/libc.so.6
Anonymous:             0 kB
7f0000006000-7f0000007000 r--p 00000000 00:00 0
Anonymous:             0 kB
"""
RUN = """
from pathlib import Path
def held():
    return next(int(one.split()[1]) for one in Path("/proc/self/status").read_text().splitlines() if "RssFile" in one)
from edge.agent import warm
give, warm.give_back = warm.give_back, lambda: 0
warm.warm_up()
before = held()
print(give() > 0, before - held())
warm.warm_up()
from numba import njit
print(njit(lambda x: x + 1)(1))
"""


def test_only_what_stands_in_the_file_is_given_back():
    """Mappings that can be written to, or were while the library was loaded, stay; so do other libraries."""
    assert unwritten(SMAPS) == [(0x7F0000000000, 0x1000), (0x7F0000001000, 0x2000)]


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="without the compiler nothing is loaded")
@pytest.mark.skipif(not MAPS.is_file(), reason="only Linux tells a process its mappings")
@pytest.mark.timeout(300)
def test_the_compiler_goes_on_after_its_pages_were_given_back():
    """Megabytes less are held, and kernels still run and can still be compiled."""
    done = subprocess.run([sys.executable, "-c", RUN], check=True, capture_output=True, text=True, timeout=280)
    given, compiled = done.stdout.splitlines()
    assert given.startswith("True ")
    assert int(given.split()[1]) > 20_000
    assert compiled == "2"
