"""A page says of itself that its figures were measured with other weights than those that decide now."""

import json

import pytest

from tests.accuracy import alarms_page, measured_with, other_rules_page, page


@pytest.fixture
def notes(monkeypatch, tmp_path):
    """Notes of this test's own: nothing is noted yet."""
    path = tmp_path / "measured_with.json"
    monkeypatch.setattr(measured_with, "NOTES", path)
    return path


def test_figures_of_the_weights_in_use_are_not_stale(notes):
    measured_with.note("passages")
    assert measured_with.stale("passages") == []
    assert json.loads(notes.read_text()) == {"passages": measured_with.in_use()}


def test_figures_of_other_weights_are_stale(notes):
    measured_with.note("groups")
    notes.write_text(json.dumps({"passages": "ab" * 32, "groups": measured_with.in_use()}))
    told = " ".join(measured_with.stale("passages"))
    assert "other weights (SHA-256 `abababababab…`)" in told
    assert "`make accuracy ONLY=passages`" in told
    assert measured_with.stale("groups") == []


def test_every_page_warns_of_figures_whose_weights_nobody_noted(notes):
    warning = "weights that nobody noted"
    assert warning in page.accuracy_page()
    assert warning in other_rules_page.other_rules_page()
    assert alarms_page.alarms_page().count(warning) == len(json.loads(alarms_page.RESULTS.read_text()))


def test_whoever_keeps_figures_notes_the_weights(notes, monkeypatch, tmp_path):
    monkeypatch.setattr(page, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(other_rules_page, "GALLERY", tmp_path / "gallery.json")
    monkeypatch.setattr(alarms_page, "RESULTS", tmp_path / "alarms.json")
    page.keep({})
    other_rules_page.keep({})
    alarms_page.keep("groups", [])
    assert set(json.loads(notes.read_text())) == {"passages", "peers", "groups"}
