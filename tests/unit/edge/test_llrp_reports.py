"""RO_ACCESS_REPORTs to columns: what each field means, what is filled in, what a fault costs, kernel against twin.

The compiled walk runs as plain Python where NUMBA_DISABLE_JIT=1 is set, with every array bound checked; `make test`
runs this file that way once more.
"""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llrp import FrameBuffer, ReportDecoder, TagBatch
from edge.llrp.batch import NO_CHANNEL, NO_PHASE, NO_RSSI_CDBM, NO_TIME_US
from edge.llrp.reports import CompiledReports, PlainReports, choose_reports
from edge.llrp.reports_plain import ROSPECS, phase_steps
from edge.llrp.wire import FAULT_TEXTS, Fault
from tests.helpers.llrp_messages import (
    KEEPALIVE,
    custom,
    cut_whole,
    damaged_tags,
    epc96,
    epc_data,
    message,
    mutated,
    pieces,
    random_chunk,
    report,
    tag,
    tlv,
    tv,
)

COLUMNS = TagBatch.__slots__
NOON_US = 1_753_197_324_241_000


@pytest.fixture(params=[CompiledReports, PlainReports])
def decoder(request):
    """Each walk in turn."""
    return ReportDecoder(request.param())


def rows(batch):
    """Return a batch as tuples, EPCs as hex of their bits."""
    found = []
    for row in range(len(batch)):
        values = {name: getattr(batch, name)[row].item() for name in COLUMNS if name != "epc"}
        size = (values["epc_bits"] + 7) // 8
        assert not batch.epc[row, size:].any()
        found.append({"epc": batch.epc[row, :size].tobytes().hex(), **values})
    return found


def column(batch, name):
    """Return one column as a list."""
    return getattr(batch, name).tolist()


def same(left, right):
    """Hold two batches together, types and all."""
    for name in COLUMNS:
        assert getattr(left, name).dtype == getattr(right, name).dtype, name
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)


def test_every_field_of_an_impinj_report(decoder):
    """Bytes of a report as an R420 lays it out with phase and fine RSSI on, given as hex."""
    wire = bytes.fromhex(
        "043d0000007800003039 00f0006e"
        "8d3034257bf7194e4000000001 8900000e7a 8e0001 8a04d2 810002 86c5 870011"
        "8200063a83aee5b428 8400063a83aee6aa10 880003 9000000000 8c3000 8b4bcb"
        "03ff000e0000651a000000380c1f 03ff000e0000651a00000039e992 03ff000e0000651a00000044ffe2"
    )
    batch = decoder.decode(wire)
    assert decoder.faults == ()
    assert rows(batch) == [
        {
            "epc": "3034257bf7194e4000000001",
            "epc_bits": 96,
            "antenna": 2,
            "rssi_cdbm": -5742,
            "phase": 0xC1F,
            "channel": 17,
            "first_us": 0x00063A83AEE5B428,
            "last_us": 0x00063A83AEE6AA10,
            "first_uptime_us": NO_TIME_US,
            "last_uptime_us": NO_TIME_US,
            "seen_count": 3,
            "rospec_id": 3706,
            "message": 0,
        }
    ]


def test_epc_alone_leaves_the_rest_absent(decoder):
    (row,) = rows(decoder.decode(report(tag(epc=bytes(12)))))
    assert row == {
        "epc": "00" * 12,
        "epc_bits": 96,
        "antenna": 0,
        "rssi_cdbm": NO_RSSI_CDBM,
        "phase": NO_PHASE,
        "channel": NO_CHANNEL,
        "first_us": NO_TIME_US,
        "last_us": NO_TIME_US,
        "first_uptime_us": NO_TIME_US,
        "last_uptime_us": NO_TIME_US,
        "seen_count": 1,
        "rospec_id": 0,
        "message": 0,
    }


@pytest.mark.parametrize(
    ("epc", "bits", "kept"),
    [(b"", 0, ""), (b"\xa1", 8, "a1"), (b"\x54", 1, "00"), (b"\xff\xff", 11, "ffe0"), (b"\x5a" * 62, 496, "5a" * 62)],
)
def test_epc_data_of_any_length_keeps_its_bits_and_no_more(decoder, epc, bits, kept):
    batch = decoder.decode(report(tag(epc_data(epc, bits), epc=None), tag(epc=b"\xff" * 12)))
    assert [(row["epc"], row["epc_bits"]) for row in rows(batch)] == [(kept, bits), ("ff" * 12, 96)]


