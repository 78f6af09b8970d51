"""Inputs that bounce and outputs that fall back: what a reader does at its terminals between two messages."""

from typing import Final

from simulator.server.config import ReaderConfig

BOUNCE_US: Final = 4000
"""A worn contact is open and shut so long at a time before it rests."""


class Terminals:
    """Levels of one reader's inputs, and outputs whose pulses end by themselves. Times are of the steady clock."""

    def __init__(self) -> None:
        self.inputs: dict[int, bool] = {}
        self._changing: dict[int, tuple[bool, int]] = {}
        self._ends_us: dict[int, int] = {}
        self._bounces: list[tuple[int, int, bool]] = []

    def reboot(self) -> None:
        """Forget pulses and debounce times, as without power; levels stay, since they come from outside."""
        self._changing.clear()
        self._ends_us.clear()

    def bounce(self, port: int, times: int, now_us: int, *, high: bool) -> None:
        """Let an input that was just set to a level fall back and come again so many times."""
        self._bounces = [one for one in self._bounces if one[1] != port]
        for turn in range(1, 2 * times + 1):
            self._bounces.append((now_us + turn * BOUNCE_US, port, high == (turn % 2 == 0)))
        self._bounces.sort(key=lambda one: one[0])

    def bounced(self, now_us: int) -> list[tuple[int, bool]]:
        """Inputs with the levels to which they have bounced since the last call, in order."""
        due = [(port, high) for at_us, port, high in self._bounces if at_us <= now_us]
        del self._bounces[: len(due)]
        return due

    def apply(self, port: int, config: ReaderConfig, now_us: int, *, high: bool) -> bool:
        """Put a level on an input; tells whether the reader takes it for a change at once."""
        if not config.debounce_ms.get(port, 0):
            changed = self.inputs.get(port, False) != high
            self.inputs[port] = high
            return changed
        if high == self.inputs.get(port, False):
            self._changing.pop(port, None)
        elif self._changing.get(port, (not high, 0))[0] != high:
            self._changing[port] = high, now_us
        return False

    def settled(self, config: ReaderConfig, now_us: int) -> list[tuple[int, bool]]:
        """Inputs whose new level has lasted its debounce time since the last call, with that level."""
        due = [
            (port, high)
            for port, (high, since_us) in self._changing.items()
            if now_us - since_us >= 1000 * config.debounce_ms.get(port, 0)
        ]
        for port, high in due:
            del self._changing[port]
            self.inputs[port] = high
        return due

    def written(self, config: ReaderConfig, now_us: int) -> None:
        """Begin the pulses of outputs that were just written high, and forget those that are low."""
        for port in set(self._ends_us) - config.gpo_high:
            del self._ends_us[port]
        for port, pulse_ms in config.pulse_ms.items():
            if pulse_ms and port in config.gpo_high:
                self._ends_us.setdefault(port, now_us + 1000 * pulse_ms)

    def ended(self, now_us: int) -> frozenset[int]:
        """Outputs whose pulse is over since the last call."""
        over = frozenset(port for port, end_us in self._ends_us.items() if now_us >= end_us)
        for port in over:
            del self._ends_us[port]
        return over
