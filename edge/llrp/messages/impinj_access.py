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
    """Words a block write."""

    word_count: U16
    custom: Extensions = ()


class ImpinjOpSpecRetryCount(VendorParameter, vendor=IMPINJ, subtype=63):
    """How often a failed operation is tried again."""

    retry_count: U16
    custom: Extensions = ()


class ImpinjAccessSpecOrdering(VendorParameter, vendor=IMPINJ, subtype=66):
    """Order in which access operations are tried."""

    ordering_mode: Annotated[int, Scalar(16, ImpinjAccessSpecOrderingMode)]
    custom: Extensions = ()


class ImpinjAccessSpecConfiguration(VendorParameter, vendor=IMPINJ, subtype=40):
    """How access operations are carried out."""

    impinj_block_write_word_count: ImpinjBlockWriteWordCount | None = None
    impinj_op_spec_retry_count: ImpinjOpSpecRetryCount | None = None
    impinj_access_spec_ordering: ImpinjAccessSpecOrdering | None = None
    custom: Extensions = ()


class ImpinjBlockPermalock(VendorParameter, vendor=IMPINJ, subtype=42):
    """Lock blocks of user memory for good."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    block_pointer: U16
    block_mask: Words
    custom: Extensions = ()


class ImpinjBlockPermalockOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=43):
    """Result of a permanent block lock."""

    result: Annotated[int, Scalar(8, ImpinjBlockPermalockResultType)]
    op_spec_id: U16
    custom: Extensions = ()


class ImpinjGetBlockPermalockStatus(VendorParameter, vendor=IMPINJ, subtype=44):
    """Ask which blocks are locked for good."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    block_pointer: U16
    block_range: U16
    custom: Extensions = ()


class ImpinjGetBlockPermalockStatusOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=45):
    """Which blocks are locked for good, a bit each."""

    result: Annotated[int, Scalar(8, ImpinjGetBlockPermalockStatusResultType)]
    op_spec_id: U16
    permalock_status: Words
    custom: Extensions = ()


class ImpinjSetQTConfig(VendorParameter, vendor=IMPINJ, subtype=46):
    """Set a Monza QT tag's profile and range."""

    op_spec_id: U16
    access_password: U32
    data_profile: Annotated[int, Scalar(8, ImpinjQTDataProfile)]
    access_range: Annotated[int, Scalar(8, ImpinjQTAccessRange)]
    persistence: Annotated[int, Scalar(8, ImpinjQTPersistence, pad=32)]
    custom: Extensions = ()


class ImpinjSetQTConfigOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=47):
    """Result of setting QT."""

    result: Annotated[int, Scalar(8, ImpinjSetQTConfigResultType)]
    op_spec_id: U16
    custom: Extensions = ()


class ImpinjGetQTConfig(VendorParameter, vendor=IMPINJ, subtype=48):
    """Ask for a Monza QT tag's profile and range."""

    op_spec_id: U16
    access_password: U32
    custom: Extensions = ()


class ImpinjGetQTConfigOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=49):
    """A Monza QT tag's profile and range."""

    result: Annotated[int, Scalar(8, ImpinjGetQTConfigResultType)]
    op_spec_id: U16
    data_profile: Annotated[int, Scalar(8, ImpinjQTDataProfile)]
    access_range: Annotated[int, Scalar(8, ImpinjQTAccessRange, pad=32)]
    custom: Extensions = ()


class ImpinjMarginRead(VendorParameter, vendor=IMPINJ, subtype=1578):
    """Check how strongly bits are stored."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    bit_pointer: U16
    bit_length: U8
    mask: Words
    custom: Extensions = ()


class ImpinjMarginReadOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=1579):
    """Result of a margin read."""

    result: Annotated[int, Scalar(8, ImpinjMarginReadResultType)]
    op_spec_id: U16
    custom: Extensions = ()


class ImpinjAuthenticate(VendorParameter, vendor=IMPINJ, subtype=1584):
    """Gen2v2 authentication of a tag."""

    op_spec_id: U16
    access_password: U32
    send_rep: Flag
    inc_rep_len: Annotated[bool, Scalar(1, pad=6)]
    csi: U8
    message: BitString
    custom: Extensions = ()


class ImpinjAuthenticateOpSpecResult(VendorParameter, vendor=IMPINJ, subtype=1585):
    """A tag's answer to authentication."""

    result: Annotated[int, Scalar(8, ImpinjAuthenticateResultType)]
    op_spec_id: U16
    response: BitString
    custom: Extensions = ()


class ImpinjEnableEnhancedIntegra(VendorParameter, vendor=IMPINJ, subtype=1591):
    """Whether reports have the memory check of Enhanced Integra."""

    enhanced_integra_mode: Annotated[int, Scalar(2, ImpinjEnhancedIntegraMode, pad=6)]
    custom: Extensions = ()


class ImpinjEnhancedIntegraReport(VendorParameter, vendor=IMPINJ, subtype=1592):
    """What Enhanced Integra found in a tag's memory."""

    result: Annotated[int, Scalar(8, ImpinjEnhancedIntegraResultType)]
    op_spec_id: U16
    custom: Extensions = ()


class ImpinjEndpointICVerificationConfig(VendorParameter, vendor=IMPINJ, subtype=1593):
    """Whether tags' chips are verified."""

    endpoint_ic_verification_mode: Annotated[int, Scalar(8, ImpinjEndpointICVerificationMode)]
    custom: Extensions = ()


class ImpinjEnableEndpointICVerification(VendorParameter, vendor=IMPINJ, subtype=1594):
    """Whether reports have the verification of the tag's chip."""

    endpoint_ic_verification_report_mode: Annotated[int, Scalar(8, ImpinjEndpointICVerificationReportMode)]
    custom: Extensions = ()


class ImpinjEndpointICVerificationReport(VendorParameter, vendor=IMPINJ, subtype=1595):
    """Whether a tag's chip was verified, and which it is."""

    endpoint_ic_verification_on: U8
    endpoint_ic_identifier: U8
    custom: Extensions = ()
