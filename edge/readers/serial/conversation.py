"""What host and reader say to each other, without I/O and without a clock of its own: bytes and times in, turns out.

First come questions, one at a time, each asked again a few times until it is answered; then the reader is served.
The two families' conversations are subclasses (`r200_talk`, `uhfreader_talk`).

Errors: `ReaderSilentError` when a required question stays unanswered, or the reader falls silent later.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from edge.readers.errors import MalformedError, ReaderSilentError
from edge.readers.serial.framer import Framer
from edge.readers.sightings import Sighting

F = TypeVar("F")
TRIES: Final = 3
"""A question is asked so often: a byte lost on the line loses it once, hardly three times."""
IDLE_S: Final = 0.1
"""Silence after which a half frame is given up: readers send frames whole, adapters hold bytes back by 16 ms."""


@dataclass(frozen=True, slots=True)
class Question(Generic[F]):
    """One thing to ask before the inventory begins.

    Attributes:
        what: in words, for messages.
        data: bytes to send.
        answer: tells the answer (see `Conversation._answers`).
        take: gets the answer; it raises `MalformedError` if that can't be read.
        required: whether the reader is none of ours if it stays unanswered or refused.
    """

    what: str
    data: bytes
    answer: int
    take: Callable[[F], None]
    required: bool = False


@dataclass(slots=True)
class Turn:
    """What one receive or tick brought.

    Attributes:
        send: bytes to send now.
        sightings: tags, in the order of the wire.
        heard: whether a whole frame came, which is a sign of life.
        malformed: frames whose data can't be read; the first one's reason is in `told`.
        antennas: what the reader says of antennas that it tried: a fault in words, or nothing.
        told: conditions worth a log line each, by name; the session tells each once.
    """

    send: bytes = b""
    sightings: list[Sighting] = field(default_factory=list)
    heard: bool = False
    malformed: int = 0
    antennas: dict[int, str] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)


class Conversation(ABC, Generic[F]):
    """One connection's talk; make a new one for each.

    Args:
        framer: finds frames in what is received.
        answer_timeout_s: longest wait for an answer before the question is asked again.
    """

    def __init__(self, framer: Framer[F], *, answer_timeout_s: float) -> None:
        self._framer = framer
        self._timeout_s = answer_timeout_s
        self._questions: list[Question[F]] = []
        self._asked_s = 0.0
        self._tries = 0
        self._received_s = 0.0
        self._frames = 0
        self.notes: list[str] = []
        """What is not as configured though the reader serves, in words."""
        self.who = ""
        """What the reader says that it is."""

    @property
    def ready(self) -> bool:
        """Whether all questions are done and the inventory runs."""
        return not self._questions

    @property
    def faults(self) -> int:
        """Runs of bytes that belonged to no frame, since the first frame: before it we came in midstream."""
        return self._framer.faults if self._frames else 0

    def start(self, now_s: float) -> bytes:
        """Begin; return the bytes to send."""
        self._questions = self._plan()
        return self._ask(now_s)

    def receive(self, data: bytes, now_s: float) -> Turn:
        """Take what the line brought."""
        self._received_s = now_s
        return self._take(self._framer.feed(data), now_s)

    def tick(self, now_s: float) -> Turn:
        """Let time pass; call it several times a second."""
        frames = []
        if self._framer.pending and now_s - self._received_s >= IDLE_S:
            frames = self._framer.idle()
        turn = self._take(frames, now_s)
        if not self.ready:
            if now_s - self._asked_s >= self._timeout_s:
                turn.send += self._ask_again(now_s)
        else:
            self._wait(now_s, turn)
        return turn

    @abstractmethod
    def farewell(self) -> bytes:
        """Return what to send before hanging up."""

    @abstractmethod
    def _plan(self) -> list[Question[F]]:
        """Return the questions to ask."""

    @abstractmethod
    def _answers(self, frame: F) -> int | None:
        """Return which question's `answer` a frame is, None where it answers none."""

    @abstractmethod
    def _refusal(self, frame: F) -> str:
        """Return why a frame refuses what was asked, in words; empty where it doesn't."""

    @abstractmethod
    def _begin(self, now_s: float) -> bytes:
        """Return what starts the inventory, once all questions are done."""

    @abstractmethod
    def _serve(self, frame: F, now_s: float, turn: Turn) -> None:
        """Meet a frame that is no answer to a question; raises `MalformedError`."""

    @abstractmethod
    def _wait(self, now_s: float, turn: Turn) -> None:
        """Meet the time passing while the inventory runs; raises `ReaderSilentError`."""

    def _take(self, frames: list[F], now_s: float) -> Turn:
        turn = Turn(heard=bool(frames))
        for frame in frames:
            self._frames += 1
            try:
                if not self._is_answer(frame, now_s, turn):
                    self._serve(frame, now_s, turn)
            except MalformedError as error:
                turn.malformed += 1
                turn.told.setdefault("malformed", str(error))
        return turn

    def _is_answer(self, frame: F, now_s: float, turn: Turn) -> bool:
        if not self._questions or self._answers(frame) != self._questions[0].answer:
            return False
        question, refusal = self._questions[0], self._refusal(frame)
        if refusal and question.required:
            turn.told["refused"] = f"the reader refuses to say {question.what}: {refusal}"
            return True  # it may have meant what was asked before; the question is asked again
        if refusal:
            self.notes.append(f"the reader refuses {question.what}: {refusal}")
        else:
            question.take(frame)
        self._next(now_s, turn)
        return True

    def _next(self, now_s: float, turn: Turn) -> None:
        del self._questions[0]
        self._tries = 0
        turn.send += self._ask(now_s) if self._questions else self._begin(now_s)

    def _ask(self, now_s: float) -> bytes:
        self._asked_s = now_s
        self._tries += 1
        return self._questions[0].data

    def _ask_again(self, now_s: float) -> bytes:
        """Ask once more, or go on without an answer that isn't required."""
        question = self._questions[0]
        if self._tries < TRIES:
            return self._ask(now_s)
        if question.required:
            raise ReaderSilentError(f"does not answer {question.what}, asked {TRIES} times")
        self.notes.append(f"the reader does not answer {question.what}")
        turn = Turn()
        self._next(now_s, turn)
        return turn.send


def confirmed(_frame: object) -> None:
    """Meet a bare confirmation."""
