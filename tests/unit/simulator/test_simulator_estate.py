"""The estate at event level: the same file gives the same months, and its truth hangs together."""

from collections import Counter
from functools import cache
from itertools import pairwise

import pytest

from edge.contracts import MovementRow, PresenceRow, check_row, decode_envelope, decode_health, decode_row, decode_state
from simulator.estate import EstateError, build, committed, digest, load_estate
from simulator.estate.model import parse_estate
from simulator.estate.values import Envelope, Word

MINUTE = 60_000_000


@cache
def small():
    return build(load_estate("small"))


def test_small_estate_is_the_one_whose_hash_is_kept():
    """Played twice, it is the committed one both times; `python -m simulator.estate` asks the large ones too."""
    assert digest(build(load_estate("small"))) == digest(small()) == committed("small")


def test_another_seed_gives_another_estate():
    """The seed decides."""
    other = load_estate("small").model_copy(update={"seed": 7})
    assert digest(build(other)) != committed("small")


def test_each_estate_has_its_own_seed_and_a_kept_hash():
    """No set is another under a new name."""
    scenarios = [load_estate(name) for name in ("small", "training", "frozen")]
    assert len({one.seed for one in scenarios}) == 3
    assert len({committed(one.name) for one in scenarios}) == 3


def test_stays_follow_from_crossings_and_nothing_jumps_inside_a_building():
    """An asset is where its last crossing led; without a crossing it changes place only between streets."""
    estate = small()
    truth = estate.truth
    assert all(truth.place(one.asset, one.at_us) == one.destination for one in truth.crossings)
    crossed = {(one.asset, one.at_us) for one in truth.crossings}
    for asset, stays in truth.stays.items():
        assert [at for at, _ in stays] == sorted(at for at, _ in stays)
        for (_, before), (at, after) in pairwise(stays):
            if (asset, at) not in crossed:
                assert truth.world.is_outside(before)
                assert truth.world.is_outside(after)


def test_items_come_in_order_of_arrival_and_keep_the_contract():
    """Every row may be sent; each stream is numbered without a hole; nothing arrives before it happened."""
    seqs, rows, last = {}, Counter(), 0
    for item in small().items():
        assert item.at_us >= last
        last = item.at_us
        if isinstance(item, Word):
            (decode_state if item.channel == "state" else decode_health)(item.payload)
        elif isinstance(item, Envelope):
            envelope = decode_envelope(item.payload)
            for raw in envelope.events:
                row = decode_row(bytes(raw))
                check_row(row)
                rows[type(row)] += 1
                seqs.setdefault((item.gateway, item.stream, envelope.epoch), set()).add(row.seq)
    assert all(found == set(range(1, max(found) + 1)) for found in seqs.values())
    assert rows[MovementRow] > 1000
    assert rows[PresenceRow] > 100


def test_every_fault_that_the_files_promise_is_played():
    """Missed crossings, outages, late bursts, duplicates, theft, late approvals: each is there."""
    estate = small()
    truth, payloads = estate.truth, Counter()
    for item in estate.items():
        if isinstance(item, Envelope):
            payloads[item.payload] += 1
    told = [one for one in truth.crossings if one.arrived_us is not None]
    assert max(payloads.values()) == 2
    assert any(one.arrived_us - one.at_us > 30 * MINUTE for one in told)
    assert any(one.watched and one.published is None for one in truth.crossings)
    assert any(truth.world.openings[one.opening].kind != "portal" for one in truth.crossings)
    assert any(truth.down.values())
    assert {one.errand for one in truth.crossings} >= {"carry", "transfer", "theft", "loan", "repair", "turn_round"}
    assert Counter((one.authorised, one.approved_late) for one in truth.crossings)[False, True]
    states = {states[-1][1] for one in truth.transfers for states in one.states.values()}
    assert states >= {"approved", "in_transit", "received", "returned_to_origin"}


def test_doors_read_as_their_probability_says():
    """Of a portal's watched crossings about the told share was read."""
    truth = small().truth
    open_ones = [one for one in truth.crossings if one.watched and not one.shielded]
    expected = sum(truth.world.openings[one.opening].read for one in open_ones)
    read = sum(one.published is not None for one in open_ones)
    assert abs(read - expected) < 4 * (0.25 * len(open_ones)) ** 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "estate here"),
        ('name = "x"\nseed = 1\nstart = 2026-01-05T00:00:00Z\ndays = 0\nassets = 100', "days"),
        ('name = "x"\nseed = 1\nstart = 2026-01-05T00:00:00Z\ndays = 1\nassets = 100\nwings = 2', "wings"),
        ('name = "x"\nseed = 1\nstart = 2026-01-05T00:00:00Z\ndays = 1\nassets = 100', "more carriers and movers"),
    ],
)
def test_wrong_files_say_what_is_wrong(text, words):
    """A key that can't be is named."""
    with pytest.raises(EstateError, match=words):
        parse_estate(text, "here")


def test_unknown_estate_names_those_that_there_are():
    """The error lists the names."""
    with pytest.raises(EstateError, match=r"frozen.*small.*training"):
        load_estate("nowhere")
