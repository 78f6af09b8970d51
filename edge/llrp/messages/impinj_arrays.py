"""Impinj's parameters of antenna hubs and of xArray and xSpan: location and direction."""

from typing import Annotated

from edge.llrp.messages.element import Extensions, VendorParameter
from edge.llrp.messages.impinj_enums import (
    ImpinjDirectionDiagnosticReportLevel,
    ImpinjDirectionFieldOfView,
    ImpinjDirectionReportType,
    ImpinjDirectionRFMode,
    ImpinjDirectionTagPopulationStatus,
    ImpinjHubConnectedType,
    ImpinjHubFaultType,
    ImpinjLocationReportType,
)
from edge.llrp.messages.inventory import C1G2Filter
from edge.llrp.messages.wire_types import S16, S32, U8, U16, U32, U64, Flag, LongWords, Scalar, Some, String, Words
from edge.llrp.wire import IMPINJ


class ImpinjArrayVersion(VendorParameter, vendor=IMPINJ, subtype=1520):
    """Serial number and versions of an array or hub."""

    serial_number: String
    firmware_version: String
    pcba_version: String
    custom: Extensions = ()


class ImpinjHubVersions(VendorParameter, vendor=IMPINJ, subtype=1537):
    """Versions of the antenna hubs."""

    impinj_array_versions: Some[ImpinjArrayVersion]
    custom: Extensions = ()


class ImpinjxArrayDirectionCapabilities(VendorParameter, vendor=IMPINJ, subtype=1575):
    """How many tags a direction inventory can follow."""

    system_tag_population_limit_high_sensitivity: U16
    system_tag_population_limit_high_performance: U16
    custom: Extensions = ()


class ImpinjxArrayCapabilities(VendorParameter, vendor=IMPINJ, subtype=1521):
    """What an xArray or xSpan can."""

    max_num_sectors: U32
    supports_li_specs: Flag
    supports_ti_specs: Annotated[bool, Scalar(1, name="SupportsTISpecs")]
    supports_tsi_specs: Annotated[bool, Scalar(1, name="SupportsTSISpecs")]
    supports_di_specs: Flag
    supports_es_specs: Annotated[bool, Scalar(1, name="SupportsESSpecs", pad=3)]
    impinjx_array_direction_capabilities: ImpinjxArrayDirectionCapabilities | None = None
    custom: Extensions = ()


class ImpinjTiltConfiguration(VendorParameter, vendor=IMPINJ, subtype=1522):
    """Tilt of the array by axis."""

    x_axis: S32
    y_axis: S32
    z_axis: S32
    custom: Extensions = ()


class ImpinjBeaconConfiguration(VendorParameter, vendor=IMPINJ, subtype=1523):
    """Whether the array's light is on, and for how many seconds."""

    beacon_state: Annotated[bool, Scalar(1, pad=7)]
    beacon_duration_seconds: U64
    custom: Extensions = ()


class ImpinjHubConfiguration(VendorParameter, vendor=IMPINJ, subtype=1538):
    """State of an antenna hub."""

    hub_id: U16
    connected: Annotated[int, Scalar(16, ImpinjHubConnectedType)]
    fault: Annotated[int, Scalar(16, ImpinjHubFaultType)]
    custom: Extensions = ()


class ImpinjPlacementConfiguration(VendorParameter, vendor=IMPINJ, subtype=1540):
    """Where the array hangs, in cm, and how it is turned, in degrees."""

    height_cm: U16
    facility_x_location_cm: S32
    facility_y_location_cm: S32
    orientation_degrees: S16
    custom: Extensions = ()


class ImpinjDisabledAntennas(VendorParameter, vendor=IMPINJ, subtype=1565):
    """Antennas that a location inventory leaves out."""

    antenna_ids: Words
    custom: Extensions = ()


class ImpinjLocationAlgorithmControl(VendorParameter, vendor=IMPINJ, subtype=1581):
    """Numbers that steer the location algorithm."""

    control_data: LongWords
    custom: Extensions = ()


class ImpinjLocationConfig(VendorParameter, vendor=IMPINJ, subtype=1542):
    """Times of a location inventory, in seconds."""

    compute_window_seconds: U16
    tag_age_interval_seconds: U16
    update_interval_seconds: U16
    impinj_disabled_antennas: ImpinjDisabledAntennas | None = None
    impinj_location_algorithm_control: ImpinjLocationAlgorithmControl | None = None
    custom: Extensions = ()


class ImpinjTransmitPower(VendorParameter, vendor=IMPINJ, subtype=1561):
    """Transmit power, as an index of the table."""

    transmit_power: U16
    custom: Extensions = ()


