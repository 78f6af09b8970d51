"""Serial devices on a pty, in the device's role, with framing and sums of their own: the agent's code isn't used here.

A device is pulled and plugged in again behind one path (a symlink), as /dev/serial/by-id names are.
"""

import asyncio
import os
import random
import tty
from typing import Self


class Pty:
    """A serial line whose far end is a device of the test's.

    Args:
        path: the name that the agent opens.
        link: `whole`, `bytes` (one at a time) or `split` (at random places).
        rng: for splits and faults.
        lose: share of the device's bytes that are lost.
        garble: share of the device's bytes that come changed.
    """

    def __init__(self, path, *, link="whole", seed=1, lose=0.0, garble=0.0) -> None:
        self.path, self.link, self.rng = path, link, random.Random(seed)
        self.lose, self.garble = lose, garble
        self.received = bytearray()
        self.plugs = 0
        self._fds = ()
        self._tasks = set()
        self.buffer = b""

    async def __aenter__(self) -> Self:
        self.plug()
        return self

    async def __aexit__(self, *_) -> None:
        self.pull()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def plug(self):
        """Connect the device."""
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._fds = (master, slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        self.plugs += 1
        self.buffer = b""
        asyncio.get_running_loop().add_reader(master, self._readable)

    def pull(self):
        """Pull the cable: the device's name vanishes and reads fail."""
        if self._fds:
            asyncio.get_running_loop().remove_reader(self._fds[0])
            for fd in self._fds:
                os.close(fd)
            self._fds = ()
            self.path.unlink()

    def later(self, coroutine):
        """Run a coroutine of the device's."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def say(self, data):
        """Send bytes as the link has them."""
        if not self._fds:
            return
        damaged = bytearray()
        for byte in data:
            if self.rng.random() < self.lose:
                continue
            damaged.append(byte ^ self.rng.randrange(1, 256) if self.rng.random() < self.garble else byte)
        for piece in self._pieces(bytes(damaged)):
            os.write(self._fds[0], piece)

    def _pieces(self, data):
        if self.link == "whole":
            return [data] if data else []
        if self.link == "bytes":
            return [data[at : at + 1] for at in range(len(data))]
        cuts = sorted(self.rng.sample(range(len(data) + 1), min(3, len(data)))) if data else []
        return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if b > a]

    def _readable(self):
        try:
            data = os.read(self._fds[0], 4096)
        except OSError:
            return
        self.received += data
        self.buffer += data
        self.heard()

    def heard(self):
        """Meet `self.buffer`; a device overrides it."""


def r200_frame(kind, command, data, head=0xBB):
    """One frame of the R200's, by its manual's words."""
    middle = [kind, command, len(data) >> 8, len(data) & 0xFF, *data]
    return bytes([head, *middle, sum(middle) % 256, {0xBB: 0x7E, 0xAA: 0xDD}[head]])


class FakeR200(Pty):
    """A module that answers, and polls once it is told to."""

    def __init__(
        self, path, *, head=0xBB, tags=(), silent=(), refuse=(), power_cdbm=2000, mute_polls=False, **how
    ) -> None:
        super().__init__(path, **how)
        self.head, self.tags, self.silent, self.refuse = head, list(tags), set(silent), set(refuse)
        self.power_cdbm, self.mute_polls = power_cdbm, mute_polls
        self.commands, self.polling, self.rounds = [], False, 0

    def heard(self):
        """Answer each whole command."""
        while (at := self.buffer.find(bytes([self.head]))) >= 0:
            self.buffer = self.buffer[at:]
            if len(self.buffer) < 7:
                return
            size = 7 + int.from_bytes(self.buffer[3:5], "big")
            if size > 64:
                self.buffer = self.buffer[1:]
                continue
            if len(self.buffer) < size:
                return
            frame, self.buffer = self.buffer[:size], self.buffer[size:]
            self.answer(frame[2], frame[5:-2])
        self.buffer = b""

    def answer(self, command, data):
        """Answer one command."""
        self.commands.append((command, bytes(data)))
        if command in self.silent:
            return
        if command in self.refuse:
            self.say(r200_frame(1, 0xFF, [0x17], self.head))
        elif command == 0x03:
            text = {0: b"M100 V1.00", 1: b"V2.3.3", 2: b"maker"}[data[0]]
            self.say(r200_frame(1, 0x03, [data[0], *text], self.head))
        elif command == 0x27:
            self.rounds = int.from_bytes(data[1:3], "big")
            if not self.polling:
                self.polling = True
                self.later(self.poll())
        elif command == 0x28:
            self.polling = False
            self.say(r200_frame(1, 0x28, [0], self.head))
        elif command == 0xB7:
            self.say(r200_frame(1, 0xB7, self.power_cdbm.to_bytes(2, "big"), self.head))
        else:
            self.say(r200_frame(1, command, [0], self.head))

    async def poll(self):
        """Report each tag once, then rounds without any."""
        while self.polling and self.rounds:
            self.rounds -= 1
            if self.tags:
                self.say(self.tag(self.tags.pop(0)))
            elif not self.mute_polls:
                self.say(r200_frame(1, 0xFF, [0x15], self.head))
            await asyncio.sleep(0.01)
        self.polling = False

    def tag(self, epc, rssi=0xC9):
        """One notice."""
        return r200_frame(2, 0x22, [rssi, len(epc) // 2 << 3, 0x00, *epc, 0x3A, 0x76], self.head)


def crc_mcrf4xx(data):
    """CRC-16 of the UHFReader family, bit by bit from the most significant end of the reflected register."""
    register = 0xFFFF
    for byte in data:
        for bit in range(8):
            feedback = (register ^ (byte >> bit)) & 1
            register = (register >> 1) ^ (0x8408 if feedback else 0)
    return register


def uhf_frame(command, data, address=0):
    """One frame of the UHFReader family."""
    body = bytes([len(data) + 4, address, command, *data])
    crc = crc_mcrf4xx(body)
    return body + bytes([crc & 0xFF, crc >> 8])


class FakeUhfReader(Pty):
    """A UHFReader288 (or 18) with tags per antenna; each inventory reports them all."""

    def __init__(
        self, path, *, is_288=True, tags=None, info=(0, 22, 0x0C, 3, 0x4E, 0, 30, 10), silent=(), **how
    ) -> None:
        super().__init__(path, **how)
        self.is_288, self.tags, self.info, self.silent = is_288, tags or {}, bytearray(info), set(silent)
        self.statuses = {}
        self.commands, self.inventories = [], []

    def heard(self):
        """Answer each whole command."""
        while self.buffer:
            size = self.buffer[0] + 1
            if len(self.buffer) < size:
                return
            frame, self.buffer = self.buffer[:size], self.buffer[size:]
            if crc_mcrf4xx(frame[:-2]) == int.from_bytes(frame[-2:], "little"):
                self.answer(frame[2], frame[3:-2])

    def answer(self, command, data):
        """Answer one command."""
        self.commands.append((command, bytes(data)))
        if command in self.silent:
            return
        if command == 0x21:
            self.say(uhf_frame(0x21, [0, *self.info, *([1, 0, 0, 0] if self.is_288 else [])]))
        elif command == 0x01:
            self.later(self.inventory(data[-2] - 0x7F if self.is_288 else 1))
        else:
            if command == 0x2F:
                self.info[6] = data[0]
            if command == 0x22:
                self.info[4:6] = data
            self.say(uhf_frame(command, [0]))

    async def inventory(self, antenna):
        """Report an antenna's tags, a frame each and then the end."""
        await asyncio.sleep(0.01)
        self.inventories.append(antenna)
        mask = [1 << antenna - 1] if self.is_288 else []
        if antenna in self.statuses:
            self.say(uhf_frame(0x01, [self.statuses[antenna], *mask]))
            return
        for epc, rssi in self.tags.get(antenna, []):
            self.say(uhf_frame(0x01, [0x03, *mask, 1, len(epc), *epc, *([rssi] if self.is_288 else [])]))
        self.say(uhf_frame(0x01, [0x01, *mask, 0]))

    def push(self, epc, mask, rssi=100):
        """Push one tag, as in real-time mode."""
        self.say(uhf_frame(0xEE, [0, mask, len(epc), *epc, rssi]))


def crc_modbus(data):
    """CRC-16 of Modbus, by polynomial division of the reflected bits."""
    register = 0xFFFF
    for byte in data:
        for bit in range(8):
            feedback = (register ^ (byte >> bit)) & 1
            register = (register >> 1) ^ (0xA001 if feedback else 0)
    return register


def modbus_frame(*data):
    """One frame with its CRC."""
    crc = crc_modbus(bytes(data))
    return bytes([*data, crc & 0xFF, crc >> 8])


class FakeModbusBoard(Pty):
    """Eight relays and inputs; coil 0x0200 + n switches relay n on for so many tenths of a second."""

    def __init__(self, path, *, unit=1, silent=False, timed=True, **how) -> None:
        super().__init__(path, **how)
        self.unit, self.silent, self.timed = unit, silent, timed
        self.relays, self.inputs, self.orders = [True] * 8, [False] * 8, []
        self.looks = 0
        """How often the inputs were asked for."""
        self.misses = 0
        """Orders to switch off that are still to be lost on their way, as noise has it."""

    def heard(self):
        """Answer each whole request."""
        while len(self.buffer) >= 8:
            frame, self.buffer = self.buffer[:8], self.buffer[8:]
            good = crc_modbus(frame[:-2]) == int.from_bytes(frame[-2:], "little")
            if good and frame[0] == self.unit and not self.silent:
                self.answer(frame)

    def answer(self, frame):
        """Answer one request."""
        function, at, value = frame[1], int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        if function == 5 and not value and self.misses:
            self.misses -= 1
        elif function == 5 and (at < 8 or (self.timed and 0x200 <= at < 0x208)):
            self.orders.append((at, value))
            self.relays[at & 7] = bool(value)
            if at >= 0x200:
                self.later(self.end(at & 7, value / 10))
            self.say(frame)
        elif function in {1, 2} and at + value <= 8:
            states = self.relays if function == 1 else self.inputs
            self.looks += function == 2
            packed = sum(state << number for number, state in enumerate(states[:value]))
            self.say(modbus_frame(self.unit, function, 1, packed))
        else:
            self.say(modbus_frame(self.unit, function | 0x80, 2))

    async def end(self, relay, after_s):
        """End a timed pulse, whatever the host does."""
        await asyncio.sleep(after_s)
        self.relays[relay] = False


class FakeLcus(Pty):
    """Relays that obey and never answer."""

    def __init__(self, path, **how) -> None:
        super().__init__(path, **how)
        self.relays, self.orders = {}, []

    def heard(self):
        """Obey each whole order with a right sum."""
        while len(self.buffer) >= 4:
            order, self.buffer = self.buffer[:4], self.buffer[4:]
            if order[0] == 0xA0 and order[3] == sum(order[:3]) % 256:
                self.relays[order[1]] = bool(order[2])
                self.orders.append((order[1], order[2]))
