"""Values that Impinj names."""

from enum import IntEnum


class ImpinjRequestedDataType(IntEnum):
    """What `ImpinjRequestedData` asks for."""

    ALL_CAPABILITIES = 1000
    IMPINJ_DETAILED_VERSION = 1001
    IMPINJ_FREQUENCY_CAPABILITIES = 1002
    IMPINJ_XARRAY_CAPABILITIES = 1003
    IMPINJ_ANTENNA_CAPABILITIES = 1004
    ALL_CONFIGURATION = 2000
    IMPINJ_SUB_REGULATORY_REGION = 2001
    IMPINJ_GPI_DEBOUNCE_CONFIGURATION = 2003
    IMPINJ_READER_TEMPERATURE = 2004
    IMPINJ_LINK_MONITOR_CONFIGURATION = 2005
    IMPINJ_REPORT_BUFFER_CONFIGURATION = 2006
    IMPINJ_ACCESS_SPEC_CONFIGURATION = 2007
    IMPINJ_GPS_NMEA_SENTENCES = 2008
    IMPINJ_ADVANCED_GPO_CONFIGURATION = 2009
    IMPINJ_TILT_CONFIGURATION = 2010
    IMPINJ_BEACON_CONFIGURATION = 2011
    IMPINJ_ANTENNA_CONFIGURATION = 2012
    IMPINJ_LOCATION_CONFIGURATION = 2013
    IMPINJ_TRANSITION_CONFIGURATION = 2014
    IMPINJ_HUB_CONFIGURATION = 2015
    IMPINJ_POLARIZATION_CONTROL_CONFIGURATION = 2017
    IMPINJ_DIRECTION_CONFIGURATION = 2018


class ImpinjRegulatoryRegion(IntEnum):
    """Regions."""

    FCC_PART_15_247 = 0
    ETSI_EN_300_220 = 1
    ETSI_EN_302_208_WITH_LBT = 2
    HONG_KONG_920_925_MHZ = 3
    TAIWAN_922_928_MHZ = 4
    ETSI_EN_302_208_V1_2_1 = 7
    KOREA_917_921_MHZ = 8
    MALAYSIA_919_923_MHZ = 9
    CHINA_920_925_MHZ = 10
    SOUTH_AFRICA_915_919_MHZ = 12
    BRAZIL_902_907_AND_915_928_MHZ = 13
    THAILAND_920_925_MHZ = 14
    SINGAPORE_920_925_MHZ = 15
    AUSTRALIA_920_926_MHZ = 16
    URUGUAY_916_928_MHZ = 18
    VIETNAM_918_923_MHZ = 19
    ISRAEL_915_917_MHZ = 20
    PHILIPPINES_918_920_MHZ = 21
    VIETNAM_920_923_MHZ = 22
    INDONESIA_920_923_MHZ = 23
    NEW_ZEALAND_921P5_928_MHZ = 24
    JAPAN_916_921_MHZ_WITHOUT_LBT = 25
    LATIN_AMERICA_902_928_MHZ = 26
    PERU_916_928_MHZ = 27
    BANGLADESH_925_927_MHZ = 28
    ETSI_915_921_MHZ = 29
    PARAGUAY_918_928_MHZ = 31
    MOROCCO = 32
    CHILE = 33
    COLOMBIA = 34
    SOUTH_AFRICA_915_919_MHZ_ALTERNATE = 35
    VENEZUELA = 36


class ImpinjInventorySearchType(IntEnum):
    """How an inventory searches."""

    READER_SELECTED = 0
    SINGLE_TARGET = 1
    DUAL_TARGET = 2
    SINGLE_TARGET_WITH_SUPPRESSION = 3
    NO_TARGET = 4
    SINGLE_TARGET_BTOA = 5
    DUAL_TARGET_WITH_BTOASELECT = 6


class ImpinjFixedFrequencyMode(IntEnum):
    """How fixed channels are chosen."""

    DISABLED = 0
    AUTO_SELECT = 1
    CHANNEL_LIST = 2


class ImpinjReducedPowerMode(IntEnum):
    """Whether power is reduced."""

    DISABLED = 0
    ENABLED = 1


class ImpinjLowDutyCycleMode(IntEnum):
    """Whether the duty cycle is low."""

    DISABLED = 0
    ENABLED = 1


