"""ROSpecs as a reader keeps them: parsed once, refused with the reason where they ask for what isn't simulated."""

import struct
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from simulator.server.air import parse_command
from simulator.server.codes import ParameterType, Status
from simulator.server.errors import RefusedError
from simulator.server.model import ReaderModel
from simulator.server.reports import Content, ImpinjContent, parse_content, parse_impinj_content
from simulator.server.triggers import Boundary, StopTrigger, parse_boundary
from simulator.server.wire import CUSTOM_TYPE, IMPINJ, Parameter, fields, parameters
from simulator.world.command import AirCommand

IMPINJ_SELECTOR_SUBTYPE: Final = 50
_N_TAGS: Final = 0
_NO_MORE_NEW_TAGS: Final = 1
_ATTEMPTS: Final = 2
"""TriggerTypes of a TagObservationTrigger, 10.2.2.1.1."""
ATTEMPT_MS: Final = 50
"""An attempt to see all tags takes about so long an antenna: the standard leaves it to the reader."""


class RoState(IntEnum):
    """States of a ROSpec, 10.2.1."""

    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


class ReportTrigger(IntEnum):
    """When pending reports go out, 13.2.1; N tags always, and at the end of the named spec."""

    NONE = 0
    END_OF_AISPEC = 1
    END_OF_ROSPEC = 2


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """ROReportSpec: `n` of 0 is no limit."""

    trigger: ReportTrigger = ReportTrigger.END_OF_ROSPEC
    n: int = 1
    content: Content = field(default_factory=Content)


@dataclass(frozen=True, slots=True)
class AiSpec:
    """One AISpec: its antennas with their power, and when it ends.

    Attributes:
        power_dbm: by antenna port, only where the ROSpec sets one.
        duration_ms: 0 is for ever; with `tags` it is the timeout.
        tags: ends after that many tag observations; 0 is no limit.
        quiet_ms: ends after so long without a new tag; 0 is never.
        commands: what is asked of the air, by antenna port, where the ROSpec says.
        inventory_specs: how many InventoryParameterSpecs it holds.
        survey: what is listened to in place of an inventory (RFSurveySpec).
    """

    antennas: tuple[int, ...]
    power_dbm: dict[int, float]
    duration_ms: int = 0
    tags: int = 0
    quiet_ms: int = 0
    commands: dict[int, AirCommand] = field(default_factory=dict)
    inventory_specs: int = 1
    survey: "Survey | None" = None


@dataclass(frozen=True, slots=True)
class Survey:
    """One RFSurveySpec: what else is on the air, channel by channel."""

    antenna: int
    from_khz: int
    to_khz: int


@dataclass(frozen=True, slots=True)
class AntennaSettings:
    """One AntennaConfiguration: port (0 is all), and power and air where it sets them."""

    port: int
    power_dbm: float | None
    command: AirCommand | None

    def ports(self, model: ReaderModel) -> list[int]:
        """The ports that it is for."""
        return [self.port] if self.port else list(range(1, model.antennas + 1))


@dataclass(frozen=True, slots=True)
class RoSpec:
    """One ROSpec."""

    id: int
    boundary: Boundary
    aispecs: tuple[AiSpec, ...]
    report: ReportSpec | None
    raw: bytes
    state: RoState = RoState.DISABLED

    def in_state(self, state: RoState) -> "RoSpec":
        """The same ROSpec in another state."""
        return replace(self, state=state)

    def encoded(self) -> bytes:
        """The parameter as it was added, with its present state."""
        body = self.raw[:5] + bytes([self.state]) + self.raw[6:]
        return struct.pack(">HH", ParameterType.ROSPEC, 4 + len(body)) + body


