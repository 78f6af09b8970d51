"""Values that the standard names; section numbers are those of LLRP 1.0.1."""

from enum import IntEnum


class AirProtocols(IntEnum):
    """Air protocols [7.1.4]."""

    UNSPECIFIED = 0
    EPCGLOBAL_CLASS1_GEN2 = 1


class GetReaderCapabilitiesRequestedData(IntEnum):
    """What GET_READER_CAPABILITIES asks for [9.1.1]."""

    ALL = 0
    GENERAL_DEVICE_CAPABILITIES = 1
    LLRP_CAPABILITIES = 2
    REGULATORY_CAPABILITIES = 3
    LLRP_AIR_PROTOCOL_CAPABILITIES = 4


class CommunicationsStandard(IntEnum):
    """Radio standards [9.2.4]."""

    UNSPECIFIED = 0
    US_FCC_PART_15 = 1
    ETSI_302_208 = 2
    ETSI_300_220 = 3
    AUSTRALIA_LIPD_1W = 4
    AUSTRALIA_LIPD_4W = 5
    JAPAN_ARIB_STD_T89 = 6
    HONG_KONG_OFTA_1049 = 7
    TAIWAN_DGT_LP0002 = 8
    KOREA_MIC_ARTICLE_5_2 = 9


class ROSpecState(IntEnum):
    """States of a reader operation [10.2.1]."""

    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


class ROSpecStartTriggerType(IntEnum):
    """What starts a reader operation [10.2.1.1.1]."""

    NULL = 0
    IMMEDIATE = 1
    PERIODIC = 2
    GPI = 3


class ROSpecStopTriggerType(IntEnum):
    """What stops a reader operation [10.2.1.1.2]."""

    NULL = 0
    DURATION = 1
    GPI_WITH_TIMEOUT = 2


class AISpecStopTriggerType(IntEnum):
    """What ends an antenna inventory [10.2.2.1]."""

    NULL = 0
    DURATION = 1
    GPI_WITH_TIMEOUT = 2
    TAG_OBSERVATION = 3


class TagObservationTriggerType(IntEnum):
    """Which observation ends an antenna inventory; from 3 on since LLRP 1.1 [10.2.2.1.1]."""

    UPON_SEEING_N_TAGS_OR_TIMEOUT = 0
    UPON_SEEING_NO_MORE_NEW_TAGS_FOR_TMS_OR_TIMEOUT = 1
    N_ATTEMPTS_TO_SEE_ALL_TAGS_IN_FOV_OR_TIMEOUT = 2
    UPON_SEEING_N_UNIQUE_TAGS_OR_TIMEOUT = 3
    UPON_SEEING_NO_MORE_NEW_UNIQUE_TAGS_FOR_TMS_OR_TIMEOUT = 4


class RFSurveySpecStopTriggerType(IntEnum):
    """What ends a survey [10.2.3.1]."""

    NULL = 0
    DURATION = 1
    N_ITERATIONS_THROUGH_FREQUENCY_RANGE = 2


class AccessSpecState(IntEnum):
    """States of an access operation [11.2.1]."""

    DISABLED = 0
    ACTIVE = 1


class AccessSpecStopTriggerType(IntEnum):
    """What ends an access operation [11.2.1.1]."""

    NULL = 0
    OPERATION_COUNT = 1


class GetReaderConfigRequestedData(IntEnum):
    """What GET_READER_CONFIG asks for [12.1.1]."""

    ALL = 0
    IDENTIFICATION = 1
    ANTENNA_PROPERTIES = 2
    ANTENNA_CONFIGURATION = 3
    RO_REPORT_SPEC = 4
    READER_EVENT_NOTIFICATION_SPEC = 5
    ACCESS_REPORT_SPEC = 6
    LLRP_CONFIGURATION_STATE_VALUE = 7
    KEEPALIVE_SPEC = 8
    GPIPORT_CURRENT_STATE = 9
    GPOWRITE_DATA = 10
    EVENTS_AND_REPORTS = 11


