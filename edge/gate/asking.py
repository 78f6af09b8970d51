"""Asks the broker again for what it retains but didn't send: brokers give up loading where a disk is slow.

Parts whose manifest never comes are let go meanwhile, or it would be asked for without end.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.gate.keeper import GateKeeper

# NATS gives up loading retained messages after 5 s by default, and sends what it has by then without a word.
QUIET_S: Final = 15.0
# Where nothing is retained, as before the central's first snapshot, asking often brings nothing sooner.
LONGEST_S: Final = 240.0
MOST_CHANNELS: Final = 64
"""Each question is a subscription of its own until the connection ends."""


STRAYS_LAST_S: Final = 1800.0
"""A snapshot of the largest size takes 8 minutes at 100 kB a second: its manifest has come by then."""


@asynccontextmanager
async def asking(
    keeper: GateKeeper,
    ask: Callable[[Sequence[str]], bool],
    *,
    log: FilteringBoundLogger,
    quiet_s: float = QUIET_S,
    strays_last_s: float = STRAYS_LAST_S,
) -> AsyncIterator[None]:
    """Ask for what lacks whenever nothing came for a while, at first soon and then ever less often.

    Args:
        keeper: what came, and what lacks.
        ask: asks the broker for channels; tells whether it could.
        log: logger; a line when asking begins.
        quiet_s: how long nothing must have come.
        strays_last_s: how long parts wait for a manifest that names them, and at most twice as long.
    """
    task = asyncio.create_task(_ask_for_ever(keeper, ask, log, quiet_s, strays_last_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _ask_for_ever(
    keeper: GateKeeper,
    ask: Callable[[Sequence[str]], bool],
    log: FilteringBoundLogger,
    quiet_s: float,
    strays_last_s: float,
) -> None:
    wait_s, told, aged_s = quiet_s, False, monotonic()
    while True:
        before = keeper.taken
        await asyncio.sleep(wait_s)
        if monotonic() - aged_s >= strays_last_s:
            aged_s = monotonic()
            keeper.forget_strays()
        lacking = keeper.lacking
        if not lacking:
            wait_s, told = quiet_s, False
        elif keeper.taken == before and ask(lacking[:MOST_CHANNELS]):
            if not told:
                log.warning("the broker has not sent a whole gate snapshot: asking again", lacking=len(lacking))
            told, wait_s = True, min(wait_s * 2, max(LONGEST_S, quiet_s))
        else:
            wait_s = quiet_s