@pytest.mark.parametrize(
    ("half_turns", "steps"),
    [(0, 0), (0x4000, 1024), (-0x4000, 3072), (32767, 2048), (-32767, 2048), (-7, 0), (-8, 4095)],
)
def test_zebra_phase_becomes_twelve_bit_steps(decoder, half_turns, steps):
    batch = decoder.decode(report(tag(custom(161, 709, half_turns.to_bytes(2, "big", signed=True)))))
    assert column(batch, "phase") == [steps] == [phase_steps(half_turns)]


@given(st.integers(-32768, 32767))
def test_phase_steps_are_never_half_a_step_off(half_turns):
    turn = (half_turns / 65534 - phase_steps(half_turns) / 4096) % 1
    assert min(turn, 1 - turn) <= 0.5 / 4096 + 1e-12


def test_fine_rssi_wins_over_the_whole_decibels_and_is_not_filled_in(decoder):
    fine = custom(25882, 57, (-5742).to_bytes(2, "big", signed=True))
    batch = decoder.decode(report(tag(fine, rssi_dbm=-57), tag(rssi_dbm=-60), tag(), tag(fine)))
    assert column(batch, "rssi_cdbm") == [-5742, -6000, -6000, -5742]


def test_parameters_of_other_vendors_kinds_and_sizes_are_passed_over(decoder):
    strange = [custom(25882, 56, b"\1\2\3"), custom(4711, 56, b"\1\2"), tlv(349, b"\0\0\1\0\0"), tlv(777, b"abc")]
    batch = decoder.decode(report(tlv(242, b"survey"), tag(*strange, antenna=3), custom(161, 1, b"")))
    assert (column(batch, "antenna"), column(batch, "phase"), decoder.fault_count) == ([3], [NO_PHASE], 0)


def test_of_a_parameter_that_comes_twice_the_last_counts(decoder):
    twice = tag(epc96(b"\2" * 12), tv("antenna", 1), tv("antenna", 2), epc=b"\1" * 12)
    (row,) = rows(decoder.decode(report(twice)))
    assert (row["epc"], row["antenna"]) == ("02" * 12, 2)


def test_messages_are_numbered_in_the_chunk_and_others_passed_over(decoder):
    batch = decoder.decode(KEEPALIVE + report(tag(), tag()) + report() + KEEPALIVE + report(tag()))
    assert column(batch, "message") == [1, 1, 4]
    assert decoder.reports == 3


# -- what a reader leaves out


def test_what_a_reader_leaves_out_is_filled_from_its_last_report(decoder):
    full = {"antenna": 2, "rssi_dbm": -60, "channel": 5, "first_us": NOON_US, "last_us": NOON_US + 9, "seen_count": 4}
    batch = decoder.decode(report(tag(rospec_id=1, **full), tag(epc=b"\7" * 12)) + report(tag(antenna=3)))
    first, second, third = rows(batch)
    assert second == {**first, "epc": "07" * 12}
    assert third == {**first, "antenna": 3, "message": 1}


def test_last_values_are_kept_apart_for_each_rospec(decoder):
    batch = decoder.decode(
        report(tag(rospec_id=1, antenna=1), tag(rospec_id=2, antenna=2), tag(), tag(rospec_id=1), tag(rospec_id=3))
    )
    assert column(batch, "antenna") == [1, 2, 2, 1, 0]
    assert column(batch, "rospec_id") == [1, 2, 2, 1, 3]


def test_rospec_without_a_name_is_the_last_one_named_also_in_the_next_chunk(decoder):
    decoder.decode(report(tag(rospec_id=1, channel=11), tag(rospec_id=2, channel=22)))
    batch = decoder.decode(report(tag(), tag(rospec_id=1), tag()))
    assert column(batch, "rospec_id") == [2, 1, 1]
    assert column(batch, "channel") == [22, 11, 11]


