"""The report's verdict and advice, and the forms that it is printed in."""

import dataclasses
import re

import pytest

from edge.commissioning.certificate import html_certificate, outcome_line, text_certificate
from edge.commissioning.pdf import COLUMNS, LINES, pdf_of
from edge.commissioning.recipe import confirmation
from tests.helpers.commissioned import LEVELS, PORTS, crowded, row, sample, usual, walked
from tests.helpers.docs import ROOT


def with_levels(report, levels, before=None):
    """The report with other levels of its antennas."""
    antennas = tuple(
        dataclasses.replace(one, doorway_cdbm=level, before_cdbm=None if before is None else before[one.port - 1])
        for one, level in zip(report.antennas, levels, strict=True)
    )
    return dataclasses.replace(report, antennas=antennas)


def other_walks(kind_of):
    """The sample with some walks called otherwise."""
    return sample(outcomes=walked(lambda number, one: kind_of(number, one) or usual(number, one)))


def test_page_of_facilities_shows_the_sample_as_it_is_printed():
    page = (ROOT / "docs" / "facilities.md").read_text("utf-8")
    shown = page.split("```text\nCOMMISSIONING OF A DOORWAY\n")[1].split("```")[0]
    whole = text_certificate(sample()).splitlines()
    assert shown.splitlines() == [*whole[1 : whole.index("Each walk:") + 6], "…"]


def test_faultless_plain_walks_make_a_doorway_fit_and_failed_hard_ones_are_told():
    report = sample()
    assert report.fit
    assert report.headline == "stockroom-a-door is certified, except for: backpack, running"
    assert report.proof[0] == "reads: 28 of 30 walks through the door got 15 reads and 4 on each side: 27 are needed"
    assert report.proof[1].startswith(
        "plain walks: in 10 of 10, out 10 of 10: proves better than 1 in 7; model from the "
    )
    assert report.proof[1].endswith(", not yet proven")
    assert any(line.startswith("backpack: a back takes 10 to 25 dB") for line in report.advice)
    assert "running (out, in) was not walked: nothing is known of it" in report.advice


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda number, _: "missed" if number == 3 else None, "1 of 20 plain walks were called wrong or missed"),
        (
            lambda number, _: [row("turned_back")] if number == 3 else None,
            "1 of 20 plain walks were called wrong or missed",
        ),
        (
            lambda _, one: [row("out")] if one.how == "passing by outside" else None,
            "called a crossing though it was walked past the door: passing by outside",
        ),
        (lambda _, one: "skipped" if one.how == "plain" else None, "no plain walk was done"),
    ],
)
def test_wrong_plain_walks_and_false_crossings_keep_it_from_service(change, why):
    report = other_walks(change)
    assert not report.fit
    assert report.headline == "stockroom-a-door is not certified"
    assert why in report.reasons
    assert f"Why not:\n- {report.reasons[0]}" in text_certificate(report)


def thin(number, one):
    """One plain walk of four with three reads outside."""
    return [row(one.expect, reads=(9, 11, 1, 2))] if one.how == "plain" and number % 4 == 0 else None


def test_walks_with_too_few_reads_keep_it_from_service_however_well_they_were_called():
    report = other_walks(thin)
    assert {one.result for one in report.outcomes if one.walk.how == "plain"} == {"right"}
    assert report.reasons == ("23 of 30 walks through the door got 15 reads and 4 on each side: 27 are needed",)
    text = text_certificate(report)
    assert "*** stockroom-a-door is not certified ***" in text
    assert "- walk 5, plain (out): outside 3, 4 are needed\n" in text
    assert re.search(r"^5    plain .* inside 20, outside 3 +right, TOO FEW READS$", text, re.MULTILINE)
    assert text.endswith("\nThis is no certificate: do what is to be done, then commission the doorway again.\n")
    assert "signature" not in text


def test_page_that_certifies_nothing_says_so_and_has_no_place_to_sign():
    page = html_certificate(other_walks(thin))
    assert '<div class="verdict unfit">stockroom-a-door is not certified</div>' in page
    assert "<h2>Why not</h2>" in page
    assert '<td class="bad">right, TOO FEW READS</td>' in page
    assert "signature" not in page


def test_walk_past_the_door_that_nobody_heard_is_as_it_should_be():
    report = other_walks(lambda _, one: "missed" if one.expect == "none" else None)
    assert report.fit
    assert outcome_line(report.outcomes[-1]) == "right: nothing was called"
    assert re.search(r"^34 .* no crossing +nothing +- .* right$", text_certificate(report), re.MULTILINE)


def test_fewer_than_ten_walks_certify_nothing():
    report = sample(outcomes=walked(lambda _, one: [row(one.expect)], confirmation() * 9))
    (reason,) = report.reasons
    assert reason.startswith(
        "9 of 9 walks through the door got 15 reads and 4 on each side: at least 10 walks prove a "
    )


def test_carry_that_lacks_reads_is_told_only_where_a_tag_in_the_hand_is_read_well():
    backpack = "backpack: a back takes 10 to 25 dB"
    assert any(line.startswith(backpack) for line in sample().advice)
    report = other_walks(lambda _, one: [row(one.expect, reads=(2, 2, 2, 2))] if one.expect != "none" else None)
    assert not any(line.startswith(backpack) for line in report.advice)


def test_too_little_airtime_keeps_it_from_service_and_says_what_to_change():
    report = sample(airtime=crowded())
    assert not report.fit
    assert (
        "46 resident tags leave 9 reads for a walker at 1.5 m/s, 15 are needed: lower antenna 2 by 3 dB"
        in (report.advice[0])
    )


