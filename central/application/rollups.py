"""How busy doors were and how readers fared, by hour and day; and what is forgotten once nobody looks at it."""

from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from pydantic import Field

from central.application.views import Instant, View

By = Literal["hour", "day"]

PRESENCE_KEPT: Final = timedelta(days=400)
"""Over a year of what zones heard, for yearly counts to be checked against. A rebuild counts places from there on."""
READER_HOURS_KEPT: Final = timedelta(days=3 * 366)
"""Three years: seasons of a reader can be compared."""
PART: Final = 10_000
"""Rows that one transaction deletes: it holds no lock for long."""


class TrafficView(View):
    """Finals of a door in an hour or day (UTC) of one kind, by when they happened."""

    at: Instant = Field(description="Where the hour or day begins.")
    kind: str
    passages: int
    reads: int


class ReaderHourView(View):
    """What a reader told of itself in an hour."""

    reader: str
    at: Instant = Field(description="Where the hour begins.")
    beats: int = Field(description="Heartbeats that named it.")
    connected: int = Field(description="Heartbeats in which it was connected.")
    reads: int = Field(description="Reads since the heartbeat before.")


class Rollups(Protocol):
    """The rollups as the API and the jobs see them. No movement is ever forgotten."""

    async def traffic(self, portal: str, since: datetime, until: datetime, by: By, limit: int) -> list[TrafficView]:
        """Return how busy a door was, newest first."""

    async def readers(self, gateway: str, since: datetime, until: datetime, limit: int) -> list[ReaderHourView]:
        """Return how the readers of a gateway fared, newest first."""

    async def forget_presence(self, before: datetime, limit: int) -> int:
        """Delete presence that came before an instant, at most so many rows; return how many."""

    async def forget_reader_hours(self, before: datetime, limit: int) -> int:
        """Delete readers' hours before an instant, at most so many; return how many."""


async def forget_old(store: Rollups, now: datetime) -> tuple[int, int]:
    """Forget presence and readers' hours that are older than we keep; return how many rows of each."""
    presence = hours = 0
    while gone := await store.forget_presence(now - PRESENCE_KEPT, PART):
        presence += gone
    while gone := await store.forget_reader_hours(now - READER_HOURS_KEPT, PART):
        hours += gone
    return presence, hours
