"""What the API, the feed and the console read: one model a shape, with the names that stand on the wire."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

WIRE_FORM: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


def on_the_wire(at: datetime) -> str:
    """Return the one form of an instant: RFC 3339, UTC, microseconds, Z."""
    return at.astimezone(UTC).strftime(WIRE_FORM)


Instant = Annotated[
    datetime,
    PlainSerializer(on_the_wire, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-02T10:00:00.000000Z"]}),
]
"""An instant that is written in one form only."""


class View(BaseModel):
    """A read model; JSON by alias."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)


class LocationView(View):
    """A location and how many assets are directly in it."""

    id: str
    name: str
    kind: str
    parent: str | None
    guarded: bool
    count: int
    counted_at: Instant | None


class PortalView(View):
    """A door between two locations, and the gateway that watches it."""

    id: str
    name: str
    site: str
    gateway: str
    inside: str
    outside: str
    mode: str


class AssetView(View):
    """An asset and where it is believed to be."""

    id: str
    name: str
    asset_class: str = Field(alias="class")
    serial: str | None
    location: str | None
    since: Instant | None
    confidence: float | None
    basis: str | None = None
    """recorded (the book says so), observed (a door or a person saw it), inferred (what was seen leaves no other)."""
    certain: bool | None = None
    """Whether nothing speaks against the place. `confidence` is of what brought the asset there, and may be high all
    the same: where this is false, the place is in doubt."""
    doubt: str | None = None
    """What speaks against the place: what was seen contradicts it, or what normally tells of the asset is silent."""
    why: str | None = None
    """What speaks for the place: who saw or heard the asset come, and when it was last heard there."""
    transit: str | None = None
    """State of the leg that it is on: open or wrong_destination."""


class MovementView(View):
    """One revision of one passage of one tag."""

    id: str
    passage: str
    rev: int
    final: bool
    at: Instant
    portal: str
    kind: str
    from_: str | None = Field(alias="from")
    to: str | None
    confidence: float
    reads: int
    evidence: dict[str, Any]
    epc: str
    asset: str | None


class AlertAssetView(View):
    """An asset of an alert."""

    id: str
    name: str
    asset_class: str = Field(alias="class")
    epc: str
    passage: str
    at: Instant
    confidence: float
    corrected: bool
    location: str | None = None
    """Where it is believed to be now."""
    since: Instant | None = None
    edge: str | None = None
    """What the door decided: allow, refuse or stale; none where it wasn't asked."""


class AlertBriefAsset(View):
    """The first asset of an alert."""

    id: str
    name: str
    asset_class: str = Field(alias="class")


class AlertView(View):
    """One incident; `asset`, `epc` and `passage` are those of the first of its `assets`."""

    id: int
    kind: str
    severity: str
    state: str
    late: bool
    corrected: bool
    authorised_late: bool
    asset: AlertBriefAsset | None
    assets: list[AlertAssetView]
    epc: str | None
    gateway: str
    portal: str | None
    from_: str | None = Field(alias="from")
    to: str | None
    at: Instant
    raised_at: Instant
    latency_ms: float
    confidence: float | None
    reason: str
    passage: str | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    investigating_by: str | None = None
    verdict: str | None = None
    verdict_standing: str | None = None
    resolved_at: Instant | None = None
    resolved_by: str | None = None
    reopened: int = 0
    """How often a verdict fell; each time it opened graver."""


class GatewayView(View):
    """A gateway's newest word; an unregistered one waits until a portal names it."""

    site: str
    gateway: str
    registered: bool
    online: bool
    stopped: bool
    """It is not online because somebody asked it to stop; false where its line was cut."""
    last_seen: Instant | None
    health: dict[str, Any] | None
    registered_site: str | None = None
    """The site at which portals name it; None if none does."""


class QuarantineView(View):
    """Something that could not be read or may not be believed."""

    id: int
    topic: str
    reason: str
    at: Instant
    last_at: Instant
    times: int
    gateway: str | None
    stream: str | None
    seq: int | None
    payload_bytes: int
    payload: str


class EventTotals(View):
    """Rows of all streams: committed, dropped by an edge, stored twice, refused."""

    committed: int
    gaps: int
    duplicated: int
    rejected: int


class StreamView(View):
    """What is committed of one stream."""

    gateway: str
    stream: str
    epoch: str
    upto: int
    above: list[tuple[int, int]]


class Summary(View):
    """Totals over everything.

    `movements` counts final passages, `crossings` those of kind in or out, `unauthorised_exits` the passages that left
    a guarded location without authorisation and were not corrected.
    """

    movements: int
    crossings: int
    alerts: int
    unauthorised_exits: int
    unknown_tags: int
    quarantined: int
    events: EventTotals
    streams: list[StreamView]
