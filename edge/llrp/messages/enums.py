"""Values that the standard names; section numbers are those of LLRP 1.0.1."""

from enum import IntEnum


class AirProtocols(IntEnum):
    """TODO [7.1.4]."""

    UNSPECIFIED = 0
    EPCGLOBAL_CLASS1_GEN2 = 1


class GetReaderCapabilitiesRequestedData(IntEnum):
    """TODO [9.1.1]."""

    ALL = 0
    GENERAL_DEVICE_CAPABILITIES = 1
    LLRP_CAPABILITIES = 2
    REGULATORY_CAPABILITIES = 3
    LLRP_AIR_PROTOCOL_CAPABILITIES = 4


class CommunicationsStandard(IntEnum):
    """TODO [9.2.4]."""

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
    """TODO [10.2.1]."""

    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


class ROSpecStartTriggerType(IntEnum):
    """TODO [10.2.1.1.1]."""

    NULL = 0
    IMMEDIATE = 1
    PERIODIC = 2
    GPI = 3


class ROSpecStopTriggerType(IntEnum):
    """TODO [10.2.1.1.2]."""

    NULL = 0
    DURATION = 1
    GPI_WITH_TIMEOUT = 2


class AISpecStopTriggerType(IntEnum):
    """TODO [10.2.2.1]."""

    NULL = 0
    DURATION = 1
    GPI_WITH_TIMEOUT = 2
    TAG_OBSERVATION = 3


class TagObservationTriggerType(IntEnum):
    """TODO [10.2.2.1.1]."""

    UPON_SEEING_N_TAGS_OR_TIMEOUT = 0
    UPON_SEEING_NO_MORE_NEW_TAGS_FOR_TMS_OR_TIMEOUT = 1
    N_ATTEMPTS_TO_SEE_ALL_TAGS_IN_FOV_OR_TIMEOUT = 2
    UPON_SEEING_N_UNIQUE_TAGS_OR_TIMEOUT = 3
    UPON_SEEING_NO_MORE_NEW_UNIQUE_TAGS_FOR_TMS_OR_TIMEOUT = 4


class RFSurveySpecStopTriggerType(IntEnum):
    """TODO [10.2.3.1]."""

    NULL = 0
    DURATION = 1
    N_ITERATIONS_THROUGH_FREQUENCY_RANGE = 2


class AccessSpecState(IntEnum):
    """TODO [11.2.1]."""

    DISABLED = 0
    ACTIVE = 1


class AccessSpecStopTriggerType(IntEnum):
    """TODO [11.2.1.1]."""

    NULL = 0
    OPERATION_COUNT = 1


class GetReaderConfigRequestedData(IntEnum):
    """TODO [12.1.1]."""

    ALL = 0
    IDENTIFICATION = 1
    ANTENNA_PROPERTIES = 2
    ANTENNA_CONFIGURATION = 3
    ROREPORT_SPEC = 4
    READER_EVENT_NOTIFICATION_SPEC = 5
    ACCESS_REPORT_SPEC = 6
    LLRPCONFIGURATION_STATE_VALUE = 7
    KEEPALIVE_SPEC = 8
    GPIPORT_CURRENT_STATE = 9
    GPOWRITE_DATA = 10
    EVENTS_AND_REPORTS = 11


class IdentificationType(IntEnum):
    """TODO [12.2.2]."""

    MAC_ADDRESS = 0
    EPC = 1


class KeepaliveTriggerType(IntEnum):
    """TODO [12.2.4]."""

    NULL = 0
    PERIODIC = 1


class GPIPortState(IntEnum):
    """TODO [12.2.6.3]."""

    LOW = 0
    HIGH = 1
    UNKNOWN = 2


class ROReportTriggerType(IntEnum):
    """TODO [13.2.1]."""

    NONE = 0
    UPON_N_TAGS_OR_END_OF_AISPEC = 1
    UPON_N_TAGS_OR_END_OF_ROSPEC = 2
    UPON_N_SECONDS_OR_END_OF_AISPEC = 3
    UPON_N_SECONDS_OR_END_OF_ROSPEC = 4
    UPON_N_MILLISECONDS_OR_END_OF_AISPEC = 5
    UPON_N_MILLISECONDS_OR_END_OF_ROSPEC = 6


class AccessReportTriggerType(IntEnum):
    """TODO [13.2.2]."""

    WHENEVER_ROREPORT_IS_GENERATED = 0
    END_OF_ACCESSSPEC = 1


class NotificationEventType(IntEnum):
    """TODO [13.2.5.1]."""

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
    """TODO [13.2.6.4]."""

    START_OF_ROSPEC = 0
    END_OF_ROSPEC = 1
    PREEMPTION_OF_ROSPEC = 2


