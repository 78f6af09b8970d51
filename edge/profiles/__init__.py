"""Reader profiles: load, validate, match."""

from edge.profiles.errors import ProfileError
from edge.profiles.model import ReaderProfile
from edge.profiles.store import AUTO, GENERIC, match_profile, parse_profile, profile_named, profiles, schema_text

__all__ = [
    "AUTO",
    "GENERIC",
    "ProfileError",
    "ReaderProfile",
    "match_profile",
    "parse_profile",
    "profile_named",
    "profiles",
    "schema_text",
]