class IdentificationType(IntEnum):
    """What a reader calls itself by [12.2.2]."""

    MAC_ADDRESS = 0
    EPC = 1


class KeepaliveTriggerType(IntEnum):
    """Whether keepalives are sent [12.2.4]."""

    NULL = 0
    PERIODIC = 1


class GPIPortState(IntEnum):
    """States of an input [12.2.6.3]."""

    LOW = 0
    HIGH = 1
    UNKNOWN = 2


class ROReportTriggerType(IntEnum):
    """When tag reports are sent; from 3 on since LLRP 1.1 [13.2.1]."""

    NONE = 0
    UPON_N_TAGS_OR_END_OF_AISPEC = 1
    UPON_N_TAGS_OR_END_OF_ROSPEC = 2
    UPON_N_SECONDS_OR_END_OF_AISPEC = 3
    UPON_N_SECONDS_OR_END_OF_ROSPEC = 4
    UPON_N_MILLISECONDS_OR_END_OF_AISPEC = 5
    UPON_N_MILLISECONDS_OR_END_OF_ROSPEC = 6


class AccessReportTriggerType(IntEnum):
    """When results of access operations are sent [13.2.2]."""

    WHENEVER_ROREPORT_IS_GENERATED = 0
    END_OF_ACCESSSPEC = 1


class NotificationEventType(IntEnum):
    """Events of which a reader can tell; 9 since LLRP 1.1 [13.2.5.1]."""

    UPON_HOPPING_TO_NEXT_CHANNEL = 0
    GPI_EVENT = 1
    ROSPEC_EVENT = 2
    REPORT_BUFFER_FILL_WARNING = 3
    READER_EXCEPTION_EVENT = 4
    RFSURVEY_EVENT = 5
    AISPEC_EVENT = 6
    AISPEC_EVENT_WITH_DETAILS = 7
    ANTENNA_EVENT = 8
    SPECLOOP_EVENT = 9


class ROSpecEventType(IntEnum):
    """Events of a reader operation [13.2.6.4]."""

    START_OF_ROSPEC = 0
    END_OF_ROSPEC = 1
    PREEMPTION_OF_ROSPEC = 2


class RFSurveyEventType(IntEnum):
    """Events of a survey [13.2.6.8]."""

    START_OF_RFSURVEY = 0
    END_OF_RFSURVEY = 1


class AISpecEventType(IntEnum):
    """Events of an antenna inventory [13.2.6.9]."""

    END_OF_AISPEC = 0


class AntennaEventType(IntEnum):
    """Events of an antenna [13.2.6.10]."""

    ANTENNA_DISCONNECTED = 0
    ANTENNA_CONNECTED = 1


class ConnectionAttemptStatusType(IntEnum):
    """What a reader says to a new connection [13.2.6.11]."""

    SUCCESS = 0
    FAILED_A_READER_INITIATED_CONNECTION_ALREADY_EXISTS = 1
    FAILED_A_CLIENT_INITIATED_CONNECTION_ALREADY_EXISTS = 2
    FAILED_REASON_OTHER_THAN_A_CONNECTION_ALREADY_EXISTS = 3
    ANOTHER_CONNECTION_ATTEMPTED = 4


class StatusCode(IntEnum):
    """Status of a message (M), parameter (P), value (A) or reader (R) [14.2.1]."""

    M_SUCCESS = 0
    M_PARAMETER_ERROR = 100
    M_FIELD_ERROR = 101
    M_UNEXPECTED_PARAMETER = 102
    M_MISSING_PARAMETER = 103
    M_DUPLICATE_PARAMETER = 104
    M_OVERFLOW_PARAMETER = 105
    M_OVERFLOW_FIELD = 106
    M_UNKNOWN_PARAMETER = 107
    M_UNKNOWN_FIELD = 108
    M_UNSUPPORTED_MESSAGE = 109
    M_UNSUPPORTED_VERSION = 110
    M_UNSUPPORTED_PARAMETER = 111
    M_UNEXPECTED_MESSAGE = 112
    P_PARAMETER_ERROR = 200
    P_FIELD_ERROR = 201
    P_UNEXPECTED_PARAMETER = 202
    P_MISSING_PARAMETER = 203
    P_DUPLICATE_PARAMETER = 204
    P_OVERFLOW_PARAMETER = 205
    P_OVERFLOW_FIELD = 206
    P_UNKNOWN_PARAMETER = 207
    P_UNKNOWN_FIELD = 208
    P_UNSUPPORTED_PARAMETER = 209
    A_INVALID = 300
    A_OUT_OF_RANGE = 301
    R_DEVICE_ERROR = 401


