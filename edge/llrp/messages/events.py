"""Reader events."""

from typing import Annotated

from edge.llrp.messages.common import Uptime, UTCTimestamp
from edge.llrp.messages.element import Extensions, Parameter
from edge.llrp.messages.enums import (
    AISpecEventType,
    AntennaEventType,
    ConnectionAttemptStatusType,
    NotificationEventType,
    RFSurveyEventType,
    ROSpecEventType,
)
from edge.llrp.messages.reports import (
    AccessSpecID,
    AntennaID,
    C1G2SingulationDetails,
    InventoryParameterSpecID,
    ROSpecID,
    SpecIndex,
)
from edge.llrp.messages.wire_types import U8, U16, U32, Scalar, Some, String


class EventNotificationState(Parameter, number=245):
    """Whether the reader tells of one kind of event [13.2.5.1, 16.2.7.5.1]."""

    event_type: Annotated[int, Scalar(16, NotificationEventType)]
    notification_state: Annotated[bool, Scalar(1, pad=7)]


class ReaderEventNotificationSpec(Parameter, number=244):
    """Which events the reader tells of [13.2.5, 16.2.7.5]."""

    event_notification_states: Some[EventNotificationState]


class HoppingEvent(Parameter, number=247):
    """The reader hops to another channel [13.2.6.2, 16.2.7.6.1]."""

    hop_table_id: U16
    next_channel_index: U16


class GPIEvent(Parameter, number=248):
    """An input changed [13.2.6.3, 16.2.7.6.2]."""

    gpi_port_number: U16
    gpi_event: Annotated[bool, Scalar(1, pad=7)]


class ROSpecEvent(Parameter, number=249):
    """A reader operation started, ended or was pre-empted [13.2.6.4, 16.2.7.6.3]."""

    event_type: Annotated[int, Scalar(8, ROSpecEventType)]
    rospec_id: U32
    preempting_rospec_id: U32


class ReportBufferLevelWarningEvent(Parameter, number=250):
    """The report buffer is filling up [13.2.6.5, 16.2.7.6.4]."""

    report_buffer_percentage_full: U8


class ReportBufferOverflowErrorEvent(Parameter, number=251):
    """The report buffer ran over: reports were lost [13.2.6.6, 16.2.7.6.5]."""


class OpSpecID(Parameter, number=17):
    """The operation within an access operation [13.2.6.7.1, 16.2.7.6.6.1]."""

    op_spec_id: U16


class ReaderExceptionEvent(Parameter, number=252):
    """The reader failed at something, and where [13.2.6.7, 16.2.7.6.6]."""

    message: String
    rospec_id: ROSpecID | None = None
    spec_index: SpecIndex | None = None
    inventory_parameter_spec_id: InventoryParameterSpecID | None = None
    antenna_id: AntennaID | None = None
    access_spec_id: AccessSpecID | None = None
    op_spec_id: OpSpecID | None = None
    custom: Extensions = ()


class RFSurveyEvent(Parameter, number=253):
    """A survey started or ended [13.2.6.8, 16.2.7.6.7]."""

    event_type: Annotated[int, Scalar(8, RFSurveyEventType)]
    rospec_id: U32
    spec_index: U16


class AISpecEvent(Parameter, number=254):
    """An antenna inventory ended [13.2.6.9, 16.2.7.6.8]."""

    event_type: Annotated[int, Scalar(8, AISpecEventType)]
    rospec_id: U32
    spec_index: U16
    singulation_details: C1G2SingulationDetails | None = None


class AntennaEvent(Parameter, number=255):
    """An antenna was connected or disconnected [13.2.6.10, 16.2.7.6.9]."""

    event_type: Annotated[int, Scalar(8, AntennaEventType)]
    antenna_id: U16


class ConnectionAttemptEvent(Parameter, number=256):
    """Whether the reader takes this connection; its first message [13.2.6.11, 16.2.7.6.10]."""

    status: Annotated[int, Scalar(16, ConnectionAttemptStatusType)]


class ConnectionCloseEvent(Parameter, number=257):
    """The reader closes the connection [13.2.6.12, 16.2.7.6.11]."""


class SpecLoopEvent(Parameter, number=356):
    """A loop of specs begins again [LLRP 1.1]."""

    rospec_id: U32
    loop_count: U32


class ReaderEventNotificationData(Parameter, number=246):
    """What happened, and when [13.2.6, 16.2.7.6]."""

    timestamp: UTCTimestamp | Uptime
    hopping_event: HoppingEvent | None = None
    gpi_event: GPIEvent | None = None
    rospec_event: ROSpecEvent | None = None
    report_buffer_level_warning_event: ReportBufferLevelWarningEvent | None = None
    report_buffer_overflow_error_event: ReportBufferOverflowErrorEvent | None = None
    reader_exception_event: ReaderExceptionEvent | None = None
    rf_survey_event: RFSurveyEvent | None = None
    aispec_event: AISpecEvent | None = None
    antenna_event: AntennaEvent | None = None
    connection_attempt_event: ConnectionAttemptEvent | None = None
    connection_close_event: ConnectionCloseEvent | None = None
    spec_loop_event: SpecLoopEvent | None = None
    custom: Extensions = ()
