"""Which pair of ours a connection is made with, what became of its successor, and when it runs out.

A pair that works isn't left for one that doesn't.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.uplink.errors import UplinkSettingsError
from edge.uplink.own_certificate import DAY_S, KeptPair, Pair, holds, read_pair, tls_context, untimely
from edge.uplink.settings import UplinkSettings

# Whoever renews writes two files, one after the other, and expects to see the new one in use soon.
LOOK_S: Final = 2.0
# The broker may learn to know the new authority after we have got its certificate; an hour is soon enough for that.
RETRY_FIRST_S: Final = 60.0
RETRY_MAX_S: Final = 3_600.0
# ACME clients renew 30 days before the end of 90: who is told at 14 has had two weeks of failures.
WARN_DAYS: Final = 14.0
TELL_AGAIN_S: Final = 86_400.0
MEND: Final = "see that the broker's authority has issued it, or put the old files back"
SWAPPED: Final = f"the certificate was swapped just before, and no connection was made with the new one yet: {MEND}"

Stamp = tuple[tuple[int, int, int], ...]
"""What shows that a file was replaced: time of change, size and place, for each file; empty where one is missing."""
Used = tuple[Pair | None, bytes]
"""What a connection is made with: our pair, and whom we believe."""


@dataclass(slots=True)
class CertificateWatch:
    """Gives the pair to dial with, and the pair to try beside the connection that stands.

    Attributes:
        kept: the last pair over which a connection stood.
        days_left: of the certificate in use, below 0 once it has run out; None without one.
        problem: why the pair that lies in our files isn't used; empty where it is.
    """

    settings: UplinkSettings
    now_s: Callable[[], float]
    now_us: Callable[[], int]
    log: FilteringBoundLogger
    kept: KeptPair = field(default_factory=KeptPair)
    days_left: float | None = None
    problem: str = ""
    _dialled: Used = (None, b"")
    _old_next: bool = False
    _fell_back: bool = False  # what was dialled last isn't what lies in our files
    _found: Stamp = ()  # of the files that are looked at, or were last
    _settled: bool = False  # nothing is to be done about them: they are in use, or will never do
    _fits: bool = False  # the certificate and its key, which costs a look at everybody we believe
    _left: bool = False  # the connection was left for them
    _due_s: float = float("-inf")
    _failures: int = 0
    _looked_s: float = float("-inf")
    _told_s: float = float("-inf")

    @property
    def untried(self) -> bool:
        """Whether what was dialled last is another pair than the last over which a connection stood."""
        kept = self.kept.pair(self.settings)
        return kept is not None and self._dialled[0] != kept

    def to_dial(self) -> Pair | None:
        """Return what to dial with: what lies in our files, in turns with the last pair that worked where they differ.

        Raises:
            UplinkSettingsError: the files can't be used and nothing else is known.
        """
        if self.settings.certificate_file is None:
            return None
        kept, problem, found = self.kept.pair(self.settings), "", None
        try:
            found = read_pair(self.settings)
            if kept is not None and found != kept:
                self._fits = False
                problem = self._unusable(found)
        except UplinkSettingsError as error:
            if kept is None:
                raise
            problem = str(error)
        self._fell_back = False
        if kept is not None and found != kept:
            self._fell_back, self._old_next = bool(problem) or self._old_next, not self._old_next
            found = kept if self._fell_back else found
        self._dialled = found, self._believed()
        self._note_days(found)
        return found

    def stood(self) -> None:
        """Take it that a connection stands with what was dialled."""
        left, self._left = self._left, False
        self._old_next = self._fell_back
        if left and self._fell_back:
            self.tried("it did beside the connection before, but not in its place")
        elif not self._fell_back:
            self._used()
        self.kept.keep(self.settings, self._dialled[0])
        self._looked_s = self.now_s()

    def candidate(self) -> Pair | None:
        """Return what lies in our files, if it isn't what is in use, can be used, and is due to be tried; cheap."""
        if self.settings.certificate_file is None or self.now_s() - self._looked_s < LOOK_S:
            return None
        self._looked_s = self.now_s()
        self._note_days(self._dialled[0])
        stamp = self._stamp()
        if stamp != self._found:
            self._found, self._settled, self._fits, self._due_s, self._failures = stamp, False, False, float("-inf"), 0
        if self._settled or self.now_s() < self._due_s:
            return None
        try:
            found = read_pair(self.settings)
            if (found, self._believed()) == self._dialled:
                self._settle("")
                return None
            problem = self._unusable(found)
        except UplinkSettingsError as error:
            self._settle(str(error))
            return None
        if problem:
            self._tell(problem)
            return None
        return found

    def tried(self, problem: str) -> bool:
        """Take how the broker took the candidate; tell whether to come back with it."""
        if not problem:
            self._old_next, self._left, self.problem = False, True, ""
            return True
        self._due_s = self.now_s() + min(RETRY_FIRST_S * 2.0**self._failures, RETRY_MAX_S)
        self._failures, self._old_next = min(self._failures + 1, 16), True
        file = self.settings.certificate_file
        self._tell(f"no connection can be made with certificate_file {file}: {problem}; {MEND}")
        return False

    def _unusable(self, pair: Pair | None) -> str:
        """Say why a pair must wait; one that never will do raises `UplinkSettingsError`."""
        if not self._fits:
            tls_context(self.settings, pair)
            self._fits = True
        text = b"" if pair is None else pair.certificate
        return untimely(text, self.settings.certificate_file, self.now_us())

    def _settle(self, problem: str) -> None:
        self._settled = True
        if problem:
            self._tell(problem)
        else:
            self._used()

    def _used(self) -> None:
        if self.problem:
            self.problem = ""
            self.log.info("the certificate that lies in our files is in use")

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self.log.warning("new certificate can't be used: the connection stays as it is", problem=problem)

    def _note_days(self, pair: Pair | None) -> None:
        if pair is None:
            return
        try:
            ends = holds(pair.certificate, self.settings.certificate_file)[1]
        except UplinkSettingsError:
            return  # told where it is loaded
        left = ends - datetime.fromtimestamp(self.now_us() / 1e6, UTC)
        self.days_left = left.total_seconds() / DAY_S
        if self.days_left < WARN_DAYS and self.now_s() - self._told_s >= TELL_AGAIN_S:
            self._told_s = self.now_s()
            self.log.warning(
                "certificate for the broker runs out: put a new certificate and key in the place of the old files",
                days_left=round(self.days_left, 1),
                file=str(self.settings.certificate_file),
            )

    def _believed(self) -> bytes:
        try:
            return b"" if self.settings.ca_file is None else self.settings.ca_file.read_bytes()
        except OSError:
            return b""  # told where it is loaded

    def _stamp(self) -> Stamp:
        files = (self.settings.certificate_file, self.settings.key_file, self.settings.ca_file)
        try:
            seen = [path.stat() for path in files if path is not None]
        except OSError:
            return ()
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in seen)
