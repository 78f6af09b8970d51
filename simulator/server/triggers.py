"""What starts and ends a ROSpec: by hand, at once, after a time, or by an input (LLRP 1.0.1, 10.2.1.1)."""

from dataclasses import dataclass
from enum import IntEnum

from simulator.server.codes import ParameterType, Status
from simulator.server.errors import RefusedError
from simulator.server.wire import Parameter, fields, parameters


class StartTrigger(IntEnum):
    """What starts an enabled ROSpec."""

    NULL = 0
    IMMEDIATE = 1
    GPI = 3


class StopTrigger(IntEnum):
    """What ends a ROSpec or an AISpec; the last is an AISpec's only."""

    NULL = 0
    DURATION = 1
    GPI = 2
    TAG_OBSERVATION = 3


@dataclass(frozen=True, slots=True)
class GpiTrigger:
    """An input's change to a level; `timeout_ms` ends what it should have ended, 0 never does."""

    port: int
    high: bool
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Boundary:
    """ROBoundarySpec: `duration_ms` of 0 is until stopped."""

    start: StartTrigger = StartTrigger.NULL
    duration_ms: int = 0
    start_gpi: GpiTrigger | None = None
    stop_gpi: GpiTrigger | None = None


def parse_boundary(body: bytes) -> Boundary:
    """Read a ROBoundarySpec's body.

    Raises:
        WireError: it is malformed.
        RefusedError: a trigger that this reader doesn't know.
    """
    start, start_gpi, duration_ms, stop_gpi = StartTrigger.NULL, None, 0, None
    for parameter in parameters(body, "ROBoundarySpec"):
        if parameter.type == ParameterType.ROSPEC_START_TRIGGER:
            start, start_gpi = _start(parameter)
        elif parameter.type == ParameterType.ROSPEC_STOP_TRIGGER:
            duration_ms, stop_gpi = _stop(parameter)
    return Boundary(start, duration_ms, start_gpi, stop_gpi)


def _start(parameter: Parameter) -> tuple[StartTrigger, GpiTrigger | None]:
    (kind,) = fields(parameter.body, ">B", "ROSpecStartTrigger")
    if kind not in list(StartTrigger):
        raise RefusedError(Status.UNSUPPORTED_PARAMETER, f"start trigger {kind}: this reader knows 0, 1 and 3")
    start = StartTrigger(kind)
    return start, _gpi(parameter.body[1:], "ROSpecStartTrigger") if start is StartTrigger.GPI else None


def _stop(parameter: Parameter) -> tuple[int, GpiTrigger | None]:
    kind, duration_ms = fields(parameter.body, ">BI", "ROSpecStopTrigger")
    if kind not in (StopTrigger.NULL, StopTrigger.DURATION, StopTrigger.GPI):
        raise RefusedError(Status.UNSUPPORTED_PARAMETER, f"stop trigger {kind}: this reader knows 0, 1 and 2")
    if kind == StopTrigger.GPI:
        gpi = _gpi(parameter.body[5:], "ROSpecStopTrigger")
        return gpi.timeout_ms, gpi
    return duration_ms if kind == StopTrigger.DURATION else 0, None


def _gpi(body: bytes, what: str) -> GpiTrigger:
    for parameter in parameters(body, what):
        if parameter.type == ParameterType.GPI_TRIGGER_VALUE:
            port, high, timeout_ms = fields(parameter.body, ">HBI", "GPITriggerValue")
            return GpiTrigger(port, bool(high & 0x80), timeout_ms)
    raise RefusedError(Status.MISSING_PARAMETER, f"{what} of an input needs a GPITriggerValue")