def test_resident_that_was_called_a_crossing_keeps_it_from_service():
    report = sample(strays=("00",))
    assert not report.fit
    assert "tag 00 lies there and was called a crossing: move it away from the door" in report.advice


def test_antenna_that_is_weaker_than_its_neighbour_is_told():
    assert [line for line in sample().advice if line.startswith("antenna")] == [
        "antenna r1/3 is 14 dB weaker than the one beside it: look at cable and aim"
    ]
    alike = with_levels(sample(), (-4300, -4400, -4500, -4400))
    assert not any(line.startswith("antenna") for line in alike.advice)


def test_antenna_that_heard_too_few_walks_is_told():
    report = with_levels(sample(), (None, -4400, -4500, -4400))
    assert "antenna r1/1 heard fewer than half of the walks: look at cable, connector and aim" in report.advice


def confirmed(kind="out", levels=LEVELS):
    """A report of one walk after a swap."""
    outcomes = walked(lambda _number, _walk: [row(kind)], confirmation())
    return with_levels(sample(outcomes=outcomes, confirms=True, airtime=None), levels, before=LEVELS)


def test_one_walk_at_the_old_levels_confirms_a_swapped_reader():
    assert confirmed().fit
    assert "is confirmed" in confirmed().headline
    assert "One walk after a reader was swapped" in text_certificate(confirmed())


def test_a_cable_that_was_not_screwed_on_again_is_found_by_one_walk():
    report = confirmed(levels=(-4350, -5900, -5810, -4410))
    assert not report.fit
    assert "antenna r1/2 hears -59.0 dBm, -44.8 dBm when commissioned: look at its cable" in report.advice
    assert not confirmed(kind="in").fit


def test_errors_among_the_walks_count_against_the_proof():
    report = other_walks(lambda number, _walk: "missed" if number == 3 else None)
    assert report.proof[1].startswith("plain walks: in 9 of 10, out 10 of 10: proves better than 1 in 4;")
    nothing = sample(outcomes=walked(lambda _number, _walk: "skipped"))
    assert nothing.proof == ("plain walks: none was done, nothing is proved",)
    one = sample(outcomes=walked(lambda _number, _walk: [row("out")], confirmation()))
    assert one.proof == ("plain walks: out 1 of 1: proves nothing; too few for a model from margins",)


def test_walks_that_were_nearly_all_wrong_are_called_chance():
    report = other_walks(lambda number, one: [row("near")] if one.how == "plain" and number % 5 else None)
    (plain,) = [line for line in report.proof if line.startswith("plain walks")]
    assert plain.endswith(": proves nothing; model from the margins seen: no better than chance")


def test_each_walk_is_told_with_its_margin_and_reads():
    line = outcome_line(sample().outcomes[0])
    assert line == "right: out; confidence 0.998, margin 6.2; reads r1/1: 9, r1/2: 11, r1/3: 8, r1/4: 13"
    backpack = next(one for one in sample().outcomes if one.result == "wrong")
    assert outcome_line(backpack).startswith("WRONG: near, expected in; confidence 0.810, margin -1.5; reads ")
    missed, skipped = walked(lambda number, _walk: ("missed", "skipped")[number], confirmation() * 2)
    few = next(one for one in sample().counts if not one.enough)
    assert outcome_line(sample().outcomes[few.number - 1], few).endswith(
        "; too few reads for a certificate: 14 reads, 15 are needed"
    )
    assert outcome_line(missed) == "MISSED: nothing was called, expected out"
    assert outcome_line(skipped) == "left out"


def test_page_stands_alone_and_says_everything():
    page = html_certificate(sample(own_notes=("<b>& so on",)))
    assert not re.search(r"https?:|<script|<link|@import|url\(", page)
    assert "&lt;b&gt;&amp; so on" in page
    for word in ("Speedway R420", "5.14.0.240", "001625ffff10a2b3", "27 dBm", "-58.1 dBm", "signature", "@media print"):
        assert word in page
    assert page.count("<tr>") == 1 + 16 + 1 + len(PORTS) + 1 + 1 + 1 + 34
    assert '<td class="bad">WRONG, TOO FEW READS</td>' in page


def objects(document):
    """Objects of a PDF by the places that its table gives."""
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", document)[1])
    assert document[start:].startswith(b"xref\n")
    places = [int(one) for one in re.findall(rb"(\d{10}) 00000 n ", document[start:])]
    for number, place in enumerate(places, 1):
        assert document[place:].startswith(b"%d 0 obj\n" % number)
    return places


def test_pdf_has_its_objects_where_its_table_says_and_all_lines():
    text = text_certificate(sample())
    document = pdf_of(text)
    pages = document.count(b"/Type /Page ")
    assert len(objects(document)) == 3 + 2 * pages
    assert pages == -(-len(text.splitlines()) // LINES)
    assert b"(COMMISSIONING OF A DOORWAY) Tj" in document


def test_pdf_escapes_folds_and_survives_any_text():
    document = pdf_of("a(b)\\c\n" + "word " * 100 + "\n" + "x" * (COLUMNS + 5) + "\n→ é")
    assert b"(a\\(b\\)\\\\c) Tj" in document
    lines = re.findall(rb"^\((.*)\) Tj T\*$", document, re.MULTILINE)
    assert max(map(len, lines)) <= COLUMNS
    assert b"".join(lines).count(b"word") == 100
    assert lines[-1] == b"? \xe9"
    objects(pdf_of(""))
