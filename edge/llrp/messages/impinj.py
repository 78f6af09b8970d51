"""Impinj's parameters for readers' settings and capabilities, and its messages."""

from typing import Annotated

from edge.llrp.messages.common import LLRPStatus
from edge.llrp.messages.element import Extensions, VendorMessage, VendorParameter
from edge.llrp.messages.impinj_arrays import ImpinjArrayVersion, ImpinjHubVersions
from edge.llrp.messages.impinj_enums import (
    ImpinjAdvancedGPOMode,
    ImpinjAntennaPolarizationType,
    ImpinjFixedFrequencyMode,
    ImpinjGen2XCR,
    ImpinjGen2XID,
    ImpinjGen2XProtection,
    ImpinjIntelligentAntennaMode,
    ImpinjInventorySearchType,
    ImpinjLinkMonitorMode,
    ImpinjLowDutyCycleMode,
    ImpinjRampUpPowerBoostMode,
    ImpinjReducedPowerMode,
    ImpinjRegulatoryRegion,
    ImpinjReportBufferMode,
    ImpinjRequestedDataType,
    ImpinjTagFilterVerificationMode,
)
from edge.llrp.messages.wire_types import S16, U8, U16, U32, U64, BitString, Flag, LongWords, Scalar, String, Words
from edge.llrp.wire import IMPINJ


class ImpinjRequestedData(VendorParameter, vendor=IMPINJ, subtype=21):
    """Which of Impinj's capabilities or settings are asked for."""

    requested_data: Annotated[int, Scalar(32, ImpinjRequestedDataType)]
    custom: Extensions = ()


class ImpinjSubRegulatoryRegion(VendorParameter, vendor=IMPINJ, subtype=22):
    """Region for which the radio is set up."""

    regulatory_region: Annotated[int, Scalar(16, ImpinjRegulatoryRegion)]
    custom: Extensions = ()


class ImpinjInventorySearchMode(VendorParameter, vendor=IMPINJ, subtype=23):
    """Which inventoried state is searched, and whether tags are kept quiet."""

    inventory_search_mode: Annotated[int, Scalar(16, ImpinjInventorySearchType)]
    custom: Extensions = ()


class ImpinjFixedFrequencyList(VendorParameter, vendor=IMPINJ, subtype=26):
    """Channels to stay on."""

    fixed_frequency_mode: Annotated[int, Scalar(16, ImpinjFixedFrequencyMode, pad=16)]
    channel_list: Words
    custom: Extensions = ()


class ImpinjReducedPowerFrequencyList(VendorParameter, vendor=IMPINJ, subtype=27):
    """Channels of reduced power."""

    reduced_power_mode: Annotated[int, Scalar(16, ImpinjReducedPowerMode, pad=16)]
    channel_list: Words
    custom: Extensions = ()


class ImpinjLowDutyCycle(VendorParameter, vendor=IMPINJ, subtype=28):
    """Transmit rarely after `empty_field_timeout` ms without tags, every `field_ping_interval` ms."""

    low_duty_cycle_mode: Annotated[int, Scalar(16, ImpinjLowDutyCycleMode)]
    empty_field_timeout: U16
    field_ping_interval: U16
    custom: Extensions = ()


class ImpinjBLEVersion(VendorParameter, vendor=IMPINJ, subtype=1580):
    """Version of the Bluetooth radio."""

    firmware_version: String
    custom: Extensions = ()


class ImpinjDetailedVersion(VendorParameter, vendor=IMPINJ, subtype=29):
    """Model, serial number and versions."""

    model_name: String
    serial_number: String
    software_version: String
    firmware_version: String
    fpga_version: String
    pcba_version: String
    impinj_hub_versions: ImpinjHubVersions | None = None
    impinj_array_versions: tuple[ImpinjArrayVersion, ...] = ()
    impinj_ble_version: ImpinjBLEVersion | None = None
    custom: Extensions = ()