class ImpinjLinkMonitorMode(IntEnum):
    """Whether the link is monitored."""

    DISABLED = 0
    ENABLED = 1


class ImpinjReportBufferMode(IntEnum):
    """How reports are buffered."""

    NORMAL = 0
    LOW_LATENCY = 1


class ImpinjBlockPermalockResultType(IntEnum):
    """Results of a permanent block lock."""

    SUCCESS = 0
    INSUFFICIENT_POWER = 1
    NONSPECIFIC_TAG_ERROR = 2
    NO_RESPONSE_FROM_TAG = 3
    NONSPECIFIC_READER_ERROR = 4
    INCORRECT_PASSWORD_ERROR = 5
    TAG_MEMORY_OVERRUN_ERROR = 6


class ImpinjGetBlockPermalockStatusResultType(IntEnum):
    """Results of asking for permanent block locks."""

    SUCCESS = 0
    NONSPECIFIC_TAG_ERROR = 1
    NO_RESPONSE_FROM_TAG = 2
    NONSPECIFIC_READER_ERROR = 3
    INCORRECT_PASSWORD_ERROR = 4
    TAG_MEMORY_OVERRUN_ERROR = 5


class ImpinjQTDataProfile(IntEnum):
    """Data profile of a QT tag."""

    UNKNOWN = 0
    PRIVATE = 1
    PUBLIC = 2


class ImpinjQTAccessRange(IntEnum):
    """Range of a QT tag."""

    UNKNOWN = 0
    NORMAL_RANGE = 1
    SHORT_RANGE = 2


class ImpinjQTPersistence(IntEnum):
    """Whether a QT setting outlasts the field."""

    UNKNOWN = 0
    TEMPORARY = 1
    PERMANENT = 2


class ImpinjSetQTConfigResultType(IntEnum):
    """Results of setting QT."""

    SUCCESS = 0
    INSUFFICIENT_POWER = 1
    NONSPECIFIC_TAG_ERROR = 2
    NO_RESPONSE_FROM_TAG = 3
    NONSPECIFIC_READER_ERROR = 4
    INCORRECT_PASSWORD_ERROR = 5


class ImpinjGetQTConfigResultType(IntEnum):
    """Results of asking for QT."""

    SUCCESS = 0
    NONSPECIFIC_TAG_ERROR = 1
    NO_RESPONSE_FROM_TAG = 2
    NONSPECIFIC_READER_ERROR = 3
    INCORRECT_PASSWORD_ERROR = 4


class ImpinjSerializedTIDMode(IntEnum):
    """Whether the TID is reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjRFPhaseAngleMode(IntEnum):
    """Whether the phase is reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjPeakRSSIMode(IntEnum):
    """Whether fine signal strength is reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjGPSCoordinatesMode(IntEnum):
    """Whether GPS coordinates are reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjAdvancedGPOMode(IntEnum):
    """What drives an output."""

    NORMAL = 0
    PULSED = 1
    READER_OPERATIONAL_STATUS = 2
    LLRP_CONNECTION_STATUS = 3
    READER_INVENTORY_STATUS = 4
    NETWORK_CONNECTION_STATUS = 5
    READER_INVENTORY_TAGS_STATUS = 6


class ImpinjOptimizedReadMode(IntEnum):
    """Whether reads are done within the inventory."""

    DISABLED = 0
    ENABLED = 1


class ImpinjAccessSpecOrderingMode(IntEnum):
    """Order of access operations."""

    FIFO = 0
    ASCENDING = 1


