"""The one ROSpec of a session: added, started, replaced when the plan changes, and taken away.

What the reader refuses of it is left out, step by step, and told: first the reader mode, then Select masks, then rounds
that take turns, then vendor parameters. What is left is what any LLRP reader does.
"""

from collections.abc import Callable
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from edge.llrp.messages import Message
from edge.llrp.messages.answers import (
    AddROSpecResponse,
    DeleteROSpecResponse,
    EnableROSpecResponse,
    StartROSpecResponse,
    StopROSpecResponse,
)
from edge.llrp.messages.commands import AddROSpec, DeleteROSpec, EnableROSpec, StartROSpec, StopROSpec
from edge.llrp.messages.rospec import ROSpec
from edge.readers.errors import ReaderRefusedError
from edge.readers.model import TriggerSettings
from edge.readers.planner import Plan
from edge.readers.requests import Requests
from edge.readers.rospec import ROSPEC_ID, Radio, portal_rospec, starts_itself

FAREWELL: tuple[tuple[Message, type[Message]], ...] = (
    (StopROSpec(rospec_id=ROSPEC_ID), StopROSpecResponse),
    (DeleteROSpec(rospec_id=ROSPEC_ID), DeleteROSpecResponse),
)
"""What leaves the reader without our ROSpec."""


class Inventory:
    """The ROSpec of one session.

    Args:
        requests: of the session.
        radio: what all rounds share.
        note: gets what is not as configured, in words.
        log: logger with the reader's id bound.
        trigger: input that starts reading, if one does.
    """

    def __init__(
        self,
        requests: Requests,
        radio: Radio,
        *,
        note: Callable[[str], None],
        log: FilteringBoundLogger,
        trigger: TriggerSettings | None = None,
    ) -> None:
        self._requests, self._note, self._log, self._trigger = requests, note, log, trigger
        self._plain_rounds = False
        self.radio = radio

    async def start(self, plan: Plan) -> None:
        """Add and start the ROSpec of a plan on a reader that has none."""
        while True:
            wanted = self._bearable(plan)
            try:
                await self._add(portal_rospec(self.radio, wanted, self._trigger))
            except ReaderRefusedError as error:
                if not self._give_up_something(wanted, error):
                    raise
                continue
            break
        await self._requests.ask(EnableROSpec(rospec_id=ROSPEC_ID), EnableROSpecResponse)
        if not starts_itself(wanted, self._trigger):
            await self._requests.ask(StartROSpec(rospec_id=ROSPEC_ID), StartROSpecResponse)

    async def replace(self, plan: Plan) -> None:
        """Put another plan in the place of the one that runs.

        The old ROSpec is stopped first, by which it reports what it has read; between the two the radio is off for as
        long as four requests take. Readers that hold one ROSpec can do no better, and one way is easier to trust.
        """
        await self.stop()
        await self.start(plan)

    async def run_once(self, spec: ROSpec) -> None:
        """Put a ROSpec that ends by itself in the place of the plan's, and start it."""
        await self.stop()
        await self.start_once(spec)

    async def start_once(self, spec: ROSpec) -> None:
        """Start a ROSpec that ends by itself on a reader that has none."""
        await self._add(spec)
        await self._requests.ask(EnableROSpec(rospec_id=ROSPEC_ID), EnableROSpecResponse)
        await self._requests.ask(StartROSpec(rospec_id=ROSPEC_ID), StartROSpecResponse)

    async def stop(self) -> None:
        """Stop the ROSpec and take it away; one that has ended by itself may be refused."""
        try:
            await self._requests.ask(StopROSpec(rospec_id=ROSPEC_ID), StopROSpecResponse)
        except ReaderRefusedError as error:
            self._log.info("nothing stopped", reason=str(error))
        await self._requests.ask(DeleteROSpec(rospec_id=ROSPEC_ID), DeleteROSpecResponse)

    async def _add(self, spec: ROSpec) -> None:
        await self._requests.ask(AddROSpec(rospec=spec), AddROSpecResponse)

    def _bearable(self, plan: Plan) -> Plan:
        """Return a plan without what the reader has refused before."""
        if not self._plain_rounds:
            return plan
        rounds = tuple(replace(one, masks=(), at_ports=()) for one in plan.rounds)
        return replace(plan, rounds=rounds)

    def _give_up_something(self, plan: Plan, error: ReaderRefusedError) -> bool:
        """Leave out one thing that the reader may not know; False if there is none left."""
        if self.radio.mode_id is not None:
            self._log.info("reader's own mode", refused=str(error))
            self.radio = replace(self.radio, mode_id=None)
        elif any(one.masks or one.at_ports for one in plan.rounds):
            self._note(f"goes on without Select, all tags answer: {error}")
            self._plain_rounds = True
        elif self.radio.extensions:
            self._note(f"goes on without phase: {error}")
            self.radio = replace(self.radio, extensions=False)
        else:
            return False
        return True
