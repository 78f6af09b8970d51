"""Our binary arrays are byte for byte what psycopg's own dumpers make of the same lists."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.array import ListBinaryDumper
from psycopg.types.numeric import Int8

from central.storage.arrays import BoolArray, Float8Array, InstantArray, Int8Array, TextArray, UuidArray

TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 (their zone is given)


def theirs(values):
    """What psycopg sends for a list."""
    dumper = ListBinaryDumper(list, Transformer(psycopg.adapters)).upgrade(values, PyFormat.BINARY)
    return bytes(dumper.dump(values))


@given(st.lists(st.none() | TEXTS, min_size=1).filter(any))
def test_texts(values):
    """With nulls and repetitions."""
    assert TextArray.of(values) == theirs(values)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1), st.lists(st.floats(), min_size=1))
def test_numbers(integers, floats):
    """All of eight bytes."""
    assert Int8Array.of(integers) == theirs([Int8(one) for one in integers])
    assert Float8Array.of(floats) == theirs(floats)


@given(st.lists(st.booleans(), min_size=1), st.lists(st.uuids(), min_size=1))
def test_truths_and_uuids(truths, uuids):
    """UUIDs come as their hex digits."""
    assert BoolArray.of(truths) == theirs(truths)
    assert UuidArray.of(one.hex for one in uuids) == theirs([UUID(bytes=one.bytes) for one in uuids])


@given(st.lists(INSTANTS, min_size=1), st.data())
def test_instants_of_several_columns_that_share_objects(values, data):
    """A column with nulls beside one without."""
    some = [value if data.draw(st.booleans()) else None for value in values]
    first, second = InstantArray.of(values, some)
    assert first == theirs(values)
    if any(some):
        assert second == theirs(some)


@pytest.mark.parametrize("make", [TextArray.of, Int8Array.of, Float8Array.of, BoolArray.of, UuidArray.of])
def test_an_empty_column_has_no_dimension(make):
    """PostgreSQL's empty array."""
    assert make([])[:8] == b"\0" * 8


def test_an_instant_before_the_epoch_of_2000_is_negative():
    """One microsecond before it."""
    (column,) = InstantArray.of([datetime(2000, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)])
    assert column[-8:] == b"\xff" * 8
