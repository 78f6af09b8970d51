"""Zebra's (Motorola's) parameters and messages."""

from typing import Annotated

from edge.llrp.messages.access import AccessSpec
from edge.llrp.messages.common import LLRPStatus
from edge.llrp.messages.element import VendorMessage, VendorParameter
from edge.llrp.messages.reports import AntennaID, EPCData, PeakRSSI
from edge.llrp.messages.rospec import ROSpec
from edge.llrp.messages.wire_types import S16, U8, U16, U32, U64, Flag, Remaining, Scalar, Some, String, Words
from edge.llrp.wire import ZEBRA


class MotoGeneralRequestCapabilities(VendorParameter, vendor=ZEBRA, subtype=50):
    """Which of Zebra's capabilities are asked for."""

    requested_data: U8


class MotoGeneralCapabilities(VendorParameter, vendor=ZEBRA, subtype=1):
    """Version of the extensions, and what they can."""

    version: U32
    can_get_general_params: Flag
    can_report_part_number: Flag
    can_report_radio_version: Flag
    can_support_radio_power_state: Flag
    can_support_radio_transmit_delay: Flag
    can_support_zebra_trigger: Annotated[bool, Scalar(1, pad=2)]


class MotoAutonomousCapabilities(VendorParameter, vendor=ZEBRA, subtype=100):
    """Whether autonomous mode can be had."""

    version: U32
    can_support_autonomous_mode: Annotated[bool, Scalar(1, pad=7)]


class MotoTagEventsGenerationCapabilities(VendorParameter, vendor=ZEBRA, subtype=120):
    """Which tag events can be had."""

    version: U32
    can_select_tag_events: Flag
    can_select_tag_reporting_format: Flag
    can_select_moving_event: Annotated[bool, Scalar(1, pad=5)]


class MotoFilterCapabilities(VendorParameter, vendor=ZEBRA, subtype=200):
    """By what tags can be filtered; FX9600s set a reserved bit."""

    version: U32
    can_filter_tags_based_on_rssi: Flag
    can_filter_tags_based_on_time_of_day: Flag
    can_filter_tags_based_on_utc_time_stamp: Annotated[bool, Scalar(1, pad=5)]


class MotoPersistenceCapabilities(VendorParameter, vendor=ZEBRA, subtype=300):
    """What is kept over a restart."""

    version: U32
    can_save_configuration: Flag
    can_save_tags: Flag
    can_save_events: Annotated[bool, Scalar(1, pad=5)]


class MotoAdvancedCapabilities(VendorParameter, vendor=ZEBRA, subtype=110):
    """Phase, zones, antenna settings and others."""

    version: U32
    can_report_phase: Flag
    can_support_zone: Flag
    can_support_antenna_rf_config: Flag
    can_support_periodic_tag_reports: Flag
    can_support_sled_battery_status: Flag
    can_support_logical_antenna: Flag
    can_report_gps: Annotated[bool, Scalar(1, pad=1)]


class MotoC1G2LLRPCapabilities(VendorParameter, vendor=ZEBRA, subtype=400):
    """Which tag vendors' commands can be had; FX9600s set a reserved bit."""

    version: U32
    can_support_block_permalock: Flag
    can_support_recommissioning: Flag
    can_write_umi: Flag
    can_support_nxp_custom_commands: Flag
    can_support_fujitsu_custom_commands: Flag
    can_support_g2v2_commands: Annotated[bool, Scalar(1, name="CanSupportG2V2Commands", pad=2)]


class MotoGeneralGetParams(VendorParameter, vendor=ZEBRA, subtype=51):
    """Which of Zebra's settings are asked for."""

    requested_data: U8


class MotoVersion(VendorParameter, vendor=ZEBRA, subtype=256):
    """Version of one part of the reader."""

    module_name: String
    module_version: String


class MotoVersionList(VendorParameter, vendor=ZEBRA, subtype=504):
    """Versions of the reader's parts."""

    moto_versions: tuple[MotoVersion, ...] = ()


class MotoAutonomousState(VendorParameter, vendor=ZEBRA, subtype=101):
    """Whether autonomous mode is on."""

    autonomous_mode_state: Annotated[bool, Scalar(1, pad=7)]


class MotoRadioTransmitDelay(VendorParameter, vendor=ZEBRA, subtype=511):
    """Delay before the radio transmits."""

    radio_transmit_delay: Annotated[int, Scalar(8, pad=8)]


class MotoRadioPowerState(VendorParameter, vendor=ZEBRA, subtype=500):
    """Whether the radio is powered."""

    radio_power_state: Annotated[bool, Scalar(1, pad=7)]


