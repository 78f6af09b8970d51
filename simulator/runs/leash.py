"""`python -m simulator.runs.leash PARENT PROGRAM ARGUMENTS…`: become a program that ends when its parent does.

Linux sends the signal however the parent ends, kill -9 included; elsewhere the program runs without a leash.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Put the leash on, and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # The parent may have ended before the leash was on.
    if os.getppid() == parent:
        os.execv(program, sys.argv[2:])  # noqa: S606 - the parent's own choice of program


if __name__ == "__main__":
    main()
