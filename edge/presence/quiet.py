"""Is a doorway quiet? From passages that are open, doors, beams, and how long ago something stirred. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple

from edge.contracts import SensorRow


class DoorSensor(NamedTuple):
    """What an input tells of a doorway, and its level while the door is open or the beam is broken."""

    portal: str
    kind: Literal["door", "beam"]
    active_high: bool


class Quiet:
    """The doorways of a gateway.

    Args:
        sensors: door contacts and beams, by device and input.
        now_us: host time; before it nobody looked, so all doorways count as stirred now.
    """

    def __init__(self, sensors: Mapping[tuple[str, int], DoorSensor], *, now_us: int) -> None:
        self._sensors = sensors
        self._begun_us = now_us
        self._stirred_us: dict[str, int] = {}
        self._passages: dict[str, str] = {}
        self._active: dict[tuple[str, int], str] = {}

    def sense(self, row: SensorRow, now_us: int) -> str | None:
        """Take a change of an input; return the doorway where it says that somebody is, if it does."""
        sensor = self._sensors.get((row.reader, row.gpi))
        if sensor is None:
            return None
        key, stirs = (row.reader, row.gpi), row.state == sensor.active_high
        was = self._active.pop(key, None) is not None
        if stirs:
            self._active[key] = sensor.portal
        if stirs or was:
            self._stirred_us[sensor.portal] = now_us
        return sensor.portal if stirs else None

    def passages(self, opened: Iterable[tuple[str, str]], closed: Iterable[str], now_us: int) -> set[str]:
        """Take passages (id, portal) that are open, and those that ended; return the doorways where one is open."""
        stirring = set()
        for passage, portal in opened:
            self._passages[passage] = portal
            self._stirred_us[portal] = now_us
            stirring.add(portal)
        for passage in closed:
            ended = self._passages.pop(passage, None)
            if ended is not None:
                self._stirred_us[ended] = now_us
        return stirring

    def is_quiet(self, portals: Collection[str], for_us: int, now_us: int) -> bool:
        """Tell whether doorways are shut, nothing moves there, and nothing has for so long."""
        if any(portal in portals for portal in (*self._active.values(), *self._passages.values())):
            return False
        stirred_us = max((self._stirred_us.get(portal, self._begun_us) for portal in portals), default=now_us - for_us)
        return stirred_us + for_us <= now_us or stirred_us > now_us
