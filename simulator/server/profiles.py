"""Models of real readers: what `firmware_profiles` says of them, and what only a simulator must know beside it.

A profile never holds power tables or mode tables, as a client reads both from the reader. Those here are as recorded
(Impinj R420, Zebra FX9600), and plain ones where no recording is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from edge.profiles import ProfileError, ReaderProfile, Region, profile_named, region_named
from simulator.server.model import FCC_KHZ, ZEBRA, ReaderModel, RfMode
from simulator.server.wire import IMPINJ
from simulator.world.command import DENSE_M4, FX7500_HABITS, R420_HABITS, InventoryHabits, ModeTiming

REGIONS: Final = {"fcc": "us", "etsi": "eu-lower"}
"""Regions of `firmware_profiles` by their short names in scenarios."""
ANTENNA_PORTS: Final = 4
"""Of a reader whose ports no profile tells."""
_GENERIC_PORTS: Final = 16
_POWERS_DBM: Final = (10.0, 30.0, 0.5)
"""Least, most and step of a power table that nobody has recorded."""
_UNKNOWN_FIRMWARE: Final = "1.0.0"


def _rated(id_: int, modulation: int, rate_hz: int, pie_ratio: int, tari_ns: int) -> RfMode:
    """Return a mode whose table lists the data rate, as the standard says, and not the link frequency."""
    miller = (1, 2, 4, 8)[modulation]
    played = ModeTiming(miller, float(miller * rate_hz), tari_ns / 1000, pie_ratio / 1000)
    return RfMode(id_, modulation, rate_hz, pie_ratio, tari_ns, played)


_STATIC_FAST: Final = ModeTiming(2, 640_000, 6.25, 1.5)
"""What Impinj's mode 1003 mostly chooses where nobody else is on the air."""

OCTANE_MODES: Final = (
    RfMode(0, 0, 640_000, 1500, 6250),
    RfMode(1, 1, 640_000, 1500, 6250),
    RfMode(2, 2, 274_000, 2000, 20_000),
    RfMode(3, 3, 170_600, 2000, 20_000),
    RfMode(4, 2, 640_000, 1500, 7140),
    *(RfMode(id_, 0, 40_000, 1500, 6250, DENSE_M4) for id_ in (1000, 1002)),
    RfMode(1003, 0, 40_000, 1500, 6250, _STATIC_FAST),
    *(RfMode(id_, 0, 40_000, 1500, 6250, DENSE_M4) for id_ in (1004, 1005)),
)
"""As recorded of a R420 (firmware 5.14): rates are link frequencies, and those from 1000 on are made up."""

R700_MODES: Final = tuple(mode for mode in OCTANE_MODES if mode.id not in {1000, 1005})
"""A R700 lists neither 1000 nor 1005 (Impinj support 1500003045181)."""

_OWN_CHOICE: Final = _rated(0, 1, 120_000, 1500, 25_000).played
"""What a Zebra's modes 0 and 23 are on the air: its own choice, whose rates its table only stands in for."""
_TARIS: Final = (25_000, 12_500)
_PIES: Final = (1500, 2000)
ZEBRA_MODES: Final = (
    RfMode(0, 0, 668, 668, 668, _OWN_CHOICE),
    *(_rated(1 + n, 0, 640_000, pie, 6250) for n, pie in enumerate(_PIES)),
    *(_rated(3 + n, 1, *mode) for n, mode in enumerate(product((120_000, 128_000), _PIES, _TARIS))),
    *(_rated(11 + n, 1, 160_000, pie, 12_500) for n, pie in enumerate(_PIES)),
    *(_rated(13 + n, 2, *mode) for n, mode in enumerate(product((60_000, 64_000), _PIES, _TARIS))),
    *(_rated(21 + n, 2, 80_000, pie, 12_500) for n, pie in enumerate(_PIES)),
    RfMode(23, 0, 668, 668, 668, _OWN_CHOICE),
    *(_rated(24 + n, 0, 320_000, pie, 12_500) for n, pie in enumerate(_PIES)),
    *(_rated(26 + n, 3, *mode) for n, mode in enumerate(product((30_000, 32_000), _PIES, _TARIS))),
    *(_rated(34 + n, 3, 40_000, pie, 12_500) for n, pie in enumerate(_PIES)),
)
"""As recorded of two FX9600 (firmware 2.7.19.0); the shortest tari where a mode has a range."""

PLAIN_MODES: Final = tuple(
    _rated(id_, modulation, rate_hz, 1500, 12_500)
    for id_, (modulation, rate_hz) in enumerate([(0, 320_000), (1, 160_000), (2, 64_000), (3, 32_000)])
)
"""FM0 and Miller 2, 4 and 8 at usual rates, for makes whose tables nobody has recorded."""


@dataclass(frozen=True, slots=True)
class Family:
    """What readers of one maker have in common beside their profiles."""

    modes: tuple[RfMode, ...] = PLAIN_MODES
    rssi_step_cdbm: int = 100
    half_turns: bool = False
    habits: InventoryHabits = FX7500_HABITS
    more: Mapping[str, Any] = field(default_factory=dict)