def parse_rospec(body: bytes, model: ReaderModel) -> RoSpec:
    """Read a ROSpec parameter's body.

    Raises:
        WireError: it is malformed.
        RefusedError: it asks for what this reader can't do.
    """
    rospec_id, _, state = fields(body, ">IBB", "ROSpec")
    if rospec_id == 0 or state != RoState.DISABLED:
        raise RefusedError(
            Status.FIELD_ERROR, f"a new ROSpec has an id above 0 and is disabled, not {rospec_id}/{state}"
        )
    boundary, report = Boundary(), None
    aispecs: list[AiSpec] = []
    for parameter in parameters(body[6:], "ROSpec"):
        if parameter.type == ParameterType.RO_BOUNDARY_SPEC:
            boundary = parse_boundary(parameter.body)
        elif parameter.type == ParameterType.AISPEC:
            aispecs.append(_aispec(parameter.body, model))
        elif parameter.type == ParameterType.RF_SURVEY_SPEC and model.surveys:
            aispecs.append(_survey(parameter.body, model))
        elif parameter.type == ParameterType.RO_REPORT_SPEC:
            report = parse_report_spec(parameter.body)
        else:
            raise RefusedError(Status.UNSUPPORTED_PARAMETER, f"parameter {parameter.type} in a ROSpec")
    if not aispecs:
        raise RefusedError(Status.MISSING_PARAMETER, "a ROSpec needs an AISpec")
    if len(aispecs) > model.max_specs_a_rospec:
        raise RefusedError(Status.OVERFLOW_PARAMETER, f"this reader takes {model.max_specs_a_rospec} specs a ROSpec")
    return RoSpec(rospec_id, boundary, tuple(aispecs), report, body)


def parse_report_spec(body: bytes) -> ReportSpec:
    """Read a ROReportSpec's body."""
    trigger, n = fields(body, ">BH", "ROReportSpec")
    if trigger not in list(ReportTrigger):
        raise RefusedError(Status.FIELD_ERROR, f"ROReportTrigger {trigger}: this reader knows 0, 1 and 2")
    inner = list(parameters(body[3:], "ROReportSpec"))
    impinj = next((parse_impinj_content(p.body) for p in inner if _is_impinj_selector(p)), ImpinjContent())
    selectors = [p.body for p in inner if p.type == ParameterType.TAG_REPORT_CONTENT_SELECTOR]
    if not selectors:
        raise RefusedError(Status.MISSING_PARAMETER, "a ROReportSpec needs a TagReportContentSelector")
    return ReportSpec(ReportTrigger(trigger), n, parse_content(selectors[0], impinj))


def parse_antenna(body: bytes, model: ReaderModel) -> AntennaSettings:
    """Read an AntennaConfiguration's body.

    Raises:
        WireError: it is malformed.
        RefusedError: it asks for a power, channel, mode or filter that the reader hasn't got.
    """
    (antenna,) = fields(body, ">H", "AntennaConfiguration")
    power = command = None
    for parameter in parameters(body[2:], "AntennaConfiguration"):
        if parameter.type == ParameterType.RF_TRANSMITTER:
            power = _transmit_power(parameter, model)
        elif parameter.type == ParameterType.C1G2_INVENTORY_COMMAND:
            command = parse_command(parameter.body, model)
    return AntennaSettings(antenna, power, command)


def _is_impinj_selector(parameter: Parameter) -> bool:
    return parameter.type == CUSTOM_TYPE and (parameter.vendor, parameter.subtype) == (IMPINJ, IMPINJ_SELECTOR_SUBTYPE)


def _aispec(body: bytes, model: ReaderModel) -> AiSpec:
    (count,) = fields(body, ">H", "AISpec")
    listed = fields(body[2:], f">{count}H", "AISpec's antennas")
    ports = set(range(1, model.antennas + 1)) if 0 in listed or not listed else set(listed)
    if max(ports) > model.antennas:
        raise RefusedError(Status.OUT_OF_RANGE, f"antenna {max(ports)}: this reader has 1 to {model.antennas}")
    duration_ms, tags, quiet_ms = 0, 0, 0
    power, commands = dict[int, float](), dict[int, AirCommand]()
    inventory_specs = 0
    for parameter in parameters(body[2 + 2 * count :], "AISpec"):
        if parameter.type == ParameterType.AISPEC_STOP_TRIGGER:
            duration_ms, tags, quiet_ms = _ai_stop(parameter.body, len(ports))
        elif parameter.type == ParameterType.INVENTORY_PARAMETER_SPEC:
            inventory_specs += 1
            for antenna in _antennas(parameter.body, model):
                if antenna.power_dbm is not None:
                    power |= dict.fromkeys(antenna.ports(model), antenna.power_dbm)
                if antenna.command is not None:
                    commands |= dict.fromkeys(antenna.ports(model), antenna.command)
    if inventory_specs > model.max_inventory_specs:
        raise RefusedError(
            Status.OVERFLOW_PARAMETER,
            f"this reader takes {model.max_inventory_specs} InventoryParameterSpecs an AISpec",
        )
    return AiSpec(tuple(sorted(ports)), power, duration_ms, tags, quiet_ms, commands, inventory_specs)


