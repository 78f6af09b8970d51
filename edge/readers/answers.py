"""What a look at a reader asks, and how its answers read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from edge.llrp.control import ReaderEvent
from edge.llrp.messages.answers import GetReaderCapabilitiesResponse, GetReaderConfigResponse, GetROSpecsResponse
from edge.llrp.messages.capabilities import GeneralDeviceCapabilities
from edge.llrp.messages.commands import GetReaderConfig
from edge.llrp.messages.reports import ROReportSpec, TagReportContentSelector
from edge.llrp.messages.rospec import (
    AISpec,
    AISpecStopTrigger,
    InventoryParameterSpec,
    ROBoundarySpec,
    ROSpec,
    ROSpecStartTrigger,
    ROSpecStopTrigger,
)
from edge.profiles import match_profile
from edge.readers.found import (
    AntennaFound,
    InputFound,
    ReaderFound,
    RegionFound,
    RospecFound,
    country,
    standard,
    vendor,
)

EVERYTHING: Final = 0
CONFIG_PARTS: Final = (2, 9, 11)
"""AntennaProperties, GPIPortCurrentState and EventsAndReports, for readers that refuse to tell all at once
[LLRP 1.1, 12.1.1]."""
_EVERY_READ: Final = 1
"""ROReportTrigger: a report after N tags, or at the end of the AISpec."""
_GEN2: Final = 1
_DURATION: Final = 1
"""ROSpecStopTriggerType: after a time [11.2.1.1.2]."""
_ROSPEC_STATES: Final[tuple[str, ...]] = ("disabled", "inactive", "active")
_INPUT_STATES: Final[tuple[str, ...]] = ("low", "high", "unknown")


def reader_of(
    address: str, answer: GetReaderCapabilitiesResponse, general: GeneralDeviceCapabilities, *, tested_s: float
) -> ReaderFound:
    """Return what the capabilities say of a reader; all else is still open."""
    name = general.reader_firmware_version.strip("\0 ")
    profile = match_profile(vendor=general.device_manufacturer_name, model=general.model_name, firmware=name)
    return ReaderFound(
        address=address,
        vendor_code=general.device_manufacturer_name,
        vendor=vendor(general.device_manufacturer_name),
        model_code=general.model_name,
        model=profile.title,
        firmware=name,
        profile=profile.name,
        antennas=tuple(AntennaFound(port=port) for port in range(1, general.max_number_of_antenna_supported + 1)),
        region=_region(answer),
        powers_cdbm=_powers(answer),
        has_utc_clock=general.has_utc_clock_capability,
        clock_offset_us=None,
        uptime_us=None,
        inputs=(),
        outputs=general.gpio_capabilities.num_gpos,
        rospecs=(),
        holds_reports=False,
        tells_config=False,
        tested_s=tested_s,
        told=(),
    )


def with_clock(found: ReaderFound, at_us: int, greeting: ReaderEvent) -> ReaderFound:
    """Add what the greeting says of the reader's time."""
    offset_us = None if greeting.utc_us is None else at_us - greeting.utc_us
    return replace(found, clock_offset_us=offset_us, uptime_us=greeting.uptime_us)


def with_config(found: ReaderFound, config: GetReaderConfigResponse) -> ReaderFound:
    """Add what the reader tells of its configuration."""
    told = {one.antenna_id: one for one in config.antenna_properties}
    antennas = tuple(
        replace(one, connected=told[one.port].antenna_connected, gain_dbi=told[one.port].antenna_gain / 100)
        if one.port in told
        else one
        for one in found.antennas
    )
    events = config.events_and_reports
    holds = events is not None and events.hold_events_and_reports_upon_reconnect
    return replace(found, antennas=antennas, inputs=_inputs(config), holds_reports=holds, tells_config=True)


def with_events(found: ReaderFound, plugged: Mapping[int, bool], expected: Sequence[int] | None) -> ReaderFound:
    """Add what events said of antennas meanwhile, and which ports should have one."""
    antennas = tuple(
        replace(
            one,
            connected=plugged.get(one.port, one.connected),
            expected=expected is None or one.port in expected,
        )
        for one in found.antennas
    )
    absent = tuple(
        f"antenna {port}: the reader has the ports 1 to {len(antennas)} only"
        for port in expected or ()
        if not 1 <= port <= len(antennas)
    )
    return replace(found, antennas=antennas, told=(*absent, *found.told))


