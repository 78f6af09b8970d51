"""Zebra's access operations and their results."""

from typing import Annotated

from edge.llrp.messages.element import VendorParameter
from edge.llrp.messages.wire_types import U2, U8, U16, U32, BitString, Flag, Remaining, Scalar, Words
from edge.llrp.wire import ZEBRA


class MotoC1G2Recommission(VendorParameter, vendor=ZEBRA, subtype=451):
    """Take back parts of a tag's killing."""

    op_spec_id: U16
    kill_password: U32
    operation: Annotated[int, Scalar(8, pad=8)]


class MotoC1G2RecommissionOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=452):
    """Result of a recommissioning."""

    result: U8
    op_spec_id: Annotated[int, Scalar(16, pad=8)]


class MotoC1G2BlockPermalock(VendorParameter, vendor=ZEBRA, subtype=453):
    """Lock blocks for good, or ask which are."""

    op_spec_id: U16
    access_password: U32
    mb: U2
    read_lock: Annotated[bool, Scalar(1, pad=5)]
    block_pointer: U16
    read_block_range: U16
    mask: Words


class MotoC1G2BlockPermalockOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=454):
    """Result of a permanent block lock."""

    result: U8
    op_spec_id: U16
    status: Words


class MotoNXPChangeEAS(VendorParameter, vendor=ZEBRA, subtype=455):
    """Set or clear NXP's EAS bit."""

    op_spec_id: U16
    access_password: U32
    eas_state: Annotated[bool, Scalar(1, pad=31)]


class MotoNXPChangeEASOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=456):
    """Result of setting EAS."""

    result: U8
    op_spec_id: Annotated[int, Scalar(16, pad=8)]


class MotoNXPSetQuiet(VendorParameter, vendor=ZEBRA, subtype=457):
    """Let an NXP tag be quiet."""

    op_spec_id: U16
    access_password: U32


class MotoNXPSetQuietOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=458):
    """Result of quieting."""

    result: U8
    op_spec_id: Annotated[int, Scalar(16, pad=8)]


class MotoNXPResetQuiet(VendorParameter, vendor=ZEBRA, subtype=459):
    """Let an NXP tag answer again."""

    op_spec_id: U16
    access_password: U32


class MotoNXPResetQuietOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=460):
    """Result of ending the quiet."""

    result: U8
    op_spec_id: Annotated[int, Scalar(16, pad=8)]


class MotoNXPCalibrate(VendorParameter, vendor=ZEBRA, subtype=461):
    """Let an NXP tag send its calibration pattern."""

    op_spec_id: U16
    access_password: U32


class MotoNXPCalibrateOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=462):
    """What an NXP tag sent for calibration."""

    result: U8
    op_spec_id: U16
    read_data: Words


class MotoNXPChangeConfig(VendorParameter, vendor=ZEBRA, subtype=485):
    """Toggle bits of an NXP tag's configuration word."""

    op_spec_id: U16
    access_password: U32
    nxp_change_config_word: U16


class MotoNXPChangeConfigOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=486):
    """An NXP tag's configuration word."""

    result: U8
    op_spec_id: U16
    nxp_change_config_word: U16


class QTData(VendorParameter, vendor=ZEBRA, subtype=488):
    """A Monza QT tag's control word."""

    qt_control: Annotated[int, Scalar(16, name="QT_Control")]


class MotoImpinjQT(VendorParameter, vendor=ZEBRA, subtype=487):
    """Read or write a Monza QT tag's control word."""

    op_spec_id: U16
    access_password: U32
    qt_write: Annotated[bool, Scalar(1, name="QT_Write")]
    qt_persist: Annotated[bool, Scalar(1, name="QT_Persist", pad=6)]
    qt_data: QTData | None = None


class MotoImpinjQTOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=489):
    """Result of a QT operation."""

    result: U8
    op_spec_id: U16
    qt_write: Annotated[bool, Scalar(1, name="QT_Write", pad=7)]
    qt_data: QTData | None = None


class MotoC1G2Authenticate(VendorParameter, vendor=ZEBRA, subtype=490):
    """Gen2v2 authentication of a tag."""

    op_spec_id: U16
    access_password: U32
    sen_resp: Flag
    inc_resp_len: Annotated[bool, Scalar(1, pad=6)]
    csi: U8
    message: BitString


class MotoC1G2AuthenticateOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=491):
    """A tag's answer to authentication."""

    result: U8
    op_spec_id: U16
    data_bits: BitString


class MotoC1G2ReadBuffer(VendorParameter, vendor=ZEBRA, subtype=492):
    """Read a Gen2v2 tag's response buffer."""

    op_spec_id: U16
    access_password: U32
    word_ptr: U16
    bit_count: U16


class MotoC1G2ReadBufferOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=493):
    """A Gen2v2 tag's response buffer."""

    result: U8
    op_spec_id: U16
    data_bits: BitString


class MotoC1G2Untraceable(VendorParameter, vendor=ZEBRA, subtype=494):
    """Hide parts of a Gen2v2 tag; its layout is not public."""

    data: Remaining


class MotoC1G2UntraceableOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=495):
    """Result of hiding."""

    result: U8
    op_spec_id: U16
    data_bits: BitString


class MotoC1G2Crypto(VendorParameter, vendor=ZEBRA, subtype=496):
    """A Gen2v2 crypto command; its layout is not public."""

    data: Remaining


class MotoC1G2CryptoOpSpecResult(VendorParameter, vendor=ZEBRA, subtype=497):
    """Result of a crypto command."""

    result: U8
    op_spec_id: U16
    data_bits: BitString
