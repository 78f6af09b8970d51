"""A reader's configuration: GET_READER_CONFIG and SET_READER_CONFIG as values (LLRP 1.0.1, 13)."""

import struct
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Final

from simulator.server.codes import EventType, ImpinjSubtype, ParameterType, Status
from simulator.server.errors import RefusedError
from simulator.server.model import ReaderModel
from simulator.server.reports import Content
from simulator.server.rospec import ReportSpec, parse_antenna, parse_report_spec
from simulator.server.wire import IMPINJ, Parameter, fields, parameters, tlv
from simulator.world.command import AirCommand

KEEPALIVE_PERIODIC: Final = 1
_PULSED: Final = 1
"""ImpinjAdvancedGPOMode in which an output falls back by itself."""


class Requested(IntEnum):
    """RequestedData of GET_READER_CONFIG, 13.1.1."""

    ALL = 0
    IDENTIFICATION = 1
    ANTENNA_PROPERTIES = 2
    ANTENNA_CONFIGURATION = 3
    RO_REPORT_SPEC = 4
    EVENT_SPEC = 5
    ACCESS_REPORT_SPEC = 6
    STATE_VALUE = 7
    KEEPALIVE_SPEC = 8
    GPI = 9
    GPO = 10
    EVENTS_AND_REPORTS = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderConfig:
    """What SET_READER_CONFIG changes; a reader keeps it over connections.

    Attributes:
        keepalive_ms: 0 is off.
        link_down_after: drop a client that left so many keepalives unanswered (Impinj's link monitor); 0 is off.
        hold: events and reports wait for ENABLE_EVENTS_AND_REPORTS after a reconnect.
        power_dbm: by antenna port, where it was set.
        commands: what is asked of the air, by antenna port, where it was set and a ROSpec says nothing else.
        debounce_ms: by input, how long a level must last (Impinj's); an input that isn't in it has none.
        pulse_ms: by output, after which time it falls back (Impinj's pulsed mode); 0 or none stays.
        version: counts changes, as LLRPConfigurationStateValue.
    """

    keepalive_ms: int = 0
    link_down_after: int = 0
    hold: bool = False
    events: frozenset[int] = frozenset()
    report: ReportSpec = field(default_factory=ReportSpec)
    power_dbm: dict[int, float] = field(default_factory=dict)
    commands: dict[int, AirCommand] = field(default_factory=dict)
    gpi_enabled: frozenset[int] = frozenset()
    gpo_high: frozenset[int] = frozenset()
    debounce_ms: dict[int, int] = field(default_factory=dict)
    pulse_ms: dict[int, int] = field(default_factory=dict)
    version: int = 1

    def changed(self, body: bytes, model: ReaderModel) -> "ReaderConfig":
        """The configuration after a SET_READER_CONFIG with that body.

        Raises:
            WireError: it is malformed.
            RefusedError: it asks for what this reader can't do; nothing is changed then.
        """
        (flags,) = fields(body, ">B", "SET_READER_CONFIG")
        config = ReaderConfig(version=self.version) if flags & 0x80 else self
        for parameter in parameters(body[1:], "SET_READER_CONFIG"):
            config = replace(config, **_change(config, parameter, model))
        return replace(config, version=self.version + 1)


def encode_config(
    config: ReaderConfig,
    model: ReaderModel,
    identity: bytes,
    requested: int,
    *,
    inputs: Mapping[int, bool],
    unplugged: Container[int],
) -> bytes:
    """Encode the parameters of a GET_READER_CONFIG_RESPONSE after its status.

    `inputs` are the levels there, `unplugged` the antenna ports that the reader knows to be open.
    """
    parts = {
        Requested.IDENTIFICATION: tlv(ParameterType.IDENTIFICATION, struct.pack(">BH", 0, len(identity)) + identity),
        Requested.ANTENNA_PROPERTIES: _antenna_properties(model, unplugged),
        Requested.ANTENNA_CONFIGURATION: _antenna_configurations(config, model),
        Requested.EVENT_SPEC: _event_spec(config),
        Requested.RO_REPORT_SPEC: _report_spec(config.report),
        Requested.ACCESS_REPORT_SPEC: tlv(ParameterType.ACCESS_REPORT_SPEC, b"\x01"),
        Requested.STATE_VALUE: tlv(ParameterType.LLRP_CONFIGURATION_STATE, struct.pack(">I", config.version)),
        Requested.KEEPALIVE_SPEC: _keepalive(config),
        Requested.GPI: _gpi(config, model, inputs),
        Requested.GPO: _gpo(config, model),
        Requested.EVENTS_AND_REPORTS: tlv(ParameterType.EVENTS_AND_REPORTS, bytes([0x80 * config.hold])),
    }
    if requested == Requested.ALL:
        return b"".join(parts.values())
    if requested not in list(Requested):
        raise RefusedError(Status.FIELD_ERROR, f"RequestedData {requested}: this reader knows 0 to 11")
    return parts[Requested(requested)]