class RFSurveyEventType(IntEnum):
    """TODO [13.2.6.8]."""

    START_OF_RFSURVEY = 0
    END_OF_RFSURVEY = 1


class AISpecEventType(IntEnum):
    """TODO [13.2.6.9]."""

    END_OF_AISPEC = 0


class AntennaEventType(IntEnum):
    """TODO [13.2.6.10]."""

    ANTENNA_DISCONNECTED = 0
    ANTENNA_CONNECTED = 1


class ConnectionAttemptStatusType(IntEnum):
    """TODO [13.2.6.11]."""

    SUCCESS = 0
    FAILED_A_READER_INITIATED_CONNECTION_ALREADY_EXISTS = 1
    FAILED_A_CLIENT_INITIATED_CONNECTION_ALREADY_EXISTS = 2
    FAILED_REASON_OTHER_THAN_A_CONNECTION_ALREADY_EXISTS = 3
    ANOTHER_CONNECTION_ATTEMPTED = 4


class StatusCode(IntEnum):
    """TODO [14.2.1]."""

    M_SUCCESS = 0
    M_PARAMETERERROR = 100
    M_FIELDERROR = 101
    M_UNEXPECTEDPARAMETER = 102
    M_MISSINGPARAMETER = 103
    M_DUPLICATEPARAMETER = 104
    M_OVERFLOWPARAMETER = 105
    M_OVERFLOWFIELD = 106
    M_UNKNOWNPARAMETER = 107
    M_UNKNOWNFIELD = 108
    M_UNSUPPORTEDMESSAGE = 109
    M_UNSUPPORTEDVERSION = 110
    M_UNSUPPORTEDPARAMETER = 111
    M_UNEXPECTEDMESSAGE = 112
    P_PARAMETERERROR = 200
    P_FIELDERROR = 201
    P_UNEXPECTEDPARAMETER = 202
    P_MISSINGPARAMETER = 203
    P_DUPLICATEPARAMETER = 204
    P_OVERFLOWPARAMETER = 205
    P_OVERFLOWFIELD = 206
    P_UNKNOWNPARAMETER = 207
    P_UNKNOWNFIELD = 208
    P_UNSUPPORTEDPARAMETER = 209
    A_INVALID = 300
    A_OUTOFRANGE = 301
    R_DEVICEERROR = 401


class C1G2DRValue(IntEnum):
    """TODO [15.2.1.1.2.1]."""

    DRV_8 = 0
    DRV_64_3 = 1


class C1G2MValue(IntEnum):
    """TODO [15.2.1.1.2.1]."""

    MV_FM0 = 0
    MV_2 = 1
    MV_4 = 2
    MV_8 = 3


class C1G2ForwardLinkModulation(IntEnum):
    """TODO [15.2.1.1.2.1]."""

    PR_ASK = 0
    SSB_ASK = 1
    DSB_ASK = 2


class C1G2SpectralMaskIndicator(IntEnum):
    """TODO [15.2.1.1.2.1]."""

    UNKNOWN = 0
    SI = 1
    MI = 2
    DI = 3


class C1G2TruncateAction(IntEnum):
    """TODO [15.2.1.2.1.1]."""

    UNSPECIFIED = 0
    DO_NOT_TRUNCATE = 1
    TRUNCATE = 2


class C1G2StateAwareTarget(IntEnum):
    """TODO [15.2.1.2.1.1.2]."""

    SL = 0
    INVENTORIED_STATE_FOR_SESSION_S0 = 1
    INVENTORIED_STATE_FOR_SESSION_S1 = 2
    INVENTORIED_STATE_FOR_SESSION_S2 = 3
    INVENTORIED_STATE_FOR_SESSION_S3 = 4


class C1G2StateAwareAction(IntEnum):
    """TODO [15.2.1.2.1.1.2]."""

    ASSERTSLORA_DEASSERTSLORB = 0
    ASSERTSLORA_NOOP = 1
    NOOP_DEASSERTSLORB = 2
    NEGATESLORABBA_NOOP = 3
    DEASSERTSLORB_ASSERTSLORA = 4
    DEASSERTSLORB_NOOP = 5
    NOOP_ASSERTSLORA = 6
    NOOP_NEGATESLORABBA = 7


class C1G2StateUnawareAction(IntEnum):
    """TODO [15.2.1.2.1.1.3]."""

    SELECT_UNSELECT = 0
    SELECT_DONOTHING = 1
    DONOTHING_UNSELECT = 2
    UNSELECT_DONOTHING = 3
    UNSELECT_SELECT = 4
    DONOTHING_SELECT = 5


class C1G2TagInventoryStateAwareI(IntEnum):
    """TODO [15.2.1.2.1.3.1]."""

    STATE_A = 0
    STATE_B = 1


