"""The engine of the twin: `advance`, `sweep`, and all that finds room, begins, judges and ends visits."""

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.plain.reads import Read, strength
from edge.windows.plain.tag import Tag, relive
from edge.windows.plain.visit import Visit, silence_us
from edge.windows.snapshot import Snapshot


class PlainEngine:
    """The engine without numba."""

    def __init__(self, knobs: NDArray[np.int64], max_tags: int, max_visits: int = L.VISITS) -> None:
        self._knobs: list[list[int]] = knobs.tolist()
        self._max_tags = max_tags
        self._max_visits = min(max_visits, max_tags)
        self._slots: list[Tag] = []
        self._places: dict[tuple[int, bytes], int] = {}
        self._open: dict[tuple[int, bytes], Tag] = {}
        self._hand = 0
        self._began_us = 0
        self._records: list[Snapshot] = []
        self.evicted = 0
        self.quiet = 0

    def known(self, since_us: int) -> int:
        """Count the pairs whose level at rest is known and that were heard since an instant."""
        return sum(tag.base != L.NO_BASE and tag.last_us >= since_us for tag in self._slots)

    def advance(self, cols: NDArray[np.int64], keys: NDArray[np.uint8]) -> list[Snapshot]:
        """Take reads in event order."""
        for row, key in zip(cols.tolist(), keys, strict=True):
            at_us, first_us, portal, antenna, length, rssi, phase, channel, count = row
            read = Read(at_us, antenna, rssi, phase, channel, count)
            self._read(portal, key[:length].tobytes(), first_us, read)
        return self._drain()

    def sweep(self, before_us: int, *, flush: bool = False) -> list[Snapshot]:
        """End visits by the silence behind them."""
        for tag in list(self._open.values()):
            if tag.visit and (flush or tag.visit.due_us < before_us):
                self._end(tag, tag.visit, L.FLUSHED if flush else L.LEFT, tag.visit.due_us)
        return self._drain()

    def _drain(self) -> list[Snapshot]:
        records, self._records = self._records, []
        return records

    def _read(self, portal: int, epc: bytes, first_us: int, read: Read) -> None:
        knobs = self._knobs[portal]
        if len(self._open) == self._max_visits:
            self._end_due(read.at_us)
        tag = self._tag(portal, epc, read.at_us)
        if tag.visit and read.at_us > tag.visit.due_us:
            self._end(tag, tag.visit, L.LEFT, tag.visit.due_us)
        if not tag.visit and not 0 <= read.at_us - tag.last_us <= knobs[L.K_FORGET_US]:
            tag.forget(read.at_us)
        interval_us, apart_us = tag.interval_us, tag.note_time(read.at_us)
        read = read._replace(at_us=tag.last_us)
        soon = tag.too_soon(read)
        pair = tag.weigh(read) if read.phase >= 0 else None
        if pair:
            tag.stir = min(L.STIR_UTMOST, max(L.STIR_LEAST, tag.stir + strength(pair.change)))
        far = not soon and read.rssi != L.NO_RSSI and tag.follow_level(read.antenna, read.rssi, knobs[L.K_MOTION_CDB])
        calm = strength(pair.change) < 0 if pair else not far
        far = far and not tag.calm  # one read that is far off may be a mistake, two in a row are none
        if not soon:
            tag.calm = min(L.ENOUGH_CALM, tag.calm + 1) if calm else 0
        away = apart_us > max(knobs[L.K_GAP_US], L.ABSENT_INTERVALS * interval_us)
        if tag.resting and tag.stir <= L.WAKE and not away and (calm or not far):
            tag.remember(read)
            return
        visit = tag.visit or self._begin(tag, min(read.at_us, first_us), read.at_us)
        visit.note(read, pair, knobs)
        self._judge(tag, visit)

    def _begin(self, tag: Tag, first_us: int, at_us: int) -> Visit:
        """Open a visit; a tag that was at rest brings its last reads, as far as they are young enough."""
        self._make_room(at_us)
        reads = [read for read in tag.ring if tag.resting and at_us - read.at_us <= L.RING_US]
        tag.ring.clear()
        tag.resting = False
        if reads:
            first_us = at_us = reads[0].at_us
        visit = tag.visit = Visit(first_us, at_us, at_us, at_us, at_us, at_us)
        self._began_us = self._began_us or max(at_us, 1)
        visit.earliest = at_us - self._began_us < L.BOOT_US
        visit.known_s = (at_us // L.SECOND_US - tag.since_us // L.SECOND_US) & L.SECONDS
        self._open[tag.portal, tag.epc] = tag
        for k, read in enumerate(reads):
            visit.note(read, relive(reads, k), self._knobs[tag.portal])
        return visit

    def _make_room(self, at_us: int) -> None:
        if len(self._open) < self._max_visits:
            return
        self.evicted += 1
        quiet = min(self._open.values(), key=self._keep)
        assert quiet.visit  # noqa: S101 (it is open)
        self._end(quiet, quiet.visit, L.EVICTED, at_us)

    def _keep(self, tag: Tag) -> tuple[int, int]:
        """Return what the quietest visit has least of: when it was heard last, later for one of many reads."""
        many = tag.visit is not None and tag.visit.reports >= L.KEPT_READS
        return tag.last_us + (L.KEEP_US if many else 0), self._places[tag.portal, tag.epc]

    def _end_due(self, before_us: int) -> None:
        for tag in list(self._open.values()):
            if tag.visit and tag.visit.due_us < before_us:
                self._end(tag, tag.visit, L.LEFT, tag.visit.due_us)

    def _tag(self, portal: int, epc: bytes, at_us: int) -> Tag:
        place = self._places.get((portal, epc))
        if place is None:
            tag = Tag(portal, epc, at_us, at_us)
            place = len(self._slots)
            if place < self._max_tags:
                self._slots.append(tag)
            else:
                place = self._evict(at_us)
                self._slots[place] = tag
            self._places[portal, epc] = place
        return self._slots[place]

    def _evict(self, at_us: int) -> int:
        sample = [(self._hand + k) % self._max_tags for k in range(min(L.SAMPLE, self._max_tags))]
        place = min(sample, key=lambda k: self._slots[k].last_us)
        self._hand = (self._hand + L.SAMPLE) % self._max_tags
        self.evicted += 1
        tag = self._slots[place]
        if tag.visit:
            self._end(tag, tag.visit, L.EVICTED, at_us)
        del self._places[tag.portal, tag.epc]
        return place

    def _judge(self, tag: Tag, visit: Visit) -> None:
        knobs = self._knobs[tag.portal]
        if knobs[L.K_SINGLE]:
            if min(visit.top, visit.slow) - visit.valley >= knobs[L.K_VALLEY]:
                self._end(tag, visit, L.VALLEY, visit.now_us)
                return
        elif visit.wants_candidate(tag.base):
            visit.candidates += 1
            visit.candidate_us = visit.now_us
            self._emit(tag, visit, L.CANDIDATE, visit.now_us)
        visit.roll_window(knobs[L.K_MOTION_STEPS], knobs[L.K_MOTION_CDB])
        if visit.settled(knobs[L.K_SETTLE_US], knobs[L.K_PARK_US], tag.base, single=bool(knobs[L.K_SINGLE])):
            self._end(tag, visit, L.SETTLED, visit.now_us)
            return
        visit.due_us = visit.now_us + silence_us(visit, knobs)

    def _end(self, tag: Tag, visit: Visit, why: int, at_us: int) -> None:
        knobs = self._knobs[tag.portal]
        single = bool(knobs[L.K_SINGLE])
        if visit.window_moves(knobs[L.K_MOTION_STEPS], knobs[L.K_MOTION_CDB]):
            visit.moved += 1
        if single and visit.range >= knobs[L.K_RISE]:
            visit.moved += 1
        told = visit.tells(why, knobs[L.K_MIN_REPORTS], tag.base, single=single)
        if told:
            self._emit(tag, visit, why, at_us)
        else:
            self.quiet += 1
        if not visit.moved or why == L.SETTLED:
            tag.rest(visit)
        still = why == L.SETTLED or (not told and (tag.stir <= L.STIR_STILL or tag.calm >= L.ENOUGH_CALM))
        if still:
            tag.stir = min(tag.stir, L.STIR_STILL)
        tag.resting = still and not single and why != L.FLUSHED
        tag.visit = None
        del self._open[tag.portal, tag.epc]

    def _emit(self, tag: Tag, visit: Visit, why: int, at_us: int) -> None:
        one, two = visit.sides
        head = [
            0, tag.portal, visit.start_us, visit.now_us, visit.reads, visit.reports, visit.bin0_us,
            visit.still_us, visit.window_us, visit.window_sum, visit.window_pairs, visit.moved, visit.lead,
            visit.flips, visit.candidates, visit.candidate_us, visit.known_s, visit.peak, visit.interval_us, tag.base,
            one.smooth, two.smooth, one.heard_us, two.heard_us, one.count, two.count, visit.valley, visit.top,
            visit.slow, len(tag.epc), visit.stir, visit.stir_top, visit.range, visit.window_peak, visit.loud_us,
            one.low, two.low, one.high, two.high, len(visit.log), int(visit.earliest),
        ]  # fmt: skip
        self._records.append(
            Snapshot(
                why,
                at_us,
                tag.epc,
                np.array(head, np.int64),
                np.array([antenna.row() for antenna in visit.antennas], np.int64),
                np.array(visit.log, np.int32).reshape(-1, L.LOG),
            )
        )
