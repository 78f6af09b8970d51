"""Is an antenna well? Judged from what it hears, from its reference tag, and from what the reader says. Pure.

A reader's AntennaEvent is believed until reads contradict it, for it is unreliable on some readers (domain.md, 8). A
reference tag that is silent or 6 dB weaker than commissioned is a fault. Without one, an antenna that heard tags all
the time and hears none any more is `silent`: tags carried away look the same as a cable that came off. A fault begins
at the antenna's last proof of life.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from edge.readers.hearing import Heard, is_epc, mean_rssi_cdbm, nothing_heard
from edge.readers.model import ReferenceSettings
from edge.readers.references import Baseline, Baselines, Learner

SECOND_US: Final = 1_000_000
LOST_US: Final = 5 * SECOND_US
"""Silence of a reference tag that is a fault: a fault is to be in `health` within 10 s, heartbeat included."""
LOST_INTERVALS: Final = 8
"""And at least so many of its own read intervals: by chance it is silent as long once in 3,000 times."""
WEAK_CDB: Final = -600
WELL_CDB: Final = -450
"""A reference tag this much below its commissioning is a fault, until it is back above the second figure."""
RECENT_S: Final = 10
"""Seconds whose reads make an antenna's rate and RSSI."""
LEAST_READS: Final = 5
"""A mean RSSI of fewer reads says nothing: across channels one tag at rest varies by 1.6 dB (domain.md, Radio)."""
STEADY_S: Final = 60
STEADY_LAST_S: Final = 30
STEADY_HEARD_S: Final = 27
"""Without a reference tag silence is suspicious if tags were heard in so many of the last seconds before it."""
DRIFTED_SHARE: Final = 0.7
DRIFT_S: Final = 60
"""A reference tag read this much less often over a minute is told, though it is no fault."""

AntennaState = Literal["ok", "fault", "silent", "unknown"]


@dataclass(frozen=True, slots=True)
class AntennaReport:
    """One antenna as judged."""

    port: int
    state: AntennaState
    reason: str
    since_us: int
    read_rate: float = 0.0
    rssi_cdbm: int | None = None
    reference: str | None = None
    rate_share: float | None = None
    rssi_drift_cdb: int | None = None


@dataclass(frozen=True, slots=True)
class AntennaChange:
    """An antenna's state became another one."""

    port: int
    before: AntennaState
    report: AntennaReport


@dataclass(slots=True)
class _Ear:
    """What one antenna heard, second by second; `tag` is about its reference tag alone."""

    reads: deque[int] = field(default_factory=lambda: deque(maxlen=STEADY_S))
    tag_reads: deque[int] = field(default_factory=lambda: deque(maxlen=DRIFT_S))
    rssi: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=RECENT_S))
    last_us: int | None = None
    tag_last_us: int | None = None
    unplugged_us: int | None = None
    vouched: bool = False
    weak: bool = False
    begun_us: int = 0


