"""What a story is told from, and what it says. Values only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from central.domain.exits import Authorisation
from central.domain.places import Places, Portal
from central.domain.story.hearing import Heard

Basis = Literal["recorded", "observed", "inferred"]
LegBasis = Literal["observed", "scanned", "inferred"]
LegState = Literal["open", "received", "returned_to_origin", "wrong_destination"]

UNOWNED: Final = "itam_manager"
"""Who answers for a place to which nobody gave an owner role."""
ESCALATION: Final = ("receiver", "branch_admin", "itam_manager", "it_ops_head")
"""Whom an overdue receipt climbs to, unless the transfer names others."""

BELIEVED: Final = frozenset({"seen", "dispatch_scanned", "receipt_scanned"})
"""Acts by which somebody saw the asset at a location."""
VERIFIED: Final = "asset_verified"
"""An act by which a person's observation, in a count or outside one, stands in the log, with its grade."""
MISSED: Final = "counted_missing"
"""An act by which a signed count says that it looked for an asset where the book has it, and didn't find it."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A passage that ended as in or out. `synced`: the host's clock was right, so `at` may be compared with others'."""

    at: datetime
    gateway: str
    epoch: str
    seq: int
    passage: str
    portal: str
    origin: str
    destination: str
    confidence: float
    batch: str | None = None
    synced: bool = True
    epc: str = ""
    carried: bool = False
    """Made by what the asset lies in: the asset is where that is, and what is wrong on the way is told of that."""


@dataclass(frozen=True, slots=True)
class Act:
    """What people, imports and approvals say. `subject` is a transfer's id where the act is about one.

    The fold knows `placed` (the book says so), `seen` (somebody or something saw the asset at `location`),
    `asset_verified` (a person's observation, of any grade), `counted_missing`, `transfer_approved`,
    `transfer_cancelled`, `transfer_line_cancelled`, `dispatch_scanned`, `receipt_scanned`, `leg_claimed` and
    `custody_given`; it passes over others.
    """

    at: datetime
    id: int
    kind: str
    subject: str | None = None
    location: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def believed(self) -> bool:
        """Whether somebody saw the asset at `location`; who only read its tag may have read it through a wall."""
        return self.kind in BELIEVED or (self.kind == VERIFIED and self.detail.get("grade") != "tag_seen")

    @property
    def confirms(self) -> bool:
        """Whether it says nothing of since when, where the asset was there already: verified, or in what was seen."""
        return self.kind == VERIFIED or "with" in self.detail

    @property
    def sender_of(self) -> frozenset[str]:
        """The transfers to this place whose sender says it: what they see there has come, and isn't received."""
        return frozenset(self.detail.get("sender_of", ()))


class Due(NamedTuple):
    """A due date, and the version of the calendar that froze it."""

    at: datetime
    calendar: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A way out of a location that no portal watches; `kind` is alarmed_door or unmonitored."""

    id: str
    location: str
    kind: str


@dataclass(frozen=True, slots=True)
class World:
    """What holds for all stories. `due(start, business_days, location)` counts on the location's calendar."""

    places: Places
    portals: Mapping[str, Portal]
    due: Callable[[datetime, int, str], Due]
    gaps: tuple[Gap, ...] = ()
    owner_roles: Mapping[str, str] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)
    """Since when the registry has had portals; those that it doesn't name it has had always."""

    def turns(self) -> tuple[datetime, ...]:
        """Return the instants at which doors were added to others, in order.

        Before the first doors came nothing is known of what stood there: they are held to have stood.
        """
        known = {self.since.get(portal) for portal in self.portals}
        told = sorted(at for at in known if at is not None)
        return tuple(told if None in known else told[1:])

    def as_of(self, instant: datetime) -> "World":
        """Return the world with the doors that the registry had at an instant."""
        later = {one for one in self.turns() if one > instant}
        had = {name: portal for name, portal in self.portals.items() if self.since.get(name) not in later}
        return replace(self, portals=had, since={})

    def owner(self, location: str) -> str:
        """Return the role that answers for a location: its own, or that of the nearest place around it."""
        around = self.places.chain(location)
        return next((self.owner_roles[one] for one in around if one in self.owner_roles), UNOWNED)


