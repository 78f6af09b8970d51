"""Transfers and legs as people see them."""

from datetime import datetime
from typing import Final

from pydantic import Field, computed_field

from central.application.consent import SIDES, Side
from central.application.views import Instant, View

UNDER_WAY: Final = frozenset({"open", "wrong_destination"})
LEAVABLE: Final = frozenset({"waiting", "returned_to_origin"})
"""Lines of a manifest that may still leave."""
OVER: Final = frozenset({"cancelled", "never_found"})
"""Lines of a manifest that a person has ended."""


class ManifestView(View):
    """One asset of a transfer; `state` is that of its leg, or waiting, cancelled, never_found."""

    id: str
    name: str
    state: str
    basis: str | None
    dispatched_at: Instant | None
    receipt_due: Instant | None
    ended_at: Instant | None
    ended_in: str | None
    cancelled_by: str | None
    cancelled_at: Instant | None
    cancel_reason: str | None


class TransferView(View):
    """A transfer and how far it is; `two_managers`: it changes a cost centre, so the sides are two people."""

    id: str
    from_: str = Field(alias="from")
    to: str
    sender: str
    receiver: str
    reason: str
    ticket: str | None
    cost_centre: str | None
    escalation_path: list[str]
    requested_by: str
    requested_at: Instant
    two_managers: bool
    sending_by: str | None
    sending_at: Instant | None
    sending_until: Instant | None
    receiving_by: str | None
    receiving_at: Instant | None
    receiving_until: Instant | None
    approved_by: str | None
    approved_at: Instant | None
    dispatch_until: Instant | None
    cancelled_by: str | None
    cancelled_at: Instant | None
    assets: list[ManifestView]

    @property
    def agreed(self) -> dict[Side, tuple[str, datetime]]:
        """Who has agreed for which side, and until when."""
        told: tuple[tuple[Side, str | None, datetime | None], ...] = (
            ("sending", self.sending_by, self.sending_until), ("receiving", self.receiving_by, self.receiving_until),
        )  # fmt: skip
        return {side: (by, until) for side, by, until in told if by is not None and until is not None}

    @property
    def going(self) -> list[ManifestView]:
        """The manifest without what was cancelled or never found."""
        return [one for one in self.assets if one.state not in OVER]

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def awaits(self) -> list[Side]:
        """Whose approval it waits for."""
        return [] if self.cancelled_at is not None else [side for side in SIDES if side not in self.agreed]

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def dispatched(self) -> int:
        """How many assets have been dispatched, those that were never found afterwards left out."""
        return sum(one.state in {*UNDER_WAY, "received"} for one in self.assets)

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def received(self) -> int:
        """How many assets have been received."""
        return sum(one.state == "received" for one in self.assets)

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def state(self) -> str:
        """requested, approved, incomplete (a part is dispatched), in_transit, partly_received, received, cancelled.

        What was cancelled or never found counts no more; with nothing else left the transfer is one of these.
        """
        total = len(self.going)
        if self.cancelled_at is not None or all(one.state == "cancelled" for one in self.assets):
            return "cancelled"
        if not total:
            return "never_found"
        if not self.dispatched:
            return "requested" if self.approved_at is None else "approved"
        if self.dispatched < total:
            return "incomplete"
        return "received" if self.received == total else "partly_received" if self.received else "in_transit"

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def words(self) -> str:
        """The state for a person: a manifest read in part says how many of how many, and what was left over."""
        told = {"incomplete": self.dispatched, "partly_received": self.received}.get(self.state)
        name = self.state.replace("_", " ")
        if self.state == "requested" and len(self.awaits) == 1:
            name = f"requested, waits for the {self.awaits[0]} side"
        left = [(sum(one.state == state for one in self.assets), state.replace("_", " ")) for state in sorted(OVER)]
        over = "".join(f"; {number} {state}" for number, state in left if number) if self.going else ""
        return (name if told is None else f"{name}, {told} of {len(self.going)}") + over


class LegView(View):
    """One way of one asset; `assumed` names what nobody told or saw."""

    id: str
    asset: str
    asset_name: str
    number: int
    transfer: str | None
    origin: str
    destination: str | None
    sender: str
    receiver: str
    dispatched_at: Instant
    receipt_due: Instant
    calendar: str
    escalation_path: list[str]
    basis: str
    assumed: list[str]
    state: str
    overdue: bool
    ended_at: Instant | None
    ended_in: str | None
    ended_by: str | None
    passage: str | None
