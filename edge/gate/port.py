"""The way to light and siren, and to what they did."""

from typing import Literal, Protocol

from edge.contracts.gate import Mode

Judged = Literal["allow", "refuse", "stale", "carried"]
"""What the gate says of an exit; `carried`: it may leave, but no badge says with whom."""


class Signals(Protocol):
    """Lights and sirens of this gateway's portals.

    Order: exits come in the order in which they were decided. Loss: none is told twice in one direction, unless a badge
    that was missing at first makes an `allow` a `carried`. Called in the event loop; it must neither wait nor raise.
    """

    def judged(
        self, portal: str, verdict: Judged, crossed_at_us: int, arrived_at_us: int, mode: Mode
    ) -> int | None:  # fmt: skip
        """Show what was decided of an exit.

        Args:
            portal: where it is.
            verdict: what was decided.
            crossed_at_us: when the tag crossed, host time, UTC microseconds.
            arrived_at_us: when the reads arrived that decided it; never more than 10 s later, for older reads show
                nothing.
            mode: what the door may do now: log only, tell the console, or light and siren too.

        Returns:
            When an output began to show it, UTC microseconds; None where none did.
        """
        ...


class Unlit:
    """A gateway without lights and sirens."""

    def judged(self, *_: object) -> int | None:
        """Show nothing."""
        return None
