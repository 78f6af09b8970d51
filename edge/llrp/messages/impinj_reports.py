"""Impinj's additions to tag reports, and the switches that turn them on."""

from typing import Annotated

from edge.llrp.messages.access import C1G2Read
from edge.llrp.messages.element import Extensions, VendorParameter
from edge.llrp.messages.impinj_access import ImpinjEnableEndpointICVerification, ImpinjEnableEnhancedIntegra
from edge.llrp.messages.impinj_arrays import ImpinjDirectionReportData, ImpinjLocationReportData
from edge.llrp.messages.impinj_enums import (
    ImpinjCRHandleMode,
    ImpinjGPSCoordinatesMode,
    ImpinjIDMode,
    ImpinjOptimizedReadMode,
    ImpinjPeakRSSIMode,
    ImpinjRFDopplerFrequencyMode,
    ImpinjRFPhaseAngleMode,
    ImpinjSerializedTIDMode,
    ImpinjTagPopulationEstimationMode,
    ImpinjTxPowerReportingMode,
    ImpinjXPCWordsMode,
)
from edge.llrp.messages.reports import EPCData
from edge.llrp.messages.wire_types import S16, S32, U16, U32, BitString, LongWords, Scalar, Some, String, Words
from edge.llrp.wire import IMPINJ


class ImpinjEnableSerializedTID(VendorParameter, vendor=IMPINJ, subtype=51):
    """TODO."""

    serialized_tid_mode: Annotated[int, Scalar(16, ImpinjSerializedTIDMode)]
    custom: Extensions = ()


class ImpinjEnableRFPhaseAngle(VendorParameter, vendor=IMPINJ, subtype=52):
    """TODO."""

    rf_phase_angle_mode: Annotated[int, Scalar(16, ImpinjRFPhaseAngleMode)]
    custom: Extensions = ()


class ImpinjEnablePeakRSSI(VendorParameter, vendor=IMPINJ, subtype=53):
    """TODO."""

    peak_rssi_mode: Annotated[int, Scalar(16, ImpinjPeakRSSIMode)]
    custom: Extensions = ()


class ImpinjEnableGPSCoordinates(VendorParameter, vendor=IMPINJ, subtype=54):
    """TODO."""

    gps_coordinates_mode: Annotated[int, Scalar(16, ImpinjGPSCoordinatesMode)]
    custom: Extensions = ()


class ImpinjEnableOptimizedRead(VendorParameter, vendor=IMPINJ, subtype=65):
    """TODO."""

    optimized_read_mode: Annotated[int, Scalar(16, ImpinjOptimizedReadMode)]
    c1g2_reads: tuple[C1G2Read, ...] = ()
    custom: Extensions = ()


class ImpinjEnableRFDopplerFrequency(VendorParameter, vendor=IMPINJ, subtype=67):
    """TODO."""

    rf_doppler_frequency_mode: Annotated[int, Scalar(16, ImpinjRFDopplerFrequencyMode)]
    custom: Extensions = ()


class ImpinjEnableTxPower(VendorParameter, vendor=IMPINJ, subtype=72):
    """TODO."""

    tx_power_reporting_mode: Annotated[int, Scalar(16, ImpinjTxPowerReportingMode)]
    custom: Extensions = ()


class ImpinjEnableXPCWords(VendorParameter, vendor=IMPINJ, subtype=74):
    """TODO."""

    xpc_words_mode: Annotated[int, Scalar(16, ImpinjXPCWordsMode)]
    custom: Extensions = ()


class ImpinjEnableCRHandle(VendorParameter, vendor=IMPINJ, subtype=1589):
    """TODO."""

    cr_handle_mode: Annotated[int, Scalar(8, ImpinjCRHandleMode)]
    custom: Extensions = ()


class ImpinjEnableID(VendorParameter, vendor=IMPINJ, subtype=1606):
    """TODO."""

    id_mode: Annotated[int, Scalar(8, ImpinjIDMode)]
    custom: Extensions = ()