class ImpinjC1G2LocationConfig(VendorParameter, vendor=IMPINJ, subtype=1543):
    """Mode, session and filters of a location inventory."""

    mode_index: U16
    session: Annotated[int, Scalar(2, pad=6)]
    c1g2_filters: tuple[C1G2Filter, ...] = ()
    impinj_transmit_power: ImpinjTransmitPower | None = None
    custom: Extensions = ()


class ImpinjLocationReporting(VendorParameter, vendor=IMPINJ, subtype=1544):
    """Which location reports are sent."""

    enable_update_report: Flag
    enable_entry_report: Flag
    enable_exit_report: Flag
    enable_diagnostic_report: Annotated[bool, Scalar(1, pad=4)]
    custom: Extensions = ()


class ImpinjLISpec(VendorParameter, vendor=IMPINJ, subtype=1541):
    """A location inventory."""

    impinj_location_config: ImpinjLocationConfig | None = None
    impinj_c1g2_location_config: ImpinjC1G2LocationConfig | None = None
    impinj_location_reporting: ImpinjLocationReporting | None = None
    custom: Extensions = ()


class ImpinjLocationConfidence(VendorParameter, vendor=IMPINJ, subtype=1553):
    """How sure a location is."""

    read_count: U16
    confidence_data: LongWords
    custom: Extensions = ()


class ImpinjLocationReportData(VendorParameter, vendor=IMPINJ, subtype=1545):
    """Where a tag is, in cm."""

    last_seen_timestamp_utc: U64
    loc_x_centimeters: S32
    loc_y_centimeters: S32
    type: Annotated[int, Scalar(8, ImpinjLocationReportType)]
    impinj_location_confidence: ImpinjLocationConfidence
    custom: Extensions = ()


class ImpinjDirectionSectors(VendorParameter, vendor=IMPINJ, subtype=1568):
    """Sectors of a direction inventory."""

    enabled_sector_ids: Words
    custom: Extensions = ()


class ImpinjDirectionUserTagPopulationLimit(VendorParameter, vendor=IMPINJ, subtype=1570):
    """How many tags a direction inventory follows."""

    user_tag_population_limit: U16


class ImpinjDirectionConfig(VendorParameter, vendor=IMPINJ, subtype=1569):
    """Times in seconds and field of view of a direction inventory."""

    tag_age_interval_seconds: U16
    update_interval_seconds: U16
    field_of_view: Annotated[int, Scalar(8, ImpinjDirectionFieldOfView)]
    impinj_direction_user_tag_population_limit: ImpinjDirectionUserTagPopulationLimit | None = None
    custom: Extensions = ()


class ImpinjC1G2DirectionConfig(VendorParameter, vendor=IMPINJ, subtype=1571):
    """Mode, power and filters of a direction inventory."""

    rf_mode: Annotated[int, Scalar(8, ImpinjDirectionRFMode)]
    impinj_transmit_power: ImpinjTransmitPower | None = None
    c1g2_filters: tuple[C1G2Filter, ...] = ()
    custom: Extensions = ()


class ImpinjDirectionReporting(VendorParameter, vendor=IMPINJ, subtype=1572):
    """Which direction reports are sent."""

    enable_update_report: Flag
    enable_entry_report: Flag
    enable_exit_report: Flag
    enable_diagnostic_report: Annotated[bool, Scalar(1, pad=4)]
    diagnostic_report_level: Annotated[int, Scalar(8, ImpinjDirectionDiagnosticReportLevel)]
    custom: Extensions = ()


class ImpinjDISpec(VendorParameter, vendor=IMPINJ, subtype=1567):
    """A direction inventory."""

    impinj_direction_sectors: ImpinjDirectionSectors
    impinj_direction_config: ImpinjDirectionConfig | None = None
    impinj_c1g2_direction_config: ImpinjC1G2DirectionConfig | None = None
    impinj_direction_reporting: ImpinjDirectionReporting | None = None
    custom: Extensions = ()


class ImpinjDirectionDiagnosticData(VendorParameter, vendor=IMPINJ, subtype=1574):
    """Numbers for diagnosis of a direction."""

    metric: LongWords


class ImpinjDirectionReportData(VendorParameter, vendor=IMPINJ, subtype=1573):
    """From which sector to which a tag went, and when."""

    type: Annotated[int, Scalar(8, ImpinjDirectionReportType)]
    tag_population_status: Annotated[int, Scalar(8, ImpinjDirectionTagPopulationStatus)]
    first_seen_sector_id: U8
    first_seen_timestamp_utc: U64
    last_seen_sector_id: U8
    last_seen_timestamp_utc: U64
    impinj_direction_diagnostic_data: ImpinjDirectionDiagnosticData | None = None
    custom: Extensions = ()
