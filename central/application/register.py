"""What the API reads of the registry beyond places and counts: one asset's life, people, authorisations, imports."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Protocol

from pydantic import Field

from central.application.life import Moments
from central.application.views import Instant, View
from central.domain.axes import AssetState


class StateView(View):
    """The axes of an asset's state; None is what nobody told yet."""

    lifecycle: str | None = None
    lifecycle_since: Instant | None = None
    custody_kind: str = "none"
    custodian: str | None = None
    custody_since: Instant | None = None
    custody_acknowledged_at: Instant | None = None
    condition: str | None = None
    data_state: str | None = None
    title: str = "owned"
    title_holder: str | None = None
    title_return_on: date | None = None
    holds: list[str] = Field(default_factory=list)
    blocked_by: list[str] = Field(default_factory=list)
    """What stands against every permission but its own."""

    @classmethod
    def of(cls, state: AssetState) -> "StateView":
        """Return a state as the API shows it."""
        return cls.model_validate(asdict(state) | {"blocked_by": state.blocked_by})


class TagView(View):
    """A tag while it is or was on an asset."""

    epc: str
    tid: str | None
    role: str
    state: str
    bound_from: Instant
    bound_to: Instant | None


class SerialView(View):
    """A serial that an asset bears or bore."""

    serial: str
    from_at: Instant
    to_at: Instant | None


class AuthorisationView(View):
    """Who may take what out of where, until when."""

    id: str
    kind: str
    asset: str
    boundary: str
    valid_from: Instant | None
    valid_to: Instant | None
    reason: str
    recorded_at: Instant
    person: str | None
    single_use: bool
    expected_return: Instant | None
    requested_by: str | None
    approved_by: str | None
    withdrawn_at: Instant | None
    despite: list[str] = Field(default_factory=list)
    """Holds, and unwiped data, that it holds in spite of: it is their own permission."""
    pass_kind: str | None = None
    """Of a gate pass: whether the asset comes back, leaves for good, or goes to another place of ours."""


class ActView(View):
    """What somebody told; `void` when it was taken back."""

    id: int
    at: Instant
    recorded_at: Instant
    kind: str
    location: str | None
    subject: str | None
    by: str
    detail: dict[str, Any]
    void: bool


class CountedView(View):
    """What the perpetual count of a place says of an asset, how likely it is there, and since when."""

    location: str
    bucket: str
    probability: float | None
    seen_at: Instant | None
    elsewhere: str | None
    tag_silent: bool
    since: Instant


class AssetLife(View):
    """All that the registry tells of one asset; its movements are a list of their own."""

    id: str
    name: str
    asset_class: str = Field(alias="class")
    serial: str | None
    model: str | None
    cost_centre: str | None
    parent: str | None
    parent_since: Instant | None
    children: list[str]
    state: StateView
    tags: list[TagView]
    serials: list[SerialView]
    authorisations: list[AuthorisationView]
    acts: list[ActView]
    """Newest first."""
    counted: list[CountedView] = Field(default_factory=list)


class OpeningView(View):
    """A way into a place."""

    id: str
    kind: str
    portal: str | None


class PlaceView(View):
    """What holds at a place, by its own word or that of a place around it, and whether every way out is watched."""

    id: str
    country: str | None
    subdivision: str | None
    timezone: str | None
    owner_role: str | None
    openings: list[OpeningView]
    unlisted: list[str]
    """Portals that lead out of it and stand not among its openings."""
    closed: bool


class PersonView(View):
    """A person, or a machine that acts in a name of its own (a service account)."""

    id: str
    name: str
    location: str | None
    active: bool
    kind: str


class HolderView(View):
    """Who holds a role at a place and below it; without a place, everywhere."""

    location: str | None
    person: str


class RoleView(View):
    """A role and who holds it."""

    id: str
    name: str
    holders: list[HolderView]


class ImportView(View):
    """An import: rows read by kind, rows of the registry changed, and whether it was taken back."""

    id: int
    at: Instant
    by: str
    rows: dict[str, int]
    changed: int
    undone_at: Instant | None
    undone_by: str | None


class Register(Protocol):
    """The registry as the API reads it."""

    async def life(self, asset: str) -> AssetLife:
        """Return all that is told of an asset, or raise `NotFound`."""

    async def moments(self, asset: str, kinds: Collection[str], before: str | None, limit: int) -> Moments:
        """Return a page of an asset's life, newest first, of some kinds, before the end of another page."""

    async def places(self) -> list[PlaceView]:
        """Return what holds at each place, by id."""

    async def people(self) -> list[PersonView]:
        """Return people, by id."""

    async def not_acting(self, names: Sequence[str]) -> set[str]:
        """Return which of the names are no active person and no active service account."""

    async def roles(self) -> list[RoleView]:
        """Return roles and who holds them, by id."""

    async def answering(self, role: str, location: str | None) -> list[str]:
        """Return who answers for a role at a place: the nearest holders on the way up; or raise `NotFound`."""

    async def authorisations(self, asset: str | None, limit: int) -> list[AuthorisationView]:
        """Return authorisations, newest first."""

    async def imports(self, limit: int) -> list[ImportView]:
        """Return imports, newest first."""
