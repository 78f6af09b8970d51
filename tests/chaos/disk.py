"""The agent's disk in the trial's hand: a file system of its own where we may mount one, else a limit on its files."""

import os
import resource
import subprocess
from pathlib import Path
from typing import Final

SIZE_BYTES: Final = 1024**3  # of memory, taken only as it fills; the outbox of half an hour is a third of it
FILL_TRIES: Final = 50


class Disk:
    """A folder whose file system can be made full and given room again.

    As root it is a tmpfs, which is full when it is shrunk to what it holds (ENOSPC). Otherwise no file of the agent's
    may grow any more (RLIMIT_FSIZE, EFBIG).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mounted = False

    @property
    def kind(self) -> str:
        """What a full disk is here."""
        return "tmpfs" if self._mounted else "rlimit"

    def open(self) -> None:
        """Make the folder."""
        self.path.mkdir(parents=True)
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES},mode=700", "tmpfs", self.path],
            capture_output=True, check=False,
        )  # fmt: skip
        self._mounted = made.returncode == 0

    def fill(self, agent: int) -> None:
        """Leave no room to the agent with this process number."""
        if self._mounted:
            for _ in range(FILL_TRIES):  # what the agent has written between look and order needs another look
                now = os.statvfs(self.path)
                if self._resize((now.f_blocks - now.f_bfree) * now.f_frsize):
                    return
            raise OSError(f"{self.path} couldn't be shrunk to what it holds, {FILL_TRIES} times")
        largest = max((one.stat().st_size for one in self.path.iterdir()), default=0)
        hard = resource.prlimit(agent, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(agent, resource.RLIMIT_FSIZE, (largest, hard))

    def free(self, agent: int) -> None:
        """Give room again."""
        if self._mounted:
            if not self._resize(SIZE_BYTES):
                raise OSError(f"{self.path} couldn't be given room again")
            return
        hard = resource.prlimit(agent, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(agent, resource.RLIMIT_FSIZE, (hard, hard))

    def close(self) -> None:
        """Let the file system go, with what is on it."""
        if self._mounted:
            subprocess.run(["umount", "-l", self.path], check=True)
            self._mounted = False

    def _resize(self, size: int) -> bool:
        """Say how large the file system is; false where it holds more than that."""
        words = ["mount", "-o", f"remount,size={size}", str(self.path)]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