_FAMILIES: Final = {
    IMPINJ: Family(
        OCTANE_MODES, 50, half_turns=True, habits=R420_HABITS, more={"max_filters": 2, "warns_of_buffer": True}
    ),
    ZEBRA: Family(
        ZEBRA_MODES,
        more={
            "first_power_index": 0,
            "powers_in_text_order": True,
            "max_rospecs": 64,
            "max_specs_a_rospec": 16,
            "surveys": True,
            "warns_of_buffer": True,
            "country": 0,
        },
    ),
}
"""By enterprise number; from the recorded capabilities of a R420 and two FX9600."""

_MODES: Final = {"impinj/r700": R700_MODES, "impinj/r720": R700_MODES}
"""Of profiles whose table isn't their family's."""
_SENSITIVITY_DBM: Final = {
    "impinj/speedway": -84.0,
    "impinj/r700": -92.0,
    "impinj/r720": -92.0,
    "zebra/fx7500": -82.0,
    "zebra/fx9600": -86.0,
    "zebra/fxr90": -92.0,
}
"""The makers' data sheets; others are taken for the least of them."""
_DEAFEST_DBM: Final = -84.0


def model_of(profile_name: str, region_name: str = "fcc", *, ports: int = 1) -> ReaderModel:
    """Return the reader that a profile is for, in a region, with at least so many antenna ports.

    Args:
        profile_name: a profile of `firmware_profiles`, such as `impinj/speedway`.
        region_name: one of its regions, or `fcc` or `etsi`.
        ports: highest antenna port in use; the first product of the profile that has it is played.

    Raises:
        ProfileError: there is no such profile or region, or none of its products has so many ports.
    """
    profile = profile_named(profile_name)
    region = region_named(REGIONS.get(region_name, region_name))
    number, antennas = _product(profile, ports)
    vendor = profile.match.vendor or 0
    family = _FAMILIES.get(vendor, Family())
    options: dict[str, Any] = {"country": _country(region), **family.more}
    return ReaderModel(
        manufacturer=vendor,
        model=number,
        firmware=_firmware(profile),
        antennas=antennas,
        powers_cdbm=_powers_cdbm(profile),
        frequencies_khz=_channels_khz(region),
        hopping=region.band.access == "hopping",
        standard=next(iter(region.standards), 0),
        modes=_MODES.get(profile.name, family.modes),
        gpi_ports=_known(profile.gpio.inputs),
        gpo_ports=_known(profile.gpio.outputs),
        queue_messages=profile.reports.queue_messages,
        sensitivity_dbm=_SENSITIVITY_DBM.get(profile.name, _DEAFEST_DBM),
        rssi_step_cdbm=family.rssi_step_cdbm,
        half_turns=family.half_turns,
        habits=family.habits,
        **options,
    )


def _product(profile: ReaderProfile, ports: int) -> tuple[int, int]:
    """ModelName and antenna ports of the first product that has the port in use."""
    unknown = ANTENNA_PORTS if profile.products else _GENERIC_PORTS
    offered = [(one.model or 0, one.antenna_ports or unknown) for one in profile.products] or [(0, unknown)]
    found = next((one for one in offered if one[1] >= ports), None)
    if found is None:
        most = max(antennas for _, antennas in offered)
        raise ProfileError(
            f"{profile.name} has at most {most} antenna ports, port {ports} is in use: choose another model"
        )
    return found


def _firmware(profile: ReaderProfile) -> str:
    seen = profile.match.firmware_seen
    return seen[0] if seen else profile.match.firmware_min or _UNKNOWN_FIRMWARE


def _powers_cdbm(profile: ReaderProfile) -> tuple[int, ...]:
    power = profile.power
    least, most, step = (
        known if known is not None else usual
        for known, usual in zip((power.min_dbm, power.max_dbm, power.step_db), _POWERS_DBM, strict=True)
    )
    return tuple(round(100 * (least + place * step)) for place in range(round((most - least) / step) + 1))


def _channels_khz(region: Region) -> tuple[int, ...]:
    """The region's channels; a hop table spreads neighbours, as a real one does."""
    channels = tuple(region.band.channels_khz)
    if not channels:
        raise ProfileError(f"region {region.name} lists no channels, so no reader can be played there")
    if set(channels) == set(FCC_KHZ):
        return FCC_KHZ
    if region.band.access != "hopping":
        return channels
    stride = next((step for step in (17, 7, 5, 3) if len(channels) % step), 1)
    return tuple(channels[stride * place % len(channels)] for place in range(len(channels)))


def _country(region: Region) -> int:
    """CountryCode: Germany's in a region of many countries that has it, else that of the first one."""
    return region.countries.get("DE", next(iter(region.countries.values())))


def _known(count: int | None) -> int:
    """Inputs or outputs; a reader that tells nothing has four."""
    return 4 if count is None else count
