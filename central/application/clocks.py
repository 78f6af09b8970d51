"""Gateways whose clock is ahead: nothing has happened yet that is still to come."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import structs

from central.application.ports import Notice
from central.application.records import Incoming, Movement

TOLERATED: Final = timedelta(seconds=10)
"""Clocks that are kept differ by less, and ours may be the one that is behind."""
_MINUTE: Final = timedelta(minutes=1)


def dated(rows: Iterable[Incoming], now: datetime) -> tuple[list[Incoming], dict[str, Notice]]:
    """Return rows, movements from the future dated when they came, and what is to be said of gateways by key.

    Its gateway has no right time, whatever it says: the row is ordered as one of a host that isn't synchronised. What
    it told stands in `crossed_at`, `started_at` and `ended_at`; by them the rebuild knows it again.
    """
    latest = now + TOLERATED
    found: list[Incoming] = []
    ahead: dict[str, timedelta] = {}
    for row in rows:
        record = row.record
        if isinstance(record, Movement) and record.at > latest:
            found.append(structs.replace(row, record=structs.replace(record, at=now, synced=False)))
            if record.synced:
                ahead[row.key.gateway] = max(ahead.get(row.key.gateway, TOLERATED), record.at - now)
        else:
            found.append(row)
    notices = [_notice(gateway, by) for gateway, by in sorted(ahead.items())]
    return found, {one.key: one for one in notices}


def _notice(gateway: str, by: timedelta) -> Notice:
    minutes = round(by / _MINUTE)
    much = "less than a minute" if by < _MINUTE else f"about {minutes} {'minute' if minutes == 1 else 'minutes'}"
    reason = (
        f"Its clock is {much} ahead of ours: what its doors tell is held to have happened when it came. "
        "Set the clock that is wrong."
    )
    return Notice(f"clock/{gateway}", "gateway_clock", "low", gateway, reason)
