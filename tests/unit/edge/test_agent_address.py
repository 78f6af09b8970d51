"""A reader's address as people write it."""

import pytest

from edge.agent.address import AddressError, parse_address


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("192.0.2.10", ("192.0.2.10", None)),
        ("reader.example:5085", ("reader.example", 5085)),
        ("2001:db8::10", ("2001:db8::10", None)),
        ("[2001:db8::10]", ("2001:db8::10", None)),
        ("[2001:db8::10]:5084", ("2001:db8::10", 5084)),
    ],
)
def test_address_is_taken_apart(text, parsed):
    """With and without a port, IPv6 too."""
    assert parse_address(text) == parsed


@pytest.mark.parametrize("text", ["", ":5084", "host:", "host:0", "host:99999", "host:x", "two words", "-x"])
def test_address_that_is_none_is_refused(text):
    """With an example of a right one."""
    with pytest.raises(AddressError, match=r"write it like|for instance"):
        parse_address(text)


@pytest.mark.parametrize("text", ["http://192.0.2.10", "https://192.0.2.10/index.html", "192.0.2.10/"])
def test_url_is_refused_with_its_host(text):
    """What stands in a browser's address line."""
    with pytest.raises(AddressError, match=r"a URL or path is no address: write the host alone, 192\.0\.2\.10$"):
        parse_address(text)
