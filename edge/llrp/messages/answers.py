"""Messages of the reader."""

from edge.llrp.messages.access import AccessSpec
from edge.llrp.messages.capabilities import (
    C1G2LLRPCapabilities,
    GeneralDeviceCapabilities,
    LLRPCapabilities,
    RegulatoryCapabilities,
)
from edge.llrp.messages.common import LLRPStatus
from edge.llrp.messages.configuration import (
    AntennaConfiguration,
    AntennaProperties,
    EventsAndReports,
    GPIPortCurrentState,
    GPOWriteData,
    Identification,
    KeepaliveSpec,
    LLRPConfigurationStateValue,
)
from edge.llrp.messages.element import Extensions, Message
from edge.llrp.messages.events import ReaderEventNotificationData, ReaderEventNotificationSpec
from edge.llrp.messages.reports import AccessReportSpec, RFSurveyReportData, ROReportSpec, TagReportData
from edge.llrp.messages.rospec import ROSpec
from edge.llrp.messages.wire_types import U8


class GetReaderCapabilitiesResponse(Message, number=11, standard="GET_READER_CAPABILITIES_RESPONSE"):
    """What the reader can [9.1.2, 16.1.2]."""

    llrp_status: LLRPStatus
    general_device_capabilities: GeneralDeviceCapabilities | None = None
    llrp_capabilities: LLRPCapabilities | None = None
    regulatory_capabilities: RegulatoryCapabilities | None = None
    c1g2_llrp_capabilities: C1G2LLRPCapabilities | None = None
    custom: Extensions = ()


class AddROSpecResponse(Message, number=30, standard="ADD_ROSPEC_RESPONSE"):
    """Answer to ADD_ROSPEC [10.1.2, 16.1.4]."""

    llrp_status: LLRPStatus


class DeleteROSpecResponse(Message, number=31, standard="DELETE_ROSPEC_RESPONSE"):
    """Answer to DELETE_ROSPEC [10.1.4, 16.1.6]."""

    llrp_status: LLRPStatus


class StartROSpecResponse(Message, number=32, standard="START_ROSPEC_RESPONSE"):
    """Answer to START_ROSPEC [10.1.6, 16.1.8]."""

    llrp_status: LLRPStatus


class StopROSpecResponse(Message, number=33, standard="STOP_ROSPEC_RESPONSE"):
    """Answer to STOP_ROSPEC [10.1.8, 16.1.10]."""

    llrp_status: LLRPStatus


class EnableROSpecResponse(Message, number=34, standard="ENABLE_ROSPEC_RESPONSE"):
    """Answer to ENABLE_ROSPEC [10.1.10, 16.1.12]."""

    llrp_status: LLRPStatus


class DisableROSpecResponse(Message, number=35, standard="DISABLE_ROSPEC_RESPONSE"):
    """Answer to DISABLE_ROSPEC [10.1.12, 16.1.14]."""

    llrp_status: LLRPStatus


class GetROSpecsResponse(Message, number=36, standard="GET_ROSPECS_RESPONSE"):
    """All reader operations [10.1.14, 16.1.16]."""

    llrp_status: LLRPStatus
    rospecs: tuple[ROSpec, ...] = ()


class AddAccessSpecResponse(Message, number=50, standard="ADD_ACCESSSPEC_RESPONSE"):
    """Answer to ADD_ACCESSSPEC [11.1.2, 16.1.18]."""

    llrp_status: LLRPStatus


class DeleteAccessSpecResponse(Message, number=51, standard="DELETE_ACCESSSPEC_RESPONSE"):
    """Answer to DELETE_ACCESSSPEC [11.1.4, 16.1.20]."""

    llrp_status: LLRPStatus


class EnableAccessSpecResponse(Message, number=52, standard="ENABLE_ACCESSSPEC_RESPONSE"):
    """Answer to ENABLE_ACCESSSPEC [11.1.6, 16.1.22]."""

    llrp_status: LLRPStatus


class DisableAccessSpecResponse(Message, number=53, standard="DISABLE_ACCESSSPEC_RESPONSE"):
    """Answer to DISABLE_ACCESSSPEC [11.1.8, 16.1.24]."""

    llrp_status: LLRPStatus


class GetAccessSpecsResponse(Message, number=54, standard="GET_ACCESSSPECS_RESPONSE"):
    """All access operations [11.1.10, 16.1.26]."""

    llrp_status: LLRPStatus
    access_specs: tuple[AccessSpec, ...] = ()


class ClientRequestOp(Message, number=45, standard="CLIENT_REQUEST_OP"):
    """The reader asks what to do with a tag [11.1.11, 16.1.27]."""

    tag_report_data: TagReportData


class GetReaderConfigResponse(Message, number=12, standard="GET_READER_CONFIG_RESPONSE"):
    """The reader's settings [12.1.2, 16.1.37]."""

    llrp_status: LLRPStatus
    identification: Identification | None = None
    antenna_properties: tuple[AntennaProperties, ...] = ()
    antenna_configurations: tuple[AntennaConfiguration, ...] = ()
    reader_event_notification_spec: ReaderEventNotificationSpec | None = None
    ro_report_spec: ROReportSpec | None = None
    access_report_spec: AccessReportSpec | None = None
    llrp_configuration_state_value: LLRPConfigurationStateValue | None = None
    keepalive_spec: KeepaliveSpec | None = None
    gpi_port_current_states: tuple[GPIPortCurrentState, ...] = ()
    gpo_write_data: tuple[GPOWriteData, ...] = ()
    events_and_reports: EventsAndReports | None = None
    custom: Extensions = ()


class SetReaderConfigResponse(Message, number=13, standard="SET_READER_CONFIG_RESPONSE"):
    """Answer to SET_READER_CONFIG [12.1.4, 16.1.39]."""

    llrp_status: LLRPStatus


class CloseConnectionResponse(Message, number=4, standard="CLOSE_CONNECTION_RESPONSE"):
    """Answer to CLOSE_CONNECTION; the reader closes after it [12.1.6, 16.1.41]."""

    llrp_status: LLRPStatus


class ROAccessReport(Message, number=61, standard="RO_ACCESS_REPORT"):
    """Tag reports, survey results and results of access operations [13.1.2, 16.1.30]."""

    tag_report_data: tuple[TagReportData, ...] = ()
    rf_survey_report_data: tuple[RFSurveyReportData, ...] = ()
    custom: Extensions = ()


class Keepalive(Message, number=62, standard="KEEPALIVE"):
    """Sign of life; the client answers KEEPALIVE_ACK [13.1.3, 16.1.31]."""


class ReaderEventNotification(Message, number=63, standard="READER_EVENT_NOTIFICATION"):
    """Events of the reader [13.1.5, 16.1.33]."""

    reader_event_notification_data: ReaderEventNotificationData


class ErrorMessage(Message, number=100, standard="ERROR_MESSAGE"):
    """Answer to what the reader could not take for a request [14.1.1, 16.1.35]."""

    llrp_status: LLRPStatus


class GetSupportedVersionResponse(Message, number=56, standard="GET_SUPPORTED_VERSION_RESPONSE"):
    """The LLRP version in use, and the highest one [LLRP 1.1]."""

    llrp_status: LLRPStatus
    current_version: U8
    supported_version: U8


class SetProtocolVersionResponse(Message, number=57, standard="SET_PROTOCOL_VERSION_RESPONSE"):
    """Answer to SET_PROTOCOL_VERSION [LLRP 1.1]."""

    llrp_status: LLRPStatus
