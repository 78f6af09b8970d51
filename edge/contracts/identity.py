"""Passage and event identity: the same reads always give the same id, live or replayed."""

from hashlib import sha256


def passage_id(gateway: str, portal: str, epc: str, started_reader_us: int) -> str:
    """Return 32 hex digits that name a passage.

    Args:
        gateway: gateway id.
        portal: portal id.
        epc: lower-case hex.
        started_reader_us: start of the passage in microseconds of unwrapped reader time, without the host offset.
    """
    text = "\0".join((gateway, portal, epc, str(started_reader_us)))
    return sha256(text.encode()).hexdigest()[:32]


def event_id(passage: str, rev: int) -> str:
    """Return the id of one revision of a passage."""
    return f"{passage}-{rev}"
