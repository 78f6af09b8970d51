"""What the session sets on a reader besides its ROSpec: keepalives, events, inputs, outputs. Pure."""

from dataclasses import dataclass
from typing import Final

from edge.llrp.control import Capabilities
from edge.llrp.messages import enums
from edge.llrp.messages.answers import GetReaderCapabilitiesResponse
from edge.llrp.messages.commands import GetReaderConfig, SetReaderConfig
from edge.llrp.messages.configuration import EventsAndReports, GPIPortCurrentState, GPOWriteData, KeepaliveSpec
from edge.llrp.messages.element import VendorParameter
from edge.llrp.messages.events import EventNotificationState, ReaderEventNotificationSpec
from edge.llrp.messages.impinj import (
    ImpinjAdvancedGPOConfiguration,
    ImpinjGPIDebounceConfiguration,
    ImpinjLinkMonitorConfiguration,
    ImpinjRequestedData,
)
from edge.llrp.messages.impinj_enums import ImpinjAdvancedGPOMode, ImpinjLinkMonitorMode, ImpinjRequestedDataType
from edge.profiles import ReaderProfile
from edge.readers.model import OutputSettings, ReaderSettings

MISSED_ACKNOWLEDGEMENTS: Final = 2
"""After so many keepalives without acknowledgement the reader drops us, and can be dialled again."""

_EVENTS: Final = (
    enums.NotificationEventType.UPON_HOPPING_TO_NEXT_CHANNEL,
    enums.NotificationEventType.GPI_EVENT,
    enums.NotificationEventType.ROSPEC_EVENT,
    enums.NotificationEventType.REPORT_BUFFER_FILL_WARNING,
    enums.NotificationEventType.READER_EXCEPTION_EVENT,
    enums.NotificationEventType.RFSURVEY_EVENT,
    enums.NotificationEventType.AISPEC_EVENT,
    enums.NotificationEventType.AISPEC_EVENT_WITH_DETAILS,
    enums.NotificationEventType.ANTENNA_EVENT,
)
"""All events of LLRP 1.0.1, each told on or off, since a reader keeps what a client before us wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a reader can, beyond `Capabilities`: chosen by what it says, never by what it is called.

    Attributes:
        filters: Select masks a query.
        specs: AISpecs and the like in one ROSpec; 0 is as many as one likes.
        surveys: whether it does RF surveys.
        outputs: general purpose outputs.
    """

    filters: int = 0
    specs: int = 1
    surveys: bool = False
    outputs: int = 0


def abilities(said: GetReaderCapabilitiesResponse) -> Abilities:
    """Return what a reader's capabilities say; what it leaves out it can't."""
    general, llrp, gen2 = said.general_device_capabilities, said.llrp_capabilities, said.c1g2_llrp_capabilities
    return Abilities(
        filters=0 if gen2 is None else gen2.max_num_select_filters_per_query,
        specs=1 if llrp is None else llrp.max_num_specs_per_rospec,
        surveys=llrp is not None and llrp.can_do_rf_survey,
        outputs=0 if general is None else general.gpio_capabilities.num_gpos,
    )


def reader_config(
    settings: ReaderSettings, profile: ReaderProfile, seen: Capabilities, *, extensions: bool
) -> SetReaderConfig:
    """Return SET_READER_CONFIG: keepalives on, the events that we read on and the others off."""
    wired = bool(settings.gpis) or settings.trigger is not None
    wanted = {
        enums.NotificationEventType.READER_EXCEPTION_EVENT,
        enums.NotificationEventType.ANTENNA_EVENT,
        *([enums.NotificationEventType.GPI_EVENT] if wired else []),
        *([enums.NotificationEventType.REPORT_BUFFER_FILL_WARNING] if seen.warns_of_buffer else []),
    }
    events = ReaderEventNotificationSpec(
        event_notification_states=tuple(
            EventNotificationState(event_type=event, notification_state=event in wanted) for event in _EVENTS
        )
    )
    hold = EventsAndReports(hold_events_and_reports_upon_reconnect=False) if seen.holds_events else None
    return SetReaderConfig(
        reset_to_factory_default=False,
        reader_event_notification_spec=events,
        keepalive_spec=_keepalive(settings),
        gpi_port_current_states=_inputs(settings),
        events_and_reports=hold,
        custom=_vendor_settings(settings, profile) if extensions else (),
    )