class MotoPersistenceSaveParams(VendorParameter, vendor=ZEBRA, subtype=350):
    """What to keep over a restart."""

    save_configuration: Flag
    save_tag_data: Flag
    save_tag_event_data: Annotated[bool, Scalar(1, pad=5)]


class MotoCustomCommandOptions(VendorParameter, vendor=ZEBRA, subtype=466):
    """Whether NXP's quiet commands are used."""

    enable_nxp_set_and_reset_quiet_commands: Annotated[bool, Scalar(1, pad=31)]


class MotoDefaultSpec(VendorParameter, vendor=ZEBRA, subtype=102):
    """Operations of autonomous mode."""

    use_default_spec_for_auto_mode: Annotated[bool, Scalar(1, pad=7)]
    rospec: ROSpec
    access_specs: tuple[AccessSpec, ...] = ()


class MotoFilterTimeOfDay(VendorParameter, vendor=ZEBRA, subtype=251):
    """A time of day, in microseconds."""

    microseconds: U64


class MotoUTCTimestamp(VendorParameter, vendor=ZEBRA, subtype=250):
    """An instant, in microseconds since 1970."""

    microseconds: U64


class MotoFilterTimeRange(VendorParameter, vendor=ZEBRA, subtype=252):
    """Between which times tags are reported."""

    time_format: U8
    match: U8
    bounds: Some[MotoFilterTimeOfDay | MotoUTCTimestamp]


class MotoFilterRSSIRange(VendorParameter, vendor=ZEBRA, subtype=253):
    """Between which signal strengths tags are reported."""

    match: Annotated[int, Scalar(8, pad=8)]
    peak_rssis: Some[PeakRSSI]


class MotoFilterTagList(VendorParameter, vendor=ZEBRA, subtype=258):
    """Which EPCs are reported."""

    match: Annotated[int, Scalar(8, pad=24)]
    epc_data: Some[EPCData]


class MotoFilterRule(VendorParameter, vendor=ZEBRA, subtype=254):
    """A rule of the reader's own filter."""

    rule_type: U8
    moto_filter_rssi_range: MotoFilterRSSIRange | None = None
    moto_filter_time_range: MotoFilterTimeRange | None = None
    moto_filter_tag_lists: tuple[MotoFilterTagList, ...] = ()


class MotoFilterList(VendorParameter, vendor=ZEBRA, subtype=255):
    """The reader's own filter."""

    use_filter: Annotated[bool, Scalar(1, pad=31)]
    moto_filter_rules: tuple[MotoFilterRule, ...] = ()


class MotoTagEventSelector(VendorParameter, vendor=ZEBRA, subtype=121):
    """Which tag events are reported, with moderation times in ms."""

    report_new_tag_event: U8
    new_tag_event_moderated_timeout: U16
    report_tag_invisible_event: U8
    tag_invisible_event_moderated_timeout: U16
    report_tag_visibility_change_event: U8
    tag_visibility_change_event_moderated_timeout: U16


class MotoTagReportMode(VendorParameter, vendor=ZEBRA, subtype=122):
    """Form of tag reports."""

    report_format: U8


class MovingStationaryTagReport(VendorParameter, vendor=ZEBRA, subtype=126):
    """Whether moving tags are reported."""

    report_moving_tag: Annotated[bool, Scalar(1, pad=7)]
    stray_tag_moderated_timeout: Annotated[int, Scalar(16, pad=8)]


class MotoROReportTrigger(VendorParameter, vendor=ZEBRA, subtype=125):
    """When Zebra's reports are sent."""

    moto_report_trigger: Annotated[int, Scalar(8, pad=24)]


class MotoTagEventEntry(VendorParameter, vendor=ZEBRA, subtype=124):
    """A tag event and its instant, in microseconds since 1970."""

    event_type: U8
    microseconds: U64


class MotoTagEventList(VendorParameter, vendor=ZEBRA, subtype=123):
    """Events of a tag."""

    moto_tag_event_entries: tuple[MotoTagEventEntry, ...] = ()


class MotoC1G2ExtendedPC(VendorParameter, vendor=ZEBRA, subtype=450):
    """XPC words of the tag."""

    xpc1: U16
    xpc2: U16


class MotoTagGPS(VendorParameter, vendor=ZEBRA, subtype=1000):
    """Where the tag was read."""

    longitude: Annotated[int, Scalar(32, name="longitude")]
    latitude: Annotated[int, Scalar(32, name="latitude")]
    altitude: Annotated[int, Scalar(32, name="altitude")]


class MotoAntennaStopCondition(VendorParameter, vendor=ZEBRA, subtype=704):
    """When to leave an antenna."""

    antenna_stop_trigger: U8
    antenna_stop_condition_value: U16


