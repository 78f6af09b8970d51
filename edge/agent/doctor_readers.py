"""What `doctor` finds at readers that no agent holds: LLRP ones are greeted, others seen to be there."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge.agent.unwell import Fault
from edge.config import EdgeConfig, reader_settings
from edge.config.device_checks import serial_places
from edge.readers import ReaderSettings
from edge.readers.errors import ReaderBusyError, ReaderError
from edge.readers.found import notes, problems
from edge.readers.probe import ProbeSettings, probe

NETWORK: Final = "check its power, its cable and its address"


async def reader_faults(config: EdgeConfig, *, base: Path, timeout_s: float, listen_s: float) -> list[Fault]:
    """Look at all readers and devices at once.

    Args:
        config: the agent's.
        base: the configuration file's folder.
        timeout_s: longest wait for a connection and for each answer.
        listen_s: how long each antenna is tried; 0 for not at all.
    """
    looks = [_llrp(one, timeout_s, listen_s) for one in reader_settings(config, base=base)]
    found = [fault for faults in await asyncio.gather(*looks) for fault in faults]
    for place, device in serial_places(config):
        found += _serial(place, device)
    for reader in config.smart_readers:
        what = "publishes by itself: whether it is heard is known only while the agent runs"
        found.append(Fault("note", f"reader {reader.id}", what))
    return found


async def _llrp(one: ReaderSettings, timeout_s: float, listen_s: float) -> list[Fault]:
    name = f"reader {one.id}"
    if one.listen is not None:
        return [Fault("note", name, "it dials us: whether it comes is known only while the agent runs")]
    if one.tls is not None:
        return await _connect(name, one, timeout_s)
    how = ProbeSettings(
        host=one.host,
        port=one.tcp_port,
        timeout_s=timeout_s,
        listen_s=listen_s,
        antennas=tuple(one.antennas),
        max_frame_bytes=one.max_frame_bytes,
    )
    try:
        found = await probe(how, now_us=lambda: time.time_ns() // 1000)
    except ReaderBusyError as error:
        do = "stop the other client: another agent, or the vendor's own program; then look again"
        return [Fault("bad", name, str(error), do)]
    except ReaderError as error:
        return [Fault("bad", name, str(error))]
    faults = [Fault("bad" if "not connected" in words else "see to", name, words) for words in problems(found)]
    faults += [Fault("note", name, words) for words in notes(found)]
    if listen_s == 0:
        faults.append(Fault("note", name, "its antennas were not tried", "doctor --listen-seconds 2, with a tag there"))
    return faults


async def _connect(name: str, one: ReaderSettings, timeout_s: float) -> list[Fault]:
    """Only see that somebody listens: who it is, its certificate says to the agent."""
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(one.host, one.tcp_port)
    except TimeoutError:
        return [Fault("bad", name, f"no answer from {one.address} within {timeout_s:g} s", NETWORK)]
    except OSError as error:
        return [Fault("bad", name, f"{one.address} can't be reached ({error.strerror or error})", NETWORK)]
    writer.close()
    return [Fault("note", name, "takes connections; behind TLS nothing more is asked of it while no agent runs")]


def _serial(place: str, device: str) -> Iterator[Fault]:
    if "://" in device:
        return
    path = Path(device)
    if not path.exists():
        do = "plug it in; its name is one of ls /dev/serial/by-id"
        yield Fault("bad", place, f"{device} is not there", do)
    elif not os.access(path, os.R_OK | os.W_OK):
        do = "run this as the agent's user; else: usermod -aG dialout stockgate-edge"
        yield Fault("bad", place, f"{device} may not be used by this user", do)