class Antennas:
    """The antennas of one reader.

    Args:
        reader: its id, under which baselines are kept.
        ports: antenna ports that are inventoried.
        references: reference tags, at most one a port.
        baselines: what they were like when commissioned; what is learnt goes there.
        now_us: when this object's knowledge begins.
    """

    def __init__(
        self,
        reader: str,
        ports: Sequence[int],
        references: Sequence[ReferenceSettings],
        baselines: Baselines,
        *,
        now_us: int,
    ) -> None:
        self._reader = reader
        self._references = {reference.port: reference.epc for reference in references}
        self._baselines = baselines
        self._ears = {port: _Ear(begun_us=now_us) for port in ports}
        self._learners = {port: Learner() for port in self._references}
        self._away_us: int | None = now_us
        self._full = True
        self._reports = {
            port: AntennaReport(port, "unknown", "its reader is not in session yet", now_us, reference=self._tag(port))
            for port in ports
        }

    def reports(self) -> list[AntennaReport]:
        """Return all antennas as last judged, by port."""
        return [self._reports[port] for port in sorted(self._reports)]

    def connected(self, now_us: int) -> None:
        """Say that a session began: what was heard before it doesn't make this one's silence suspicious."""
        self._away_us = None
        for port in self._ears:
            self._ears[port] = _Ear(begun_us=now_us)
        self._learners = {port: Learner() for port in self._references}

    def lost(self, heard_us: int) -> list[AntennaChange]:
        """Say that the session ended; nothing is known of its antennas since `heard_us`."""
        self._away_us = heard_us
        return self._judge_all(heard_us)

    def replanned(self, *, full: bool, now_us: int) -> None:
        """Say that tags are singulated in another way; only with `full` do tags at rest answer all the time."""
        self._full = full
        for ear in self._ears.values():
            ear.reads.clear()
            ear.tag_reads.clear()
            ear.begun_us = now_us

    def plugged(self, port: int, *, on: bool, proof_us: int) -> None:
        """Take an AntennaEvent; `proof_us` is the reader's last word before it."""
        ear = self._ears.get(port)
        if ear is None:
            return
        ear.vouched = on
        if on:
            ear.unplugged_us = None
        elif ear.unplugged_us is None:
            ear.unplugged_us = max(proof_us, ear.last_us or proof_us)

    def second(self, heard: Heard | None, now_us: int) -> list[AntennaChange]:
        """Take what was heard in the second that ends now; return what became different."""
        for port, ear in self._ears.items():
            self._hear(port, ear, nothing_heard() if heard is None else heard)
        return self._judge_all(now_us)

    def _hear(self, port: int, ear: _Ear, heard: Heard) -> None:
        mine = heard.pick(heard.antenna == port)
        ear.reads.append(int(mine.count.sum()))
        if len(mine):
            ear.last_us = max(int(mine.at_us.max()), ear.last_us or 0)
        if ear.unplugged_us is not None and (ear.last_us or 0) > ear.unplugged_us + SECOND_US:
            ear.unplugged_us = None
        epc = self._references.get(port)
        if epc is not None:
            mine = mine.pick(is_epc(mine, bytes.fromhex(epc)))
            ear.tag_reads.append(int(mine.count.sum()))
            if len(mine):
                ear.tag_last_us = max(int(mine.at_us.max()), ear.tag_last_us or 0)
        rssi_cdbm = mean_rssi_cdbm(mine)
        ear.rssi.append((0, 0) if rssi_cdbm is None else (int(mine.count.sum()), rssi_cdbm))
        if epc is not None and self._full and self._baseline(port) is None:
            self._learn(port, ear, ear.tag_reads[-1], rssi_cdbm)

    def _learn(self, port: int, ear: _Ear, reads: int, rssi_cdbm: int | None) -> None:
        found = self._learners[port].second(reads, rssi_cdbm)
        if found is not None and ear.tag_last_us is not None:
            rate, mean_cdbm = found
            self._baselines.learn(
                Baseline(
                    reader=self._reader,
                    port=port,
                    epc=self._references[port],
                    rate=rate,
                    rssi_cdbm=mean_cdbm,
                    learnt_us=ear.tag_last_us,
                )
            )

    def _judge_all(self, now_us: int) -> list[AntennaChange]:
        changes = []
        for port, ear in self._ears.items():
            before = self._reports[port]
            after = self._reports[port] = self._judge(port, ear, before, now_us)
            if after.state != before.state:
                changes.append(AntennaChange(port, before.state, after))
        return changes

    def _judge(self, port: int, ear: _Ear, before: AntennaReport, now_us: int) -> AntennaReport:
        state, reason, since_us = self._verdict(port, ear, now_us)
        if state == before.state:
            since_us = before.since_us
        rssi_cdbm = _mean(ear)
        baseline = self._baseline(port)
        drift_cdb = None if baseline is None or rssi_cdbm is None else rssi_cdbm - baseline.rssi_cdbm
        share = self._rate_share(ear, baseline)
        if state == "ok" and share is not None and share < DRIFTED_SHARE:
            reason = f"hears its reference tag {100 * (1 - share):.0f} % less often than when it was commissioned"
        recent = list(ear.reads)[-RECENT_S:]
        return AntennaReport(
            port,
            state,
            reason,
            since_us,
            read_rate=round(sum(recent) / max(len(recent), 1), 2),
            rssi_cdbm=rssi_cdbm,
            reference=self._tag(port),
            rate_share=share,
            rssi_drift_cdb=drift_cdb,
        )

    def _verdict(self, port: int, ear: _Ear, now_us: int) -> tuple[AntennaState, str, int]:
        """Return state, reason, and since when if it is another state than before."""
        if self._away_us is not None:
            return "unknown", "its reader is not in session", self._away_us
        if ear.unplugged_us is not None:
            return "fault", "the reader says that nothing is connected: look at cable and connector", ear.unplugged_us
        if port in self._references:
            return self._verdict_by_tag(port, ear, now_us)
        return self._verdict_by_reads(port, ear, now_us)

    def _verdict_by_tag(self, port: int, ear: _Ear, now_us: int) -> tuple[AntennaState, str, int]:
        baseline, epc = self._baseline(port), self._references[port]
        heard_us = ear.begun_us if ear.tag_last_us is None else max(ear.tag_last_us, ear.begun_us)
        patience_us = LOST_US
        if baseline is not None and baseline.rate > 0 and self._full:
            patience_us = max(LOST_US, round(LOST_INTERVALS * SECOND_US / baseline.rate))
        if now_us - heard_us >= patience_us:
            if ear.tag_last_us is None and baseline is None:
                return "fault", f"its reference tag {epc} was never heard: hang it in range or correct it", heard_us
            return "fault", f"its reference tag {epc} is lost: look at cable, connector and tag", heard_us
        if ear.tag_last_us is None:
            return "unknown", f"waits for its reference tag {epc}", ear.begun_us
        mean_cdbm = _mean(ear)
        if baseline is None:
            return "ok", f"its reference tag is being learnt, {100 * self._learners[port].progress:.0f} %", now_us
        if mean_cdbm is not None:
            drift_cdb = mean_cdbm - baseline.rssi_cdbm
            ear.weak = drift_cdb <= (WELL_CDB if ear.weak else WEAK_CDB)
        if ear.weak:
            lost_db = (baseline.rssi_cdbm - (mean_cdbm or baseline.rssi_cdbm)) / 100
            return "fault", f"its reference tag is {lost_db:.1f} dB weaker than when commissioned", ear.tag_last_us
        return "ok", "", now_us

    def _verdict_by_reads(self, port: int, ear: _Ear, now_us: int) -> tuple[AntennaState, str, int]:
        if ear.last_us is None:
            if ear.vouched:
                return "ok", "the reader says that it is connected", now_us
            return "unknown", "it has heard nothing yet and has no reference tag", ear.begun_us
        if self._full and now_us - ear.last_us >= LOST_US and self._was_steady(port, ear, now_us):
            return "silent", "it heard tags all the time and hears none any more: look at cable and tags", ear.last_us
        return "ok", "", now_us

    def _was_steady(self, port: int, ear: _Ear, now_us: int) -> bool:
        """Whether tags were heard all the time before the silence; while it lasts the answer stays."""
        if self._reports[port].state == "silent":
            return True
        silent_s = (now_us - (ear.last_us or now_us)) // SECOND_US
        before = list(ear.reads)[: max(len(ear.reads) - silent_s, 0)]
        return sum(map(bool, before[-STEADY_LAST_S:])) >= STEADY_HEARD_S

    def _rate_share(self, ear: _Ear, baseline: Baseline | None) -> float | None:
        if baseline is None or not self._full or baseline.rate <= 0 or len(ear.tag_reads) < DRIFT_S:
            return None
        return round(sum(ear.tag_reads) / len(ear.tag_reads) / baseline.rate, 2)

    def _baseline(self, port: int) -> Baseline | None:
        epc = self._references.get(port)
        return None if epc is None else self._baselines.get(self._reader, port, epc)

    def _tag(self, port: int) -> str | None:
        return self._references.get(port)


def _mean(ear: _Ear) -> int | None:
    reads = sum(count for count, _ in ear.rssi)
    if reads < LEAST_READS:
        return None
    return round(sum(count * rssi for count, rssi in ear.rssi) / reads)