class ImpinjFrequencyCapabilities(VendorParameter, vendor=IMPINJ, subtype=30):
    """All frequencies in kHz that the region allows."""

    frequency_list: LongWords
    custom: Extensions = ()


class ImpinjGPIDebounceConfiguration(VendorParameter, vendor=IMPINJ, subtype=36):
    """How many ms an input must stand still to count."""

    gpi_port_num: U16
    gpi_debounce_timer_msec: U32
    custom: Extensions = ()


class ImpinjReaderTemperature(VendorParameter, vendor=IMPINJ, subtype=37):
    """Temperature in degrees Celsius."""

    temperature: S16
    custom: Extensions = ()


class ImpinjLinkMonitorConfiguration(VendorParameter, vendor=IMPINJ, subtype=38):
    """Close the connection after so many keepalives without answer."""

    link_monitor_mode: Annotated[int, Scalar(16, ImpinjLinkMonitorMode)]
    link_down_threshold: U16
    custom: Extensions = ()


class ImpinjReportBufferConfiguration(VendorParameter, vendor=IMPINJ, subtype=39):
    """Whether reports are sent at once or gathered."""

    report_buffer_mode: Annotated[int, Scalar(16, ImpinjReportBufferMode)]
    custom: Extensions = ()


class ImpinjLoopSpec(VendorParameter, vendor=IMPINJ, subtype=59):
    """Run the specs before it again, so many times; 0 is for ever."""

    loop_count: U32
    custom: Extensions = ()


class ImpinjAdvancedGPOConfiguration(VendorParameter, vendor=IMPINJ, subtype=64):
    """What drives an output; in pulse mode the reader ends the pulse itself, after so many ms."""

    gpo_port_num: U16
    gpo_mode: Annotated[int, Scalar(16, ImpinjAdvancedGPOMode)]
    gpo_pulse_duration_msec: U32
    custom: Extensions = ()


class ImpinjInventoryConfiguration(VendorParameter, vendor=IMPINJ, subtype=69):
    """Limits of an inventory's dwell time, and closing of gaps between Selects."""

    enable_ant_dwell_time_limit: Flag
    enable_select_gap_close: Annotated[bool, Scalar(1, pad=6)]
    custom: Extensions = ()


class ImpinjAntennaEventHysteresis(VendorParameter, vendor=IMPINJ, subtype=1526):
    """How long an antenna must be connected or not before an event."""

    antenna_event_connected: U64
    antenna_event_disconnected: U64
    custom: Extensions = ()


class ImpinjAntennaEventConfiguration(VendorParameter, vendor=IMPINJ, subtype=1576):
    """Whether attempts on an antenna are told of."""

    enable_antenna_attempt_notification: Annotated[bool, Scalar(1, pad=7)]
    custom: Extensions = ()


class ImpinjAntennaConfiguration(VendorParameter, vendor=IMPINJ, subtype=1524):
    """How antenna events come about."""

    impinj_antenna_event_hysteresis: ImpinjAntennaEventHysteresis | None = None
    impinj_antenna_event_configuration: ImpinjAntennaEventConfiguration | None = None
    custom: Extensions = ()


class ImpinjAntennaAttemptEvent(VendorParameter, vendor=IMPINJ, subtype=1577):
    """The reader tries an antenna."""

    antenna_id: U16
    custom: Extensions = ()


class ImpinjIntelligentAntennaManagement(VendorParameter, vendor=IMPINJ, subtype=1554):
    """Whether the reader leaves out antennas that see nothing."""

    management_enabled: Annotated[int, Scalar(1, ImpinjIntelligentAntennaMode, pad=7)]
    custom: Extensions = ()


class ImpinjPolarizationControl(VendorParameter, vendor=IMPINJ, subtype=1562):
    """Whether polarisation is chosen by antenna number."""

    polarization_control_enabled: Annotated[bool, Scalar(1, pad=7)]
    custom: Extensions = ()


