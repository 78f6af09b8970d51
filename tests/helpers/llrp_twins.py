"""What others read in the same LLRP bytes, compared field by field with what ours says.

XML twins are the LLRP Toolkit's (the standard's names, in wire order). JSON twins are EdgeX's: its Go field names,
single fields without their parameter, bytes as base64.
"""

import base64
import re
import struct
from datetime import UTC, datetime, timedelta

from edge.llrp.framing import Frame, FrameBuffer
from edge.llrp.messages import encode_message
from edge.llrp.messages.base import Custom
from edge.llrp.messages.commands import SetReaderConfig
from edge.llrp.messages.element import VendorParameter
from edge.llrp.messages.plan import plan_of
from edge.llrp.messages.wire_types import Array, BitArray, Bits, Octets, Text

SINCE_1_1 = {
    "EnableXPCBits", "CanSupportBlockPermalock", "CanSupportTagRecommissioning", "CanSupportUMIMethod2",
    "CanSupportXPC",
}  # fmt: skip
"""Flags that were reserved bits in LLRP 1.0.1, of which the toolkit's twins are."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HEX_WORDS = {"ReadData", "WriteData", "PermalockStatus", "BlockMask"}
"""Word arrays that the toolkit writes as hexadecimal; the others are decimal."""


def frames(data):
    """Return all frames of a file, reports among them."""
    buffer = FrameBuffer(max_frame_bytes=1 << 26)
    buffer.feed(data)
    whole, at, found = bytes(buffer.take().data), 0, []
    buffer.finish()
    while at < len(whole):
        word, end = int.from_bytes(whole[at : at + 2], "big"), at + int.from_bytes(whole[at + 2 : at + 6], "big")
        message_id = int.from_bytes(whole[at + 6 : at + 10], "big")
        found.append(Frame(word & 0x3FF, message_id, word >> 10, whole[at + 10 : end], at))
        at = end
    return found


def elements(element):
    """Yield an element and all below it, depth first in the standard's order."""
    yield element
    for child in children(element):
        yield from elements(child)


def children(element):
    """Return an element's sub-parameters in the standard's order."""
    values = [getattr(element, slot.field) for slot in plan_of(type(element)).slots]
    flat = [value if isinstance(value, tuple) else (value,) for value in values]
    return [child for group in flat for child in group if child is not None]


def fields(element):
    """Return (standard name, value) of an element's own fields."""
    return [(name, getattr(element, ours)) for ours, name in plan_of(type(element)).names.items()]


def xml_differences(element, node, where=""):
    """Yield what differs between an element and its XML; yield `None` for each field that is equal."""
    where = f"{where}/{element.STANDARD_NAME}"
    assert element.leftover is None, f"{where}: {element.leftover}"
    nodes = [child for child in node if isinstance(child.tag, str)]
    own = fields(element)
    inner = children(element)
    told = [child.tag.rpartition("}")[2] for child in nodes]
    own = [(name, value) for name, value in own if name in told or name not in SINCE_1_1 or value]
    names = [name for name, _ in own] + [child.STANDARD_NAME for child in inner]
    if names != told:
        yield f"{where} has {names}, its twin {told}"
        return
    for (name, value), child in zip(own, nodes, strict=False):
        yield None if xml_equal(name, value, child) else f"{where}/{name} is {value!r}, its twin {child.text!r}"
    for element_below, child in zip(inner, nodes[len(own) :], strict=True):
        yield from xml_differences(element_below, child, where)


def xml_equal(name, value, node):
    """Say whether a field's value is what the XML says."""
    text = (node.text or "").strip()
    if isinstance(value, bool):
        return {"true": True, "false": False, "1": True, "0": False}[text] is value
    if isinstance(value, Bits):
        return int(node.get("Count", 4 * len(text))) == value.count and bytes.fromhex(text) == value.data
    if isinstance(value, bytes):
        return bytes.fromhex(text) == value
    if isinstance(value, str):
        return (node.text or "") == value
    values, words = (value, text.split()) if isinstance(value, tuple) else ((value,), [text])
    if name in HEX_WORDS:
        return [int(word, 16) for word in words] == list(value)
    return len(words) == len(values) and all(map(_number_equal, values, words))


def _number_equal(value, text):
    if re.fullmatch(r"-?\d+", text):
        return int(text) == value
    if "T" in text and text[:4].isdigit():
        return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1) == value
    return hasattr(value, "name") and _folded(value.name) == _folded(text)


def _folded(name):
    return name.replace("_", "").lower()


