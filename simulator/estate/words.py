"""Births, wills and heartbeats: what a gateway says of its doors and of itself."""

from collections.abc import Iterator

from edge.contracts import (
    MAX_GAPS,
    CoverageGap,
    Health,
    PortalBirth,
    PortalHealth,
    ReaderBirth,
    ReaderHealth,
    State,
    encode,
    instant,
)
from simulator.estate.truth import Truth, within
from simulator.estate.values import HOUR, SECOND, Word
from simulator.estate.world import Opening

HEARTBEAT_US = 6 * HOUR
"""Apart from changes: an agent's own is every few seconds, and only the newest counts."""
NOTICED_US = 10 * SECOND
WILL_US = 20 * SECOND
BOOT = "boot-1"
CONTENT = list[tuple[int, str, bytes]]


class Speech:
    """One gateway's words; what it says without network is lost, and said again afterwards."""

    def __init__(self, truth: Truth, gateway: str, site: str) -> None:
        self._truth, self._gateway, self._site = truth, gateway, site
        self._portals = [one for one in truth.world.portals if one.gateway == gateway]
        self._offline = truth.offline.get(gateway, [])

    def words(self) -> Iterator[Word]:
        """Yield all words in order."""
        said: CONTENT = [(self._truth.start_us, "state", self._state(online=True))]
        for low, high in self._offline:
            said.append((low + WILL_US, "state", self._state(online=False)))
            said.append((high + SECOND, "state", self._state(online=True)))
        beats = set(range(self._truth.start_us + SECOND, self._truth.end_us, HEARTBEAT_US))
        beats |= {high + 2 * SECOND for _, high in self._offline}
        for portal in self._portals:
            beats |= {at_us + NOTICED_US for span in self._truth.down.get(portal.id, ()) for at_us in span}
        said += [(at_us, "health", self._health(at_us)) for at_us in beats if within(self._offline, at_us) is None]
        for at_us, channel, payload in sorted(said):
            if at_us < self._truth.end_us:
                yield Word(at_us, self._site, self._gateway, channel, payload)

    def _state(self, *, online: bool) -> bytes:
        births = [
            PortalBirth(id=one.id, inside=one.inside, outside=one.outside, layout="two-sided") for one in self._portals
        ]
        readers = [ReaderBirth(id="r1")]
        if not online:
            return encode(State(online=False, boot=BOOT, version="1"))
        return encode(State(online=True, boot=BOOT, version="1", portals=births, readers=readers))

    def _health(self, at_us: int) -> bytes:
        gaps = sorted((low, high, one.id) for one in self._portals for low, high in self._truth.down.get(one.id, ()))
        told = [
            CoverageGap(
                portal=portal, state="dark", from_=instant(low), to=instant(high) if high <= at_us else None,
                reason="its reader is lost",
            )
            for low, high, portal in gaps
            if low <= at_us
        ]  # fmt: skip
        portals = [self._portal(one, at_us) for one in self._portals]
        lost = all(one.state == "dark" for one in portals)
        reader = ReaderHealth(id="r1", state="lost" if lost else "connected", reads=0)
        up_s = (at_us - self._truth.start_us) / SECOND
        return encode(Health(
            gateway=self._gateway, boot=BOOT, at=instant(at_us), uptime_s=up_s, uplink="live", readers=[reader],
            streams=[], portals=portals, gaps=told[-MAX_GAPS:],
        ))  # fmt: skip

    def _portal(self, portal: Opening, at_us: int) -> PortalHealth:
        spans = self._truth.down.get(portal.id, [])
        now = within(spans, at_us)
        if now is not None:
            return PortalHealth(id=portal.id, state="dark", since=instant(now[0]), reason="its reader is lost")
        ended = [high for _, high in spans if high <= at_us]
        return PortalHealth(id=portal.id, state="watching", since=instant(max(ended, default=self._truth.start_us)))
