"""The bench's own air: which tags keep quiet because they have answered, as the Gen2 air interface says.

The world plays this with rounds and power; here tags are put before a reader by hand, and only their flags count.
"""

SUPPRESSION = 3
SINGLE_TARGET = frozenset({1, SUPPRESSION})
"""ImpinjInventorySearchModes: single target, and TagFocus, which keeps tags quiet in S1 while they have power."""
PERSISTENCE_US = 2_000_000
"""S2 and S3 persist for more than 2 s without power, S1 for 0.5 to 5 s with or without it (Gen2 air interface)."""

LEAST_ROOM = 10_000
"""Flags that are kept before lapsed ones are looked for."""


class TagFlags:
    """Which tags keep quiet because they have answered: the inventoried flag of each session, in the tags themselves.

    Only single-target search leaves them so; dual target turns round and asks them again.
    """

    def __init__(self) -> None:
        self._answered_us = {}
        self._room = LEAST_ROOM

    def answers(self, epc, command, now_us):
        """Whether a tag that is in the field now answers; one that keeps quiet stays so while it has power."""
        if command.search_mode not in SINGLE_TARGET or not command.session:
            return True
        key = command.session, epc
        since_us = now_us - self._answered_us.get(key, -PERSISTENCE_US)
        quiet = since_us < PERSISTENCE_US
        if not quiet or command.session > 1 or command.search_mode == SUPPRESSION:
            self._answered_us[key] = now_us
        if len(self._answered_us) > self._room:
            self._forget(now_us)
        return not quiet

    def _forget(self, now_us):
        """Let go of flags that have lapsed, so that a long run with ever new tags needs no more and more room."""
        live = {key: at_us for key, at_us in self._answered_us.items() if now_us - at_us < PERSISTENCE_US}
        self._answered_us, self._room = live, max(2 * len(live), LEAST_ROOM)
