"""Kernels that are ready before the first reader listens: compiled once, then kept on disk."""

from simulator.runs.offline import OfflineRun
from simulator.runs.places import gateways_in_use
from simulator.runs.recording import virtual_places
from simulator.runs.sources import cast
from simulator.scenarios.load import load
from simulator.truth import Truth

SMALLEST = "single-walk"
SECONDS = 2.0
BEGIN_US = 1_700_000_000_000_000
"""Any instant will do."""


def warm_up() -> None:
    """Compile the kernels of world, radio, air and wire, or load them from disk, by a short run into nowhere.

    Half a minute the first time, about a second from then on. A reader that compiled while a client waits would
    send no keepalive for as long.
    """
    played = cast(load(SMALLEST), seconds=SECONDS)
    OfflineRun(
        played,
        begin_us=BEGIN_US,
        truth=Truth(SMALLEST, played.seed, None),
        places=virtual_places(played.scenario),
        write={gateway.id: _nowhere for gateway in gateways_in_use(played.scenario)},
    ).run(lambda _at_us, _ends_us: None)


def _nowhere(data: bytes) -> None:
    """Forget what was recorded."""