def _change(config: ReaderConfig, parameter: Parameter, model: ReaderModel) -> dict[str, Any]:
    """Fields that one parameter of SET_READER_CONFIG changes."""
    body = parameter.body
    change: dict[str, Any] = {}
    match parameter.type:
        case ParameterType.KEEPALIVE_SPEC:
            kind, period_ms = fields(body, ">BI", "KeepaliveSpec")
            change["keepalive_ms"] = period_ms if kind == KEEPALIVE_PERIODIC else 0
        case ParameterType.EVENTS_AND_REPORTS:
            change["hold"] = bool(fields(body, ">B", "EventsAndReports")[0] & 0x80)
        case ParameterType.READER_EVENT_NOTIFICATION_SPEC:
            change["events"] = _events(config.events, body)
        case ParameterType.RO_REPORT_SPEC:
            change["report"] = parse_report_spec(body)
        case ParameterType.ANTENNA_CONFIGURATION:
            change |= _antenna(config, body, model)
        case ParameterType.GPI_PORT_CURRENT_STATE:
            port, enabled, _ = fields(body, ">HBB", "GPIPortCurrentState")
            change["gpi_enabled"] = _switched(config.gpi_enabled, port, on=bool(enabled & 0x80))
        case ParameterType.GPO_WRITE_DATA:
            port, high = fields(body, ">HB", "GPOWriteData")
            change["gpo_high"] = _switched(config.gpo_high, port, on=bool(high & 0x80))
        case ParameterType.CUSTOM:
            change |= _vendor_change(config, parameter)
        case ParameterType.ACCESS_REPORT_SPEC | ParameterType.ANTENNA_PROPERTIES:
            pass  # there are no AccessSpecs here, and gains stay as built
        case _:
            raise RefusedError(Status.UNSUPPORTED_PARAMETER, f"parameter {parameter.type} in SET_READER_CONFIG")
    return change


def _vendor_change(config: ReaderConfig, parameter: Parameter) -> dict[str, Any]:
    """Of vendors' parameters those of link, inputs and outputs are played; the others change nothing here."""
    if parameter.vendor != IMPINJ:
        return {}
    match parameter.subtype:
        case ImpinjSubtype.LINK_MONITOR_CONFIGURATION:
            mode, threshold = fields(parameter.body, ">HH", "ImpinjLinkMonitorConfiguration")
            return {"link_down_after": threshold if mode else 0}
        case ImpinjSubtype.GPI_DEBOUNCE_CONFIGURATION:
            port, debounce_ms = fields(parameter.body, ">HI", "ImpinjGPIDebounceConfiguration")
            return {"debounce_ms": config.debounce_ms | {port: debounce_ms}}
        case ImpinjSubtype.ADVANCED_GPO_CONFIGURATION:
            port, mode, pulse_ms = fields(parameter.body, ">HHI", "ImpinjAdvancedGPOConfiguration")
            return {"pulse_ms": config.pulse_ms | {port: pulse_ms if mode == _PULSED else 0}}
    return {}


def _switched(ports: frozenset[int], port: int, *, on: bool) -> frozenset[int]:
    return ports | {port} if on else ports - {port}


def _events(before: frozenset[int], body: bytes) -> frozenset[int]:
    events = before
    for parameter in parameters(body, "ReaderEventNotificationSpec"):
        kind, on = fields(parameter.body, ">HB", "EventNotificationState")
        events = _switched(events, kind, on=bool(on & 0x80))
    return events