class ImpinjRFDopplerFrequencyMode(IntEnum):
    """Whether the Doppler frequency is reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjTxPowerReportingMode(IntEnum):
    """Whether the transmit power is reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjXPCWordsMode(IntEnum):
    """Whether XPC words are reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjHubConnectedType(IntEnum):
    """Whether a hub is connected."""

    UNKNOWN = 0
    DISCONNECTED = 1
    CONNECTED = 2


class ImpinjHubFaultType(IntEnum):
    """Faults of a hub."""

    NO_FAULT = 0
    RF_POWER = 1
    RF_POWER_ON_HUB_1 = 2
    RF_POWER_ON_HUB_2 = 3
    RF_POWER_ON_HUB_3 = 4
    RF_POWER_ON_HUB_4 = 5
    NO_INIT = 6
    SERIAL_OVERFLOW = 7
    DISCONNECTED = 8


class ImpinjLocationReportType(IntEnum):
    """Kinds of location reports."""

    ENTRY = 0
    UPDATE = 1
    EXIT = 2


class ImpinjDirectionFieldOfView(IntEnum):
    """Fields of view."""

    READER_SELECTED = 0
    WIDE = 1
    NARROW = 2


class ImpinjDirectionRFMode(IntEnum):
    """Modes of a direction inventory."""

    HIGH_SENSITIVITY = 0
    HIGH_PERFORMANCE = 1


class ImpinjDirectionDiagnosticReportLevel(IntEnum):
    """How much is reported for diagnosis."""

    OFF = 0
    BASIC = 1
    EXTENDED = 2
    DEBUG = 3


class ImpinjDirectionReportType(IntEnum):
    """Kinds of direction reports."""

    ENTRY = 0
    UPDATE = 1
    EXIT = 2


class ImpinjDirectionTagPopulationStatus(IntEnum):
    """Whether there were too many tags."""

    OK = 0
    USER_OVERFLOW = 1
    SYSTEM_OVERFLOW = 2


class ImpinjIntelligentAntennaMode(IntEnum):
    """Whether antennas are managed."""

    DISABLED = 0
    ENABLED = 1


class ImpinjAntennaPolarizationType(IntEnum):
    """Polarisations."""

    LINEAR_HORIZONTAL = 0
    LINEAR_VERTICAL = 1
    CIRCULAR_RIGHT = 2
    CIRCULAR_LEFT = 3


class ImpinjMarginReadResultType(IntEnum):
    """Results of a margin read."""

    SUCCESS = 0
    FAILURE = 1
    INSUFFICIENT_POWER = 2
    NONSPECIFIC_TAG_ERROR = 3
    NO_RESPONSE_FROM_TAG = 4
    NONSPECIFIC_READER_ERROR = 5
    INCORRECT_PASSWORD_ERROR = 6
    TAG_MEMORY_OVERRUN_ERROR = 7
    TAG_MEMORY_LOCKED_ERROR = 8


class ImpinjAuthenticateResultType(IntEnum):
    """Results of authentication."""

    SUCCESS = 0
    INSUFFICIENT_POWER = 1
    NOT_SUPPORTED_ERROR = 2
    NONSPECIFIC_TAG_ERROR = 3
    NONSPECIFIC_READER_ERROR = 4
    NO_RESPONSE_FROM_TAG = 5


class ImpinjTagFilterVerificationMode(IntEnum):
    """How filters are verified."""

    DISABLED = 0
    ACTIVE = 1
    PASSIVE = 2


class ImpinjTagPopulationEstimationMode(IntEnum):
    """Whether the number of tags is estimated."""

    DISABLED = 0
    ENABLED = 1


class ImpinjCRHandleMode(IntEnum):
    """Whether handles are reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjIDMode(IntEnum):
    """Whether Gen2X identifiers are reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjEnhancedIntegraMode(IntEnum):
    """Whether memory checks are reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjEnhancedIntegraResultType(IntEnum):
    """What a memory check found."""

    NO_PARITY_ERROR = 0
    PC_OR_EPC_PARITY_ERROR = 1
    PC_OR_EPC_OR_TID_PARITY_ERROR = 3
    MEMORY_READ_PARITY_ERROR = 5


class ImpinjEndpointICVerificationMode(IntEnum):
    """Whether chips are verified."""

    DISABLED = 0
    ENABLED = 1


class ImpinjEndpointICVerificationReportMode(IntEnum):
    """Whether chip verification is reported."""

    DISABLED = 0
    ENABLED = 1


class ImpinjGen2XCR(IntEnum):
    """What a Gen2X tag answers a Query with."""

    ID32 = 0
    ID16 = 1
    STORED_CRC = 2
    RN16 = 3


class ImpinjGen2XID(IntEnum):
    """What a Gen2X tag identifies itself with."""

    NONE = 0
    TMN_TSN = 1
    PART = 2
    FULL = 3


class ImpinjGen2XProtection(IntEnum):
    """How a Gen2X answer is protected."""

    NONE = 0
    PARITY = 1
    CRC5 = 2
    CRC5_PLUS = 3


class ImpinjRampUpPowerBoostMode(IntEnum):
    """Whether power is raised while the carrier comes up."""

    AUTO = 0
    OFF = 1
    ON = 2
