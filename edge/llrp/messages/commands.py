"""Messages of the client, and those that both sides may send."""

from typing import Annotated

from edge.llrp.messages.access import AccessSpec, ClientRequestResponse
from edge.llrp.messages.configuration import (
    AntennaConfiguration,
    AntennaProperties,
    EventsAndReports,
    GPIPortCurrentState,
    GPOWriteData,
    KeepaliveSpec,
)
from edge.llrp.messages.element import Extensions, Message
from edge.llrp.messages.enums import GetReaderCapabilitiesRequestedData, GetReaderConfigRequestedData
from edge.llrp.messages.events import ReaderEventNotificationSpec
from edge.llrp.messages.reports import AccessReportSpec, ROReportSpec
from edge.llrp.messages.rospec import ROSpec
from edge.llrp.messages.wire_types import U8, U16, U32, Scalar


class GetReaderCapabilities(Message, number=1, standard="GET_READER_CAPABILITIES"):
    """Ask what the reader can [9.1.1, 16.1.1]."""

    requested_data: Annotated[int, Scalar(8, GetReaderCapabilitiesRequestedData)]
    custom: Extensions = ()


class AddROSpec(Message, number=20, standard="ADD_ROSPEC"):
    """Add a reader operation; it starts disabled [10.1.1, 16.1.3]."""

    rospec: ROSpec


class DeleteROSpec(Message, number=21, standard="DELETE_ROSPEC"):
    """Delete a reader operation; 0 is all [10.1.3, 16.1.5]."""

    rospec_id: U32


class StartROSpec(Message, number=22, standard="START_ROSPEC"):
    """Start a reader operation now [10.1.5, 16.1.7]."""

    rospec_id: U32


class StopROSpec(Message, number=23, standard="STOP_ROSPEC"):
    """Stop a reader operation now [10.1.7, 16.1.9]."""

    rospec_id: U32


class EnableROSpec(Message, number=24, standard="ENABLE_ROSPEC"):
    """Let a reader operation's trigger work; 0 is all [10.1.9, 16.1.11]."""

    rospec_id: U32


class DisableROSpec(Message, number=25, standard="DISABLE_ROSPEC"):
    """Disable a reader operation; 0 is all [10.1.11, 16.1.13]."""

    rospec_id: U32


class GetROSpecs(Message, number=26, standard="GET_ROSPECS"):
    """Ask for all reader operations [10.1.13, 16.1.15]."""


class AddAccessSpec(Message, number=40, standard="ADD_ACCESSSPEC"):
    """Add an access operation; it starts disabled [11.1.1, 16.1.17]."""

    access_spec: AccessSpec


class DeleteAccessSpec(Message, number=41, standard="DELETE_ACCESSSPEC"):
    """Delete an access operation; 0 is all [11.1.3, 16.1.19]."""

    access_spec_id: U32


class EnableAccessSpec(Message, number=42, standard="ENABLE_ACCESSSPEC"):
    """Enable an access operation; 0 is all [11.1.5, 16.1.21]."""

    access_spec_id: U32


class DisableAccessSpec(Message, number=43, standard="DISABLE_ACCESSSPEC"):
    """Disable an access operation; 0 is all [11.1.7, 16.1.23]."""

    access_spec_id: U32


class GetAccessSpecs(Message, number=44, standard="GET_ACCESSSPECS"):
    """Ask for all access operations [11.1.9, 16.1.25]."""


class ClientRequestOpResponse(Message, number=55, standard="CLIENT_REQUEST_OP_RESPONSE"):
    """What the client wants done with the tag [11.1.12, 16.1.28]."""

    client_request_response: ClientRequestResponse


class GetReaderConfig(Message, number=2, standard="GET_READER_CONFIG"):
    """Ask for settings, of one antenna, input and output or (0) of all [12.1.1, 16.1.36]."""

    antenna_id: U16
    requested_data: Annotated[int, Scalar(8, GetReaderConfigRequestedData)]
    gpi_port_num: U16
    gpo_port_num: U16
    custom: Extensions = ()


class SetReaderConfig(Message, number=3, standard="SET_READER_CONFIG"):
    """Change settings; what is left out stays [12.1.3, 16.1.38]."""

    reset_to_factory_default: Annotated[bool, Scalar(1, pad=7)]
    reader_event_notification_spec: ReaderEventNotificationSpec | None = None
    antenna_properties: tuple[AntennaProperties, ...] = ()
    antenna_configurations: tuple[AntennaConfiguration, ...] = ()
    ro_report_spec: ROReportSpec | None = None
    access_report_spec: AccessReportSpec | None = None
    keepalive_spec: KeepaliveSpec | None = None
    gpo_write_data: tuple[GPOWriteData, ...] = ()
    gpi_port_current_states: tuple[GPIPortCurrentState, ...] = ()
    events_and_reports: EventsAndReports | None = None
    custom: Extensions = ()


class CloseConnection(Message, number=14, standard="CLOSE_CONNECTION"):
    """Close the connection in order [12.1.5, 16.1.40]."""


class GetReport(Message, number=60, standard="GET_REPORT"):
    """Ask for the reports that are waiting [13.1.1, 16.1.29]."""


class KeepaliveAck(Message, number=72, standard="KEEPALIVE_ACK"):
    """Answer to KEEPALIVE [13.1.4, 16.1.32]."""


class EnableEventsAndReports(Message, number=64, standard="ENABLE_EVENTS_AND_REPORTS"):
    """Send what was held back since the reconnect; it has no answer [13.1.6, 16.1.34]."""


class GetSupportedVersion(Message, number=46, standard="GET_SUPPORTED_VERSION"):
    """Ask which LLRP versions the reader speaks [LLRP 1.1]."""


class SetProtocolVersion(Message, number=47, standard="SET_PROTOCOL_VERSION"):
    """Change the LLRP version, as first message of a connection [LLRP 1.1]."""

    protocol_version: U8
