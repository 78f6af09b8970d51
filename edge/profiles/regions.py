"""Regulatory regions: where and how strongly a reader may transmit, as data with its source.

A region is one band of one country or group of countries, because a reader works in one band at a time.
"""

import math
from functools import cache
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge.profiles.errors import ProfileError
from edge.profiles.files import data_files, nearest, read_data, validated
from edge.profiles.model import UNVERIFIED

FOLDER: Final = "regions"
DIPOLE_DBI: Final = 2.15
"""Gain of a half-wave dipole: EIRP = ERP + 2.15 dB."""

ALIASES: Final = {"fcc": "us", "usa": "us", "etsi": "eu", "europe": "eu"}
"""What newcomers call a region, by what its name begins with; told as the nearest, never taken for it."""

_KHZ = Annotated[int, Field(ge=840_000, le=960_000)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Band(_Table):
    """Frequencies."""

    ranges_khz: Annotated[
        list[Annotated[list[_KHZ], Field(min_length=2, max_length=2)]],
        Field(min_length=1, description="lower and upper edge of each part of the band, kHz"),
    ]
    channels_khz: Annotated[list[_KHZ], Field(description="centre frequencies, kHz; empty = not known here")] = []
    channel_width_khz: Annotated[int | None, Field(ge=100, le=1000, description="width of a channel, kHz")] = None
    access: Annotated[
        Literal["hopping", "fixed", "listen"],
        Field(description="hopping, fixed channels, or listening before each transmission"),
    ]
    dwell_max_ms: Annotated[int | None, Field(ge=1, description="longest stay on a channel, ms")] = None
    dwell_window_ms: Annotated[int | None, Field(ge=1, description="within this time, ms")] = None
    hops_min: Annotated[int | None, Field(ge=1, description="fewest channels of a hopping sequence")] = None


class Limits(_Table):
    """Power."""

    radiated_dbm: Annotated[float, Field(ge=10, le=40, description="most radiated power, dBm")]
    radiated_as: Annotated[
        Literal["eirp", "erp"], Field(description="over an isotropic antenna (eirp) or a dipole (erp, 2.15 dB more)")
    ]
    conducted_max_dbm: Annotated[
        float | None, Field(ge=10, le=36, description="most power at the transmitter's connector, dBm")
    ] = None
    gain_free_dbi: Annotated[
        float | None,
        Field(ge=0, le=20, description="antenna gain up to which the conducted power needs no reduction, dBi"),
    ] = None
    circular_allowance_db: Annotated[
        float,
        Field(ge=0, le=3, description="how much more a circular antenna may get, whose gain is given in dBic"),
    ] = 0.0

    @property
    def eirp_dbm(self) -> float:
        """The limit as EIRP."""
        return self.radiated_dbm + (DIPOLE_DBI if self.radiated_as == "erp" else 0.0)


class Region(_Table):
    """One band of one country or group; each value's source stands in `evidence`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", description="the file's name without .toml")]
    title: Annotated[str, Field(min_length=1, description="name for people")]
    countries: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], Annotated[int, Field(ge=1, le=999)]],
        Field(min_length=1, description="ISO 3166-1: letters and number; the number is LLRP's CountryCode"),
    ]
    standards: Annotated[
        list[Annotated[int, Field(ge=0, le=65535)]],
        Field(description="LLRP's CommunicationsStandard values that stand for it; empty = the standard has none"),
    ] = []
    regulation: Annotated[str, Field(min_length=5, description="the rule, by its number")]
    regulation_date: Annotated[
        str | None,
        Field(
            pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$",
            description="date of the text that the values are from; absent = its text wasn't read",
        ),
    ] = None
    note: Annotated[str, Field(description="what else an installer must know")] = ""
    band: Band
    limits: Limits
    evidence: Annotated[
        dict[str, Annotated[str, Field(min_length=1)]],
        Field(
            description="each value's source, under its dotted key; begins with 'unverified' if the text wasn't read"
        ),
    ]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for low, high in self.band.ranges_khz:
            if low >= high:
                raise ValueError(f"ranges_khz: {low} kHz is not below {high} kHz")
        for khz in self.band.channels_khz:
            if not self.allows_khz(khz, half_width_khz=(self.band.channel_width_khz or 0) / 2):
                raise ValueError(f"channel {khz} kHz with its width is not inside ranges_khz")
        free, conducted = self.limits.gain_free_dbi, self.limits.conducted_max_dbm
        if free is not None and conducted is None:
            raise ValueError("gain_free_dbi needs conducted_max_dbm, which it is about")
        if free is not None and not math.isclose(conducted or 0.0, self.limits.eirp_dbm - free, abs_tol=0.05):
            raise ValueError("conducted_max_dbm + gain_free_dbi must be the radiated limit")
        return self

    def allows_khz(self, khz: float, *, half_width_khz: float = 0.0) -> bool:
        """Whether a carrier of that width lies in one part of the band."""
        return any(low <= khz - half_width_khz and khz + half_width_khz <= high for low, high in self.band.ranges_khz)

    @property
    def unverified(self) -> tuple[str, ...]:
        """Dotted keys whose rule nobody here has read."""
        return tuple(key for key, source in self.evidence.items() if source.startswith(UNVERIFIED))


def parse_region(text: str, *, file: str) -> Region:
    """Return the region in TOML `text`; `file` is named in errors."""
    region = validated(Region, text, file=file)
    given = region_keys(region)
    for key in sorted(given - set(region.evidence)):
        raise ProfileError(f'{file}: {key} has no source: add evidence."{key}"; begin it with "unverified" if not read')
    for key in sorted(set(region.evidence) - given):
        raise ProfileError(f'{file}: evidence."{key}" is about no value in this file{nearest(key, sorted(given))}')
    return region


@cache
def regions() -> tuple[Region, ...]:
    """Return all regions in the order of their names."""
    loaded = []
    for file in data_files(FOLDER):
        region = parse_region(read_data(file), file=file)
        if f"{FOLDER}/{region.name}.toml" != file:
            raise ProfileError(f"{file}: name is {region.name!r}; the file's place says otherwise")
        loaded.append(region)
    return tuple(sorted(loaded, key=lambda region: region.name))


def region_named(name: str) -> Region:
    """Return a region by its name."""
    for region in regions():
        if region.name == name:
            return region
    names = [region.name for region in regions()]
    meant = _meant(name)
    near = f"; the nearest is {' or '.join(meant)}" if meant else nearest(name, names)
    raise ProfileError(f"no region {name!r}{near}; there are {', '.join(names)}")


def _meant(name: str) -> list[str]:
    """Return the regions that go by another name: a country's letters, an authority, or a name without its band."""
    known = ALIASES.get(name.lower(), name.lower())
    named = [region.name for region in regions() if known in (region.name, region.name.partition("-")[0])]
    return named or [region.name for region in regions() if name.upper() in region.countries]


def regions_told(country: int, standard: int) -> tuple[Region, ...]:
    """Return the regions that a reader's RegulatoryCapabilities may mean; 0 stands for 'not said' in both."""
    found = [region for region in regions() if not country or country in region.countries.values()]
    if standard:
        named = [region for region in found if standard in region.standards]
        # A reader may say one standard for a country whose own the list of LLRP lacks.
        found = named or (found if country else [])
    return tuple(found) if country or standard else ()


def region_conflict(region: Region, *, country: int, standard: int, frequencies_khz: tuple[int, ...] = ()) -> str:
    """Say in words where a reader isn't set to the configured region; empty if it may be."""
    outside = [khz for khz in frequencies_khz if not region.allows_khz(khz)]
    if outside:
        return (
            f"the reader's own channels ({min(outside) / 1000:g} to {max(outside) / 1000:g} MHz) lie outside "
            f"{region.title}: set the reader's region, or get the hardware that is made for it"
        )
    told = regions_told(country, standard)
    if told and region not in told:
        names = ", ".join(one.name for one in told)
        return f"the reader says that it is set to {names}, the configuration says {region.name}: correct one of them"
    return ""


def region_keys(region: Region) -> set[str]:
    """Return the dotted keys that need a source."""
    band = {f"band.{key}" for key in region.band.model_fields_set}
    return {"regulation", *band, *(f"limits.{key}" for key in region.limits.model_fields_set)}


def region_schema() -> dict[str, Any]:
    """Return the JSON Schema of a region file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Region.model_json_schema()}
