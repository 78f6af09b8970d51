"""What comes out of an estate, in order of arrival: envelopes and words of gateways, acts of people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Envelope:
    """Rows of one stream as MQTT brings them to the central, `at_us` being when."""

    at_us: int
    site: str
    gateway: str
    stream: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Word:
    """A gateway's unsequenced message; `channel` is state or health."""

    at_us: int
    site: str
    gateway: str
    channel: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Act:
    """What a person records: `at_us` is when it is recorded, `of_us` the instant that it speaks of.

    Kinds: `authorised` (`detail` is its row of the sheet), `transfer_approved`, and `received` (transfer `subject`'s
    receiver scanned `assets` at `location`).
    """

    at_us: int
    of_us: int
    kind: str
    subject: str
    by: str
    assets: Sequence[str] = ()
    location: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


Item = Envelope | Word | Act