@dataclass(frozen=True, slots=True)
class Belief:
    """Where an asset is held to be. `confidence` is 0 to 1; `doubt` says why the place isn't certain."""

    place: str
    since: datetime
    confidence: float
    basis: Basis
    passage: str | None = None
    doubt: str | None = None

    @property
    def certain(self) -> bool:
        """Whether nothing speaks against the place."""
        return self.doubt is None


@dataclass(frozen=True, slots=True)
class Missed:
    """A door's share, 0 to 1, in a crossing that nobody saw; `at` is when it came out. Shares of one `at` may exceed 1.

    An asset that turns up two doors further has missed two crossings, and two doors in parallel share one.
    """

    portal: str
    at: datetime
    share: float


@dataclass(frozen=True, slots=True)
class Misread:
    """A crossing that later ones contradict: read the wrong way round, or no crossing at all."""

    portal: str
    at: datetime
    passage: str
    kind: Literal["wrong_way", "no_crossing"]


@dataclass(frozen=True, slots=True)
class Leg:
    """One way of one asset from dispatch to receipt. `assumed` names the columns that nobody has told or seen."""

    number: int
    transfer: str | None
    origin: str
    destination: str | None
    sender: str
    receiver: str
    dispatched_at: datetime
    receipt_due: datetime
    calendar: str
    escalation_path: tuple[str, ...]
    basis: LegBasis
    assumed: tuple[str, ...]
    state: LegState = "open"
    ended_at: datetime | None = None
    ended_in: str | None = None
    ended_by: LegBasis | None = None
    passage: str | None = None

    @property
    def under_way(self) -> bool:
        """Whether a receipt is still awaited."""
        return self.state in {"open", "wrong_destination"}


@dataclass(frozen=True, slots=True)
class Order:
    """An approved transfer, until it is received or cancelled. It may be dispatched from `since` until `until`."""

    id: str
    origin: str
    destination: str
    sender: str
    receiver: str
    since: datetime
    until: datetime
    escalation: tuple[str, ...] = ESCALATION

    def covers(self, at: datetime) -> bool:
        """Tell whether a dispatch at this instant is an approved one."""
        return self.since <= at <= self.until


@dataclass(frozen=True, slots=True)
class Transits:
    """How an asset's transit stands at a point of its log. `unannounced`: legs of which only the receipt was seen."""

    legs: tuple[Leg, ...] = ()
    orders: tuple[Order, ...] = ()
    unannounced: tuple[int, ...] = ()
    custody: Act | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A story up to some point of its log, from which it can be told on as long as nothing older comes.

    `at` is the instant of the last item that went in; all that is newer is told on. `last` is the last crossing.
    """

    at: datetime
    belief: Belief | None
    coarse: bool
    last: Crossing | None
    transits: Transits
    missed: Act | None = None
    """The signed count that didn't find it, where nothing has seen it since."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong that the story shows; it holds from `at` on, which may lie ahead (a due date)."""

    category: str
    location: str | None
    at: datetime
    evidence: Mapping[str, str]
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """All that follows from an asset's log."""

    belief: Belief | None = None
    legs: tuple[Leg, ...] = ()
    missed: tuple[Missed, ...] = ()
    misread: tuple[Misread, ...] = ()
    findings: tuple[Finding, ...] = ()
    checkpoint: Checkpoint | None = None
    """From where the next telling may go on."""


@dataclass(frozen=True, slots=True)
class Told:
    """All that is known of one asset; with a checkpoint, only what is newer than that."""

    crossings: tuple[Crossing, ...] = ()
    acts: tuple[Act, ...] = ()
    permits: tuple[Authorisation, ...] = ()
    begin: Checkpoint | None = None
    heard: tuple[Heard, ...] = ()
    """What zone readers and sweeps heard of it; with a checkpoint also the day before, to weigh the others by."""
