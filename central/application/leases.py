"""Which gateways this process serves now: leases that others take over when it dies, with fences that bar the dead."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

STRANGERS: Final = ""
"""The lease on all gateways that nobody registered."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a commit relies on: the worker's number, and the fence of each gateway that it serves."""

    worker: int
    fences: Mapping[str, int]

    def serves(self, gateway: str) -> bool:
        """Tell whether a registered gateway is served under this lease."""
        return gateway in self.fences


class Leases(Protocol):
    """The leases of this process. What is held may be lost at any time: only the commit itself is sure of it."""

    @property
    def settled(self) -> bool:
        """Whether this process asked for its share at least once since it could; it may be none."""

    @property
    def lease(self) -> Lease:
        """What is held, as far as this process knows; empty once it couldn't renew in time."""
