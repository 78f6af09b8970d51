"""The conversation with an R200 / YRM100: who are you, be set up, then polls without end."""

from functools import partial
from typing import Final

from edge.readers.errors import ReaderSilentError
from edge.readers.serial import r200
from edge.readers.serial.conversation import TRIES, Conversation, Question, Turn, confirmed
from edge.readers.serial.model import SerialSettings
from edge.readers.serial.r200 import Command, Frame, Info, Type

SILENCE_S: Final = 1.0
"""A polling module says of every round that it heard a tag or none, some 50 times a second. After this silence its
polls are at their end, or its firmware reports tags only: it is stopped, which it confirms, and started anew."""


class R200Talk(Conversation[Frame]):
    """One connection; the dialect is the one that the module answers in."""

    def __init__(self, settings: SerialSettings) -> None:
        super().__init__(r200.framer(), answer_timeout_s=settings.answer_timeout_s)
        self._settings = settings
        self._head = 0xBB
        self._model = ""
        self._quiet_since_s = 0.0
        self._stops = 0

    def farewell(self) -> bytes:
        """See `Conversation.farewell`."""
        return r200.command(Command.STOP_POLLING, head=self._head)

    def _plan(self) -> list[Question[Frame]]:
        head, settings = self._head, self._settings
        stop = r200.command(Command.STOP_POLLING, head=head)
        plan = [
            # A module that still polls for a client before us may not listen to anything but a stop.
            Question(
                "who it is",
                stop + r200.info(Info.HARDWARE, head=head),
                _answer_to(Command.INFO, Info.HARDWARE),
                self._take_model,
                required=True,
            ),
            Question(
                "its firmware",
                r200.info(Info.FIRMWARE, head=head),
                _answer_to(Command.INFO, Info.FIRMWARE),
                self._take_firmware,
            ),
        ]
        if settings.serial_region is not None:
            region = r200.set_region(settings.serial_region, head=head)
            plan.append(Question(f"region {settings.serial_region}", region, _answer_to(Command.SET_REGION), confirmed))
            hop = r200.set_hopping(on=True, head=head)
            plan.append(Question("hopping over its channels", hop, _answer_to(Command.HOPPING), confirmed))
        if settings.tx_power_dbm is not None:
            cdbm = round(settings.tx_power_dbm * 100)
            power = r200.set_power(cdbm, head=head)
            plan.append(Question(f"a power of {cdbm / 100:g} dBm", power, _answer_to(Command.SET_POWER), confirmed))
            ask = r200.command(Command.GET_POWER, head=head)
            plan.append(Question("its power", ask, _answer_to(Command.GET_POWER), partial(self._take_power, cdbm)))
        return plan

    def _ask_again(self, now_s: float) -> bytes:
        """Try the other dialect in turn until the module has answered once."""
        if not self._model and self._frames == 0 and self._tries < 2 * TRIES:
            return self._ask_in_dialect(0xAA if self._head == 0xBB else 0xBB, now_s)  # noqa: PLR2004 (the two heads)
        return super()._ask_again(now_s)

    def _ask_in_dialect(self, head: int, now_s: float) -> bytes:
        self._head = head
        self._questions = self._plan()
        return self._ask(now_s)

    def _answers(self, frame: Frame) -> int | None:
        if frame.type != Type.RESPONSE:
            return None
        if frame.command == Command.FAILED and frame.data[:1] != bytes((r200.NO_TAG,)):
            return self._questions[0].answer
        return _answer_to(frame.command, frame.data[0] if frame.command == Command.INFO and frame.data else 0)

    def _refusal(self, frame: Frame) -> str:
        return r200.read_error(frame) if frame.command == Command.FAILED else ""

    def _begin(self, now_s: float) -> bytes:
        self._quiet_since_s = now_s
        return r200.poll_many(head=self._head)

    def _serve(self, frame: Frame, now_s: float, turn: Turn) -> None:
        if self._questions and frame.head != self._head:
            turn.send += self._ask_in_dialect(frame.head, now_s)
        self._quiet_since_s, self._stops = now_s, 0
        if frame.type == Type.NOTICE and frame.command in {Command.POLL_ONCE, Command.POLL_MANY}:
            turn.sightings.append(r200.read_tag(frame))
        elif frame.type == Type.RESPONSE and frame.command == Command.STOP_POLLING and self.ready:
            turn.send += self._begin(now_s)
        elif frame.command == Command.FAILED and frame.data[:1] != bytes((r200.NO_TAG,)):
            turn.told["failed"] = f"the reader reports a failure: {r200.read_error(frame)}"

    def _wait(self, now_s: float, turn: Turn) -> None:
        if now_s - self._quiet_since_s < SILENCE_S:
            return
        if self._stops >= TRIES:
            raise ReaderSilentError(f"has said nothing for {(TRIES + 1) * SILENCE_S:g} s, not even that it stops")
        self._stops += 1
        self._quiet_since_s = now_s
        turn.send += r200.command(Command.STOP_POLLING, head=self._head)

    def _take_model(self, frame: Frame) -> None:
        self._head = frame.head
        self._model = self.who = r200.read_info(frame) or "R200"

    def _take_firmware(self, frame: Frame) -> None:
        self.who = f"{self._model}, firmware {r200.read_info(frame)}"

    def _take_power(self, wanted_cdbm: int, frame: Frame) -> None:
        power_cdbm = r200.read_power_cdbm(frame)
        if power_cdbm != wanted_cdbm:
            self.notes.append(
                f"tx_power_dbm = {wanted_cdbm / 100:g} is not to be had: {power_cdbm / 100:g} dBm is used"
            )


def _answer_to(command: int, what: int = 0) -> int:
    """Tell answers apart: those about the module itself share one command, and a late one must not pass for another."""
    return command << 8 | what
