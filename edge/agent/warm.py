"""Loads and compiles the kernels before a reader is dialled: the first seconds of reads must not wait for numba."""

from typing import Final

from edge.agent.spare import give_back
from edge.llrp import ReportDecoder
from edge.windows import AntennaSettings, PortalSettings, WindowClock, Windows, WindowsSettings

# One RO_ACCESS_REPORT (LLRP 1.1, 14.1.3 and 13.2.3) of two tags, since those that come together are compared with each
# other: EPC-96, antenna 1, -50 dBm, seen from 1 s to 2 s, twice.
_TAG: Final = (
    "00f0002b"
    "8d" "0000000000000000000000%02x"
    "810001" "86ce"
    "8200000000000f4240" "8400000000001e8480"
    "880002"
)  # fmt: skip
_REPORT: Final = bytes.fromhex("043d0000006000000001" + _TAG % 1 + _TAG % 2)
# The compiled kernels are the same for every door; any will do to have them made.
ANY_DOOR: Final = WindowsSettings(
    gateway="warm-up",
    portals=(
        PortalSettings("warm-up", "two-sided", (AntennaSettings("r", 1, "inside"), AntennaSettings("r", 2, "outside"))),
    ),
)


def warm_up(settings: WindowsSettings = ANY_DOOR) -> None:
    """Send one made-up report through a decoder and windows that are thrown away; give back what only that needed."""
    batch = ReportDecoder().decode(bytearray(_REPORT))
    if len(batch) != 2:  # noqa: PLR2004 (as many tags as the report has)
        raise RuntimeError("the kernels decode the warm-up report wrongly: delete __pycache__ and start again")
    windows = Windows(settings, boot="warm-up")
    reader = settings.portals[0].antennas[0].reader
    windows.feed(reader, batch, arrival_us=None, clock=WindowClock())
    windows.flush()
    give_back()
