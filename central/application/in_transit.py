"""What is in transit, as the board shows it: by transfer, the most urgent first, undeclared departures marked."""

from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import Field, computed_field

from central.application.views import Instant, View


class GoingView(View):
    """One asset under way. `assumed` names what nobody told or saw; `told` is who heard last that it is late."""

    id: str
    asset: str
    asset_name: str
    asset_class: str = Field(alias="class")
    transfer: str | None
    origin: str
    origin_name: str
    destination: str | None
    destination_name: str | None
    sender: str
    sender_name: str
    receiver: str
    receiver_name: str
    dispatched_at: Instant
    receipt_due: Instant
    due_on: date
    calendar: str
    basis: str
    assumed: list[str]
    state: str
    astray_in: str | None
    astray_in_name: str | None
    astray_at: Instant | None
    overdue: bool
    escalation_path: list[str]
    told: str | None
    told_at: Instant | None

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def undeclared(self) -> bool:
        """Whether it left without a transfer, and nobody has claimed it yet."""
        return self.transfer is None and "receiver" in self.assumed


class NamedView(View):
    """An asset by id and name."""

    id: str
    name: str


class ManifestCount(View):
    """A transfer's manifest: how many assets it names, how many came, which nobody dispatched and which came back."""

    transfer: str
    reason: str
    ticket: str | None
    origin: str
    origin_name: str
    destination: str
    destination_name: str
    total: int
    received: int
    unread: list[NamedView]
    came_back: list[NamedView]


class TripView(View):
    """What goes together: the assets of one transfer, or what left one place undeclared and is claimed or not alike."""

    transfer: str | None
    manifest: ManifestCount | None
    legs: list[GoingView]

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def receipt_due(self) -> Instant:
        """The first due date of all."""
        return min(one.receipt_due for one in self.legs)

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def undeclared(self) -> bool:
        """Whether nobody has said where this goes."""
        return any(one.undeclared for one in self.legs)

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def in_part(self) -> bool:
        """Whether the door or the scan read only a part of the manifest."""
        return self.manifest is not None and bool(self.manifest.unread)


class TransitTotals(View):
    """Assets under way, over everything that the list could show."""

    under_way: int
    overdue: int
    undeclared: int
    astray: int
    inferred: int


class InTransit(View):
    """The in-transit board."""

    totals: TransitTotals
    trips: list[TripView]


def trips(legs: Sequence[GoingView], manifests: Mapping[str, ManifestCount]) -> list[TripView]:
    """Group legs, which come by due date: undeclared departures first, then by the first due date."""
    found: dict[tuple[str | None, ...], list[GoingView]] = {}
    for leg in legs:
        found.setdefault(_key(leg), []).append(leg)
    grouped = [
        TripView(transfer=key[0], manifest=manifests.get(key[0] or ""), legs=some) for key, some in found.items()
    ]
    return sorted(grouped, key=lambda one: (not one.undeclared, one.receipt_due))


def _key(leg: GoingView) -> tuple[str | None, ...]:
    """Return what legs share that stand together; who answers for it is one and the same."""
    if leg.transfer is not None:
        return (leg.transfer,)
    return None, str(leg.undeclared), leg.origin, leg.destination, leg.receiver
