"""Who sends a transfer doesn't receive it (requirement 97): not by scan, and not by what they say to have seen."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from central.application.ports import Transaction
from central.domain.places import Places


class Seen(NamedTuple):
    """That somebody says to have seen an asset somewhere."""

    asset: str
    by: str
    location: str


class Sent(Protocol):
    """What is asked of a transfer to tell who sends it."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def from_(self) -> str:
        """The place that it leaves."""

    @property
    def to(self) -> str:
        """The place that it goes to."""

    @property
    def sender(self) -> str:
        """The person or role that sends it."""

    @property
    def receiver(self) -> str:
        """The person or role that receives it."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """An approved transfer of an asset; who scanned it out last, and whether it came."""

    asset: str
    id: str
    from_: str
    to: str
    sender: str
    receiver: str
    scanned_by: str | None
    received: bool


class SendersWork(Transaction, Protocol):
    """What telling senders needs of a transaction."""

    async def awaited(self, assets: Collection[str]) -> list[Awaited]:
        """Return the approved transfers of assets, by id."""

    async def sent_by(self, transfer: str, assets: Collection[str]) -> list[str]:
        """Return who scanned any of a transfer's assets out last."""

    async def answers(self, person: str, party: str, places: Sequence[str]) -> bool:
        """Tell whether a person is a party, or holds that role everywhere or at one of the places."""


async def why_not(work: SendersWork, held: Sent, by: str, assets: Collection[str]) -> str:
    """Return why somebody doesn't receive a transfer, as its sender; empty if they are none."""
    return await _Senders(work, (await work.registry()).places).why_not(held, by, await work.sent_by(held.id, assets))


async def own(work: SendersWork, seen: Iterable[Seen]) -> dict[Seen, dict[Awaited, str]]:
    """Return which of the transfers that end where something was seen are its observer's own, and why they are."""
    told = sorted(set(seen))
    by_asset = defaultdict[str, list[Awaited]](list)
    for held in await work.awaited(sorted({one.asset for one in told})):
        by_asset[held.asset].append(held)
    senders = _Senders(work, (await work.registry()).places)
    found: dict[Seen, dict[Awaited, str]] = {}
    for one in told:
        for held in by_asset[one.asset]:
            at_goal = senders.places.within(one.location, held.to)
            if at_goal and (why := await senders.why_not(held, one.by, [held.scanned_by])):
                found.setdefault(one, {})[held] = why
    return found


@dataclass(slots=True)
class _Senders:
    """Who answers for whom, asked once of each."""

    work: SendersWork
    places: Places
    _known: dict[tuple[str, str, str], bool] = field(default_factory=dict)

    async def why_not(self, held: Sent, by: str, scanned_by: Collection[str | None]) -> str:
        """Return why somebody doesn't receive a transfer, as its sender; empty if they are none."""
        sends = await self._answers(by, held.sender, held.from_)
        if by == held.sender or (sends and not await self._answers(by, held.receiver, held.to)):
            return f"{by!r} is the sender of transfer {held.id}: the receiving side receives it"
        if by in scanned_by:
            return f"{by!r} scanned transfer {held.id} out: the receiving side receives it"
        return ""

    async def _answers(self, person: str, party: str, place: str) -> bool:
        key = person, party, place
        if key not in self._known:
            self._known[key] = await self.work.answers(person, party, self.places.chain(place))
        return self._known[key]


def told_by_sender(own_of: Mapping[Awaited, str] | None) -> dict[str, Any]:
    """Return what the log says of a sight by the sender of transfers."""
    return {"sender_of": sorted(one.id for one in own_of)} if own_of else {}
