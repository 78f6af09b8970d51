"""EPC bytes and their written form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.epc import MAX_EPC_BYTES, EpcError, epc_bytes, epc_hex


@given(st.binary(min_size=1, max_size=MAX_EPC_BYTES))
def test_written_epc_reads_back_as_the_same_bytes(epc):
    """Also in upper case, with spaces and dashes, as people write it."""
    text = epc_hex(epc)
    assert epc_bytes(text) == epc
    assert epc_bytes(" " + "-".join(text[i : i + 4] for i in range(0, len(text), 4)).upper() + " ") == epc


@given(st.text(max_size=130))
def test_any_text_is_an_epc_or_an_epc_error(text):
    """No other error comes out."""
    try:
        epc = epc_bytes(text)
    except EpcError:
        return
    assert 0 < len(epc) <= MAX_EPC_BYTES


@pytest.mark.parametrize(
    ("text", "problem"),
    [("30g4", "not hexadecimal"), ("303", "not hexadecimal"), ("", "empty"), ("ab" * 63, "63 bytes")],
)
def test_wrong_epc_is_told_what_is_wrong(text, problem):
    """The message says what to write."""
    with pytest.raises(EpcError, match=problem):
        epc_bytes(text)


def test_epc_too_long_for_a_tag_is_refused():
    """Gen2 memory can't state a longer one."""
    with pytest.raises(EpcError, match="63"):
        epc_hex(bytes(63))
