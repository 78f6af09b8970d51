"""Reader profiles and regulatory regions: load, validate, match; what power is legal."""

from edge.profiles.errors import ProfileError
from edge.profiles.legal import AntennaRadio, LegalPower, legal_power
from edge.profiles.model import ReaderProfile
from edge.profiles.modes import ModeChoice
from edge.profiles.regions import Region, region_conflict, region_named, regions, regions_told
from edge.profiles.store import (
    AUTO,
    GENERIC,
    Matched,
    match_profile,
    match_reader,
    parse_profile,
    profile_named,
    profiles,
    schema_text,
)

__all__ = [
    "AUTO",
    "GENERIC",
    "AntennaRadio",
    "LegalPower",
    "Matched",
    "ModeChoice",
    "ProfileError",
    "ReaderProfile",
    "Region",
    "legal_power",
    "match_profile",
    "match_reader",
    "parse_profile",
    "profile_named",
    "profiles",
    "region_conflict",
    "region_named",
    "regions",
    "regions_told",
    "schema_text",
]
