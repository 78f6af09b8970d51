"""Impinj's access operations and their results."""

from typing import Annotated

from edge.llrp.messages.element import Extensions, VendorParameter
from edge.llrp.messages.impinj_enums import (
    ImpinjAccessSpecOrderingMode,
    ImpinjAuthenticateResultType,
    ImpinjBlockPermalockResultType,
    ImpinjEndpointICVerificationMode,
    ImpinjEndpointICVerificationReportMode,
    ImpinjEnhancedIntegraMode,
    ImpinjEnhancedIntegraResultType,
    ImpinjGetBlockPermalockStatusResultType,
    ImpinjGetQTConfigResultType,
    ImpinjMarginReadResultType,
    ImpinjQTAccessRange,
    ImpinjQTDataProfile,
    ImpinjQTPersistence,
    ImpinjSetQTConfigResultType,
)
from edge.llrp.messages.wire_types import U8, U16, U32, BitString, Flag, Scalar, Words
from edge.llrp.wire import IMPINJ


class ImpinjBlockWriteWordCount(VendorParameter, vendor=IMPINJ, subtype=41):
    """TODO."""

    word_count: U16
    custom: Extensions = ()


class ImpinjOpSpecRetryCount(VendorParameter, vendor=IMPINJ, subtype=63):
    """TODO."""

    retry_count: U16
    custom: Extensions = ()


class ImpinjAccessSpecOrdering(VendorParameter, vendor=IMPINJ, subtype=66):
    """TODO."""

    ordering_mode: Annotated[int, Scalar(16, ImpinjAccessSpecOrderingMode)]
    custom: Extensions = ()


class ImpinjAccessSpecConfiguration(VendorParameter, vendor=IMPINJ, subtype=40):
    """TODO."""

    impinj_block_write_word_count: ImpinjBlockWriteWordCount | None = None
    impinj_op_spec_retry_count: ImpinjOpSpecRetryCount | None = None
    impinj_access_spec_ordering: ImpinjAccessSpecOrdering | None = None
    custom: Extensions = ()


class ImpinjBlockPermalock(VendorParameter, vendor=IMPINJ, subtype=42):
    """TODO."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    block_pointer: U16
    block_mask: Words
    custom: Extensions = ()


class ImpinjBlockPermalockOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=43):
    """TODO."""

    result: Annotated[int, Scalar(8, ImpinjBlockPermalockResultType)]
    op_spec_id: U16
    custom: Extensions = ()


class ImpinjGetBlockPermalockStatus(VendorParameter, vendor=IMPINJ, subtype=44):
    """TODO."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    block_pointer: U16
    block_range: U16
    custom: Extensions = ()


class ImpinjGetBlockPermalockStatusOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=45):
    """TODO."""

    result: Annotated[int, Scalar(8, ImpinjGetBlockPermalockStatusResultType)]
    op_spec_id: U16
    permalock_status: Words
    custom: Extensions = ()


class ImpinjSetQTConfig(VendorParameter, vendor=IMPINJ, subtype=46):
    """TODO."""

    op_spec_id: U16
    access_password: U32
    data_profile: Annotated[int, Scalar(8, ImpinjQTDataProfile)]
    access_range: Annotated[int, Scalar(8, ImpinjQTAccessRange)]
    persistence: Annotated[int, Scalar(8, ImpinjQTPersistence, pad=32)]
    custom: Extensions = ()


class ImpinjSetQTConfigOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=47):
    """TODO."""

    result: Annotated[int, Scalar(8, ImpinjSetQTConfigResultType)]
    op_spec_id: U16
    custom: Extensions = ()


class ImpinjGetQTConfig(VendorParameter, vendor=IMPINJ, subtype=48):
    """TODO."""

    op_spec_id: U16
    access_password: U32
    custom: Extensions = ()


class ImpinjGetQTConfigOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=49):
    """TODO."""

    result: Annotated[int, Scalar(8, ImpinjGetQTConfigResultType)]
    op_spec_id: U16
    data_profile: Annotated[int, Scalar(8, ImpinjQTDataProfile)]
    access_range: Annotated[int, Scalar(8, ImpinjQTAccessRange, pad=32)]
    custom: Extensions = ()


class ImpinjMarginRead(VendorParameter, vendor=IMPINJ, subtype=1578):
    """TODO."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    bit_pointer: U16
    bit_length: U8
    mask: Words
    custom: Extensions = ()


class ImpinjMarginReadOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=1579):
    """TODO."""

    result: Annotated[int, Scalar(8, ImpinjMarginReadResultType)]
    op_spec_id: U16
    custom: Extensions = ()


class ImpinjAuthenticate(VendorParameter, vendor=IMPINJ, subtype=1584):
    """TODO."""

    op_spec_id: U16
    access_password: U32
    send_rep: Flag
    inc_rep_len: Annotated[bool, Scalar(1, pad=6)]
    csi: U8
    message: BitString
    custom: Extensions = ()


class ImpinjAuthenticateOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=1585):
    """TODO."""

    result: Annotated[int, Scalar(8, ImpinjAuthenticateResultType)]
    op_spec_id: U16
    response: BitString
    custom: Extensions = ()


class ImpinjEnableEnhancedIntegra(VendorParameter, vendor=IMPINJ, subtype=1591):
    """TODO."""

    enhanced_integra_mode: Annotated[int, Scalar(2, ImpinjEnhancedIntegraMode, pad=6)]
    custom: Extensions = ()


class ImpinjEnhancedIntegraReport(VendorParameter, vendor=IMPINJ, subtype=1592):
    """TODO."""

    result: Annotated[int, Scalar(8, ImpinjEnhancedIntegraResultType)]
    op_spec_id: U16
    custom: Extensions = ()


class ImpinjEndpointICVerificationConfig(VendorParameter, vendor=IMPINJ, subtype=1593):
    """TODO."""

    endpoint_ic_verification_mode: Annotated[int, Scalar(8, ImpinjEndpointICVerificationMode)]
    custom: Extensions = ()


class ImpinjEnableEndpointICVerification(VendorParameter, vendor=IMPINJ, subtype=1594):
    """TODO."""

    endpoint_ic_verification_report_mode: Annotated[int, Scalar(8, ImpinjEndpointICVerificationReportMode)]
    custom: Extensions = ()


class ImpinjEndpointICVerificationReport(VendorParameter, vendor=IMPINJ, subtype=1595):
    """TODO."""

    endpoint_ic_verification_on: U8
    endpoint_ic_identifier: U8
    custom: Extensions = ()
