"""Connections of access controllers: bounded in all and by peer, and who says nothing goes first."""

from edge.access.lines import MOST, MOST_A_PEER, Admitted, Lines


def test_nobody_fills_all_lines_from_one_address_and_its_own_oldest_idle_one_goes():
    lines = Lines()
    for number in range(MOST_A_PEER):
        assert lines.admit(number, "a") == Admitted(let_in=True)
    assert lines.admit("new", "a") == Admitted(let_in=True, goes=0)
    assert lines.admit("other", "b") == Admitted(let_in=True), "another peer has room"


def test_where_all_lines_are_taken_the_oldest_idle_one_of_all_goes():
    lines = Lines()
    for number in range(MOST):
        lines.admit(number, f"peer {number}")
    lines.known(0)
    assert lines.admit("new", "another") == Admitted(let_in=True, goes=1)


def test_who_has_shown_a_token_goes_for_nobody_until_it_is_over():
    lines = Lines()
    for number in range(MOST_A_PEER):
        lines.admit(number, "a")
        lines.known(number)
    assert lines.admit("new", "a") == Admitted(let_in=False)
    lines.left(2)
    assert lines.admit("new", "a") == Admitted(let_in=True)


def test_a_connection_that_went_already_may_end_once_more():
    lines = Lines(most=1, most_a_peer=1)
    lines.admit("old", "a")
    assert lines.admit("new", "a").goes == "old"
    lines.known("old")
    lines.left("old")
    assert lines.admit("third", "a").goes == "new"
