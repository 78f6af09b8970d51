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


DENSE_M4: Final = ModeTiming(miller=4, link_hz=274_000.0, tari_us=20.0, pie_ratio=2.0)
"""What an R420 lists as mode 2, made for places with many readers."""
FAST_FM0: Final = ModeTiming(miller=1, link_hz=640_000.0, tari_us=6.25, pie_ratio=1.5)
"""What an R420 lists as mode 0, the fastest."""
SINGLE_TARGET: Final = 1
DUAL_TARGET: Final = 2
TAG_FOCUS: Final = 3
"""Search modes: A only; A, then B, in turn; A only in S1, whose flags power refreshes."""


@dataclass(frozen=True, slots=True)
class InventoryHabits:
    """What a reader's firmware does where its client says nothing, and the pauses that it makes.

    The defaults are an R420's. Its pauses are those that give its measured 70 reads/s with one tag, 67 with nine and
    124 with 29 in a mode that it chooses by itself; with a mode that a client fixed it makes none.

    Attributes:
        timing: of a mode that says no timing.
        session, search_mode, population: of a command without them.
        idle_us: pause after a round.
        idle_busy_us: pause after a round in which tags collided.
        auto_from: modes of this id and above, and none at all, make those pauses; 0: every mode does.
        settle_us: what a new channel costs.
        switch_us: what another antenna costs.
        turn_us: longest stay on an antenna.
    """

    timing: ModeTiming = DENSE_M4
    session: int = 0
    search_mode: int = DUAL_TARGET
    population: int = 4
    idle_us: int = 9_400
    idle_busy_us: int = 100_000
    auto_from: int = 1000
    settle_us: int = 1_500
    switch_us: int = 1_500
    turn_us: int = 200_000


R420_HABITS: Final = InventoryHabits()
FX7500_HABITS: Final = InventoryHabits(
    timing=ModeTiming(miller=4, link_hz=250_000.0, tari_us=12.5, pie_ratio=1.5),
    idle_us=200,
    idle_busy_us=200,
    auto_from=0,
)
"""A Zebra FX7500: 222 reads/s of tags that lie still, measured; it makes no pauses worth the name."""


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
