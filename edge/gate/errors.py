"""The room's error tree: `GateError`, with nothing under it."""

from typing import Literal

Refusal = Literal["unreadable", "oversized", "untrusted", "misaddressed", "replayed", "unwanted", "flood"]
"""Why a message on the gate's topics isn't taken, as metrics name it."""


class GateError(Exception):
    """A message on the gate's topics isn't taken, or what was kept can't be used; the message says what and why."""

    def __init__(self, why: Refusal, words: str) -> None:
        super().__init__(words)
        self.why: Refusal = why
