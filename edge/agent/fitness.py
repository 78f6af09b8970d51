"""Is the agent well with a new configuration? Judged against how it was with the one before. Pure.

Well means that nothing that worked has ceased to work: each reader that was in session, and that the new configuration
still names, is in session again; no portal is dark that wasn't; the broker is reached if it was, and the central heard
if it was; the outbox takes rows; no part has ended. What the new configuration names anew has to come up too: one that
names something that doesn't answer is taken for mistaken. All of it has to hold for some seconds on end, within a
minute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

LIMIT_S: Final = 60.0
STEADY_S: Final = 5.0
"""A reader that takes the connection and throws us out again does so at once."""


class OnTrial(msgspec.Struct, frozen=True, kw_only=True):
    """A pushed configuration that has to prove itself, as `status` tells it.

    Attributes:
        changed: what is another than before.
        left_s: after this the configuration before is taken back, unless the agent is well.
        steady_s: for how long on end it must be well.
        problems: what isn't as before yet.
    """

    changed: str
    left_s: float
    steady_s: float
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How an agent is at an instant.

    Attributes:
        readers: what keeps each from being in session; empty where it is.
        portals: why each is dark; empty where it isn't.
        broker: whether it is reached.
        central: whether it was heard over the connection that stands.
        store: why the outbox can't be written; empty where it can.
        ended: parts that are over.
    """

    readers: Mapping[str, str] = field(default_factory=dict)
    portals: Mapping[str, str] = field(default_factory=dict)
    broker: bool = False
    central: bool = False
    store: str = ""
    ended: tuple[str, ...] = ()


def complaints(before: Look, now: Look) -> list[str]:
    """Return what is worse than it was, or new and doesn't work."""
    found = [f"the agent's task {name} has ended" for name in now.ended]
    if now.store:
        found.append(f"the outbox can't be written: {now.store}")
    found += [why for name, why in now.readers.items() if why and not before.readers.get(name, "")]
    found += [why for name, why in now.portals.items() if why and not before.portals.get(name, "")]
    if before.broker and not now.broker:
        found.append("the broker is out of reach")
    elif before.central and not now.central:
        found.append("the central isn't heard over this broker")
    return found


@dataclass(slots=True)
class Proof:
    """Takes one look after another until it is clear.

    Args:
        before: how the agent was with the configuration before.
        begun_s: monotonic seconds at the beginning.
        limit_s: when it must be well at the latest.
        steady_s: for how long on end.
    """

    before: Look
    begun_s: float
    limit_s: float = LIMIT_S
    steady_s: float = STEADY_S
    problems: list[str] = field(default_factory=list)
    _well_since_s: float | None = None

    def look(self, now: Look, now_s: float) -> Literal["well", "unwell"] | None:
        """Take how it is now; None while it isn't clear."""
        self.problems = complaints(self.before, now)
        if self.problems:
            self._well_since_s = None
            return "unwell" if now_s - self.begun_s >= self.limit_s else None
        if self._well_since_s is None:
            self._well_since_s = now_s
        return "well" if now_s - self._well_since_s >= self.steady_s else None
