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
    """Whether reports have the TID (FastID)."""

    serialized_tid_mode: Annotated[int, Scalar(16, ImpinjSerializedTIDMode)]
    custom: Extensions = ()


class ImpinjEnableRFPhaseAngle(VendorParameter, vendor=IMPINJ, subtype=52):
    """Whether reports have the phase."""

    rf_phase_angle_mode: Annotated[int, Scalar(16, ImpinjRFPhaseAngleMode)]
    custom: Extensions = ()


class ImpinjEnablePeakRSSI(VendorParameter, vendor=IMPINJ, subtype=53):
    """Whether reports have the signal strength in hundredths of dBm."""

    peak_rssi_mode: Annotated[int, Scalar(16, ImpinjPeakRSSIMode)]
    custom: Extensions = ()


class ImpinjEnableGPSCoordinates(VendorParameter, vendor=IMPINJ, subtype=54):
    """Whether reports have GPS coordinates."""

    gps_coordinates_mode: Annotated[int, Scalar(16, ImpinjGPSCoordinatesMode)]
    custom: Extensions = ()


class ImpinjEnableOptimizedRead(VendorParameter, vendor=IMPINJ, subtype=65):
    """Reads to be done within the inventory, without an access operation."""

    optimized_read_mode: Annotated[int, Scalar(16, ImpinjOptimizedReadMode)]
    c1g2_reads: tuple[C1G2Read, ...] = ()
    custom: Extensions = ()


class ImpinjEnableRFDopplerFrequency(VendorParameter, vendor=IMPINJ, subtype=67):
    """Whether reports have the Doppler frequency."""

    rf_doppler_frequency_mode: Annotated[int, Scalar(16, ImpinjRFDopplerFrequencyMode)]
    custom: Extensions = ()


class ImpinjEnableTxPower(VendorParameter, vendor=IMPINJ, subtype=72):
    """Whether reports have the transmit power."""

    tx_power_reporting_mode: Annotated[int, Scalar(16, ImpinjTxPowerReportingMode)]
    custom: Extensions = ()


class ImpinjEnableXPCWords(VendorParameter, vendor=IMPINJ, subtype=74):
    """Whether reports have XPC words."""

    xpc_words_mode: Annotated[int, Scalar(16, ImpinjXPCWordsMode)]
    custom: Extensions = ()


class ImpinjEnableCRHandle(VendorParameter, vendor=IMPINJ, subtype=1589):
    """Whether reports have the tag's handle."""

    cr_handle_mode: Annotated[int, Scalar(8, ImpinjCRHandleMode)]
    custom: Extensions = ()


class ImpinjEnableID(VendorParameter, vendor=IMPINJ, subtype=1606):
    """Whether reports have the Gen2X identifier."""

    id_mode: Annotated[int, Scalar(8, ImpinjIDMode)]
    custom: Extensions = ()


class ImpinjTagReportContentSelector(VendorParameter, vendor=IMPINJ, subtype=50):
    """Which of Impinj's fields a tag report has."""

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
    """Whether the TID's parity was wrong."""

    parity_error: Annotated[bool, Scalar(1, pad=7)]
    custom: Extensions = ()


class ImpinjSerializedTID(VendorParameter, vendor=IMPINJ, subtype=55):
    """TID words of the tag (FastID)."""

    tid: Words
    impinj_tid_parity: ImpinjTIDParity | None = None
    custom: Extensions = ()


class ImpinjRFPhaseAngle(VendorParameter, vendor=IMPINJ, subtype=56):
    """Phase, 4096 steps a turn."""

    phase_angle: U16
    custom: Extensions = ()


class ImpinjPeakRSSI(VendorParameter, vendor=IMPINJ, subtype=57):
    """Greatest signal strength in hundredths of dBm."""

    rssi: S16
    custom: Extensions = ()


class ImpinjGPSCoordinates(VendorParameter, vendor=IMPINJ, subtype=58):
    """Latitude and longitude in millionths of a degree."""

    latitude: S32
    longitude: S32
    custom: Extensions = ()


class ImpinjGGASentence(VendorParameter, vendor=IMPINJ, subtype=61):
    """An NMEA GGA sentence."""

    gga_sentence: String
    custom: Extensions = ()


class ImpinjRMCSentence(VendorParameter, vendor=IMPINJ, subtype=62):
    """An NMEA RMC sentence."""

    rmc_sentence: String
    custom: Extensions = ()


class ImpinjGPSNMEASentences(VendorParameter, vendor=IMPINJ, subtype=60):
    """The GPS receiver's last sentences."""

    impinj_gga_sentence: ImpinjGGASentence | None = None
    impinj_rmc_sentence: ImpinjRMCSentence | None = None
    custom: Extensions = ()


class ImpinjRFDopplerFrequency(VendorParameter, vendor=IMPINJ, subtype=68):
    """Doppler frequency in sixteenths of Hz."""

    doppler_frequency: S16
    custom: Extensions = ()


class ImpinjTxPower(VendorParameter, vendor=IMPINJ, subtype=73):
    """Transmit power, as an index of the table."""

    tx_power: U16
    custom: Extensions = ()


class ImpinjXPCWords(VendorParameter, vendor=IMPINJ, subtype=75):
    """XPC words of the tag."""

    xpc_words: Words
    custom: Extensions = ()


class ImpinjDiagnosticReport(VendorParameter, vendor=IMPINJ, subtype=1539):
    """Numbers for diagnosis."""

    metric: LongWords


class ImpinjExtendedTagInformation(VendorParameter, vendor=IMPINJ, subtype=1552):
    """Location and direction of tags."""

    epc_data: Some[EPCData]
    impinj_location_report_data: ImpinjLocationReportData | None = None
    impinj_direction_report_data: ImpinjDirectionReportData | None = None
    custom: Extensions = ()


class ImpinjEnableTagPopulationEstimationAlgorithm(VendorParameter, vendor=IMPINJ, subtype=1587):
    """Whether the reader estimates the number of tags."""

    tag_population_estimation_mode: Annotated[int, Scalar(8, ImpinjTagPopulationEstimationMode)]
    custom: Extensions = ()


class ImpinjCRHandle(VendorParameter, vendor=IMPINJ, subtype=1590):
    """The tag's handle."""

    cr_handle: U32
    custom: Extensions = ()


class ImpinjID(VendorParameter, vendor=IMPINJ, subtype=1607):
    """Gen2X identifier of the tag."""

    id: BitString
    custom: Extensions = ()
