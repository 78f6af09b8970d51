"""What is reported, and tag reports with the results of access operations."""

from typing import Annotated

from edge.llrp.messages.common import Uptime, UTCTimestamp
from edge.llrp.messages.element import Extensions, Parameter
from edge.llrp.messages.enums import (
    AccessReportTriggerType,
    C1G2BlockEraseResultType,
    C1G2BlockPermalockResultType,
    C1G2BlockWriteResultType,
    C1G2GetBlockPermalockStatusResultType,
    C1G2KillResultType,
    C1G2LockResultType,
    C1G2ReadResultType,
    C1G2RecommissionResultType,
    C1G2WriteResultType,
    ROReportTriggerType,
)
from edge.llrp.messages.wire_types import S8, U16, U32, U64, BitString, Flag, Octets12, Scalar, Some, Words


class C1G2EPCMemorySelector(Parameter, number=348):
    """Which words of the EPC memory bank a tag report has [15.2.1.5.1, 16.3.1.5.1]."""

    enable_crc: Flag
    enable_pc_bits: Flag
    enable_xpc_bits: Annotated[bool, Scalar(1, pad=5)]


class TagReportContentSelector(Parameter, number=238):
    """Which optional fields a tag report has [13.2.1.1, 16.2.7.1.1]."""

    enable_rospec_id: Flag
    enable_spec_index: Flag
    enable_inventory_parameter_spec_id: Flag
    enable_antenna_id: Flag
    enable_channel_index: Flag
    enable_peak_rssi: Flag
    enable_first_seen_timestamp: Flag
    enable_last_seen_timestamp: Flag
    enable_tag_seen_count: Flag
    enable_access_spec_id: Annotated[bool, Scalar(1, pad=6)]
    c1g2_epc_memory_selectors: tuple[C1G2EPCMemorySelector, ...] = ()
    custom: Extensions = ()


class ROReportSpec(Parameter, number=237):
    """When tag reports are sent and what stands in them [13.2.1, 16.2.7.1]."""

    ro_report_trigger: Annotated[int, Scalar(8, ROReportTriggerType)]
    n: U16
    tag_report_content_selector: TagReportContentSelector
    custom: Extensions = ()


class AccessReportSpec(Parameter, number=239):
    """When results of access operations are sent [13.2.2, 16.2.7.2]."""

    access_report_trigger: Annotated[int, Scalar(8, AccessReportTriggerType)]


class EPCData(Parameter, number=241):
    """An EPC of any length [13.2.3.2, 16.2.7.3.1]."""

    epc: BitString


class EPC96(Parameter, number=13, standard="EPC_96"):
    """An EPC of 96 bits [13.2.3.2, 16.2.7.3.2]."""

    epc: Octets12


class ROSpecID(Parameter, number=9):
    """The reader operation that saw the tag [13.2.3.3, 16.2.7.3.3]."""

    rospec_id: U32


class SpecIndex(Parameter, number=14):
    """Which spec of the reader operation, from 1 [13.2.3.4, 16.2.7.3.4]."""

    spec_index: U16


class InventoryParameterSpecID(Parameter, number=10):
    """The inventory parameter spec in use [13.2.3.5, 16.2.7.3.5]."""

    inventory_parameter_spec_id: U16


class AntennaID(Parameter, number=1):
    """The antenna, from 1 [13.2.3.6, 16.2.7.3.6]."""

    antenna_id: U16


class PeakRSSI(Parameter, number=6):
    """Greatest signal strength in dBm [13.2.3.7, 16.2.7.3.7]."""

    peak_rssi: S8


class ChannelIndex(Parameter, number=7):
    """Channel of the first sighting, from 1 [13.2.3.8, 16.2.7.3.8]."""

    channel_index: U16


class FirstSeenTimestampUTC(Parameter, number=2):
    """First sighting, in microseconds since 1970 [13.2.3.9, 16.2.7.3.9]."""

    microseconds: U64


class FirstSeenTimestampUptime(Parameter, number=3):
    """First sighting, in microseconds since the reader started [13.2.3.10, 16.2.7.3.10]."""

    microseconds: U64


class LastSeenTimestampUTC(Parameter, number=4):
    """Last sighting, in microseconds since 1970 [13.2.3.11, 16.2.7.3.11]."""

    microseconds: U64


class LastSeenTimestampUptime(Parameter, number=5):
    """Last sighting, in microseconds since the reader started [13.2.3.12, 16.2.7.3.12]."""

    microseconds: U64


class TagSeenCount(Parameter, number=8):
    """Sightings since the last report [13.2.3.13, 16.2.7.3.13]."""

    tag_count: U16


class ClientRequestOpSpecResult(Parameter, number=15):
    """The operation that the client was asked for [13.2.3.14, 16.2.7.3.14]."""

    op_spec_id: U16


class AccessSpecID(Parameter, number=16):
    """The access operation [13.2.3.15, 16.2.7.3.15]."""

    access_spec_id: U32


class C1G2PC(Parameter, number=12, standard="C1G2_PC"):
    """Protocol control bits of the tag [15.2.1.5.2, 16.3.1.5.2]."""

    pc_bits: Annotated[int, Scalar(16, name="PC_Bits")]


class C1G2CRC(Parameter, number=11, standard="C1G2_CRC"):
    """Checksum of the tag's EPC memory [15.2.1.5.3, 16.3.1.5.3]."""

    crc: U16


