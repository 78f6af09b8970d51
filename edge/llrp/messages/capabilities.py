"""What a reader says that it can."""

from typing import Annotated

from edge.llrp.messages.element import Extensions, Parameter
from edge.llrp.messages.enums import (
    AirProtocols,
    C1G2DRValue,
    C1G2ForwardLinkModulation,
    C1G2MValue,
    C1G2SpectralMaskIndicator,
    CommunicationsStandard,
)
from edge.llrp.messages.wire_types import S16, U8, U16, U32, Array, Flag, LongWords, Scalar, Some, String


class ReceiveSensitivityTableEntry(Parameter, number=139):
    """One receive sensitivity, in dB below the reader's best [9.2.1.1, 16.2.3.1.1]."""

    index: U16
    receive_sensitivity_value: S16


class PerAntennaReceiveSensitivityRange(Parameter, number=149):
    """Which receive sensitivities an antenna has, as indices of the table [9.2.1.2, 16.2.3.1.2]."""

    antenna_id: U16
    receive_sensitivity_index_min: U16
    receive_sensitivity_index_max: U16


class PerAntennaAirProtocol(Parameter, number=140):
    """The air protocols of an antenna [9.2.1.3, 16.2.3.1.3]."""

    antenna_id: U16
    protocol_id: Annotated[tuple[int, ...], Array(8, AirProtocols)]


class GPIOCapabilities(Parameter, number=141):
    """How many general-purpose inputs and outputs there are [9.2.1.4, 16.2.3.1.4]."""

    num_gpis: U16
    num_gpos: U16


class MaximumReceiveSensitivity(Parameter, number=363):
    """The best receive sensitivity in dBm, to which the table's entries are relative [LLRP 1.1]."""

    maximum_sensitivity_value: S16


class GeneralDeviceCapabilities(Parameter, number=137):
    """Antennas, clock, maker, model and firmware [9.1.2, 16.2.3.1]."""

    max_number_of_antenna_supported: U16
    can_set_antenna_properties: Flag
    has_utc_clock_capability: Annotated[bool, Scalar(1, pad=14)]
    device_manufacturer_name: U32
    model_name: U32
    reader_firmware_version: String
    receive_sensitivity_table_entries: Some[ReceiveSensitivityTableEntry]
    per_antenna_receive_sensitivity_ranges: tuple[PerAntennaReceiveSensitivityRange, ...] = ()
    gpio_capabilities: GPIOCapabilities
    per_antenna_air_protocols: Some[PerAntennaAirProtocol]
    maximum_receive_sensitivity: MaximumReceiveSensitivity | None = None


class LLRPCapabilities(Parameter, number=142):
    """Which optional parts of LLRP the reader has, and how many specs it holds; times in ms [9.2.2, 16.2.3.2]."""

    can_do_rf_survey: Flag
    can_report_buffer_fill_warning: Flag
    supports_client_request_op_spec: Flag
    can_do_tag_inventory_state_aware_singulation: Flag
    supports_event_and_report_holding: Annotated[bool, Scalar(1, pad=3)]
    max_num_priority_levels_supported: U8
    client_request_op_spec_timeout: U16
    max_num_rospecs: U32
    max_num_specs_per_rospec: U32
    max_num_inventory_parameter_specs_per_aispec: U32
    max_num_access_specs: U32
    max_num_op_specs_per_access_spec: U32


class TransmitPowerLevelTableEntry(Parameter, number=145):
    """One transmit power, in hundredths of dBm; choose by value, its index is only a name [9.2.4.1.1, 16.2.3.4.1.1]."""

    index: U16
    transmit_power_value: S16


class FrequencyHopTable(Parameter, number=147):
    """Frequencies in kHz in the order of hopping [9.2.4.1.2.1, 16.2.3.4.1.2.1]."""

    hop_table_id: Annotated[int, Scalar(8, pad=8)]
    frequency: LongWords


class FixedFrequencyTable(Parameter, number=148):
    """Frequencies in kHz to choose from [9.2.4.1.2.2, 16.2.3.4.1.2.2]."""

    frequency: LongWords


class FrequencyInformation(Parameter, number=146):
    """Whether the reader hops, and over which frequencies [9.2.4.1.2, 16.2.3.4.1.2]."""

    hopping: Annotated[bool, Scalar(1, pad=7)]
    frequency_hop_tables: tuple[FrequencyHopTable, ...] = ()
    fixed_frequency_table: FixedFrequencyTable | None = None


class C1G2UHFRFModeTableEntry(Parameter, number=329):
    """One Gen2 mode: rate in bit/s, pulse interval ratio in thousandths, Tari in ns [15.2.1.1.2.1, 16.3.1.1.2.1]."""

    mode_identifier: U32
    dr_value: Annotated[int, Scalar(1, C1G2DRValue)]
    epchagtc_conformance: Annotated[bool, Scalar(1, pad=6)]
    m_value: Annotated[int, Scalar(8, C1G2MValue)]
    forward_link_modulation: Annotated[int, Scalar(8, C1G2ForwardLinkModulation)]
    spectral_mask_indicator: Annotated[int, Scalar(8, C1G2SpectralMaskIndicator)]
    bdr_value: U32
    pie_value: U32
    min_tari_value: U32
    max_tari_value: U32
    step_tari_value: U32


class C1G2UHFRFModeTable(Parameter, number=328):
    """The reader's Gen2 modes [15.2.1.1.2, 16.3.1.1.2]."""

    c1g2_uhf_rf_mode_table_entries: Some[C1G2UHFRFModeTableEntry]


class RFSurveyFrequencyCapabilities(Parameter, number=365):
    """Lowest and highest frequency of a survey, in kHz [LLRP 1.1]."""

    minimum_frequency: U32
    maximum_frequency: U32


class UHFBandCapabilities(Parameter, number=144):
    """Powers, frequencies and modes of the UHF band [9.2.4.1, 16.2.3.4.1]."""

    transmit_power_level_table_entries: Some[TransmitPowerLevelTableEntry]
    frequency_information: FrequencyInformation
    c1g2_uhf_rf_mode_tables: Some[C1G2UHFRFModeTable]
    rf_survey_frequency_capabilities: RFSurveyFrequencyCapabilities | None = None


class RegulatoryCapabilities(Parameter, number=143):
    """Country (ISO 3166 number), radio standard, and bands [9.2.4, 16.2.3.4]."""

    country_code: U16
    communications_standard: Annotated[int, Scalar(16, CommunicationsStandard)]
    uhf_band_capabilities: UHFBandCapabilities | None = None
    custom: Extensions = ()


class C1G2LLRPCapabilities(Parameter, number=327):
    """Which optional Gen2 operations the reader has [15.2.1.1.1, 16.3.1.1.1]."""

    can_support_block_erase: Flag
    can_support_block_write: Flag
    can_support_block_permalock: Flag
    can_support_tag_recommissioning: Flag
    can_support_umi_method2: Flag
    can_support_xpc: Annotated[bool, Scalar(1, pad=2)]
    max_num_select_filters_per_query: U16
