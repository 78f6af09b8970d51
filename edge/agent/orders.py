"""What the central's commands do at this gateway: blink a light, count, look at each antenna, dial a reader anew."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Protocol

from edge.agent.arguments import Arguments, integer, one_of, only, told
from edge.agent.blinding import Blinding
from edge.commands import Order, OrderError, TooSoonError
from edge.contracts import instant
from edge.contracts.commands import Argument
from edge.readers import Chunk, OutputPort, ReaderSupervisor, SweepWish
from edge.readers.outputs import blinking, play
from edge.readers.serial import Board
from edge.signals import Lender, MutedPort

BLINK_MS: Final = 250
LONGEST_BLINK_S: Final = 30
LONGEST_SWEEP_S: Final = 60
SWEEP_SILENCE_MS: Final = 1_000
"""A count is over when no tag was new for a second."""
LONGEST_SURVEY_S: Final = 60
MOST_TAGS: Final = 20_000
"""Distinct tags told apart in one survey: a doorway holds a few hundred, a flood of noise must not fill the memory."""


class Survey:
    """Reads by antenna of one reader while it looks on."""

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self.reads: Counter[int] = Counter()
        self.tags: dict[int, set[bytes]] = {}

    def take(self, chunk: Chunk) -> None:
        """Count what a chunk brought."""
        if chunk.reader != self.reader:
            return
        batch = chunk.batch
        raw, width = batch.epc.tobytes(), batch.epc.shape[1]
        reads = zip(batch.antenna.tolist(), batch.epc_bits.tolist(), batch.seen_count.tolist(), strict=True)
        for row, (antenna, bits, seen) in enumerate(reads):
            self.reads[antenna] += seen
            tags = self.tags.setdefault(antenna, set())
            if len(tags) < MOST_TAGS:
                tags.add(raw[row * width : row * width + (bits + 7) // 8])


class OnLooker(Protocol):
    """Is shown what readers bring."""

    def take(self, chunk: Chunk) -> None:
        """Take a chunk, and change nothing of it."""
        ...


class OnLookers:
    """A sink before the sink: who looks on sees every chunk, and what it does changes nothing of it."""

    def __init__(self, sink: Callable[[Chunk], Awaitable[None]]) -> None:
        self._sink = sink
        self._looking: list[OnLooker] = []

    async def sink(self, chunk: Chunk) -> None:
        """Show a chunk to who looks on, and pass it on."""
        for one in self._looking:
            one.take(chunk)
        await self._sink(chunk)

    @contextmanager
    def looking(self, one: OnLooker) -> Iterator[None]:
        """Let somebody look on until the block ends."""
        self._looking.append(one)
        try:
            yield
        finally:
            self._looking.remove(one)

    async def survey(self, reader: str, seconds: int) -> Survey:
        """Look on for some seconds; one at a reader."""
        if any(isinstance(one, Survey) and one.reader == reader for one in self._looking):
            raise TooSoonError(f"reader {reader} is being surveyed already: wait until that is over")
        survey = Survey(reader)
        with self.looking(survey):
            await asyncio.sleep(seconds)
        return survey


class Orders:
    """The commands of a gateway.

    Args:
        readers: LLRP readers by id.
        boards: boards with outputs by id.
        onlookers: where reads pass.
        lender: says whether an alarm has an output, and takes it back.
        steady_us: a clock that no one sets.
    """

    def __init__(
        self,
        readers: Mapping[str, ReaderSupervisor],
        boards: Mapping[str, Board],
        onlookers: OnLookers,
        *,
        lender: Lender,
        steady_us: Callable[[], int],
    ) -> None:
        self._blinding = Blinding(steady_us)
        self._readers, self._boards, self._onlookers, self._lender = readers, boards, onlookers, lender

    def by_name(self) -> dict[str, Order]:
        """Return what each command does."""
        orders = {
            "blink": self._blink,
            "restart-reader": self._restart,
            "survey": self._survey,
            "sweep": self._sweep,
        }
        return {name: told(name, order) for name, order in orders.items()}

    async def _blink(self, args: Arguments) -> dict[str, Argument]:
        """`device`, `output`, `seconds`: switch an output on and off in turn."""
        only(args, ("device", "output", "seconds"))
        device = one_of(args, "device", [*self._readers, *self._boards])
        output, seconds = integer(args, "output", 1, 65535), integer(args, "seconds", 1, LONGEST_BLINK_S, 3)
        if device in self._boards and not self._lender.drives(device, output):
            # A reader's outputs are listed as wired; a board's other relays may be anything, a door's opener too.
            raise OrderError(
                f"output {output} of board {device} is none of [[gate.outputs]], so it may be no light: name it "
                "there, or switch it at the gateway with `stockgate-edge outputs test`"
            )
        port: OutputPort = self._boards[device] if device in self._boards else self._readers[device].outputs
        times = seconds * 1000 // (2 * BLINK_MS)
        pattern = blinking([output], on_ms=BLINK_MS, off_ms=BLINK_MS, times=times)
        await play(pattern, MutedPort(port, device, self._lender))
        return {"device": device, "output": output, "seconds": seconds}

    async def _restart(self, args: Arguments) -> dict[str, Argument]:
        """`reader`: end its session, which is dialled anew at once."""
        only(args, ("reader",))
        reader = one_of(args, "reader", self._readers)
        session = self._readers[reader].session
        with self._blinding.of(reader):
            session.end("its session is begun anew, as a command wants it")
        return {"reader": reader}

    async def _survey(self, args: Arguments) -> dict[str, Argument]:
        """`reader`, `seconds`: count reads and tags of each antenna, beside all that goes on."""
        only(args, ("reader", "seconds"))
        reader = one_of(args, "reader", self._readers)
        seconds = integer(args, "seconds", 1, LONGEST_SURVEY_S, 5)
        self._readers[reader].session  # noqa: B018 (says at once where there is none)
        seen = await self._onlookers.survey(reader, seconds)
        result: dict[str, Argument] = {"reader": reader, "seconds": seconds}
        for antenna in sorted(seen.tags):
            result[f"antenna {antenna} reads"] = seen.reads[antenna]
            result[f"antenna {antenna} tags"] = len(seen.tags[antenna])
        return result

    async def _sweep(self, args: Arguments) -> dict[str, Argument]:
        """`reader`, `seconds`: count every tag in the field once; health says that the doorway is blind meanwhile."""
        only(args, ("reader", "seconds"))
        reader = one_of(args, "reader", self._readers)
        timeout_ms = integer(args, "seconds", 1, LONGEST_SWEEP_S, 10) * 1000
        with self._blinding.of(reader):
            swept = await self._readers[reader].sweep(SweepWish(timeout_ms=timeout_ms, silence_ms=SWEEP_SILENCE_MS))
        return {
            "reader": reader,
            "tags": len(swept.epcs),
            "begin": instant(swept.begin_us),
            "end": instant(swept.end_us),
        }