class ImpinjAntennaPolarizationCapability(VendorParameter, vendor=IMPINJ, subtype=1564):
    """A polarisation, and what to add to an antenna's number for it."""

    type: Annotated[int, Scalar(8, ImpinjAntennaPolarizationType)]
    antenna_id_offset: U16
    custom: Extensions = ()


class ImpinjAntennaCapabilities(VendorParameter, vendor=IMPINJ, subtype=1563):
    """What the antennas can."""

    impinj_antenna_polarization_capabilities: tuple[ImpinjAntennaPolarizationCapability, ...] = ()
    custom: Extensions = ()


class ImpinjRFPowerSweep(VendorParameter, vendor=IMPINJ, subtype=1582):
    """Raise the power step by step within an inventory."""

    enable_rf_power_sweep: Annotated[bool, Scalar(1, pad=7)]
    minimum_power_level: U16
    power_level_step_size: U16
    custom: Extensions = ()


class ImpinjTruncatedReplyConfiguration(VendorParameter, vendor=IMPINJ, subtype=1583):
    """Let tags answer with the end of their EPC only."""

    gen2v2_tags_only: Annotated[bool, Scalar(1, pad=7)]
    epc_length: U8
    pointer: U16
    tag_mask: BitString
    custom: Extensions = ()


class ImpinjTagFilterVerificationConfiguration(VendorParameter, vendor=IMPINJ, subtype=1586):
    """Whether the reader checks filters itself."""

    tag_filter_verification_mode: Annotated[int, Scalar(8, ImpinjTagFilterVerificationMode)]
    custom: Extensions = ()


class ImpinjGen2XInventoryConfig(VendorParameter, vendor=IMPINJ, subtype=1596):
    """Gen2X answers of tags."""

    cr: Annotated[int, Scalar(8, ImpinjGen2XCR)]
    id: Annotated[int, Scalar(8, ImpinjGen2XID)]
    protection: Annotated[int, Scalar(8, ImpinjGen2XProtection)]
    custom: Extensions = ()


class ImpinjGen2XTagSelectionConfig(VendorParameter, vendor=IMPINJ, subtype=1597):
    """Gen2X selection by application."""

    app_id: BitString
    custom: Extensions = ()


class ImpinjGen2XTagSelectionEpcLength(VendorParameter, vendor=IMPINJ, subtype=1598):
    """Gen2X selection by EPC length."""

    epc_length_in_bits: Annotated[int, Scalar(16, name="EpcLengthInBits")]
    t_bit: Annotated[bool, Scalar(1, pad=7)]
    custom: Extensions = ()


class ImpinjRampUpPowerBoost(VendorParameter, vendor=IMPINJ, subtype=1608):
    """Whether power is raised while the carrier comes up."""

    ramp_up_power_boost_mode: Annotated[int, Scalar(8, ImpinjRampUpPowerBoostMode)]


class ImpinjEnableExtensions(VendorMessage, vendor=IMPINJ, subtype=21, standard="IMPINJ_ENABLE_EXTENSIONS", lead=32):
    """Ask the reader to use Impinj's parameters on this connection."""

    custom: Extensions = ()


class ImpinjEnableExtensionsResponse(
    VendorMessage, vendor=IMPINJ, subtype=22, standard="IMPINJ_ENABLE_EXTENSIONS_RESPONSE"
):
    """Answer to IMPINJ_ENABLE_EXTENSIONS."""

    llrp_status: LLRPStatus
    custom: Extensions = ()


class ImpinjSaveSettings(VendorMessage, vendor=IMPINJ, subtype=23, standard="IMPINJ_SAVE_SETTINGS"):
    """Keep the settings over a restart."""

    save_configuration: Annotated[bool, Scalar(1, pad=7)]
    custom: Extensions = ()


class ImpinjSaveSettingsResponse(VendorMessage, vendor=IMPINJ, subtype=24, standard="IMPINJ_SAVE_SETTINGS_RESPONSE"):
    """Answer to IMPINJ_SAVE_SETTINGS."""

    llrp_status: LLRPStatus
    custom: Extensions = ()
