"""Watermarks: what is committed, promised to each gateway after each commit and again every two seconds."""

import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final, cast

from central.application.metrics import Metrics
from central.application.ports import Log
from central.application.records import StreamKey
from central.domain.position import Position
from central.ingest.link import Link
from edge.contracts import Stream, StreamMark, Watermark, encode, topic
from edge.contracts.topics import WATERMARK

SESSION_BYTES: Final = 8


class Promises:
    """The watermarks of the gateways that we serve, each in the session that the newest (re)connect or lease opened."""

    def __init__(self, link: Link, log: Log, metrics: Metrics, now: Callable[[], datetime]) -> None:
        self._link, self._log, self._metrics, self._now = link, log, metrics, now
        self._sessions: dict[str, str] = {}
        self._served: Callable[[str], bool] = lambda _: True
        self._closed: set[str] = set()
        self._sites: Mapping[str, str] = {}
        self._marks: dict[StreamKey, Position] = {}
        self._settled: dict[StreamKey, Position] | None = None
        """What commits settled while the database is read: that may be older, and is never published after it."""

    def new_session(self) -> None:
        """Open a session: every edge sends again from its watermark."""
        self._sessions.clear()
        self._closed.clear()

    def serve(self, served: Callable[[str], bool]) -> None:
        """Promise to these gateways only: others are another worker's."""
        self._served = served

    def close(self, gateways: Collection[str]) -> None:
        """Promise these nothing until their session opens: what they would send at once, nobody would hear yet."""
        self._closed |= set(gateways)

    def open(self, gateways: Collection[str]) -> None:
        """Open a session of these gateways."""
        self._closed -= set(gateways)
        for gateway in gateways:
            self._sessions.pop(gateway, None)

    async def repeat(self) -> None:
        """Publish every gateway's watermark as the database has it, so that a restored one is told true."""
        self._settled = {}
        try:
            self._sites = (await self._log.registry()).sites
            self._marks = await self._log.marks()
            self._mark(self._settled)
        finally:
            self._settled = None
        for gateway in self._sites:
            self._publish(gateway)

    def advance(self, positions: Mapping[StreamKey, Position]) -> None:
        """Publish what a commit settled, right after it."""
        if self._settled is not None:
            self._settled |= positions
        self._mark(positions)
        for gateway in {key.gateway for key in positions}:
            self._publish(gateway)

    def _mark(self, positions: Mapping[StreamKey, Position]) -> None:
        for key, position in positions.items():
            for other in [one for one in self._marks if one[:2] == key[:2]]:
                del self._marks[other]
            self._marks[key] = position

    def _publish(self, gateway: str) -> None:
        site = self._sites.get(gateway)
        if site is None or gateway in self._closed or not self._served(gateway):
            return  # registered a moment ago, so that the next repetition knows its site; or not ours
        session = self._sessions.get(gateway)
        if session is None:
            session = self._sessions[gateway] = secrets.token_hex(SESSION_BYTES)
        streams = {
            cast("Stream", key.stream): StreamMark(
                epoch=key.epoch, upto=position.upto, above=[list(span) for span in position.above]
            )
            for key, position in self._marks.items()
            if key.gateway == gateway
        }
        now = self._now().isoformat(timespec="microseconds").replace("+00:00", "Z")
        mark = Watermark(session=session, now=now, streams=streams)
        self._link.publish(topic(site, gateway, WATERMARK), encode(mark))
        self._metrics.watermarks.inc()
