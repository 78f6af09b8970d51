"""Zebra IoT Connector of fixed readers: payload bytes in, values out; and what its event numbers say was lost.

An event is `{type, timestamp, data: {eventNum, format, idHex, antenna, peakRssi, …}}`; a message holds one, an array,
or several one after the other. Phase and channel come only where each read is reported; elsewhere `reads` counts what
one event stands for and `peakRssi` is the loudest of them.
"""

from typing import Final

from edge.readers.errors import MalformedError
from edge.readers.sightings import Sighting
from edge.readers.smart.documents import Event, epc_hex, instant_us, number, parse, section, text, whole
from edge.readers.smart.model import Parsed

MOST_TURNS_DEG: Final = 36_000
KHZ: Final = 1000


def read(payload: bytes) -> Parsed:
    """Return what a payload brought; never raises."""
    return parse(payload, _take)


def _take(event: Event, parsed: Parsed) -> None:
    data = section(event, "data")
    if data is None or text(data, "idHex") is None:
        parsed.others += 1
        return
    # A number belongs to the sequence even where the rest of its event can't be read.
    event_number = whole(data, "eventNum", 0, 2**53)
    if event_number is not None:
        parsed.numbers.append(event_number)
    parsed.sightings.append(_sighting(event, data))


def _sighting(event: Event, data: Event) -> Sighting:
    if (words := text(data, "idHex")) is None:
        raise MalformedError("a tag has no idHex")
    channel_mhz = number(data, "channel", 1, 10_000)
    rssi_dbm = number(data, "peakRssi", -300, 300)
    return Sighting(
        epc_hex(words, "idHex"),
        antenna=whole(data, "antenna", 1, 65535) or 0,
        rssi_cdbm=None if rssi_dbm is None else round(rssi_dbm * 100),
        phase_deg=number(data, "phase", -MOST_TURNS_DEG, MOST_TURNS_DEG),
        frequency_khz=None if channel_mhz is None else round(channel_mhz * KHZ),
        last_us=instant_us(event, "timestamp"),
        reads=min(whole(data, "reads", 1, 2**31) or 1, 65535),
    )


class EventNumbers:
    """One reader's running event numbers: each gap is events that were lost."""

    def __init__(self) -> None:
        self._last: int | None = None
        self.restarts = 0
        """How often the numbers began anew: the reader was started again, and what that cost it can't say."""

    def missed(self, numbers: list[int]) -> int:
        """Return how many events are missing before and between these; a number that comes twice misses nothing."""
        missing = 0
        for event_number in numbers:
            if self._last is not None and event_number > self._last:
                missing += event_number - self._last - 1
            elif self._last is not None and event_number < self._last:
                self.restarts += 1
            self._last = event_number
        return missing
