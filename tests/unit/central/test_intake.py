"""Messages to rows: any bytes give a value, and one bad row is one bad row."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.application.records import Gap, Movement
from central.ingest import intake as intakes
from central.ingest.intake import Word, is_alarm, read_envelope, read_word
from edge.contracts import GapRow, SensorRow, encode, topic
from edge.outbox import is_urgent
from tests.helpers.central import GATEWAY, envelope, movement

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
TOPIC = topic("hq", GATEWAY, "movement")


def read(payload, text=TOPIC):
    return read_envelope(text, payload, NOW)


def test_rows_come_out_placed_in_their_stream():
    intake = read(envelope([movement(1), movement(2, kind="near")]))
    assert [(row.key, row.seq) for row in intake.rows] == [((GATEWAY, "movement", "e1"), seq) for seq in (1, 2)]
    assert all(isinstance(row.record, Movement) for row in intake.rows)
    assert not intake.unreadable


@given(st.binary(max_size=300))
def test_any_bytes_are_quarantined_and_never_an_error(payload):
    intake = read(payload)
    assert not intake.rows
    assert intake.unreadable[0].payload == payload
    assert intake.unreadable[0].reason


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_as_a_row_keeps_its_place_and_says_what_is_wrong(value):
    """A row between two good ones is placed by its neighbours, whatever it is."""
    intake = read(envelope([movement(1), json.dumps(value).encode(), movement(3)]))
    assert [row.seq for row in intake.rows] == [1, 2, 3]
    assert [row.record is None for row in intake.rows] == [False, True, False]
    assert intake.rows[1].problem


def test_a_row_without_a_number_keeps_the_place_after_the_one_before_it():
    intake = read(envelope([b'{"row":"movement"}', movement(2), b"17", movement(4)])[:-1] + b"}")
    assert [(row.seq, row.record is None) for row in intake.rows] == [(2, False), (3, True), (4, False)]
    assert len(intake.unreadable) == 1


def test_a_row_that_breaks_a_rule_is_told_by_its_number():
    wrong = json.loads(encode(movement(7)))
    wrong["crossed_at"] = None
    wrong["at"] = wrong["started_at"]
    intake = read(envelope([movement(6), json.dumps(wrong).encode(), movement(8)]))
    assert intake.rows[1].seq == 7
    assert "crossed_at" in intake.rows[1].problem


def test_an_instant_that_no_calendar_has_is_a_problem_of_its_row():
    wrong = encode(movement(1)).replace(b"2026-03-02T09", b"2026-13-41T09")
    assert "2026-13-41" in read(envelope([wrong])).rows[0].problem


def test_a_gap_settles_all_that_it_stands_for():
    intake = read(envelope([GapRow(seq=9, first=4, last=9, reason="disk full", count=6)]))
    assert isinstance(intake.rows[0].record, Gap)
    assert intake.rows[0].span == (4, 9)


@pytest.mark.parametrize("where", [topic("hq", "other", "movement"), topic("hq", GATEWAY, "presence")])
def test_a_payload_that_speaks_for_another_is_quarantined_and_told(where):
    intake = read(envelope([movement(1)]), where)
    assert not intake.rows
    assert intake.notices[0].kind == "identity_mismatch"


@pytest.mark.parametrize("epoch", ["with space", "nul\0", "é"])
def test_an_epoch_that_the_database_could_not_keep_is_refused(epoch):
    assert "epoch" in read(envelope([movement(1)], epoch=epoch)).unreadable[0].reason


def test_a_number_beyond_the_database_is_refused():
    assert "9007199254740991" in read(envelope([movement(2**63)])).unreadable[0].reason


@pytest.mark.parametrize(("version", "well"), [("1\0", False), ("1\\u0000", True), ("1\\\0", False)])
def test_a_word_that_the_database_could_not_keep_is_unreadable(version, well):
    birth = json.dumps({"online": True, "boot": "b", "version": version}).encode()
    assert isinstance(read_word(topic("hq", GATEWAY, "state"), birth, NOW), Word) == well


def test_a_birth_is_read_and_another_gateways_heartbeat_is_not():
    birth = read_word(topic("hq", GATEWAY, "state"), b'{"online":true,"boot":"b","version":"1"}', NOW)
    assert isinstance(birth, Word)
    beat = {"gateway": "other", "boot": "b", "at": "2026-03-02T09:00:00.000000Z", "uptime_s": 1.0, "uplink": "live"}
    told = read_word(topic("hq", GATEWAY, "health"), json.dumps(beat | {"readers": [], "streams": []}).encode(), NOW)
    assert "other" in told.reason


ROWS = [
    movement(1),
    movement(1, kind="in"),
    movement(1, kind="near"),
    movement(1, kind="in", final=False),
    movement(1, kind="in", gate="allow"),
    movement(1, kind="in", gate="refuse"),
    movement(1, kind="near", gate="stale"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.kind}-{row.final}-{row.gate and row.gate.verdict}")
def test_a_movement_is_an_alarm_here_where_the_edge_sends_it_before_its_turn(row):
    assert is_alarm(envelope([row])) == is_urgent(row)


def test_one_row_that_is_no_alarm_keeps_its_envelope_in_its_turn():
    assert is_alarm(envelope([movement(1), movement(2, final=False)]))
    assert not is_alarm(envelope([movement(1), movement(2, kind="near")]))
    assert not is_alarm(envelope([movement(1), GapRow(seq=2, first=2, last=2, reason="full", count=1)]))


def test_of_inputs_the_last_word_holds_so_they_keep_their_turn():
    fire = SensorRow(seq=1, reader="r1", gpi=1, kind="fire", state=True, at=movement(1).at)
    assert is_urgent(fire)
    assert not is_alarm(envelope([fire]))


def test_a_large_envelope_is_not_looked_at_twice(monkeypatch):
    payload = envelope([movement(1)])
    monkeypatch.setattr(intakes, "GLIMPSED_BYTES", len(payload) - 1)
    assert not is_alarm(payload)


@given(st.binary(max_size=300) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_what_is_no_envelope_is_no_alarm(payload):
    assert not is_alarm(payload)
