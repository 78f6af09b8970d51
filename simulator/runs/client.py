"""The recording's client of one reader, without I/O: a reader's messages in, requests and acknowledgements out."""

import struct
from collections import deque
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Final

from simulator.runs.requests import Inventory, Request, keepalive_ack, requests
from simulator.server.codes import ConnectionAttempt, MessageType, ParameterType
from simulator.server.wire import HEADER, Message

ANSWER_US: Final = 5_000_000
"""A reader that hasn't answered a request in this time is given up, and dialled anew."""
_UNASKED: Final = frozenset(
    {MessageType.KEEPALIVE, MessageType.READER_EVENT_NOTIFICATION, MessageType.RO_ACCESS_REPORT}
)
_TLV: Final = struct.Struct(">HH")
_CUSTOM_BYTES: Final = 5
"""Vendor and subtype before the status of a vendor's response."""


class Stage(Enum):
    """How far a session is."""

    GREETING = auto()
    SETTING_UP = auto()
    READING = auto()
    FAILED = auto()


class VirtualClient:
    """One session with one reader; used once, a new connection wants a new one.

    What goes wrong is in `problem`, in words; the session is `FAILED` then.
    """

    def __init__(self, inventory: Inventory, now_us: int) -> None:
        self.stage = Stage.GREETING
        self.problem = ""
        self._waiting: deque[Request] = deque(requests(inventory))
        self._asked: Request | None = None
        self._last_id = 0
        self._since_us = now_us

    def receive(self, messages: Sequence[bytes], now_us: int) -> list[bytes]:
        """Take whole messages of the reader; returns what is said to that."""
        return [said for message in messages for said in self._take(message, now_us)]

    def tick(self, now_us: int) -> None:
        """Give up a reader that keeps silent."""
        if self.stage in {Stage.GREETING, Stage.SETTING_UP} and now_us - self._since_us > ANSWER_US:
            self.give_up("the reader doesn't answer")

    def give_up(self, problem: str) -> None:
        """End the session for a reason."""
        self.stage, self.problem = Stage.FAILED, problem

    def _take(self, message: bytes, now_us: int) -> Iterator[bytes]:
        if len(message) < HEADER.size:
            self.give_up("what the reader says is no LLRP")
            return
        word, _, message_id = HEADER.unpack_from(message)
        kind, body = word & 0x3FF, message[HEADER.size :]
        if kind == MessageType.KEEPALIVE:
            yield keepalive_ack(message_id)
        elif kind == MessageType.READER_EVENT_NOTIFICATION and self.stage is Stage.GREETING:
            yield from self._greeted(body, now_us)
        elif kind not in _UNASKED and self._asked is not None and message_id == self._last_id:
            yield from self._answered(kind, body, now_us)

    def _greeted(self, body: bytes, now_us: int) -> Iterator[bytes]:
        status = attempt_status(body)
        if status != ConnectionAttempt.SUCCESS:
            self.give_up(f"the reader turned us away, connection attempt status {status}")
            return
        self.stage = Stage.SETTING_UP
        yield from self._ask_next(now_us)

    def _answered(self, kind: int, body: bytes, now_us: int) -> Iterator[bytes]:
        status = response_status(kind, body)
        if status and self._asked is not None and not self._asked.may_fail:
            self.give_up(f"{self._asked.name} was refused, LLRP status {status}")
            return
        yield from self._ask_next(now_us)

    def _ask_next(self, now_us: int) -> Iterator[bytes]:
        self._since_us = now_us
        if not self._waiting:
            self._asked, self.stage = None, Stage.READING
            return
        self._asked = self._waiting.popleft()
        self._last_id += 1
        yield self._asked.encoded(self._last_id)


def parsed(request: bytes) -> Message:
    """Return an encoded request as the simulated reader takes it."""
    word, _, message_id = HEADER.unpack_from(request)
    return Message(word & 0x3FF, message_id, request[HEADER.size :], word >> 10 & 0x7)


def attempt_status(body: bytes) -> int | None:
    """Return the status of the ConnectionAttemptEvent in a READER_EVENT_NOTIFICATION; None where there is none."""
    inner = dict(_parameters(body)).get(ParameterType.READER_EVENT_NOTIFICATION_DATA, b"")
    found = dict(_parameters(inner)).get(ParameterType.CONNECTION_ATTEMPT_EVENT, b"")
    return int.from_bytes(found[:2]) if len(found) >= 2 else None  # noqa: PLR2004 (a 16-bit status)


def response_status(kind: int, body: bytes) -> int:
    """Return the LLRPStatus that a response begins with; 0 is success."""
    begin = _CUSTOM_BYTES if kind == MessageType.CUSTOM_MESSAGE else 0
    found = dict(_parameters(body[begin:])).get(ParameterType.LLRP_STATUS, b"")
    return int.from_bytes(found[:2])


def _parameters(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the TLV parameters of a body: type and content."""
    at = 0
    while at + _TLV.size <= len(body):
        kind, size = _TLV.unpack_from(body, at)
        if size < _TLV.size or kind > 0x3FF:  # noqa: PLR2004 (ten bits of type)
            return
        yield kind, body[at + _TLV.size : at + size]
        at += size