class C1G2ReadOpSpecResult(Parameter, number=349):
    """Result of a read, with the words [15.2.1.5.5.1, 16.3.1.5.5.1]."""

    result: Annotated[int, Scalar(8, C1G2ReadResultType)]
    op_spec_id: U16
    read_data: Words


class C1G2WriteOpSpecResult(Parameter, number=350):
    """Result of a write [15.2.1.5.5.2, 16.3.1.5.5.2]."""

    result: Annotated[int, Scalar(8, C1G2WriteResultType)]
    op_spec_id: U16
    num_words_written: U16


class C1G2KillOpSpecResult(Parameter, number=351):
    """Result of a kill [15.2.1.5.5.3, 16.3.1.5.5.3]."""

    result: Annotated[int, Scalar(8, C1G2KillResultType)]
    op_spec_id: U16


class C1G2LockOpSpecResult(Parameter, number=352):
    """Result of a lock [15.2.1.5.5.4, 16.3.1.5.5.4]."""

    result: Annotated[int, Scalar(8, C1G2LockResultType)]
    op_spec_id: U16


class C1G2BlockEraseOpSpecResult(Parameter, number=353):
    """Result of an erasure [15.2.1.5.5.5, 16.3.1.5.5.5]."""

    result: Annotated[int, Scalar(8, C1G2BlockEraseResultType)]
    op_spec_id: U16


class C1G2BlockWriteOpSpecResult(Parameter, number=354):
    """Result of a block write [15.2.1.5.5.6, 16.3.1.5.5.6]."""

    result: Annotated[int, Scalar(8, C1G2BlockWriteResultType)]
    op_spec_id: U16
    num_words_written: U16


class C1G2RecommissionOpSpecResult(Parameter, number=360):
    """Result of a recommissioning [LLRP 1.1]."""

    result: Annotated[int, Scalar(8, C1G2RecommissionResultType)]
    op_spec_id: U16


class C1G2BlockPermalockOpSpecResult(Parameter, number=361):
    """Result of a permanent block lock [LLRP 1.1]."""

    result: Annotated[int, Scalar(8, C1G2BlockPermalockResultType)]
    op_spec_id: U16


class C1G2GetBlockPermalockStatusOpSpecResult(Parameter, number=362):
    """Which blocks are locked for good, a bit each [LLRP 1.1]."""

    result: Annotated[int, Scalar(8, C1G2GetBlockPermalockStatusResultType)]
    op_spec_id: U16
    permalock_status: Words


class C1G2XPCW1(Parameter, number=19, standard="C1G2_XPC_W1"):
    """First word of extended protocol control [LLRP 1.1]."""

    xpc_w1: Annotated[int, Scalar(16, name="XPC_W1")]


class C1G2XPCW2(Parameter, number=20, standard="C1G2_XPC_W2"):
    """Second word of extended protocol control [LLRP 1.1]."""

    xpc_w2: Annotated[int, Scalar(16, name="XPC_W2")]


OpSpecResult = (
    C1G2ReadOpSpecResult
    | C1G2WriteOpSpecResult
    | C1G2KillOpSpecResult
    | C1G2RecommissionOpSpecResult
    | C1G2LockOpSpecResult
    | C1G2BlockEraseOpSpecResult
    | C1G2BlockWriteOpSpecResult
    | C1G2BlockPermalockOpSpecResult
    | C1G2GetBlockPermalockStatusOpSpecResult
    | ClientRequestOpSpecResult
)
"""What became of an operation on a tag's memory."""


C1G2TagData = C1G2PC | C1G2XPCW1 | C1G2XPCW2 | C1G2CRC
"""A word of a tag's EPC memory bank."""


class TagReportData(Parameter, number=240):
    """One tag report; a reader may leave out what hasn't changed since its last [13.2.3, 16.2.7.3]."""

    epc: EPCData | EPC96
    rospec_id: ROSpecID | None = None
    spec_index: SpecIndex | None = None
    inventory_parameter_spec_id: InventoryParameterSpecID | None = None
    antenna_id: AntennaID | None = None
    peak_rssi: PeakRSSI | None = None
    channel_index: ChannelIndex | None = None
    first_seen_timestamp_utc: FirstSeenTimestampUTC | None = None
    first_seen_timestamp_uptime: FirstSeenTimestampUptime | None = None
    last_seen_timestamp_utc: LastSeenTimestampUTC | None = None
    last_seen_timestamp_uptime: LastSeenTimestampUptime | None = None
    tag_seen_count: TagSeenCount | None = None
    tag_data: tuple[C1G2TagData, ...] = ()
    access_spec_id: AccessSpecID | None = None
    op_spec_results: tuple[OpSpecResult, ...] = ()
    custom: Extensions = ()


class FrequencyRSSILevelEntry(Parameter, number=243):
    """Signal strengths in dBm of one band; frequency and bandwidth in kHz [13.2.4.1, 16.2.7.4.1]."""

    frequency: U32
    bandwidth: U32
    average_rssi: S8
    peak_rssi: S8
    timestamp: UTCTimestamp | Uptime


class RFSurveyReportData(Parameter, number=242):
    """What a survey heard [13.2.4, 16.2.7.4]."""

    rospec_id: ROSpecID | None = None
    spec_index: SpecIndex | None = None
    frequency_rssi_level_entries: Some[FrequencyRSSILevelEntry]
    custom: Extensions = ()


class C1G2SingulationDetails(Parameter, number=18):
    """Slots of an inventory round that collided and that stayed empty [15.2.1.5.4, 16.3.1.5.4]."""

    num_collision_slots: U16
    num_empty_slots: U16
