"""The comparison itself must be able to fail: each kind of trouble is seen."""

import sqlite3
from contextlib import closing
from dataclasses import asdict

import pytest

from edge.contracts import StreamMark
from edge.outbox import SqliteOutbox
from tests.chaos.compare import compare, outbox_pending, outbox_rows
from tests.helpers.uplink import movement


@pytest.fixture
def outbox(tmp_path):
    store = SqliteOutbox(tmp_path / "outbox.db")
    store.append("movement", [movement(n) for n in range(1, 11)])
    yield store
    store.close()


@pytest.fixture
def written(outbox, tmp_path):
    return outbox_rows(tmp_path / "outbox.db")


def troubles(verdict):
    return {name: count for name, count in asdict(verdict).items() if count and name not in ("written", "committed")}


def test_the_same_rows_on_both_sides_are_sound(written):
    verdict = compare(written, written.items())
    assert verdict.sound
    assert (verdict.written, verdict.committed) == (10, 10)


def test_a_missing_row_is_lost(written):
    verdict = compare(written, list(written.items())[1:])
    assert troubles(verdict) == {"lost": 1}
    assert not verdict.sound


def test_a_row_twice_is_doubled_by_place_and_by_revision(written):
    rows = list(written.items())
    assert troubles(compare(written, [*rows, rows[0]])) == {"duplicated": 2}


def test_a_passage_revision_under_another_number_is_doubled_and_unknown(written):
    rows = list(written.items())
    (stream, epoch, _), content = rows[0]
    assert troubles(compare(written, [*rows, ((stream, epoch, 99), content)])) == {"duplicated": 1, "unknown": 1}


def test_another_content_differs(written):
    rows = dict(written)
    place = next(iter(rows))
    rows[place] = rows[place]._replace(kind="out")
    assert troubles(compare(written, rows.items())) == {"differing": 1}


def test_a_number_that_the_outbox_gave_away_counts_even_if_its_row_is_gone(outbox, tmp_path):
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        db.execute("DELETE FROM outbox_row WHERE seq = 4")
    db.close()
    rows = outbox_rows(tmp_path / "outbox.db")
    assert len(rows) == 10
    assert troubles(compare(rows, [(place, content) for place, content in rows.items() if place[2] != 4])) == {
        "lost": 1
    }


def test_pending_counts_what_the_watermark_does_not_cover(outbox, tmp_path):
    outbox.commit("movement", StreamMark(epoch=outbox.epoch("movement"), upto=3, above=[[5, 6]]))
    assert outbox_pending(tmp_path / "outbox.db") == 5


def test_a_tag_whose_revisions_changed_places_is_out_of_order(tmp_path):
    """Two passages of one tag under each other's numbers: nothing is lost, the tag's story is another."""
    with closing(SqliteOutbox(tmp_path / "again.db")) as store:
        store.append("movement", [movement(n, epc="3034257bf7194e4000000001") for n in (1, 2)])
    rows = outbox_rows(tmp_path / "again.db")
    first, second = rows
    swapped = {first: rows[second], second: rows[first]}
    assert troubles(compare(rows, swapped.items())) == {"differing": 2, "disordered": 1}