def _survey(body: bytes, model: ReaderModel) -> AiSpec:
    antenna, from_khz, to_khz = fields(body, ">HII", "RFSurveySpec")
    if not 1 <= antenna <= model.antennas:
        raise RefusedError(Status.OUT_OF_RANGE, f"antenna {antenna}: this reader has 1 to {model.antennas}")
    duration_ms = 0
    for parameter in parameters(body[10:], "RFSurveySpec"):
        if parameter.type == ParameterType.RF_SURVEY_SPEC_STOP_TRIGGER:
            kind, duration_ms, _ = fields(parameter.body, ">BII", "RFSurveySpecStopTrigger")
            if kind != StopTrigger.DURATION:
                raise RefusedError(Status.UNSUPPORTED_PARAMETER, f"survey stop trigger {kind}: this reader knows 1")
    return AiSpec((), {}, duration_ms, inventory_specs=0, survey=Survey(antenna, from_khz, to_khz))


def _ai_stop(body: bytes, antennas: int) -> tuple[int, int, int]:
    """Milliseconds, number of tags, and milliseconds without a new tag that end an AISpec; 0 is never."""
    kind, duration_ms = fields(body, ">BI", "AISpecStopTrigger")
    if kind == StopTrigger.NULL:
        return 0, 0, 0
    if kind == StopTrigger.DURATION:
        return duration_ms, 0, 0
    for parameter in parameters(body[5:], "AISpecStopTrigger"):
        if kind == StopTrigger.TAG_OBSERVATION and parameter.type == ParameterType.TAG_OBSERVATION_TRIGGER:
            observe, _, tags, attempts, quiet_ms, timeout_ms = fields(
                parameter.body, ">BBHHHI", "TagObservationTrigger"
            )
            if observe == _N_TAGS:
                return timeout_ms, tags, 0
            if observe == _NO_MORE_NEW_TAGS:
                return timeout_ms, 0, quiet_ms
            if observe == _ATTEMPTS:
                attempts_ms = max(attempts, 1) * ATTEMPT_MS * antennas
                return min(attempts_ms, timeout_ms or attempts_ms), 0, 0
            raise RefusedError(Status.UNSUPPORTED_PARAMETER, f"tag observation {observe}: this reader knows 0, 1 and 2")
    raise RefusedError(Status.UNSUPPORTED_PARAMETER, f"AISpec stop trigger {kind}: this reader knows 0, 1 and 3")


def _antennas(body: bytes, model: ReaderModel) -> list[AntennaSettings]:
    inner = parameters(body[3:], "InventoryParameterSpec")
    return [parse_antenna(one.body, model) for one in inner if one.type == ParameterType.ANTENNA_CONFIGURATION]


def _transmit_power(parameter: Parameter, model: ReaderModel) -> float:
    hop_table, channel, index = fields(parameter.body, ">HHH", "RFTransmitter")
    power = model.power_dbm(index)
    if power is None:
        first, last = model.first_power_index, model.first_power_index + len(model.powers_cdbm) - 1
        raise RefusedError(Status.OUT_OF_RANGE, f"transmit power index {index}: this reader has {first} to {last}")
    if model.hopping and hop_table != 1:
        raise RefusedError(Status.OUT_OF_RANGE, f"hop table {hop_table}: this reader has 1")
    if not model.hopping and not 1 <= channel <= len(model.frequencies_khz):
        last = len(model.frequencies_khz)
        raise RefusedError(Status.OUT_OF_RANGE, f"channel index {channel}: this reader has 1 to {last}")
    return power