def test_two_connections_fill_in_nothing_from_each_other():
    first, second = ReportDecoder(), ReportDecoder()
    first.decode(report(tag(rospec_id=1, antenna=3, rssi_dbm=-40, first_us=NOON_US)))
    (row,) = rows(second.decode(report(tag(rospec_id=1))))
    assert (row["antenna"], row["rssi_cdbm"], row["first_us"]) == (0, NO_RSSI_CDBM, NO_TIME_US)
    assert column(first.decode(report(tag())), "antenna") == [3]


def test_phase_is_never_filled_in(decoder):
    batch = decoder.decode(report(tag(custom(25882, 56, b"\1\2")), tag()))
    assert column(batch, "phase") == [0x102, NO_PHASE]


def test_time_of_one_clock_is_not_completed_with_an_old_one_of_the_other(decoder):
    batch = decoder.decode(report(tag(first_us=NOON_US), tag(first_uptime_us=5), tag(), tag(first_us=NOON_US + 1)))
    assert column(batch, "first_us") == [NOON_US, NO_TIME_US, NO_TIME_US, NOON_US + 1]
    assert column(batch, "first_uptime_us") == [NO_TIME_US, 5, 5, NO_TIME_US]


def test_last_seen_filled_in_is_dropped_before_the_first_seen(decoder):
    batch = decoder.decode(report(tag(first_us=10, last_us=20), tag(first_us=15), tag(first_us=30), tag(last_us=7)))
    assert column(batch, "last_us") == [20, 20, NO_TIME_US, 7]


def test_new_connection_starts_without_memory(decoder):
    decoder.decode(report(tag(rospec_id=9, antenna=4)))
    decoder.reset()
    (row,) = rows(decoder.decode(report(tag())))
    assert (row["antenna"], row["rospec_id"], decoder.reports) == (0, 0, 2)


def test_oldest_of_too_many_rospecs_is_forgotten(decoder):
    decoder.decode(report(*(tag(rospec_id=1 + n, antenna=1 + n) for n in range(ROSPECS + 1))))
    batch = decoder.decode(report(tag(rospec_id=1), tag(rospec_id=3), tag(rospec_id=2)))
    assert column(batch, "antenna") == [0, 3, 0]


# -- faults: each case is (wire, the fault, EPC bytes of the rows that remain)

