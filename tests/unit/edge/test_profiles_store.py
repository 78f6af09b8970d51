"""Loading and matching of reader profiles, and what is said about wrong ones."""

import pytest

from edge.profiles import GENERIC, ProfileError, match_profile, parse_profile, profile_named

HEAD = 'name = "a/b"\ntitle = "T"\n'


def test_unknown_reader_gets_the_generic_profile():
    assert match_profile(vendor=1, model=2, firmware="").name == GENERIC
    assert match_profile(vendor=25882, model=999, firmware="5.1").name == GENERIC
    assert match_profile(vendor=25882, model=2001002, firmware="4.8.3").name == GENERIC


@pytest.mark.parametrize(
    ("firmware", "fits"),
    [("2", False), ("2.9", False), ("2.10", True), ("2.10.1b", True), ("3.0", False), ("x", False)],
)
def test_firmware_range_compares_numbers_and_excludes_its_end(firmware, fits):
    text = HEAD + '[match]\nfirmware_min = "2.10"\nfirmware_below = "3"\n'
    text += '[evidence]\n"match.firmware_min" = "x"\n"match.firmware_below" = "x"\n'
    assert parse_profile(text, file="f").fits(vendor=1, model=1, firmware=firmware) is fits


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "f: not TOML"),
        (HEAD + "titel = 1\n", "titel is no key of a profile; the nearest is title"),
        (
            HEAD + '[extensions]\nhandshaek = "none"\n',
            "extensions.handshaek is no key of a profile; the nearest is handshake",
        ),
        (HEAD + '[extensions]\nhandshake = "zebra"\n', "extensions.handshake: Input should be 'none' or 'impinj'"),
        (HEAD + "[inventory]\nsession = 4\n", "inventory.session"),
        (HEAD + "[inventory]\nsession = 1\n", "inventory.session has no source"),
        (HEAD + '[evidence]\n"inventory.session" = "x"\n', "about no value in this file"),
        (HEAD + "[reports]\nevery_tags = 8\n", "needs every_ms above 0"),
    ],
)
def test_wrong_profile_is_told_by_file_and_key(text, words):
    with pytest.raises(ProfileError, match=r"^f: ") as caught:
        parse_profile(text, file="f")
    assert words in str(caught.value)


def test_misspelt_profile_name_is_told_with_the_nearest():
    with pytest.raises(ProfileError, match="no reader profile 'impinj/speedwy'; the nearest is impinj/speedway"):
        profile_named("impinj/speedwy")
