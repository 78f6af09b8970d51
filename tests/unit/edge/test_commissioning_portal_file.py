"""Keys are set where they stand: comments, order and all other portals stay."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.commissioning import CommissioningError
from edge.commissioning.portal_file import antennas_toml, with_antennas

HEAD = """# Stockroom A, east wing: { antennas = [ nothing ] } "quoted
site = "hq"
note = '''antennas = [
{ port = 9 }
]'''
[[readers]]
id = "r1" # doorway_cdbm = 5
"""
INLINE = """
[[portals]]
id = "front"
antennas = [{ reader = "r1", port = 3 }]

[[portals]]   # the one
id = "door"
antennas = [ # left, right
  { reader = "r1", port = 1, side = "inside" },   # shelf }
  { reader = "r1", port = 2, doorway_cdbm = -4000, side = "a # { \\" }" },
]
gap_ms = 2000

[mqtt]
url = "mqtt://x"
"""
TABLES = """
[[portals]]
id = "door"
  [[portals.antennas]]
  reader = "r1"
  port = 1
  doorway_cdbm = -4000   # last spring

[[ portals . antennas ]]
reader = "r1"
port = 2

[mqtt]
url = "mqtt://x"
"""


def test_keys_are_set_in_braces_and_everything_else_stays():
    edited = with_antennas(HEAD + INLINE, "door", [{"doorway_cdbm": -4350, "tx_power_dbm": 27}, {"doorway_cdbm": -1}])
    before = (HEAD + INLINE).splitlines()
    assert [(old, new) for old, new in zip(before, edited.splitlines(), strict=True) if old != new] == [
        (
            '  { reader = "r1", port = 1, side = "inside" },   # shelf }',
            '  { reader = "r1", port = 1, side = "inside", doorway_cdbm = -4350, tx_power_dbm = 27 },   # shelf }',
        ),
        (
            '  { reader = "r1", port = 2, doorway_cdbm = -4000, side = "a # { \\" }" },',
            '  { reader = "r1", port = 2, doorway_cdbm = -1, side = "a # { \\" }" },',
        ),
    ]


def test_keys_are_set_in_tables():
    edited = with_antennas(HEAD + TABLES, "door", [{"doorway_cdbm": -4350}, {"doorway_cdbm": -5000}])
    assert "  doorway_cdbm = -4350   # last spring" in edited
    assert 'reader = "r1"\nport = 2\ndoorway_cdbm = -5000\n\n[mqtt]' in edited
    assert edited.startswith(HEAD)


def test_comments_stay_with_what_they_are_about_and_are_never_set():
    """A key that somebody left as a comment, and a comment above the next table."""
    text = """[[portals]]
id = "door"
  # left
  [[portals.antennas]]
  port = 1           # tx_power_dbm = 30.0 was too loud
  # doorway_cdbm = -4400 before the move

  # right
  [[portals.antennas]]
  side = "doorway_cdbm = 3"
  # { the end
"""
    values = {"doorway_cdbm": -4350, "tx_power_dbm": 27.5}
    edited = with_antennas(text, "door", [values, values])
    new = {"  doorway_cdbm = -4350", "  tx_power_dbm = 27.5"}
    assert [line for line in edited.splitlines() if line not in new] == text.splitlines()
    assert "too loud\n  doorway_cdbm = -4350\n  tx_power_dbm = 27.5\n  # doorway_cdbm = -4400 before" in edited
    assert 'side = "doorway_cdbm = 3"\n  doorway_cdbm = -4350\n  tx_power_dbm = 27.5\n  # { the end\n' in edited


def test_commented_key_before_an_antenna_in_braces_is_left_alone():
    text = '[[portals]]\nid = "door"\nantennas = [\n  # { port = 1, doorway_cdbm = -1 },\n  { port = 1 } ]\n'
    assert with_antennas(text, "door", [{"doorway_cdbm": -2}]) == text.replace(
        "{ port = 1 }", "{ port = 1, doorway_cdbm = -2 }"
    )


def test_ends_of_lines_stay_as_they_are():
    text = (HEAD + TABLES).replace("\n", "\r\n")
    edited = with_antennas(text, "door", [{"doorway_cdbm": -4350}, {"tx_power_dbm": 27.0, "doorway_cdbm": -5000}])
    assert "port = 2\r\ntx_power_dbm = 27.0\r\ndoorway_cdbm = -5000\r\n\r\n[mqtt]" in edited
    assert "\n" not in edited.replace("\r\n", "")


def test_last_table_of_a_file_is_its_own_end():
    text = '[[portals]]\nid = "door"\n[[portals.antennas]]\nport = 1'
    assert with_antennas(text, "door", [{"doorway_cdbm": -1}]) == f"{text}\ndoorway_cdbm = -1"


def test_nothing_to_set_changes_nothing():
    assert with_antennas(HEAD + INLINE, "door", [None, {}]) == HEAD + INLINE


def test_portal_that_is_not_there_is_told():
    with pytest.raises(CommissioningError, match="no portal 'gate'"):
        with_antennas(HEAD + INLINE, "gate", [None])


def test_number_of_antennas_must_fit():
    with pytest.raises(CommissioningError, match="has 2 antennas, not 1"):
        with_antennas(HEAD + INLINE, "door", [None])


def test_form_that_cannot_be_edited_is_refused_rather_than_spoilt():
    """Portals as one array of inline tables: legal TOML that nobody writes."""
    text = 'portals = [{ id = "door", antennas = [{ port = 1 }] }]'
    with pytest.raises(CommissioningError, match="can't be edited"):
        with_antennas(text, "door", [{"doorway_cdbm": -1}])


@given(st.lists(st.none() | st.fixed_dictionaries({"doorway_cdbm": st.integers(-9000, 0)}), min_size=2, max_size=2))
def test_what_is_read_again_is_what_was_wanted(changes):
    for form in (INLINE, TABLES):
        wanted = tomllib.loads(HEAD + form)
        portal = next(one for one in wanted["portals"] if one["id"] == "door")
        for antenna, values in zip(portal["antennas"], changes, strict=True):
            antenna.update(values or {})
        assert tomllib.loads(with_antennas(HEAD + form, "door", changes)) == wanted


def test_antennas_are_written_as_toml():
    antennas = [{"reader": "r1", "port": 1, "side": "inside", "cable_db": 1.5, "doorway_cdbm": -4350}]
    assert tomllib.loads(antennas_toml(antennas)) == {"antennas": antennas}
