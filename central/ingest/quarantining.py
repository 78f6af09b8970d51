"""Log lines about the quarantine: one when a topic's messages begin to go there, one when it has been clean a while."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from central.application.records import Unreadable

CLEAN_AFTER: Final = timedelta(minutes=1)
"""A topic that sent nothing for the quarantine for so long is called clean."""
MAX_TOPICS: Final = 1000
"""Topics that are followed by name; more are a flood, told once."""
LOOK_AT: Final = "/api/v1/quarantine"

_log = structlog.get_logger("central.quarantine")


@dataclass(slots=True)
class _Spell:
    """A topic's current run of quarantined messages and rows."""

    last_at: datetime
    items: int = 0


class QuarantineLog:
    """Follows which topics send what is quarantined; time is an argument."""

    def __init__(self) -> None:
        self._spells: dict[str, _Spell] = {}
        self._flooded = False

    def note(self, items: Sequence[Unreadable], now: datetime) -> None:
        """Take what was quarantined just now; a topic that begins is named with the reason of its first item."""
        for item in items:
            spell = self._spells.get(item.topic) or self._begin(item, now)
            if spell is not None:
                spell.last_at = now
                spell.items += 1

    def look(self, now: datetime) -> None:
        """Call topics clean that sent nothing for the quarantine for a while."""
        for topic, spell in list(self._spells.items()):
            if now - spell.last_at >= CLEAN_AFTER:
                del self._spells[topic]
                _log.info("nothing more of this topic is quarantined", topic=topic, quarantined=spell.items)
        self._flooded = self._flooded and len(self._spells) >= MAX_TOPICS

    def _begin(self, item: Unreadable, now: datetime) -> _Spell | None:
        if len(self._spells) >= MAX_TOPICS:
            if not self._flooded:
                self._flooded = True
                _log.warning("too many topics send what is quarantined to name them all", named=MAX_TOPICS, see=LOOK_AT)
            return None
        _log.warning("what this topic sends is quarantined", topic=item.topic, reason=item.reason, see=LOOK_AT)
        spell = self._spells[item.topic] = _Spell(now)
        return spell
