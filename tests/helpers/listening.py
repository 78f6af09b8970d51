"""Presence rows as zones and handhelds send them, and the perpetual count over a test's store."""

from datetime import timedelta

from central.application.presence import fold_due
from central.storage.presence import PgPresence
from edge.contracts import PresenceAntenna, PresenceRow, PresenceTag
from tests.helpers.central import START, wire


def presence(
    seq, tags, *, zone="stockroom-a", mode="sweep", after_h=0.0, minutes=20, up=1.0, part=(1, 1), complete=True
):
    """One presence row that begins `after_h` hours after START; tags are heard five minutes in."""
    start = START + timedelta(hours=after_h)
    end = start + timedelta(minutes=minutes)
    heard = [
        PresenceTag(epc=tag, reads=5, best_rssi_cdbm=-5500, last_at=wire(start + timedelta(minutes=min(5, minutes))))
        for tag in tags
    ]
    antenna = PresenceAntenna(reader="r9", port=1, up_s=60.0 * minutes * up, rounds=100, reads=5 * len(tags))
    return PresenceRow(
        seq=seq, span=[wire(start), wire(end)], zone=zone, mode=mode, antennas=[antenna], tags=heard, part=list(part),
        complete=complete,
    )  # fmt: skip


async def hear(one, *rows, after_h, gateway="hq-east-1"):
    """Commit presence rows, and fold and count what is due `after_h` hours after START."""
    now = START + timedelta(hours=after_h)
    done = await one.take(*rows, stream="presence", gateway=gateway, now=now)
    assert not done.refused, done.refused
    return await count(one, after_h=after_h)


async def count(one, *, after_h):
    """Fold and count what is due, until nothing is."""
    now = START + timedelta(hours=after_h)
    counted, store = [], PgPresence(one.database, one.log)
    while due := await fold_due(store, lambda: now):
        counted += due
        assert len(counted) < 100, "counting goes on for ever"
    return counted