def rospecs_of(answer: GetROSpecsResponse) -> tuple[RospecFound, ...]:
    """Return the ROSpecs that stand in the reader."""
    return tuple(
        RospecFound(id=one.rospec_id, state=_ROSPEC_STATES[one.current_state])  # type: ignore[arg-type] # by the table
        for one in answer.rospecs
        if 0 <= one.current_state < len(_ROSPEC_STATES)
    )


def config_parts(parts: Sequence[GetReaderConfigResponse]) -> GetReaderConfigResponse:
    """Join answers that told a part each."""
    return GetReaderConfigResponse(
        llrp_status=parts[0].llrp_status,
        antenna_properties=tuple(one for part in parts for one in part.antenna_properties),
        gpi_port_current_states=tuple(one for part in parts for one in part.gpi_port_current_states),
        events_and_reports=next((one for part in parts if (one := part.events_and_reports)), None),
    )


def config_request(part: int) -> GetReaderConfig:
    """Return the question for all of a reader's configuration, or for a part of it."""
    return GetReaderConfig(antenna_id=0, requested_data=part, gpi_port_num=0, gpo_port_num=0)


def trial_rospec(number: int, port: int, *, longest_s: float) -> ROSpec:
    """Return an inventory of one port with the reader's own power and mode, each read reported at once.

    The reader ends it after `longest_s` by itself: nobody else does if we are killed.
    """
    return ROSpec(
        rospec_id=number,
        priority=0,
        current_state=0,
        ro_boundary_spec=ROBoundarySpec(
            rospec_start_trigger=ROSpecStartTrigger(rospec_start_trigger_type=0),
            rospec_stop_trigger=ROSpecStopTrigger(
                rospec_stop_trigger_type=_DURATION, duration_trigger_value=round(longest_s * 1000)
            ),
        ),
        specs=(
            AISpec(
                antenna_ids=(port,),
                aispec_stop_trigger=AISpecStopTrigger(aispec_stop_trigger_type=0, duration_trigger=0),
                inventory_parameter_specs=(InventoryParameterSpec(inventory_parameter_spec_id=1, protocol_id=_GEN2),),
            ),
        ),
        ro_report_spec=ROReportSpec(
            ro_report_trigger=_EVERY_READ,
            n=1,
            tag_report_content_selector=TagReportContentSelector(
                enable_rospec_id=True,
                enable_spec_index=False,
                enable_inventory_parameter_spec_id=False,
                enable_antenna_id=True,
                enable_channel_index=False,
                enable_peak_rssi=True,
                enable_first_seen_timestamp=False,
                enable_last_seen_timestamp=False,
                enable_tag_seen_count=True,
                enable_access_spec_id=False,
            ),
        ),
    )


def _region(answer: GetReaderCapabilitiesResponse) -> RegionFound | None:
    regulatory = answer.regulatory_capabilities
    if regulatory is None:
        return None
    frequencies: tuple[int, ...] = ()
    hopping = False
    if (band := regulatory.uhf_band_capabilities) is not None:
        hopping = band.frequency_information.hopping
        tables = [table.frequency for table in band.frequency_information.frequency_hop_tables]
        if band.frequency_information.fixed_frequency_table is not None:
            tables.append(band.frequency_information.fixed_frequency_table.frequency)
        frequencies = tuple(sorted({one for table in tables for one in table}))
    return RegionFound(
        country_code=regulatory.country_code,
        country=country(regulatory.country_code),
        standard_code=regulatory.communications_standard,
        standard=standard(regulatory.communications_standard),
        hopping=hopping,
        frequencies_khz=frequencies,
    )


def _powers(answer: GetReaderCapabilitiesResponse) -> tuple[int, ...]:
    regulatory = answer.regulatory_capabilities
    if regulatory is None or regulatory.uhf_band_capabilities is None:
        return ()
    table = regulatory.uhf_band_capabilities.transmit_power_level_table_entries
    return tuple(sorted({entry.transmit_power_value for entry in table}))


def _inputs(config: GetReaderConfigResponse) -> tuple[InputFound, ...]:
    return tuple(
        InputFound(
            port=one.gpi_port_num,
            enabled=one.config,
            state=_INPUT_STATES[min(one.state, len(_INPUT_STATES) - 1)],  # type: ignore[arg-type] # by the table
        )
        for one in config.gpi_port_current_states
    )