class C1G2DRValue(IntEnum):
    """Divide ratio [15.2.1.1.2.1]."""

    DRV_8 = 0
    DRV_64_3 = 1


class C1G2MValue(IntEnum):
    """Encoding of a tag's answer [15.2.1.1.2.1]."""

    MV_FM0 = 0
    MV_2 = 1
    MV_4 = 2
    MV_8 = 3


class C1G2ForwardLinkModulation(IntEnum):
    """Modulation of the reader [15.2.1.1.2.1]."""

    PR_ASK = 0
    SSB_ASK = 1
    DSB_ASK = 2


class C1G2SpectralMaskIndicator(IntEnum):
    """Surroundings for which a mode is fit: single, multiple, dense interrogators [15.2.1.1.2.1]."""

    UNKNOWN = 0
    SI = 1
    MI = 2
    DI = 3


class C1G2TruncateAction(IntEnum):
    """Whether tags answer with the end of their EPC only [15.2.1.2.1.1]."""

    UNSPECIFIED = 0
    DO_NOT_TRUNCATE = 1
    TRUNCATE = 2


class C1G2StateAwareTarget(IntEnum):
    """Flag that a Select changes [15.2.1.2.1.1.2]."""

    SL = 0
    INVENTORIED_STATE_FOR_SESSION_S0 = 1
    INVENTORIED_STATE_FOR_SESSION_S1 = 2
    INVENTORIED_STATE_FOR_SESSION_S2 = 3
    INVENTORIED_STATE_FOR_SESSION_S3 = 4


class C1G2StateAwareAction(IntEnum):
    """What a Select does to tags that match, and to the others [15.2.1.2.1.1.2]."""

    ASSERT_SL_OR_A_DEASSERT_SL_OR_B = 0
    ASSERT_SL_OR_A_NOOP = 1
    NOOP_DEASSERT_SL_OR_B = 2
    NEGATE_SL_OR_ABBA_NOOP = 3
    DEASSERT_SL_OR_B_ASSERT_SL_OR_A = 4
    DEASSERT_SL_OR_B_NOOP = 5
    NOOP_ASSERT_SL_OR_A = 6
    NOOP_NEGATE_SL_OR_ABBA = 7


class C1G2StateUnawareAction(IntEnum):
    """Whether tags that match, and the others, take part [15.2.1.2.1.1.3]."""

    SELECT_UNSELECT = 0
    SELECT_DONOTHING = 1
    DONOTHING_UNSELECT = 2
    UNSELECT_DONOTHING = 3
    UNSELECT_SELECT = 4
    DONOTHING_SELECT = 5


class C1G2TagInventoryStateAwareI(IntEnum):
    """Inventoried state that takes part [15.2.1.2.1.3.1]."""

    STATE_A = 0
    STATE_B = 1


class C1G2TagInventoryStateAwareS(IntEnum):
    """SL state that takes part [15.2.1.2.1.3.1]."""

    SL = 0
    NOT_SL = 1


class C1G2LockPrivilege(IntEnum):
    """What to do with a part of the memory [15.2.1.3.2.4.1]."""

    READ_WRITE = 0
    PERMA_LOCK = 1
    PERMA_UNLOCK = 2
    UNLOCK = 3


class C1G2LockDataField(IntEnum):
    """Parts of a tag's memory [15.2.1.3.2.4.1]."""

    KILL_PASSWORD = 0
    ACCESS_PASSWORD = 1
    EPC_MEMORY = 2
    TID_MEMORY = 3
    USER_MEMORY = 4


