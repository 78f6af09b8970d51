"""What raises each category: a rule, a connector with another book, or a person.

Where a rule raises it, `where` names the module that does. What a rule raises nobody reports by hand: its closing
follows from what the rule sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Raised:
    """Who raises a category: `rule` by module `where`, or by `hand` since (`why`) the service can't know it itself."""

    by: Literal["rule", "hand"]
    where: str
    why: str


def _rule(where: str, why: str) -> Raised:
    return Raised("rule", f"central.{where}", why)


def _hand(why: str) -> Raised:
    return Raised("hand", "central.application.reporting", why)


RAISED: Final[Mapping[str, Raised]] = MappingProxyType({
    # Where it is, and whether anybody has it.
    "missing": _rule("application.presence", "Not heard where the book has it, or not found by a count."),
    "stale_record": _rule("storage.exceptions", "Each night: its class's verification period has run out."),
    "unassigned_asset": _rule("storage.exceptions", "Each night: in use, and neither a person's nor a pool's."),
    "custody_conflict": _rule("domain.anomalies.standing", "Seen going into a stockroom while a person has it."),
    "wrong_location": _rule("domain.story.findings", "Arrived elsewhere than sent, or counted elsewhere than booked."),
    "location_doubtful": _rule("domain.story.belief", "What doors saw fits no single course."),
    "ambiguous_passage": _rule("application.judge", "A passage whose direction the door doesn't know."),
    "missed_crossing": _rule("application.reviewing", "Each night: a door surely misses more than 5 % of crossings."),
    "separated": _rule("application.stories", "A part is seen at another place than its whole."),
    # Transfers.
    "not_received": _rule("domain.story.findings", "Under way, and its receipt is overdue."),
    "not_dispatched": _rule("domain.story.findings", "Approved, and its window for dispatch is over."),
    "received_without_dispatch": _rule("domain.story.findings", "Seen at its destination, no door saw it leave."),
    "moved_without_transfer": _rule("domain.story.findings", "Left a site without a transfer."),
    "partial_batch": _rule("application.upkeep", "A manifest of which doors read a part."),
    "returned_to_origin": _rule("domain.story.findings", "Back where it was sent from, its transfer still open."),
    "user_not_in_hrms": _rule("storage.exceptions", "Each night: its custodian is not, or no more, registered."),
    "transfer_review": _rule("domain.reconciling.people", "HR has its custodian in another cost centre."),
    "cost_centre_missing": _rule("storage.exceptions", "Each night: in use without a cost centre."),
    # Security.
    "unauthorised_exit": _rule("application.judge", "Left a guarded place without permission."),
    "retired_but_active": _rule("domain.anomalies.standing", "Retired, disposed of or lost, and passed a door."),
    "active_but_disposed": _rule("domain.reconciling.comparing", "Disposed of here, and active in another book."),
    "impossible_travel": _rule("domain.anomalies.travel", "At two sites faster than one can travel."),
    "cloned_tag": _rule("domain.anomalies.tags", "One EPC told by two chips."),
    "not_unique": _rule("domain.anomalies.tags", "One EPC at two doors at once."),
    "duplicate_tag": _rule("domain.anomalies.tags", "A sheet wants a tag for a second asset."),
    "unknown_tag": _rule("application.oddities", "A tag under our prefix that nobody registered."),
    "retired_tag": _rule("application.oddities", "A tag that was taken off passed a door."),
    "after_hours": _rule("domain.anomalies.standing", "Moved outside the hours of its class or place."),
    "untagged_issue": _rule("domain.anomalies.standing", "Left without a receipt or a serial."),
    "portal_bypass": _rule("domain.anomalies.doors", "Known to be outside, and no door saw it leave."),
    "coverage_gap": _rule("application.darkness", "A door was dark, or its antenna faulty."),
    "pass_overdue": _rule("storage.deadlines", "A gate pass is over, and it isn't back."),
    "double_use": _rule("application.judge", "A pass for one exit was used for two."),
    "break_glass": _rule("application.exceptions", "Somebody broke a rule of separation open."),
    # Receiving, tags and serials.
    "duplicate_serial": _rule("storage.exceptions", "Each night: two assets of one model bear one serial."),
    "serial_mismatch": _hand("Radio reads no serials: who holds the asset reads another one than is recorded."),
    "serial_unreadable": _hand("Radio reads no serials: who holds the asset finds that its plate can't be read."),
    "tag_damaged": _rule("application.presence", "Its asset is seen or scanned, its tag is silent."),
    "weak_tag": _rule("application.reviewing", "Each night: read at a door less than half as often as before."),
    "wrong_model": _hand("Who unpacks a delivery sees what it is."),
    "missing_quantity": _hand("Who unpacks a delivery counts it."),
    "damaged": _hand("Who unpacks a delivery sees its state."),
    "no_purchase_record": _hand("Orders are kept by procurement."),
    # Loans, repairs, returns, disposals.
    "loaner_overdue": _rule("application.deadlines", "A loan is over."),
    "repair_overdue": _rule("application.deadlines", "A repair takes longer than agreed."),
    "not_returned": _rule("domain.reconciling.people", "HR says that its custodian leaves, or has left."),
    "missing_accessory": _hand("Who takes an asset back sees what is missing."),
    "no_disposal_certificate": _hand("Certificates come from the vendor, on paper."),
    # Other books.
    "finance_mismatch": _rule("domain.reconciling.comparing", "Finance's register says otherwise than ours."),
    "mdm_not_in_inventory": _rule("domain.reconciling.comparing", "Device management has it, our register hasn't."),
    "unknown_device": _rule("domain.reconciling.comparing", "The network has it, our register hasn't."),
    "record_conflict": _rule("domain.reconciling.comparing", "Tickets, devices or the network say otherwise."),
    "count_variance": _rule("application.counts", "A count that was handed in differs from its book."),
})  # fmt: skip
"""Every category of the taxonomy; a test walks both and looks into the modules that are named."""
BY_HAND: Final = tuple(sorted(name for name, one in RAISED.items() if one.by == "hand"))
"""What people and connectors report."""