class ImpinjTagReportContentSelector(VendorParameter, vendor=IMPINJ, subtype=50):
    """TODO."""

    impinj_enable_serialized_tid: ImpinjEnableSerializedTID | None = None
    impinj_enable_rf_phase_angle: ImpinjEnableRFPhaseAngle | None = None
    impinj_enable_peak_rssi: ImpinjEnablePeakRSSI | None = None
    impinj_enable_gps_coordinates: ImpinjEnableGPSCoordinates | None = None
    impinj_enable_optimized_read: ImpinjEnableOptimizedRead | None = None
    impinj_enable_rf_doppler_frequency: ImpinjEnableRFDopplerFrequency | None = None
    impinj_enable_tx_power: ImpinjEnableTxPower | None = None
    impinj_enable_xpc_words: ImpinjEnableXPCWords | None = None
    impinj_enable_cr_handle: ImpinjEnableCRHandle | None = None
    impinj_enable_id: ImpinjEnableID | None = None
    impinj_enable_enhanced_integra: ImpinjEnableEnhancedIntegra | None = None
    impinj_enable_endpoint_ic_verification: ImpinjEnableEndpointICVerification | None = None
    custom: Extensions = ()


class ImpinjTIDParity(VendorParameter, vendor=IMPINJ, subtype=1566):
    """TODO."""

    parity_error: Annotated[bool, Scalar(1, pad=7)]
    custom: Extensions = ()


class ImpinjSerializedTID(VendorParameter, vendor=IMPINJ, subtype=55):
    """TODO."""

    tid: Words
    impinj_tid_parity: ImpinjTIDParity | None = None
    custom: Extensions = ()


class ImpinjRFPhaseAngle(VendorParameter, vendor=IMPINJ, subtype=56):
    """TODO."""

    phase_angle: U16
    custom: Extensions = ()


class ImpinjPeakRSSI(VendorParameter, vendor=IMPINJ, subtype=57):
    """TODO."""

    rssi: S16
    custom: Extensions = ()


class ImpinjGPSCoordinates(VendorParameter, vendor=IMPINJ, subtype=58):
    """TODO."""

    latitude: S32
    longitude: S32
    custom: Extensions = ()


class ImpinjGGASentence(VendorParameter, vendor=IMPINJ, subtype=61):
    """TODO."""

    gga_sentence: String
    custom: Extensions = ()


class ImpinjRMCSentence(VendorParameter, vendor=IMPINJ, subtype=62):
    """TODO."""

    rmc_sentence: String
    custom: Extensions = ()


class ImpinjGPSNMEASentences(VendorParameter, vendor=IMPINJ, subtype=60):
    """TODO."""

    impinj_gga_sentence: ImpinjGGASentence | None = None
    impinj_rmc_sentence: ImpinjRMCSentence | None = None
    custom: Extensions = ()


class ImpinjRFDopplerFrequency(VendorParameter, vendor=IMPINJ, subtype=68):
    """TODO."""

    doppler_frequency: S16
    custom: Extensions = ()


class ImpinjTxPower(VendorParameter, vendor=IMPINJ, subtype=73):
    """TODO."""

    tx_power: U16
    custom: Extensions = ()


class ImpinjXPCWords(VendorParameter, vendor=IMPINJ, subtype=75):
    """TODO."""

    xpc_words: Words
    custom: Extensions = ()


class ImpinjDiagnosticReport(VendorParameter, vendor=IMPINJ, subtype=1539):
    """TODO."""

    metric: LongWords


class ImpinjExtendedTagInformation(VendorParameter, vendor=IMPINJ, subtype=1552):
    """TODO."""

    epc_data: Some[EPCData]
    impinj_location_report_data: ImpinjLocationReportData | None = None
    impinj_direction_report_data: ImpinjDirectionReportData | None = None
    custom: Extensions = ()


class ImpinjEnableTagPopulationEstimationAlgorithm(VendorParameter, vendor=IMPINJ, subtype=1587):
    """TODO."""

    tag_population_estimation_mode: Annotated[int, Scalar(8, ImpinjTagPopulationEstimationMode)]
    custom: Extensions = ()


class ImpinjCRHandle(VendorParameter, vendor=IMPINJ, subtype=1590):
    """TODO."""

    cr_handle: U32
    custom: Extensions = ()


class ImpinjID(VendorParameter, vendor=IMPINJ, subtype=1607):
    """TODO."""

    id: BitString
    custom: Extensions = ()
