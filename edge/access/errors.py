"""The room's one error, and the kinds of what is refused."""

from typing import Literal

Refusal = Literal["unreadable", "oversized", "unfit", "mistimed", "flood", "stranger", "crowded", "broken", "unusable"]
"""Why nothing was taken, as metrics name it: not understood, too much at once, no portal of ours or nobody's badge, a
time that can't be, too many events, no token, too many connections, no HTTP or TLS, our own token file."""


class AccessError(ValueError):
    """What a controller sent, or how it is to be let in, can't be used; the message says what to do, `why` the kind."""

    def __init__(self, words: str, why: Refusal = "unusable") -> None:
        super().__init__(words)
        self.why: Refusal = why