def _antenna(config: ReaderConfig, body: bytes, model: ReaderModel) -> dict[str, Any]:
    """Power and air of the ports that one AntennaConfiguration is for."""
    antenna = parse_antenna(body, model)
    change: dict[str, Any] = {}
    if antenna.power_dbm is not None:
        change["power_dbm"] = config.power_dbm | dict.fromkeys(antenna.ports(model), antenna.power_dbm)
    if antenna.command is not None:
        change["commands"] = config.commands | dict.fromkeys(antenna.ports(model), antenna.command)
    return change


def _antenna_properties(model: ReaderModel, unplugged: Container[int]) -> bytes:
    return b"".join(
        tlv(ParameterType.ANTENNA_PROPERTIES, struct.pack(">BHh", 0x80 * (port not in unplugged), port, 0))
        for port in range(1, model.antennas + 1)
    )


def _antenna_configurations(config: ReaderConfig, model: ReaderModel) -> bytes:
    found = b""
    for port in range(1, model.antennas + 1):
        power_cdbm = round(100 * config.power_dbm.get(port, model.powers_cdbm[-1] / 100))
        nearest = min(range(len(model.powers_cdbm)), key=lambda at: abs(model.powers_cdbm[at] - power_cdbm))
        index = model.first_power_index + nearest
        receiver = tlv(ParameterType.RF_RECEIVER, struct.pack(">H", 1))
        transmitter = tlv(ParameterType.RF_TRANSMITTER, struct.pack(">HHH", int(model.hopping), 1, index))
        control = tlv(ParameterType.C1G2_RF_CONTROL, struct.pack(">HH", 1000, 0))
        singulation = tlv(ParameterType.C1G2_SINGULATION_CONTROL, struct.pack(">BHI", 0x40, 32, 0))
        command = tlv(ParameterType.C1G2_INVENTORY_COMMAND, b"\0" + control + singulation)
        body = struct.pack(">H", port) + receiver + transmitter + command
        found += tlv(ParameterType.ANTENNA_CONFIGURATION, body)
    return found


def _event_spec(config: ReaderConfig) -> bytes:
    states = b"".join(
        tlv(ParameterType.EVENT_NOTIFICATION_STATE, struct.pack(">HB", kind, 0x80 * (kind in config.events)))
        for kind in EventType
    )
    return tlv(ParameterType.READER_EVENT_NOTIFICATION_SPEC, states)


def _report_spec(spec: ReportSpec) -> bytes:
    selector = tlv(ParameterType.TAG_REPORT_CONTENT_SELECTOR, struct.pack(">H", _selector_bits(spec.content)))
    return tlv(ParameterType.RO_REPORT_SPEC, struct.pack(">BH", spec.trigger, spec.n) + selector)


def _selector_bits(content: Content) -> int:
    switches = (
        content.rospec_id,
        content.spec_index,
        content.inventory_id,
        content.antenna,
        content.channel,
        content.peak_rssi,
        content.first_seen,
        content.last_seen,
        content.seen_count,
    )
    return sum(0x8000 >> place for place, on in enumerate(switches) if on)


def _keepalive(config: ReaderConfig) -> bytes:
    return tlv(ParameterType.KEEPALIVE_SPEC, struct.pack(">BI", bool(config.keepalive_ms), config.keepalive_ms))


def _gpi(config: ReaderConfig, model: ReaderModel, inputs: Mapping[int, bool]) -> bytes:
    return b"".join(
        tlv(
            ParameterType.GPI_PORT_CURRENT_STATE,
            struct.pack(">HBB", port, 0x80 * (port in config.gpi_enabled), inputs.get(port, False)),
        )
        for port in range(1, model.gpi_ports + 1)
    )


def _gpo(config: ReaderConfig, model: ReaderModel) -> bytes:
    return b"".join(
        tlv(ParameterType.GPO_WRITE_DATA, struct.pack(">HB", port, 0x80 * (port in config.gpo_high)))
        for port in range(1, model.gpo_ports + 1)
    )