GOOD = b"\xaa" * 12
ALIVE = tag(epc=GOOD)
FAULTS = {
    "unknown TV in a tag report": (report(tag(b"\xff"), ALIVE), Fault.UNKNOWN_TV, 14 + 13, 1),
    "TV of number zero": (report(tag(b"\x80\0"), ALIVE), Fault.UNKNOWN_TV, 14 + 13, 1),
    "TV cut off": (report(tag(b"\x82\0"), ALIVE), Fault.PARAMETER_CUT, 14 + 13, 1),
    "ROSpecID cut off": (report(tag(b"\x89\0\0\0"), ALIVE), Fault.PARAMETER_CUT, 14 + 13, 1),
    "PeakRSSI cut off": (report(tag(b"\x86"), ALIVE), Fault.PARAMETER_CUT, 14 + 13, 1),
    "AntennaID cut off": (report(tag(b"\x81\0"), ALIVE), Fault.PARAMETER_CUT, 14 + 13, 1),
    "EPC-96 cut off": (report(tag(b"\x8d\1\2", epc=None), ALIVE), Fault.PARAMETER_CUT, 14, 1),
    "TLV header cut off": (report(tag(b"\1"), ALIVE), Fault.PARAMETER_CUT, 14 + 13, 1),
    "reserved bits": (report(tag(b"\x43\xff\0\4"), ALIVE), Fault.RESERVED_BITS, 14 + 13, 1),
    "TLV shorter than its header": (report(tag(tlv(300, length=3)), ALIVE), Fault.BAD_LENGTH, 14 + 13, 1),
    "TLV past its report": (report(tag(tlv(300, length=5)), ALIVE), Fault.BAD_LENGTH, 14 + 13, 1),
    "EPC too long": (report(tag(epc_data(b"\1" * 63), epc=None), ALIVE), Fault.EPC_TOO_LONG, 14, 1),
    "EPC shorter than it says": (report(tag(epc_data(b"\1", 9), epc=None), ALIVE), Fault.EPC_CUT, 14, 1),
    "EPC without a length": (report(tag(tlv(241, b"\0"), epc=None), ALIVE), Fault.EPC_CUT, 14, 1),
    "no EPC": (report(tag(antenna=1, epc=None), ALIVE), Fault.NO_EPC, 10, 1),
    "time beyond signed 64 bits": (report(tag(first_us=2**63), ALIVE), Fault.TIME_RANGE, 14 + 13, 1),
    "custom without a vendor": (report(tag(tlv(1023, b"\0\0\1")), ALIVE), Fault.VALUE_CUT, 14 + 13, 1),
    "TV between reports": (report(ALIVE, tv("antenna", 1), tag()), Fault.MISPLACED_TV, 10 + 17, 1),
    "TV between reports cut off": (report(ALIVE, b"\x82"), Fault.PARAMETER_CUT, 10 + 17, 1),
    "ROSpecID between reports cut off": (report(ALIVE, b"\x89\0\0\0"), Fault.PARAMETER_CUT, 10 + 17, 1),
    "PeakRSSI between reports": (report(ALIVE, b"\x86\0"), Fault.MISPLACED_TV, 10 + 17, 1),
    "EPC-96 between reports cut off": (report(ALIVE, b"\x8d" + b"\0" * 11), Fault.PARAMETER_CUT, 10 + 17, 1),
    "unknown TV between reports": (report(ALIVE, b"\xf0"), Fault.UNKNOWN_TV, 10 + 17, 1),
    "report past its message": (report(ALIVE, tlv(240, length=30)), Fault.BAD_LENGTH, 10 + 17, 1),
    "report of no length": (report(ALIVE, tlv(240, length=0), tag()), Fault.BAD_LENGTH, 10 + 17, 1),
    "message header cut off": (report(ALIVE) + b"\x04", Fault.BAD_MESSAGE, 27, 1),
    "message of no length": (report(ALIVE) + message(61, length=0), Fault.BAD_MESSAGE, 27, 1),
    "message past the chunk": (report(ALIVE) + message(61, length=11), Fault.BAD_MESSAGE, 27, 1),
    "message of version 3": (report(ALIVE) + message(61, version=3), Fault.BAD_MESSAGE, 27, 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_named_with_its_place_and_costs_no_other_report(decoder, name):
    wire, fault, offset, remaining = FAULTS[name]
    batch = decoder.decode(wire)
    assert [row["epc"] for row in rows(batch)] == [GOOD.hex()] * remaining
    (error,) = decoder.faults
    assert FAULT_TEXTS[fault] in str(error)
    assert (error.offset, f"byte {offset}:" in str(error), decoder.fault_count) == (offset, True, 1)


def test_every_fault_has_a_case_and_words():
    assert {fault for _, fault, _, _ in FAULTS.values()} == set(Fault) == set(FAULT_TEXTS)


def test_messages_after_a_broken_one_are_read(decoder):
    batch = decoder.decode(report(tag(b"\xff")) + report(b"\xff\xff") + report(ALIVE))
    assert (column(batch, "message"), decoder.fault_count) == ([2], 2)
    decoder.decode(report(ALIVE))
    assert (decoder.faults, decoder.fault_count) == ((), 2)


def test_broken_report_leaves_no_last_values(decoder):
    batch = decoder.decode(report(tag(antenna=1), tag(b"\xff", antenna=9, rospec_id=5), tag()))
    assert column(batch, "antenna") == [1, 1]
    assert column(batch, "rospec_id") == [0, 0]


def test_flood_of_faults_is_counted_but_told_in_few_words(decoder):
    decoder.decode(report(*[tag(epc=None)] * 1000))
    assert (decoder.fault_count, len(decoder.faults)) == (1000, 16)


# -- the two walks


def _decode_both(chunks):
    kernel, twin = ReportDecoder(CompiledReports()), ReportDecoder(PlainReports())
    for chunk in chunks:
        same(kernel.decode(chunk), twin.decode(chunk))
        assert [str(error) for error in kernel.faults] == [str(error) for error in twin.faults]
        assert kernel.fault_count == twin.fault_count


@given(st.randoms(use_true_random=False))
def test_kernel_equals_twin_on_right_reports(rng):
    chunks = [random_chunk(rng) for _ in range(4)]
    _decode_both(chunks)
    decoder = ReportDecoder()
    for chunk in chunks:
        decoder.decode(chunk)
    assert decoder.faults == ()


@given(st.randoms(use_true_random=False))
def test_kernel_equals_twin_on_damaged_reports(rng):
    _decode_both([mutated(rng, random_chunk(rng)) for _ in range(4)])
    _decode_both([cut_whole(mutated(rng, random_chunk(rng))), damaged_tags(rng), damaged_tags(rng)])


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_kernel_equals_twin_on_any_bytes(bodies):
    _decode_both(bodies)
    _decode_both([message(61, body) for body in bodies])
    _decode_both([report(tag(body)) for body in bodies])


def test_kernel_equals_twin_over_many_rospecs():
    rng = random.Random(3)
    chunks = [
        report(
            *(
                tag(rospec_id=rng.randrange(100), **({"antenna": rng.randrange(9)} if rng.random() < 0.5 else {}))
                for _ in range(50)
            )
        )
        for _ in range(40)
    ]
    _decode_both(chunks)


@given(st.randoms(use_true_random=False))
def test_result_does_not_depend_on_how_messages_share_chunks(rng):
    messages = [report(tag(antenna=n), tag()) for n in range(6)]
    together = ReportDecoder().decode(b"".join(messages))
    apart = ReportDecoder()
    batches = [apart.decode(b"".join(part)) for part in pieces(rng, messages)]
    for name in set(COLUMNS) - {"message"}:
        np.testing.assert_array_equal(getattr(together, name), np.concatenate([getattr(b, name) for b in batches]))


@given(st.randoms(use_true_random=False))
def test_result_does_not_depend_on_how_the_stream_is_cut(rng):
    """A damaged stream gives the same reports, faults and filled-in values whole, byte by byte and in random pieces."""
    stream = mutated(rng, b"".join(random_chunk(rng) for _ in range(3)))
    results = []
    for parts in ([stream], [stream[at : at + 1] for at in range(len(stream))], pieces(rng, stream)):
        buffer, decoder, batches = FrameBuffer(capacity_bytes=64), ReportDecoder(), []
        for part in parts:
            buffer.feed(part)
            chunk = buffer.take()
            batches.append(decoder.decode(chunk.data))
            if chunk.fault:
                break
        columns = {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in COLUMNS}
        results.append((columns, decoder.fault_count))
    for columns, fault_count in results[1:]:
        assert fault_count == results[0][1]
        for name in set(COLUMNS) - {"message"}:
            np.testing.assert_array_equal(columns[name], results[0][0][name], err_msg=name)


def test_batches_own_their_columns():
    """A batch must outlive the receive buffer and the next chunk."""
    buffer = bytearray(report(tag(antenna=1)))
    decoder = ReportDecoder()
    batch = decoder.decode(memoryview(buffer))
    buffer[:] = bytes(len(buffer))
    decoder.decode(report(tag(antenna=2), tag(antenna=3)))
    assert column(batch, "antenna") == [1]
    assert rows(batch)[0]["epc"] == "3034257bf7194e4000000001"


def test_read_only_and_writable_chunks_decode_alike(decoder):
    wire = report(tag(antenna=1))
    for data in (wire, bytearray(wire), memoryview(wire), memoryview(bytearray(wire))):
        assert column(decoder.decode(data), "antenna") == [1]
    assert len(decoder.decode(b"")) == 0


def test_twin_is_used_where_numba_is_switched_off_or_absent(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert isinstance(choose_reports(), PlainReports)
    monkeypatch.delenv("NUMBA_DISABLE_JIT")
    assert isinstance(choose_reports(), CompiledReports)
    monkeypatch.setattr("edge.llrp.reports.find_spec", lambda _: None)
    assert isinstance(choose_reports(), PlainReports)


def test_import_of_the_room_loads_no_numba():
    """Numba's import costs half a second, which --help and `decode` must not pay."""
    code = "import sys, edge.llrp, edge.cli; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0
