"""The conversation with an R200 / YRM100: who are you, be set up, then polls without end."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from edge.readers.errors import ReaderSilentError
from edge.readers.serial import r200
from edge.readers.serial.bands import plan_channels
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
        plan += self._plan_region()
        if settings.tx_power_dbm is not None or settings.power_cap_cdbm is not None:
            ask = r200.command(Command.GET_POWER, head=head)
            plan.append(Question("its power", ask, _answer_to(Command.GET_POWER), self._take_own_power))
        return plan

    def _plan_region(self) -> Iterator[Question[Frame]]:
        """Yield how the band and its channels are set: the channel list is emptied first, for it only grows."""
        head, region = self._head, self._settings.region
        channels = plan_channels("r200", self._settings.channels_khz) if region is not None else None
        if channels is None:
            return
        orders = (
            (f"region {region}", Command.SET_REGION, r200.set_region(channels.code, head=head)),
            ("an empty channel list", Command.INSERT_CHANNELS, r200.insert_channels((), head=head)),
            (f"the channels of {region}", Command.INSERT_CHANNELS, r200.insert_channels(channels.channels, head=head)),
            ("hopping over its channels", Command.HOPPING, r200.set_hopping(on=True, head=head)),
        )
        for what, command, data in orders:
            yield Question(what, data, _answer_to(command), confirmed)
        if channels.left_out:
            self.notes.append(f"{channels.left_out} channels of {region} are not on this module's raster")

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
        if frame.head != self._head:  # a late answer to what was asked in the other dialect
            self._head = frame.head
            self._questions = self._plan()
        self._model = self.who = r200.read_info(frame) or "R200"

    def _take_firmware(self, frame: Frame) -> None:
        self.who = f"{self._model}, firmware {r200.read_info(frame)}"

    def _take_own_power(self, frame: Frame) -> None:
        """Learn the power, and ask for another where it isn't as it should be."""
        own_cdbm = r200.read_power_cdbm(frame)
        wanted_cdbm = self._settings.wanted_cdbm(own_cdbm)
        if wanted_cdbm != own_cdbm:
            set_it, ask = (
                r200.set_power(wanted_cdbm, head=self._head),
                r200.command(Command.GET_POWER, head=self._head),
            )
            what = f"a power of {wanted_cdbm / 100:g} dBm"
            self._questions += [
                Question(what, set_it, _answer_to(Command.SET_POWER), confirmed),
                Question("its power", ask, _answer_to(Command.GET_POWER), partial(self._take_power, wanted_cdbm)),
            ]

    def _take_power(self, wanted_cdbm: int, frame: Frame) -> None:
        power_cdbm = r200.read_power_cdbm(frame)
        if power_cdbm != wanted_cdbm:
            wanted, used = wanted_cdbm / 100, power_cdbm / 100
            self.notes.append(f"a power of {wanted:g} dBm is not to be had: {used:g} dBm is used")


def _answer_to(command: int, what: int = 0) -> int:
    """Tell answers apart: those about the module itself share one command, and a late one must not pass for another."""
    return command << 8 | what