GO_NAMES = {
    "status_code": "Status", "max_number_of_antenna_supported": "MaxSupportedAntennas",
    "has_utc_clock_capability": "HasUTCClock", "device_manufacturer_name": "DeviceManufacturer",
    "model_name": "Model", "reader_firmware_version": "FirmwareVersion",
    "receive_sensitivity_table_entries": "ReceiveSensitivities", "receive_sensitivity_value": "ReceiveSensitivity",
    "protocol_id": "AirProtocolIDs", "supports_event_and_report_holding": "SupportsEventsAndReportHolding",
    "max_num_priority_levels_supported": "MaxPriorityLevelSupported",
    "client_request_op_spec_timeout": "ClientRequestedOpSpecTimeout", "max_num_rospecs": "MaxROSpecs",
    "max_num_specs_per_rospec": "MaxSpecsPerROSpec",
    "max_num_inventory_parameter_specs_per_aispec": "MaxInventoryParameterSpecsPerAISpec",
    "max_num_access_specs": "MaxAccessSpecs", "max_num_op_specs_per_access_spec": "MaxOpSpecsPerAccessSpec",
    "transmit_power_level_table_entries": "TransmitPowerLevels", "c1g2_uhf_rf_mode_tables": "C1G2RFModes",
    "c1g2_uhf_rf_mode_table_entries": "UHFC1G2RFModeTableEntries", "mode_identifier": "ModeID",
    "dr_value": "DivideRatio", "epchagtc_conformance": "IsEPCHagConformant", "m_value": "Modulation",
    "spectral_mask_indicator": "SpectralMask", "bdr_value": "BackscatterDataRate", "pie_value": "PIERatio",
    "min_tari_value": "MinTariTime", "max_tari_value": "MaxTariTime", "step_tari_value": "StepTariTime",
    "frequency": "Frequencies", "can_support_block_erase": "SupportsBlockErase",
    "can_support_block_write": "SupportsBlockWrite", "can_support_block_permalock": "SupportsBlockPermalock",
    "can_support_tag_recommissioning": "SupportsTagRecommissioning", "can_support_umi_method2": "SupportsUMIMethod2",
    "can_support_xpc": "SupportsXPC", "max_num_select_filters_per_query": "MaxSelectFiltersPerQuery",
    "inventory_commands": "C1G2InventoryCommand", "c1g2_filters": "Filters", "c1g2_rf_control": "RFControl",
    "c1g2_singulation_control": "SingulationControl", "mode_index": "RFModeID", "transmit_power": "TransmitPowerIndex",
    "c1g2_tag_inventory_state_aware_singulation_action": "InvAwareAction", "i": "SessionState", "s": "SLState",
    "event_type": "ReaderEventType", "notification_state": "NotificationEnabled", "ro_report_trigger": "Trigger",
    "enable_inventory_parameter_spec_id": "EnableInventoryParamSpecID",
    "c1g2_epc_memory_selectors": "C1G2EPCMemorySelector", "enable_crc": "CRCEnabled", "enable_pc_bits": "PCBitsEnabled",
    "enable_xpc_bits": "XPCBitsEnabled", "keepalive_spec": "KeepAliveSpec", "keepalive_trigger_type": "Trigger",
    "periodic_trigger_value": "Interval", "gpi_port_current_states": "GPIPortCurrentStates", "gpi_port_num": "Port",
    "config": "Enabled", "gpo_write_data": "GPOWriteData", "gpo_port_number": "Port", "gpo_data": "Data",
    "antenna_properties": "AntennaProperties", "c1g2_llrp_capabilities": "C1G2LLRPCapabilities",
    "first_seen_timestamp_utc": "FirstSeenUTC", "epc": "EPC", "vendor_identifier": "VendorID",
    "parameter_subtype": "Subtype",
}  # fmt: skip
"""EdgeX's names where they aren't the standard's, by our field."""
GO_KINDS = {"FirstSeenTimestampUTC": "FirstSeenUTC", "KeepaliveSpec": "KeepAliveSpec"}
"""The same by kind of parameter."""


