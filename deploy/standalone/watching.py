"""One look after another at a running stack: processes first, then figures, then whether they stand still."""

import time
from collections.abc import Callable

from deploy.standalone.central_client import CentralClient, Snapshot
from deploy.standalone.errors import NoAnswerError
from deploy.standalone.stack import Stack
from deploy.standalone.stuck import StuckBroker
from deploy.standalone.view import View

# A central service that starts again answers within seconds, on a slow machine within a minute.
SILENCE_S = 120.0


class Watch:
    """Looks after a stack; a central service that is silent for a while is told, not fatal."""

    def __init__(
        self, stack: Stack, client: CentralClient, view: View, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stack = stack
        self._client = client
        self._view = view
        self._clock = clock
        self._stuck = StuckBroker()
        self._silent_since_s: float | None = None
        self._pending = 0

    def look(self) -> Snapshot | None:
        """Start again what has died, and show the figures; None while the central service is silent.

        Raises:
            StandaloneError: a process dies again and again, or the central service is silent for too long.
        """
        self._stack.tell_space(self._pending)
        self._stack.check()
        try:
            snapshot = self._client.snapshot()
        except NoAnswerError as error:
            self._note_silence(error)
            return None
        if self._silent_since_s is not None:
            self._silent_since_s = None
            self._view.say("The central service answers again.")
        self._pending = snapshot.pending
        self._view.show(snapshot)
        if (stuck := self._stuck.note(snapshot, self._clock())) is not None:
            self._stack.restart_broker(stuck)
        return snapshot

    def _note_silence(self, error: NoAnswerError) -> None:
        self._stack.check()
        if self._silent_since_s is None:
            self._silent_since_s = self._clock()
            self._view.say(f"For the moment {error}")
        elif self._clock() - self._silent_since_s > SILENCE_S:
            raise error
