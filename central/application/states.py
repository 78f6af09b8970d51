"""Changing an asset's state: one act, checked against what its axis allows, and the state folded anew."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from central.domain.axes import AssetState, AxisAct


@dataclass(frozen=True, slots=True)
class NewAct:
    """An act to be appended; `cause` is the act, an import, that brought it about."""

    at: datetime
    recorded_at: datetime
    kind: str
    by: str
    asset: str | None = None
    location: str | None = None
    subject: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    cause: int | None = None


class States(Protocol):
    """Acts on assets' states, and the states projected from them, in one transaction."""

    async def states(self, assets: Collection[str]) -> dict[str, AssetState]:
        """Return the states of assets of which anything is told."""

    async def acts_on(self, assets: Collection[str]) -> dict[str, list[AxisAct]]:
        """Return the acts that the axes of assets are made of."""

    async def add_acts(self, acts: Sequence[NewAct]) -> list[int]:
        """Append acts; return their ids."""

    async def project(self, assets: Collection[str]) -> None:
        """Fold the states of assets, whose rows the caller has locked, from their acts."""
