"""Reads of shelves, as counting is fed with them, and the health of who brings them."""

import numpy as np

from edge.contracts import AntennaHealth, ReaderHealth, instant
from edge.llrp.reports import empty_batch
from edge.presence import Antenna, Place, Presence, PresenceSettings

NOON_US = 1_900_000_800_000_000
"""A full hour."""
SECOND_US = 1_000_000
SHELF = Place("shelf", "zone", (Antenna("r1", 1), Antenna("r1", 2)))
RACK = Place("rack", "zone", (Antenna("r2", 1),))


def batch(rows):
    """A batch of (epc, port, rssi_cdbm, reader time, count)."""
    made = empty_batch(len(rows))
    made.epc[:] = 0
    for at, (epc, port, rssi_cdbm, reader_us, count) in enumerate(rows):
        made.epc[at, : len(epc)] = np.frombuffer(epc, np.uint8)
        made.epc_bits[at] = 8 * len(epc)
        made.antenna[at], made.rssi_cdbm[at], made.last_us[at], made.seen_count[at] = port, rssi_cdbm, reader_us, count
    return made


def reader(name="r1", state="connected", *, since_us=0, faults=(), busy_us=None):
    """A reader's health; `faults` are (port, since)."""
    return ReaderHealth(
        id=name,
        state=state,
        reads=0,
        since=instant(since_us),
        busy_since=None if busy_us is None else instant(busy_us),
        antennas=[AntennaHealth(port=port, state="fault", since=instant(at_us)) for port, at_us in faults],
    )


def counted(*places, **knobs):
    """Counting of some places, two by default."""
    given = {key: knobs.pop(key) for key in ("foreign", "told") if key in knobs}
    return Presence(PresenceSettings(places=places or (SHELF, RACK), **knobs), **given)


def hear(presence, rows, *, name="r1", arrival_us, offset_us=0, source="reader"):
    """Feed one batch."""
    presence.take(name, batch(rows), arrival_us=arrival_us, source=source, offset_us=offset_us)


def look(presence, now_us, *readers, asks_all=None, synced=True):
    """Look once; return the rows."""
    news = presence.look(now_us, readers or (reader("r1"), reader("r2")), asks_all or {}, synced=synced)
    return [] if news is None else news.rows


def pass_time(presence, from_us, to_us, *readers, step_us=SECOND_US // 2, **how):
    """Look twice a second; return all rows."""
    readers = readers or (reader("r1"), reader("r2"))
    return [row for now_us in range(from_us, to_us + 1, step_us) for row in look(presence, now_us, *readers, **how)]
