"""A second process that ends what this one started, should this one die without a word (kill -9, out of memory).

The reaper holds the reading end of a pipe whose writing end only we hold: end of file without a "released" line means
that we are dead. It is told of every process and private directory as they appear.
"""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

# A server that flushes its files needs a moment; after that it is ended the hard way.
GRACE_S = 5.0


class Reaper:
    """Ends processes and removes directories when this process dies; `close` releases them unharmed."""

    def __init__(self) -> None:
        # Its own session: neither Ctrl-C at the terminal nor a signal to our process group reaches it.
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def watch_process(self, pid: int) -> None:
        """End this process, and those it has started, when we die."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._tell({"pid": pid, "created": psutil.Process(pid).create_time()})

    def watch_directory(self, directory: Path) -> None:
        """Remove this directory when we die."""
        self._tell({"directory": str(directory)})

    def close(self) -> None:
        """Release everything: we have cleaned up ourselves; a second call does nothing."""
        self._tell({"released": True})
        if self._process.stdin:
            # Closing flushes: a reaper that is dead already has no need of it.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(timeout=GRACE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _tell(self, line: dict[str, object]) -> None:
        stdin = self._process.stdin
        if stdin is None or stdin.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(line).encode() + b"\n")
            stdin.flush()


def end_processes(found: list[psutil.Process], grace_s: float = GRACE_S) -> None:
    """Ask the processes and all that they started to end, and end by force those that don't."""
    family = list(found)
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            family += process.children(recursive=True)
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            # PostgreSQL takes SIGINT as its fast shutdown; to all others of ours it means the same as SIGTERM.
            process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + grace_s
    while any(map(_alive, family)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in filter(_alive, family):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _alive(process: psutil.Process) -> bool:
    """Tell whether it still runs; a dead one that nobody has waited for doesn't."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _serve(orders: IO[bytes]) -> None:
    found: list[psutil.Process] = []
    directories: list[str] = []
    for line in orders:
        order = json.loads(line)
        if "released" in order:
            return
        if "directory" in order:
            directories.append(order["directory"])
        with contextlib.suppress(psutil.NoSuchProcess):
            # The time of creation tells a process from a later one that was given the same number.
            if "pid" in order and (process := psutil.Process(order["pid"])).create_time() == order["created"]:
                found.append(process)
    end_processes([process for process in found if process.is_running()])
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    _serve(sys.stdin.buffer)
