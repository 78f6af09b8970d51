"""What a simulated reader says that it can, what it refuses for that, and the Select filters that it plays."""

import json
import struct

import pytest

from simulator.server.device import ReaderDevice
from simulator.server.model import ReaderModel, zebra_fx9600
from simulator.server.wire import tlv
from simulator.world.command import AirCommand, Select
from tests.helpers.devices import (
    NOW,
    add,
    ask,
    by_sllurp,
    command,
    fresh,
)


@pytest.mark.shared
def test_a_zebra_lists_its_powers_as_recorded(shared):
    recorded = json.loads((shared / "llrp/readers/fx96004a4a4a.json").read_text())["ReaderCapabilities"]
    wanted = recorded["RegulatoryCapabilities"]["UHFBandCapabilities"]["TransmitPowerLevels"]
    _, fields = by_sllurp(ask_capabilities(zebra_fx9600()))
    levels = fields["RegulatoryCapabilities"]["UHFBandCapabilities"]["TransmitPowerLevelTableEntry"]
    assert levels == [{"Index": level["Index"], "TransmitPowerValue": level["TransmitPowerValue"]} for level in wanted]


def ask_capabilities(model):
    device = ReaderDevice(model, b"\x02" * 8)
    device.connect(NOW)
    (answer,) = ask(device, 1, b"\0")
    return answer


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (command(tlv(335, struct.pack(">HH", 1000, 0))), 0),
        (command(tlv(335, struct.pack(">HH", 4, 0))), 301),
        (tlv(224, struct.pack(">HHH", 1, 0, 81)), 0),
        (tlv(224, struct.pack(">HHH", 1, 0, 82)), 301),
        (tlv(224, struct.pack(">HHH", 2, 0, 81)), 301),
        (command(tlv(331, b"\0" + tlv(332, struct.pack(">BHH", 0x40, 32, 8) + b"\x30"))), 105),
    ],
)
def test_a_reader_refuses_what_its_capabilities_deny(asked, status):
    assert add(fresh(), asked) == status


def test_a_select_filter_quiets_the_others():
    device = fresh(ReaderModel(max_filters=1))
    mask = tlv(332, struct.pack(">BHH", 0x40, 32, 12) + b"\x00\x10")
    assert add(device, command(tlv(331, b"\0" + mask))) == 0
    (commanded,) = device.inventory.rospecs[1].aispecs[0].commands.values()
    assert [commanded.selects(bytes.fromhex(epc)) for epc in ("001f" + "00" * 10, "002f" + "00" * 10, "00")] == [
        True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        (0, (True, False)),
        (1, (True, True)),
        (2, (True, False)),
        (3, (False, True)),
        (4, (False, True)),
        (5, (True, True)),
    ],
)
def test_each_select_action_does_as_its_table_says(action, outcome):
    chosen = AirCommand(filters=(Select(32, 8, b"\x30", action),))
    assert tuple(chosen.selects(epc) for epc in (b"\x30" * 12, b"\x31" * 12)) == outcome