def json_differences(element, told, where=""):
    """Yield what differs between an element and EdgeX's JSON of it; yield `None` for each field that is equal."""
    where = f"{where}/{element.STANDARD_NAME}"
    if isinstance(element, VendorParameter) and "VendorID" in told:
        ours = encode_message(SetReaderConfig(reset_to_factory_default=False, custom=(element,)), 1)[15:]
        theirs = struct.pack("!II", told["VendorID"], told["Subtype"]) + base64.b64decode(told["Data"])
        yield None if ours == theirs else f"{where} is {ours.hex()}, its twin {theirs.hex()}"
        return
    assert element.leftover is None, f"{where}: {element.leftover}"
    rest = dict(told)
    for ours, standard in plan_of(type(element)).names.items():
        name = GO_NAMES.get(ours, standard) if GO_NAMES.get(ours, standard) in told else standard
        value, theirs = getattr(element, ours), rest.pop(name, 0)
        yield None if json_equal(value, theirs) else f"{where}/{name} is {value!r}, its twin {theirs!r}"
    for name, found in _json_groups(element, told).items():
        yield from _json_group(found, rest.pop(name, None), f"{where}/{name}")
    for name, value in rest.items():
        if _tells(value):
            yield f"{where}: the twin's {name} = {value!r} is not ours"


def from_edgex(cls, told):
    """Return the element that EdgeX's JSON tells of; what it leaves out is zero."""
    plan = plan_of(cls)
    values = {
        ours: _from_edgex_value(plan.specs[ours], told.get(GO_NAMES.get(ours, standard), told.get(standard)))
        for ours, standard in plan.names.items()
    }
    for slot in plan.slots:
        found = [one for cls_below in slot.types for one in _from_edgex_slot(slot.field, cls_below, told)]
        values[slot.field] = tuple(found) if slot.repeated else found[0] if found else None
    return cls(**values)


def _from_edgex_slot(ours, cls, told):
    """Yield the elements of one kind in one slot."""
    if cls is VendorParameter:
        for one in told.get("Custom") or []:
            data = base64.b64decode(one["Data"])
            yield Custom(vendor_identifier=one["VendorID"], parameter_subtype=one["Subtype"], data=data)
        return
    kind = GO_KINDS.get(cls.STANDARD_NAME, cls.STANDARD_NAME.replace("_", ""))
    theirs = next((told[name] for name in (GO_NAMES.get(ours), kind, f"{kind}s") if told.get(name) is not None), None)
    for one in theirs if isinstance(theirs, list) else () if theirs is None else (theirs,):
        names = [GO_NAMES.get(ours, standard) for ours, standard in plan_of(cls).names.items()]
        yield from_edgex(cls, one if isinstance(one, dict) else dict.fromkeys(names, one))


def _from_edgex_value(spec, told):
    if isinstance(spec, BitArray | Octets) or (isinstance(spec, Array) and spec.enum is None and spec.bits == 8):
        data = base64.b64decode(told or "")
        return Bits.of(data) if isinstance(spec, BitArray) else data
    if isinstance(spec, Array):
        return tuple(base64.b64decode(told)) if isinstance(told, str) else tuple(told or ())
    return (told or "") if isinstance(spec, Text) else told or 0


def json_equal(value, told):
    """Say whether a field's value is what EdgeX says; what it leaves out is zero."""
    if isinstance(value, Bits):
        return value.data == base64.b64decode(told or "")
    if isinstance(value, bytes):
        return value == base64.b64decode(told or "")
    if isinstance(value, tuple):
        return list(value) == (list(base64.b64decode(told)) if isinstance(told, str) else told or [])
    return value == told


def _json_groups(element, told):
    """Return an element's sub-parameters by the name under which EdgeX has them."""
    groups = {}
    for slot in plan_of(type(element)).slots:
        value = getattr(element, slot.field)
        for one in value if isinstance(value, tuple) else () if value is None else (value,):
            kind = GO_KINDS.get(one.STANDARD_NAME, one.STANDARD_NAME.replace("_", ""))
            name = GO_NAMES.get(slot.field, kind) if len(slot.types) == 1 else kind
            name = "Custom" if slot.field == "custom" else name if name in told else f"{name}s"
            groups.setdefault(name, []).append(one)
    return groups


def _json_group(found, theirs, where):
    listed = theirs if isinstance(theirs, list) else [theirs]
    if len(listed) != len(found):
        yield f"{where}: ours are {len(found)}, the twin's {len(listed)}"
        return
    for one, told in zip(found, listed, strict=True):
        inner = fields(one)
        if isinstance(told, dict):
            yield from json_differences(one, told, where)
        elif len(inner) == 1:
            yield None if json_equal(inner[0][1], told) else f"{where} is {inner[0][1]!r}, its twin {told!r}"
        else:
            yield f"{where} is {one!r}, its twin {told!r}"


def _tells(value):
    """Say whether a twin's value tells anything: EdgeX writes an empty EPCData beside an EPC-96."""
    return any(map(_tells, value.values())) if isinstance(value, dict) else bool(value)