def keepalive_only(settings: ReaderSettings) -> SetReaderConfig:
    """Return the least SET_READER_CONFIG, for a reader that refuses the rest of ours."""
    return SetReaderConfig(reset_to_factory_default=False, keepalive_spec=_keepalive(settings))


def write_outputs(outputs: list[tuple[OutputSettings, bool]], *, low_is_on: bool) -> SetReaderConfig:
    """Return SET_READER_CONFIG that puts outputs on or off.

    Args:
        outputs: each with whether it is to be on.
        low_is_on: what holds for outputs whose settings don't say.
    """
    levels = tuple(
        GPOWriteData(gpo_port_number=one.output, gpo_data=on != is_inverted(one, low_is_on=low_is_on))
        for one, on in outputs
    )
    return SetReaderConfig(reset_to_factory_default=False, gpo_write_data=levels)


def output_mode(output: int, *, pulse_ms: int | None) -> SetReaderConfig:
    """Return SET_READER_CONFIG by which an Impinj output stays as it is written, or falls back after a time."""
    mode = ImpinjAdvancedGPOMode.NORMAL if pulse_ms is None else ImpinjAdvancedGPOMode.PULSED
    custom = ImpinjAdvancedGPOConfiguration(gpo_port_num=output, gpo_mode=mode, gpo_pulse_duration_msec=pulse_ms or 0)
    return SetReaderConfig(reset_to_factory_default=False, custom=(custom,))


def ask_temperature() -> GetReaderConfig:
    """Return GET_READER_CONFIG for an Impinj reader's temperature; of the standard's part the least is asked."""
    wanted = ImpinjRequestedData(requested_data=ImpinjRequestedDataType.IMPINJ_READER_TEMPERATURE)
    least = enums.GetReaderConfigRequestedData.IDENTIFICATION
    return GetReaderConfig(antenna_id=0, requested_data=least, gpi_port_num=0, gpo_port_num=0, custom=(wanted,))


def is_inverted(output: OutputSettings, *, low_is_on: bool) -> bool:
    """Whether what is wired to an output is on while the reader calls it low."""
    return low_is_on if output.inverted is None else output.inverted


def _keepalive(settings: ReaderSettings) -> KeepaliveSpec:
    return KeepaliveSpec(
        keepalive_trigger_type=enums.KeepaliveTriggerType.PERIODIC, periodic_trigger_value=settings.keepalive_ms
    )


def _inputs(settings: ReaderSettings) -> tuple[GPIPortCurrentState, ...]:
    ports = {gpi.port for gpi in settings.gpis} | ({settings.trigger.gpi} if settings.trigger else set())
    return tuple(
        GPIPortCurrentState(gpi_port_num=port, config=True, state=enums.GPIPortState.LOW) for port in sorted(ports)
    )


def _vendor_settings(settings: ReaderSettings, profile: ReaderProfile) -> tuple[VendorParameter, ...]:
    found: list[VendorParameter] = []
    if profile.extensions.handshake != "impinj":
        return ()
    if profile.extensions.link_monitor:
        found.append(
            ImpinjLinkMonitorConfiguration(
                link_monitor_mode=ImpinjLinkMonitorMode.ENABLED, link_down_threshold=MISSED_ACKNOWLEDGEMENTS
            )
        )
    found += [
        ImpinjGPIDebounceConfiguration(gpi_port_num=gpi.port, gpi_debounce_timer_msec=gpi.debounce_ms)
        for gpi in settings.gpis
    ]
    return tuple(found)
