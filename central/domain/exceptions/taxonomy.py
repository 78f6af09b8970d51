"""What can be wrong, as data: each category's severity, who answers for it, how it is closed and with what evidence.

This table is the one place: a new category is one line here. The database keeps what held when an exception was opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: Final[tuple[str, ...]] = get_args(Severity)
"""The worst first."""

ASSIGN_WITHIN_BD: Final = 3
"""Business days until somebody has to have taken it (requirement 57)."""
CLOSE_WITHIN_BD: Final[Mapping[str, int]] = MappingProxyType({"critical": 15, "high": 15, "medium": 30, "low": 60})
"""Business days until it has to be closed; 15 for what is of high risk is required, the others are ours."""


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of exception; `evidence` names what a closing has to show, any one of them suffices."""

    name: str
    title: str
    severity: Severity
    owner_role: str
    closure_path: str
    evidence: tuple[str, ...]


_SEEN: Final = ("sighting", "scan", "count")
_PAPER: Final = ("document", "ticket", "approval")
_RECORD: Final = ("registry_change", "ticket", "approval")

_TABLE: Final[tuple[Category, ...]] = (
    # Where it is, and whether anybody has it.
    Category("missing", "Not found where the book has it", "high", "branch_admin",
             "Search the location and its neighbours, then declare it found or lost.", (*_SEEN, "approval")),
    Category("stale_record", "Not verified for too long", "low", "branch_admin",
             "See the asset once, by portal, scan or count.", _SEEN),
    Category("unassigned_asset", "In use without a custodian", "medium", "itam_manager",
             "Name the custodian or return the asset to stock.", _RECORD),
    Category("custody_conflict", "In somebody's custody, seen in a stockroom", "medium", "itam_manager",
             "Record the return, or hand the asset out again.", (*_RECORD, "scan")),
    Category("wrong_location", "Arrived at another place than it was sent to", "medium", "branch_admin",
             "Send it on, or change the transfer.", (*_SEEN, *_RECORD)),
    Category("location_doubtful", "Its place is in doubt", "low", "branch_admin",
             "See the asset once, by portal, scan or count.", _SEEN),
    Category("ambiguous_passage", "Passed a door, direction not known", "low", "branch_admin",
             "See on which side of the door it is.", _SEEN),
    Category("missed_crossing", "Crossed a door that did not see it", "low", "facilities",
             "Look at the door's readiness figures; nothing to do for the asset.", ("sighting", "inspection", "note")),
    Category("separated", "Seen apart from what it belongs to", "medium", "itam_manager",
             "Bring the parts together or record them apart.", (*_SEEN, *_RECORD)),
    # Transfers.
    Category("not_received", "Dispatched, not received in time", "high", "branch_admin",
             "Receive it, trace it with the courier, or declare it lost.", (*_SEEN, *_PAPER)),
    Category("not_dispatched", "Approved, not dispatched", "low", "branch_admin",
             "Dispatch it or withdraw the transfer.", (*_SEEN, *_RECORD)),
    Category("received_without_dispatch", "Received without a dispatch", "medium", "branch_admin",
             "Confirm the transfer afterwards, or send it back.", (*_RECORD, "scan")),
    Category("moved_without_transfer", "On its way without a transfer", "high", "itam_manager",
             "Record the transfer, or fetch the asset back.", (*_SEEN, *_RECORD)),
    Category("partial_batch", "Manifest read in part", "medium", "branch_admin",
             "Scan what the door did not read.", _SEEN),
    Category("returned_to_origin", "Came back to where it was sent from", "low", "branch_admin",
             "Dispatch it again or withdraw the transfer.", (*_SEEN, *_RECORD)),
    Category("user_not_in_hrms", "Given to a person whom HR does not know", "medium", "hr",
             "Correct the person's record or take the asset back.", _RECORD),
    Category("transfer_review", "Its custodian has changed department", "medium", "itam_manager",
             "Give the asset to the new cost centre, or take it back.", _RECORD),
    Category("cost_centre_missing", "No cost centre", "low", "finance", "Name the cost centre.", _RECORD),
    # Security.
    Category("unauthorised_exit", "Left a guarded place without permission", "critical", "security",
             "Recover it, authorise it afterwards, or report a theft.", (*_SEEN, *_PAPER)),
    Category("retired_but_active", "Retired, disposed of or lost, and seen", "high", "security",
             "Find out which is wrong, the record or the asset's place.", (*_SEEN, *_RECORD)),
    Category("active_but_disposed", "Active elsewhere after its disposal", "high", "security",
             "Find out which is wrong, the record or the disposal.", (*_RECORD, "document")),
    Category("impossible_travel", "At two places faster than one can travel", "high", "security",
             "Look at both places for a copied tag.", (*_SEEN, "inspection")),
    Category("cloned_tag", "One EPC on two chips", "high", "security",
             "Inspect the tags, retire the copy, tag the asset anew.", ("inspection", "registry_change")),
    Category("not_unique", "One EPC at two places at once", "high", "itam_manager",
             "Give each asset a tag of its own; nothing is moved by this one until then.",
             ("inspection", "registry_change")),
    Category("duplicate_tag", "One EPC meant for two assets", "high", "itam_manager",
             "Give one of the assets another tag.", ("inspection", "registry_change")),
    Category("unknown_tag", "A tag of ours without a record", "medium", "itam_manager",
             "Register the asset, or retire the tag.", ("inspection", "registry_change")),
    Category("retired_tag", "A tag that was taken off is seen", "medium", "itam_manager",
             "Destroy the tag, or register what it is on.", ("inspection", "registry_change")),
    Category("after_hours", "Moved outside the hours of its class", "medium", "security",
             "Ask who moved it.", (*_SEEN, *_PAPER)),
    Category("untagged_issue", "Left before it was received or had a serial", "high", "itam_manager",
             "Complete the record or fetch the asset back.", (*_SEEN, *_RECORD)),
    Category("portal_bypass", "Known to be outside, and no door saw it", "high", "security",
             "Find the way that it took; close or watch the opening.", (*_SEEN, *_RECORD)),
    Category("coverage_gap", "A door was not watched", "high", "security",
             "Mend the door; count what could have passed.", ("count", "inspection", "ticket")),
    Category("pass_overdue", "Out on a gate pass, not back in time", "medium", "security",
             "Ask who carries it, see it back inside, or give it a later pass.", (*_SEEN, *_PAPER)),
    Category("double_use", "One pass honoured twice", "high", "security",
             "Find out which of the two exits was meant.", (*_SEEN, *_PAPER)),
    Category("break_glass", "A rule of separation was broken open", "high", "security",
             "Another person looks at why, and says whether it was right.", ("approval", "ticket")),
    # Receiving, tags and serials.
    Category("duplicate_serial", "Two assets with one serial", "high", "itam_manager",
             "Correct the serial of one of them.", ("inspection", "registry_change")),
    Category("serial_mismatch", "Another serial than recorded", "high", "itam_manager",
             "Inspect the asset and correct the record.", ("inspection", "registry_change")),
    Category("serial_unreadable", "Its serial cannot be read", "low", "service_desk",
             "Read the serial from the firmware.", ("inspection", "registry_change")),
    Category("tag_damaged", "Its tag is damaged or does not fit its surface", "low", "service_desk",
             "Tag the asset anew.", ("inspection", "registry_change", "scan")),
    Category("weak_tag", "Its tag gets weaker", "low", "service_desk",
             "Tag the asset anew.", ("inspection", "registry_change", "scan")),
    Category("wrong_model", "Another model than ordered", "medium", "procurement",
             "Return it or change the order.", _PAPER),
    Category("missing_quantity", "Fewer than ordered", "medium", "procurement",
             "Claim the rest or change the order.", _PAPER),
    Category("damaged", "Arrived damaged", "medium", "procurement", "Return it or claim a discount.", _PAPER),
    Category("no_purchase_record", "Nothing was ordered", "medium", "procurement",
             "Find the order or return it.", _PAPER),
    # Loans, repairs, returns, disposals.
    Category("loaner_overdue", "A loan is over", "medium", "service_desk",
             "Take it back, or have the service desk manager extend the loan.", (*_SEEN, "approval")),
    Category("repair_overdue", "At the workshop for too long", "medium", "service_desk",
             "Fetch it back, replace it, or agree on a new date.", (*_SEEN, *_PAPER)),
    Category("not_returned", "To be returned by who leaves", "high", "hr",
             "Take it back, recover its value, or report a theft.", (*_SEEN, *_PAPER)),
    Category("missing_accessory", "Returned without its accessories", "low", "service_desk",
             "Fetch what is missing or write it off.", (*_SEEN, "approval")),
    Category("no_disposal_certificate", "Disposed of without a certificate", "high", "itam_manager",
             "Get the certificate from the vendor.", ("document",)),
    # Other books.
    Category("finance_mismatch", "The asset register of finance says otherwise", "high", "finance",
             "Correct the one that is wrong.", _RECORD),
    Category("mdm_not_in_inventory", "Managed, and not in the inventory", "high", "itam_manager",
             "Register the device or remove it.", _RECORD),
    Category("unknown_device", "Found in the network, and not in the inventory", "high", "security",
             "Register the device or remove it.", _RECORD),
    Category("record_conflict", "Another book says otherwise", "medium", "itam_manager",
             "Correct the one that is wrong.", (*_RECORD, "inspection")),
    Category("count_variance", "A count differs from the book", "medium", "branch_admin",
             "Count again, then accept the count or find what is missing.", ("count", "approval")),
)  # fmt: skip

CATEGORIES: Final[Mapping[str, Category]] = MappingProxyType({one.name: one for one in _TABLE})
"""Every category by name."""
EVIDENCE_KINDS: Final[frozenset[str]] = frozenset(kind for one in _TABLE for kind in one.evidence)
"""What a closing may show."""
