"""Where faults and inputs reach running readers, from a scenario's plan and from whoever calls."""

from collections.abc import Mapping
from typing import Any

import structlog

from simulator.clock import SimulatedClock
from simulator.faults import FaultAction, FaultChange, FaultPlan, Faults, checked, checked_action, shown, span, switches
from simulator.server.listener import ReaderListener


class UnknownReaderError(LookupError):
    """There is no reader of that name."""


class Switchboard:
    """Sets switches and inputs of readers and lets actions happen; the only one who changes their faults."""

    def __init__(
        self,
        listeners: Mapping[str, ReaderListener],
        clock: SimulatedClock,
        plan: FaultPlan,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._listeners = listeners
        self._clock = clock
        self._plan = plan
        self._log = log

    @property
    def readers(self) -> list[str]:
        """Names of all readers."""
        return list(self._listeners)

    def catch_up(self, now_us: int) -> None:
        """Do what the plan says up to a time of the scenario."""
        for due in self._plan.due(now_us):
            if isinstance(due, FaultAction):
                self._act(due.reader, due.action, due.arguments)
            else:
                self._put(due)

    def faults(self, reader: str) -> dict[str, Any]:
        """Present value of each switch of a reader, as JSON has it."""
        faults = self._listener(reader).device.faults
        return {one.name: shown(one.name, getattr(faults, one.name)) for one in switches()}

    def set(self, reader: str, switch: str, value: Any, for_s: float | None = None) -> Any:
        """Set a switch now, and put it back after so many seconds of the scenario; returns its value as JSON has it.

        Raises:
            UnknownReaderError: there is no such reader.
            ValueError: there is no such switch or value, or the scenario, whose seconds count, hasn't begun.
        """
        self._listener(reader)
        value = checked(switch, value)
        now_us = self._clock.scenario_us()
        if for_s is not None and now_us is None:
            raise ValueError("for_s counts seconds of the scenario, which hasn't begun: start every reader first")
        begun_us = now_us or 0
        to_us = None if for_s is None else begun_us + round(1e6 * for_s)
        first, *later = span(reader, switch, value, from_us=begun_us, to_us=to_us)
        self._put(first)
        for change in later:
            self._plan.add(change)
        return shown(switch, value)

    def clear(self, reader: str, switch: str) -> Any:
        """Put a switch back to what a reader without faults has; raises as `set` does."""
        return self.set(reader, switch, getattr(Faults(), switch, None))

    def act(self, reader: str, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Let an action happen now; returns all of its arguments.

        Raises:
            UnknownReaderError: there is no such reader.
            ValueError: there is no such action, or an argument is wrong.
        """
        self._listener(reader)
        complete = checked_action(action, arguments)
        self._act(reader, action, complete)
        return complete

    def input(self, reader: str, port: int, *, high: bool) -> None:
        """Put a level on a reader's input now.

        Raises:
            UnknownReaderError: there is no such reader.
            ValueError: the reader has no such input.
        """
        listener = self._listener(reader)
        ports = listener.device.model.gpi_ports
        if not 1 <= port <= ports:
            raise ValueError(f"reader {reader} has no input {port}: it has {f'1 to {ports}' if ports else 'none'}")
        listener.input(port, self._clock.now(), high=high)

    def _put(self, change: FaultChange) -> None:
        listener = self._listeners[change.reader]
        with listener.mishap(change.switch):
            listener.device.faults.put(change.switch, change.value, self._clock.now().utc_us)
        self._log.info("fault", reader=change.reader, switch=change.switch, value=change.value)

    def _act(self, reader: str, action: str, arguments: dict[str, Any]) -> None:
        self._log.info("fault", reader=reader, action=action, **arguments)
        self._listeners[reader].act(action, arguments)

    def _listener(self, reader: str) -> ReaderListener:
        if reader not in self._listeners:
            raise UnknownReaderError(f"there is no reader {reader!r}: there are {', '.join(self._listeners)}")
        return self._listeners[reader]