class C1G2ReadResultType(IntEnum):
    """Results of a read [15.2.1.5.5.1]."""

    SUCCESS = 0
    NONSPECIFIC_TAG_ERROR = 1
    NO_RESPONSE_FROM_TAG = 2
    NONSPECIFIC_READER_ERROR = 3


class C1G2WriteResultType(IntEnum):
    """Results of a write [15.2.1.5.5.2]."""

    SUCCESS = 0
    TAG_MEMORY_OVERRUN_ERROR = 1
    TAG_MEMORY_LOCKED_ERROR = 2
    INSUFFICIENT_POWER = 3
    NONSPECIFIC_TAG_ERROR = 4
    NO_RESPONSE_FROM_TAG = 5
    NONSPECIFIC_READER_ERROR = 6


class C1G2KillResultType(IntEnum):
    """Results of a kill [15.2.1.5.5.3]."""

    SUCCESS = 0
    ZERO_KILL_PASSWORD_ERROR = 1
    INSUFFICIENT_POWER = 2
    NONSPECIFIC_TAG_ERROR = 3
    NO_RESPONSE_FROM_TAG = 4
    NONSPECIFIC_READER_ERROR = 5


class C1G2LockResultType(IntEnum):
    """Results of a lock [15.2.1.5.5.4]."""

    SUCCESS = 0
    INSUFFICIENT_POWER = 1
    NONSPECIFIC_TAG_ERROR = 2
    NO_RESPONSE_FROM_TAG = 3
    NONSPECIFIC_READER_ERROR = 4


class C1G2BlockEraseResultType(IntEnum):
    """Results of an erasure [15.2.1.5.5.5]."""

    SUCCESS = 0
    TAG_MEMORY_OVERRUN_ERROR = 1
    TAG_MEMORY_LOCKED_ERROR = 2
    INSUFFICIENT_POWER = 3
    NONSPECIFIC_TAG_ERROR = 4
    NO_RESPONSE_FROM_TAG = 5
    NONSPECIFIC_READER_ERROR = 6


class C1G2BlockWriteResultType(IntEnum):
    """Results of a block write [15.2.1.5.5.6]."""

    SUCCESS = 0
    TAG_MEMORY_OVERRUN_ERROR = 1
    TAG_MEMORY_LOCKED_ERROR = 2
    INSUFFICIENT_POWER = 3
    NONSPECIFIC_TAG_ERROR = 4
    NO_RESPONSE_FROM_TAG = 5
    NONSPECIFIC_READER_ERROR = 6


class C1G2RecommissionResultType(IntEnum):
    """Results of a recommissioning [LLRP 1.1]."""

    SUCCESS = 0
    ZERO_KILL_PASSWORD_ERROR = 1
    INSUFFICIENT_POWER_TO_PERFORM_RECOMMISSION_OPERATION = 2
    NONSPECIFIC_TAG_ERROR = 3
    NO_RESPONSE_FROM_TAG = 4
    NONSPECIFIC_READER_ERROR = 5
    INCORRECT_PASSWORD_ERROR = 6


class C1G2BlockPermalockResultType(IntEnum):
    """Results of a permanent block lock [LLRP 1.1]."""

    SUCCESS = 0
    INSUFFICIENT_POWER_TO_PERFORM_BLOCK_PERMALOCK_OPERATION = 1
    NONSPECIFIC_TAG_ERROR = 2
    NO_RESPONSE_FROM_TAG = 3
    NONSPECIFIC_READER_ERROR = 4
    INCORRECT_PASSWORD_ERROR = 5
    TAG_MEMORY_OVERRUN_ERROR = 6


class C1G2GetBlockPermalockStatusResultType(IntEnum):
    """Results of asking for permanent block locks [LLRP 1.1]."""

    SUCCESS = 0
    NONSPECIFIC_TAG_ERROR = 1
    NO_RESPONSE_FROM_TAG = 2
    NONSPECIFIC_READER_ERROR = 3
    INCORRECT_PASSWORD_ERROR = 4
    TAG_MEMORY_OVERRUN_ERROR = 5
