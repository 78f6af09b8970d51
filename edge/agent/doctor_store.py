"""What `doctor` finds in the data directory, the outbox and the kernels' cache."""

import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge.agent.kernel_cache import kernels_so_far
from edge.agent.machine import look_at
from edge.agent.unwell import Fault, backlog_faults
from edge.agent.warm import warm_up
from edge.outbox import OutboxError, Waiting, inspect

MIB: Final = 1024 * 1024
ADVICE: Final = {
    errno.EROFS: "remount it for writing; a card that keeps going read-only is worn out: replace it",
    errno.ENOSPC: "free space on it",
    errno.EDQUOT: "free space on it, or raise the quota",
    errno.EACCES: "run this as the agent's user or as root; else: chown -R stockgate-edge the folder",
    errno.EPERM: "run this as the agent's user or as root; else: chown -R stockgate-edge the folder",
}


def folder_faults(folder: Path, *, max_bytes: int) -> Iterator[Fault]:
    """Try the data directory by writing a small file that goes again."""
    if not folder.exists():
        yield Fault("note", "data directory", f"{folder} is not there yet", "the agent makes it at its start")
        return
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(4096))
            trial.flush()
            os.fsync(trial.fileno())
    except OSError as error:
        what = f"{folder} can't be written: {error.strerror or error}"
        yield Fault("bad", "data directory", what, _advice(error))
        return
    yield from _open_to_others(folder)
    seen = look_at(folder, outbox_file="outbox.db")
    room = (seen.disk_free_bytes or 0) + (seen.outbox_bytes or 0)
    if room < max_bytes:
        what = f"the outbox may take {max_bytes // MIB} MiB and the disk has {room // MIB} MiB for it"
        do = f"set [outbox] max_mib to {max(room // MIB // 2, 1)} or less: a full disk stops more than the outbox"
        yield Fault("see to", "data directory", what, do)


def _open_to_others(folder: Path) -> Iterator[Fault]:
    """Tell of folder and outbox that an older version, or a person, left open to others."""
    for path, mode in ((folder, "700"), (folder / "outbox.db", "600")):
        with suppress(OSError):
            found = stat.S_IMODE(path.stat().st_mode)
            if found & (stat.S_IRWXG | stat.S_IRWXO):
                what = f"{path} has mode {found:03o}: others on this machine can read who carried what"
                yield Fault("see to", "data directory", what, f"chmod {mode} {path}")


def outbox_faults(file: Path, *, now_us: int) -> Iterator[Fault]:
    """Look at an outbox that no agent holds."""
    yield from _set_aside(file)
    if not file.exists():
        return
    try:
        found = inspect(file)
    except OutboxError as error:
        yield Fault("bad", "outbox", str(error))
        return
    if found.damage:
        do = "start the agent: it sets the file aside and goes on with what can be read; then check the SD card"
        yield Fault("bad", "outbox", f"{file} is damaged: {found.damage}", do)
    elif not found.known:
        what = f"{file} has layout {found.layout}, which this version doesn't know"
        yield Fault("bad", "outbox", what, "run the version that wrote it until the central has everything")
    if not found.whole:
        yield Fault("note", "outbox", "it is large: not all of it was looked at")
    for stream in found.waiting:
        yield from _waiting(stream, now_us)


def kernel_faults() -> Iterator[Fault]:
    """Load the kernels as the agent does; what wasn't in the cache is there afterwards."""
    begun_s = time.monotonic()
    try:
        warm_up()
    except RuntimeError as error:  # numba finds no folder that it may write
        do = "set NUMBA_CACHE_DIR to a folder that the agent may write"
        yield Fault("bad", "kernels", f"can't be kept: {error}", do)
        return
    kernels = kernels_so_far(time.monotonic() - begun_s)
    if kernels.compiled:
        what = f"{kernels.compiled} were not in the cache {kernels.folder} and were compiled just now"
        do = "nothing if the agent uses this cache; else run stockgate-edge warm with its NUMBA_CACHE_DIR"
        yield Fault("see to", "kernels", what, do)


def _waiting(stream: Waiting, now_us: int) -> Iterator[Fault]:
    oldest_s = 0.0 if stream.oldest_us is None else max(now_us - stream.oldest_us, 0) / 1e6
    yield from backlog_faults(stream.stream, stream.pending, oldest_s, stream.dropped)


def _set_aside(file: Path) -> Iterator[Fault]:
    left = sorted(file.parent.glob(f"{file.name}.damaged-*[0-9]")) if file.parent.is_dir() else []
    if left:
        what = f"{len(left)} damaged files were set aside, the last {left[-1].name}; what could be read of them went on"
        yield Fault("see to", "outbox", what, "check the SD card; delete them once nobody wants to look at them")


def _advice(error: OSError) -> str:
    return ADVICE.get(error.errno or 0, "look at the disk: dmesg")