class MotoAntennaPhysicalPortConfig(VendorParameter, vendor=ZEBRA, subtype=705):
    """Ports that an antenna number stands for."""

    physical_transmit_port: U16
    physical_receive_port: U16


class MotoAntennaQueryConfig(VendorParameter, vendor=ZEBRA, subtype=710):
    """Which tags answer, and whether A and B are alternated."""

    enable_sl_all: Flag
    enable_ab_flip: Annotated[bool, Scalar(1, name="EnableABFlip", pad=14)]


class MotoAntennaConfig(VendorParameter, vendor=ZEBRA, subtype=703):
    """Zebra's settings of an antenna."""

    moto_antenna_stop_condition: MotoAntennaStopCondition | None = None
    moto_antenna_physical_port_config: MotoAntennaPhysicalPortConfig | None = None
    moto_antenna_query_config: MotoAntennaQueryConfig | None = None


class MotoTagReportContentSelector(VendorParameter, vendor=ZEBRA, subtype=708):
    """Which of Zebra's fields a tag report has."""

    enable_zone_id: Flag
    enable_zone_name: Flag
    enable_antenna_physical_port_config: Flag
    enable_phase: Flag
    enable_gps: Flag
    enable_mlt_report: Annotated[bool, Scalar(1, pad=26)]


class MotoTagPhase(VendorParameter, vendor=ZEBRA, subtype=709):
    """Phase, 32767 is half a turn."""

    phase: S16


class NXPBrandIDCheckConfig(VendorParameter, vendor=ZEBRA, subtype=711):
    """Which brand of tags to check."""

    brand_id: Annotated[int, Scalar(8, pad=24)]


class BrandIDCheckStatus(VendorParameter, vendor=ZEBRA, subtype=712):
    """Result of the check of a tag's brand."""

    brand_id: U8


class MotoNXPEASAlarmSpec(VendorParameter, vendor=ZEBRA, subtype=463):
    """Antennas on which to search for NXP's EAS alarm."""

    antenna_ids: Words


class MotoNXPEASAlarmNotification(VendorParameter, vendor=ZEBRA, subtype=464):
    """An EAS alarm was heard."""

    eas_alarm_code: U64
    antenna_id: AntennaID | None = None


class MotoConnectionFailureReason(VendorParameter, vendor=ZEBRA, subtype=465):
    """Why a connection failed."""

    error_code: U8
    error_description: String


class ZebraTimelapseStart(VendorParameter, vendor=ZEBRA, subtype=803):
    """Start at a time of day, and then periodically."""

    time_of_day: String
    period: U32


class ZebraDistance(VendorParameter, vendor=ZEBRA, subtype=804):
    """Start by distance."""

    value: U32


class ZebraROSpecStartTrigger(VendorParameter, vendor=ZEBRA, subtype=802):
    """Start by time lapse or distance."""

    zebra_timelapse_start: ZebraTimelapseStart | None = None
    zebra_distance: ZebraDistance | None = None


class ZebraTimelapseStop(VendorParameter, vendor=ZEBRA, subtype=806):
    """How long reading lasts."""

    total_duration: U32
    periodic_duration: U32


class ZebraROSpecStopTrigger(VendorParameter, vendor=ZEBRA, subtype=805):
    """Stop by time lapse."""

    zebra_timelapse_stop: ZebraTimelapseStop | None = None


class ZebraROTriggerSpec(VendorParameter, vendor=ZEBRA, subtype=801):
    """Zebra's triggers of a reader operation."""

    zebra_rospec_start_trigger: ZebraROSpecStartTrigger | None = None
    zebra_rospec_stop_trigger: ZebraROSpecStopTrigger | None = None


class MotoGetTagEventReport(VendorMessage, vendor=ZEBRA, subtype=2, standard="MOTO_GET_TAG_EVENT_REPORT"):
    """Ask for tag events."""


class MotoPurgeTags(VendorMessage, vendor=ZEBRA, subtype=3, standard="MOTO_PURGE_TAGS"):
    """Forget tags, or only their event states."""

    purge_tag_event_state_only: Annotated[bool, Scalar(1, pad=7)]
    data: Remaining


class MotoPurgeTagsResponse(VendorMessage, vendor=ZEBRA, subtype=4, standard="MOTO_PURGE_TAGS_RESPONSE"):
    """Answer to MOTO_PURGE_TAGS."""

    llrp_status: LLRPStatus


class MotoTagEventNotify(VendorMessage, vendor=ZEBRA, subtype=5, standard="MOTO_TAG_EVENT_NOTIFY"):
    """There are tag events."""
