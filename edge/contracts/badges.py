"""What an event says of badges, in words for people that the central reads too (`Evidence.badge`)."""

from collections.abc import Sequence
from typing import Final

NONE_SHOWN: Final = "none shown"
SHOWN_BY: Final = "shown by "
BETWEEN: Final = ", "
MOST: Final = 5
"""So that the words of the longest ids fit `Evidence.badge`; the nearest to the crossing come first."""


def badge_words(persons: Sequence[str]) -> str:
    """Return the words for the persons whose badges were shown, the nearest to the crossing first."""
    return f"{SHOWN_BY}{BETWEEN.join(persons[:MOST])}" if persons else NONE_SHOWN


def badge_persons(words: str) -> tuple[str, ...]:
    """Return the persons whom such words name, the nearest to the crossing first."""
    return () if words in {"", NONE_SHOWN} else tuple(words.removeprefix(SHOWN_BY).split(BETWEEN))
