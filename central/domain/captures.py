"""Captures that gateways send up: what their addresses allow, and which files go when there are too many."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

CAPTURE: Final = "capture"
LONGEST_S: Final = 300
UPLOAD_S: Final = 180
"""How long an address lives once the seconds that were ordered are over; the agent tries that long."""
MIB: Final = 1024 * 1024
MAX_BYTES: Final = 64 * MIB
MOST_FILES: Final = 200
PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
_DIGEST: Final = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Held:
    """A file that is kept, by its command's number."""

    command: int
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Return what it is called: two files of one command, of which one is refused, never share a name."""
        return f"{self.command}-{self.sha256[:16]}"


def lives_until(now: datetime, seconds: int) -> datetime:
    """Return when the address of a capture of so many seconds expires."""
    return now + timedelta(seconds=seconds + UPLOAD_S)


def digest_in(header: str) -> str | None:
    """Return the SHA-256 that a Content-Digest (RFC 9530) names, in base64; None where it names none."""
    found = _DIGEST.search(header)
    return None if found is None else found[1]


def beyond(newest_first: Iterable[Held], *, most_bytes: int, most_files: int = MOST_FILES) -> list[Held]:
    """Return which files go: all older ones from where the bounds are passed; the newest stays in any case."""
    gone, total = list[Held](), 0
    for number, one in enumerate(newest_first):
        total += one.bytes
        if number and (gone or number >= most_files or total > most_bytes):
            gone.append(one)
    return gone
