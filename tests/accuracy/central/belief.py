"""What the central, and two naive peers, believe of each asset's place, and what is true, hour by hour."""

import numpy as np

OUTSIDE = "outside"
"""All streets are one here: nobody can tell on which one a van is."""


class Beliefs:
    """Places by asset as numbers: one array a believer, and the changes of the central's in order."""

    def __init__(self, estate) -> None:
        world = estate.truth.world
        self._names = {place: OUTSIDE if world.is_outside(place) else place for place in world.places}
        self._numbers = {name: index for index, name in enumerate(sorted(set(self._names.values())))}
        self.index = {asset: index for index, asset in enumerate(estate.assets)}
        start = np.array([self.number(one.start) for one in estate.assets.values()], np.int16)
        self.true, self.ours, self.last, self.never = start.copy(), start.copy(), start.copy(), start.copy()
        self.unsure = np.zeros(len(start), bool)
        self._last_at = np.zeros(len(start), np.int64)
        self.changes = {}
        self._moves = sorted(
            (at, asset, place) for asset, stays in estate.truth.stays.items() for at, place in stays[1:]
        )
        self._next = 0

    def number(self, place):
        """A place's number; None, a place that nobody knows, has its own."""
        return -1 if place is None else self._numbers[self._names[place]]

    def let_pass(self, now_us):
        """Bring the truth up to an instant."""
        while self._next < len(self._moves) and self._moves[self._next][0] <= now_us:
            _, asset, place = self._moves[self._next]
            self.true[self.index[asset]] = self.number(place)
            self._next += 1

    def tell(self, rows, now_us):
        """Take (asset, place, certain) as the central has them now."""
        for asset, place, certain in rows:
            index, number = self.index[asset], self.number(place)
            if number != self.ours[index] or certain == self.unsure[index]:
                self.ours[index], self.unsure[index] = number, not certain
                self.changes.setdefault(asset, []).append((now_us, number, certain))

    def last_portal(self, asset, at_us, place):
        """The peer that trusts the newest crossing: it is told of one."""
        index = self.index[asset]
        if at_us >= self._last_at[index]:
            self._last_at[index], self.last[index] = at_us, self.number(place)

    def at(self, asset, at_us, start):
        """(place, certain) that the central believed at an instant."""
        found = (start, True)
        for since, place, certain in self.changes.get(asset, ()):
            if since > at_us:
                break
            found = (place, certain)
        return found
