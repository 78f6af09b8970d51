"""What a look at a reader found, and what is wrong with it in words. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edge.llrp.messages.enums import CommunicationsStandard
from edge.profiles import GENERIC

VENDORS: Final = {25882: "Impinj", 161: "Zebra (Motorola)"}
"""Private enterprise numbers (IANA) that readers on record name themselves by."""
COUNTRIES: Final = {
    36: "Australia",
    76: "Brazil",
    124: "Canada",
    156: "China",
    356: "India",
    360: "Indonesia",
    392: "Japan",
    410: "South Korea",
    554: "New Zealand",
    702: "Singapore",
    826: "United Kingdom",
    840: "United States",
}
"""ISO 3166 numeric codes, as LLRP's CountryCode has them."""
STANDARDS: Final = {
    CommunicationsStandard.UNSPECIFIED: "no standard named",
    CommunicationsStandard.US_FCC_PART_15: "US FCC Part 15",
    CommunicationsStandard.ETSI_302_208: "ETSI EN 302 208",
    CommunicationsStandard.ETSI_300_220: "ETSI EN 300 220",
    CommunicationsStandard.AUSTRALIA_LIPD_1W: "Australia LIPD 1 W",
    CommunicationsStandard.AUSTRALIA_LIPD_4W: "Australia LIPD 4 W",
    CommunicationsStandard.JAPAN_ARIB_STD_T89: "Japan ARIB STD-T89",
    CommunicationsStandard.HONG_KONG_OFTA_1049: "Hong Kong OFTA 1049",
    CommunicationsStandard.TAIWAN_DGT_LP0002: "Taiwan DGT LP0002",
    CommunicationsStandard.KOREA_MIC_ARTICLE_5_2: "Korea MIC Article 5-2",
}
CLOCK_WRONG_S: Final = 60.0
"""The agent learns any offset; above this a person who reads the reader's own log is led astray."""
_UNITS: Final = ((86_400 * 365.25, "years"), (86_400.0, "days"), (3_600.0, "hours"), (1.0, "seconds"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AntennaFound:
    """One antenna port.

    Attributes:
        connected: what the reader says; None where it doesn't.
        reads, tags, best_rssi_cdbm: of the test inventory; None where there was none.
        refused: why the reader would not inventory it.
        expected: whether an antenna should be there.
    """

    port: int
    connected: bool | None = None
    gain_dbi: float | None = None
    reads: int | None = None
    tags: int | None = None
    best_rssi_cdbm: int | None = None
    refused: str = ""
    expected: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFound:
    """What the reader says of where it may transmit, and on which frequencies."""

    country_code: int
    country: str
    standard_code: int
    standard: str
    hopping: bool
    frequencies_khz: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFound:
    """One general purpose input."""

    port: int
    enabled: bool
    state: Literal["low", "high", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RospecFound:
    """An ROSpec that another program left."""

    id: int
    state: Literal["disabled", "inactive", "active"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFound:
    """All that a look at a reader found.

    Attributes:
        clock_offset_us: host minus reader; None where the reader sends no UTC.
        uptime_us: time since its start, where it sends that.
        powers_cdbm: its power table by value, in rising order.
        tells_config: whether it answered GET_READER_CONFIG.
        tested_s: length of the test inventory of one port; 0 where there was none.
        told: what it reported by itself meanwhile, exceptions for instance.
        deleted: ROSpecs of an earlier look, which we deleted.
    """

    address: str
    vendor_code: int
    vendor: str
    model_code: int
    firmware: str
    profile: str
    model: str
    antennas: tuple[AntennaFound, ...]
    region: RegionFound | None
    powers_cdbm: tuple[int, ...]
    has_utc_clock: bool
    clock_offset_us: int | None
    uptime_us: int | None
    inputs: tuple[InputFound, ...]
    outputs: int
    rospecs: tuple[RospecFound, ...]
    holds_reports: bool
    tells_config: bool
    tested_s: float
    told: tuple[str, ...]
    deleted: tuple[int, ...] = ()


def country(code: int) -> str:
    """Return a country's name, or its code where it is none of those listed."""
    return COUNTRIES.get(code, f"country code {code}")


def standard(code: int) -> str:
    """Return the name of a communications standard."""
    try:
        return STANDARDS[CommunicationsStandard(code)]
    except ValueError:
        return f"standard {code}"


def vendor(code: int) -> str:
    """Return a vendor's name, or its number."""
    return VENDORS.get(code, f"vendor number {code}")


def problems(found: ReaderFound) -> Iterator[str]:
    """Yield what must be seen to before the reader works as a portal."""
    expected = [antenna for antenna in found.antennas if antenna.expected]
    silent = [antenna for antenna in expected if antenna.reads == 0]
    for antenna in expected:
        yield from _connection_problems(antenna)
    if len(silent) > 1 and len(silent) == len(expected):
        yield f"no antenna heard a tag within {found.tested_s:g} s each: hold one in front of them and look again"
    else:
        yield from (_silence(antenna, found.tested_s) for antenna in silent if antenna.connected is not False)
    if found.antennas and all(antenna.connected is False for antenna in found.antennas):
        yield "no antenna is connected: the reader can't read anything"
    if found.region is None or not found.powers_cdbm:
        yield "it lists no transmit powers: is its region set? Set it on the reader itself"
    elif not found.region.country_code and not found.region.standard_code:
        yield "it names no region: set the country it stands in on the reader itself"
    if found.clock_offset_us is not None and abs(found.clock_offset_us) > CLOCK_WRONG_S * 1e6:
        yield f"its clock is {clock_words(found.clock_offset_us)}: give it a time server (NTP)"
    yield from found.told


def notes(found: ReaderFound) -> Iterator[str]:
    """Yield what is good to know and no fault."""
    if found.profile == GENERIC:
        yield "no profile knows this reader: the agent drives it by the standard alone, without phase"
    if found.clock_offset_us is None:
        has = "its time since start" if found.uptime_us is not None else "no time"
        yield f"it sends {has} in place of UTC: the agent times its reads by this machine's clock"
    for number in found.deleted:
        yield f"an earlier probe that was killed left its inventory order on it (ROSpec {number}): deleted"
    if found.rospecs:
        ids = ", ".join(f"{one.id} ({one.state})" for one in found.rospecs)
        yield f"another program left inventory orders on it (ROSpec {ids}): the agent will delete them"
    if found.holds_reports:
        yield "it holds reports back after a reconnect until it is told to send them: the agent does so"
    if not found.tells_config:
        yield "it does not tell its configuration: whether its antennas are connected can't be asked"
    for antenna in found.antennas:
        if antenna.connected is False and antenna.reads:
            yield f"antenna {antenna.port}: it says not connected, yet tags are heard: its detection can't be trusted"
        elif antenna.connected is False and not antenna.expected:
            yield f"antenna {antenna.port}: not connected, as said"


def clock_words(offset_us: int) -> str:
    """Say how far the reader's clock is off: `offset_us` is host minus reader."""
    seconds = abs(offset_us) / 1e6
    if seconds < 1:
        return f"agrees with this machine's to {max(round(seconds * 1000), 1)} ms"
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size)
    return f"{seconds / size:.1f} {unit} {'behind' if offset_us > 0 else 'ahead of'} this machine's"


def frequency_words(frequencies_khz: Sequence[int]) -> str:
    """Say on which channels it transmits."""
    if not frequencies_khz:
        return "no channel named"
    low, high = min(frequencies_khz) / 1000, max(frequencies_khz) / 1000
    count = len(set(frequencies_khz))
    return f"{low:g} MHz" if count == 1 else f"{count} channels, {low:g} to {high:g} MHz"


def _connection_problems(antenna: AntennaFound) -> Iterator[str]:
    if antenna.refused:
        yield f"antenna {antenna.port}: the reader refuses to read with it ({antenna.refused})"
    elif antenna.connected is False and not antenna.reads:
        yield f"antenna {antenna.port}: not connected: is its cable open or loose?"


def _silence(antenna: AntennaFound, tested_s: float) -> str:
    return (
        f"antenna {antenna.port}: heard no tag within {tested_s:g} s: hold a tag in front of it and look again, else "
        "check its cable"
    )
