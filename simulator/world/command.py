"""What a client asks of the air: C1G2InventoryCommand with its mode, session and filters (LLRP 1.0.1, 15.2.1)."""

from dataclasses import dataclass
from typing import Final

EPC_POINTER_BITS: Final = 32
"""The EPC stands behind CRC and PC in its memory bank, and masks count from the bank's beginning."""


@dataclass(frozen=True, slots=True)
class Select:
    """One Select filter on the EPC bank.

    Attributes:
        action: C1G2TagInventoryStateUnawareFilterAction, 0 to 5.
    """

    pointer_bits: int
    mask_bits: int
    mask: bytes
    action: int

    def matches(self, epc: bytes) -> bool:
        """Whether a tag's memory holds the mask at the pointer."""
        memory, bits = int.from_bytes(epc), 8 * len(epc)
        skipped = self.pointer_bits - EPC_POINTER_BITS
        if skipped < 0 or skipped + self.mask_bits > bits:
            return False
        wanted = int.from_bytes(self.mask) >> (8 * len(self.mask) - self.mask_bits)
        return memory >> (bits - skipped - self.mask_bits) & ((1 << self.mask_bits) - 1) == wanted


@dataclass(frozen=True, slots=True)
class ModeTiming:
    """How fast an RF mode is on the air.

    Attributes:
        miller: cycles a symbol of the tag's answer, 1 (FM0), 2, 4 or 8.
        link_hz: backscatter link frequency; the tag's bit rate is this by `miller`.
        tari_us: the reader's data-0 symbol.
        pie_ratio: data-1 against data-0, 1.5 to 2.
    """

    miller: int
    link_hz: float
    tari_us: float
    pie_ratio: float


@dataclass(frozen=True, slots=True)
class AirCommand:
    """One C1G2InventoryCommand; None is "the reader's own".

    Attributes:
        mode: id of the RF mode, as the client gave it.
        timing: what that mode means on the air.
        session: 0 to 3.
        population: tags that the client expects; it sets the first Q.
        search_mode: ImpinjInventorySearchMode: 1 single target, 2 dual target, 3 single target with suppression.
    """

    mode: int | None = None
    session: int | None = None
    population: int | None = None
    filters: tuple[Select, ...] = ()
    search_mode: int | None = None
    timing: ModeTiming | None = None

    def selects(self, epc: bytes) -> bool:
        """Whether a tag answers under these filters."""
        selected = True
        for one in self.filters:
            selected = _after(one.action, matched=one.matches(epc), selected=selected)
        return selected


def _after(action: int, *, matched: bool, selected: bool) -> bool:
    """What a tag is after a Select, by the table of state-unaware actions; a dash in it leaves the tag as it was."""
    matching, others = ((True, False), (True, None), (None, False), (False, None), (False, True), (None, True))[
        action % 6
    ]
    outcome = matching if matched else others
    return selected if outcome is None else outcome