class C1G2TagInventoryStateAwareS(IntEnum):
    """TODO [15.2.1.2.1.3.1]."""

    SL = 0
    NOT_SL = 1


class C1G2LockPrivilege(IntEnum):
    """TODO [15.2.1.3.2.4.1]."""

    READ_WRITE = 0
    PERMA_LOCK = 1
    PERMA_UNLOCK = 2
    UNLOCK = 3


class C1G2LockDataField(IntEnum):
    """TODO [15.2.1.3.2.4.1]."""

    KILL_PASSWORD = 0
    ACCESS_PASSWORD = 1
    EPC_MEMORY = 2
    TID_MEMORY = 3
    USER_MEMORY = 4


class C1G2ReadResultType(IntEnum):
    """TODO [15.2.1.5.5.1]."""

    SUCCESS = 0
    NONSPECIFIC_TAG_ERROR = 1
    NO_RESPONSE_FROM_TAG = 2
    NONSPECIFIC_READER_ERROR = 3


class C1G2WriteResultType(IntEnum):
    """TODO [15.2.1.5.5.2]."""

    SUCCESS = 0
    TAG_MEMORY_OVERRUN_ERROR = 1
    TAG_MEMORY_LOCKED_ERROR = 2
    INSUFFICIENT_POWER = 3
    NONSPECIFIC_TAG_ERROR = 4
    NO_RESPONSE_FROM_TAG = 5
    NONSPECIFIC_READER_ERROR = 6


class C1G2KillResultType(IntEnum):
    """TODO [15.2.1.5.5.3]."""

    SUCCESS = 0
    ZERO_KILL_PASSWORD_ERROR = 1
    INSUFFICIENT_POWER = 2
    NONSPECIFIC_TAG_ERROR = 3
    NO_RESPONSE_FROM_TAG = 4
    NONSPECIFIC_READER_ERROR = 5


class C1G2LockResultType(IntEnum):
    """TODO [15.2.1.5.5.4]."""

    SUCCESS = 0
    INSUFFICIENT_POWER = 1
    NONSPECIFIC_TAG_ERROR = 2
    NO_RESPONSE_FROM_TAG = 3
    NONSPECIFIC_READER_ERROR = 4


class C1G2BlockEraseResultType(IntEnum):
    """TODO [15.2.1.5.5.5]."""

    SUCCESS = 0
    TAG_MEMORY_OVERRUN_ERROR = 1
    TAG_MEMORY_LOCKED_ERROR = 2
    INSUFFICIENT_POWER = 3
    NONSPECIFIC_TAG_ERROR = 4
    NO_RESPONSE_FROM_TAG = 5
    NONSPECIFIC_READER_ERROR = 6


class C1G2BlockWriteResultType(IntEnum):
    """TODO [15.2.1.5.5.6]."""

    SUCCESS = 0
    TAG_MEMORY_OVERRUN_ERROR = 1
    TAG_MEMORY_LOCKED_ERROR = 2
    INSUFFICIENT_POWER = 3
    NONSPECIFIC_TAG_ERROR = 4
    NO_RESPONSE_FROM_TAG = 5
    NONSPECIFIC_READER_ERROR = 6


class C1G2RecommissionResultType(IntEnum):
    """TODO [LLRP 1.1]."""

    SUCCESS = 0
    ZERO_KILL_PASSWORD_ERROR = 1
    INSUFFICIENT_POWER_TO_PERFORM_RECOMMISSION_OPERATION = 2
    NONSPECIFIC_TAG_ERROR = 3
    NO_RESPONSE_FROM_TAG = 4
    NONSPECIFIC_READER_ERROR = 5
    INCORRECT_PASSWORD_ERROR = 6


class C1G2BlockPermalockResultType(IntEnum):
    """TODO [LLRP 1.1]."""

    SUCCESS = 0
    INSUFFICIENT_POWER_TO_PERFORM_BLOCK_PERMALOCK_OPERATION = 1
    NONSPECIFIC_TAG_ERROR = 2
    NO_RESPONSE_FROM_TAG = 3
    NONSPECIFIC_READER_ERROR = 4
    INCORRECT_PASSWORD_ERROR = 5
    TAG_MEMORY_OVERRUN_ERROR = 6


class C1G2GetBlockPermalockStatusResultType(IntEnum):
    """TODO [LLRP 1.1]."""

    SUCCESS = 0
    NONSPECIFIC_TAG_ERROR = 1
    NO_RESPONSE_FROM_TAG = 2
    NONSPECIFIC_READER_ERROR = 3
    INCORRECT_PASSWORD_ERROR = 4
    TAG_MEMORY_OVERRUN_ERROR = 5
