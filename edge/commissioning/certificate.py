"""The certificate of a commissioning: as plain text, and as a page that stands alone and prints well."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from edge.commissioning.course import Outcome
from edge.commissioning.report import AntennaFact, Report
from edge.commissioning.shortfall import Count

TITLE: Final = "Commissioning of a doorway"
SIGNED: Final = "Installer, date, signature: ________________________________________"
REFUSED: Final = "This is no certificate: do what is to be done, then commission the doorway again."
ANTENNA_HEADS: Final = ("antenna", "side", "power", "tags at rest", "carried tag", "before")
WALK_HEADS: Final = (
    "no.",
    "walk",
    "expected",
    "called",
    "confidence",
    "margin",
    "reads by antenna",
    "best tag",
    "result",
)
READER_HEADS: Final = ("reader", "address", "model", "firmware", "serial", "profile", "region")
SUM_HEADS: Final = ("walks", "expected", "right")
FEW: Final = ", TOO FEW READS"
_MARKS: Final = {"right": "right", "wrong": "WRONG", "missed": "MISSED", "skipped": "left out"}
_STYLE: Final = """
body { font: 11pt/1.4 sans-serif; max-width: 62em; margin: 2em auto; color: #111 }
h1 { font-size: 1.5em; margin: 0 } h2 { font-size: 1.1em; margin: 1.4em 0 .3em }
.verdict { font-size: 1.3em; font-weight: bold; border: 2px solid; padding: .4em .7em; margin: 1em 0 }
.fit { color: #0a5c2b } .unfit { color: #a11212 }
table { border-collapse: collapse; width: 100%; font-size: .9em } th { text-align: left; background: #eee }
th, td { border: 1px solid #999; padding: .15em .5em; vertical-align: top }
.bad { font-weight: bold; color: #a11212 } .sign { margin-top: 3em }
@media print { body { margin: 0; max-width: none } tr { break-inside: avoid } }
"""


def text_certificate(report: Report) -> str:
    """Return the certificate as text, in lines of moderate length."""
    return "\n".join([*_text(report), ""])


def html_certificate(report: Report) -> str:
    """Return the certificate as one HTML page without anything from elsewhere."""
    verdict = "fit" if report.fit else "unfit"
    parts = [
        f"<h1>{TITLE}</h1>",
        f"<p>{'<br>'.join(escape(line) for line in _head(report))}</p>",
        f'<div class="verdict {verdict}">{escape(report.headline)}</div>',
        *([] if report.fit else [_html_list("Why not", report.reasons)]),
        _html_list("What the walks prove", report.proof),
        _html_list("Airtime", _airtime(report)),
        _html_list("What to do", report.advice or ("nothing",)),
        *([_html_list("Walks with too few reads", report.missing)] if report.missing else []),
        _html_table("Walks, counted", SUM_HEADS, _sums(report)),
        _html_table("Antennas", ANTENNA_HEADS, [_antenna(one) for one in report.antennas]),
        _html_table("Readers", READER_HEADS, _readers(report)),
        _html_table("Each walk", WALK_HEADS, _walks(report)),
        f'<p class="sign">{SIGNED if report.fit else REFUSED}</p>',
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(report.portal)}: {TITLE.lower()}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def outcome_line(one: Outcome, count: Count | None = None) -> str:
    """Return one walk as a line for who is walking; with its count it says too what it lacked for a certificate."""
    if one.result == "skipped":
        return "left out"
    if one.result == "missed":
        return f"MISSED: nothing was called, expected {_expected(one)}"
    if not one.rows:
        return "right: nothing was called"
    confidence = "-" if one.confidence is None else f"{one.confidence:.3f}"
    reads = ", ".join(f"{name}: {count}" for name, count in one.reads.items())
    expected = "" if one.result == "right" else f", expected {_expected(one)}"
    few = "" if count is None or count.enough else f"; too few reads for a certificate: {count.lacking}"
    return (
        f"{_MARKS[one.result]}: {one.kinds}{expected}; confidence {confidence}, margin {one.margin:.1f}; "
        f"reads {reads}{few}"
    )


def _text(report: Report) -> Iterator[str]:
    yield TITLE.upper()
    yield from _head(report)
    yield ""
    yield f"*** {report.headline} ***"
    yield ""
    if not report.fit:
        yield "Why not:"
        yield from (f"- {line}" for line in report.reasons)
        yield ""
    yield from report.proof
    yield from (f"airtime: {line}" for line in _airtime(report))
    yield ""
    yield "What to do:"
    yield from (f"- {line}" for line in report.advice or ("nothing",))
    if report.missing:
        yield ""
        yield "Walks with too few reads:"
        yield from (f"- {line}" for line in report.missing)
    yield from _text_table("Walks, counted", SUM_HEADS, _sums(report))
    yield from _text_table("Antennas", ANTENNA_HEADS, [_antenna(one) for one in report.antennas])
    yield from _text_table("Readers", READER_HEADS, _readers(report))
    yield from _text_table("Each walk", WALK_HEADS, _walks(report))
    yield ""
    yield SIGNED if report.fit else REFUSED


def _head(report: Report) -> list[str]:
    where = f"Portal {report.portal} of gateway {report.gateway}, site {report.site}"
    lines = [
        f"{where}: {report.inside} to {report.outside}, layout {report.layout}",
        f"{report.made_at}, Stockgate {report.version}",
    ]
    if report.confirms:
        lines.append("One walk after a reader was swapped; the commissioning before it holds.")
    return lines


def _airtime(report: Report) -> tuple[str, ...]:
    verdict = report.airtime
    if verdict is None:
        return ("not surveyed",)
    if verdict.open_reads == verdict.reads:
        return (verdict.words,)
    return verdict.words, f"without keeping residents quiet it would be {verdict.open_reads} reads"


def _sums(report: Report) -> list[tuple[str, ...]]:
    return [(one.how, "no crossing" if one.expect == "none" else one.expect, one.words) for one in report.groups]


def _antenna(one: AntennaFact) -> tuple[str, ...]:
    power = "the reader's own" if one.power_cdbm is None else f"{one.power_cdbm / 100:g} dBm"
    residents = "-" if one.residents is None else str(one.residents)
    return one.name, one.side, power, residents, _level(one.doorway_cdbm), _level(one.before_cdbm)


def _level(cdbm: int | None) -> str:
    return "-" if cdbm is None else f"{cdbm / 100:.1f} dBm"


def _readers(report: Report) -> list[tuple[str, ...]]:
    return [
        (one.id, one.address, one.model, one.firmware, one.serial or "not told", one.profile, one.region or "-")
        for one in report.readers
    ]


def _walks(report: Report) -> list[tuple[str, ...]]:
    counts = {one.number: one for one in report.counts}
    return [_walk(number, one, counts.get(number)) for number, one in enumerate(report.outcomes, 1)]


def _walk(number: int, one: Outcome, count: Count | None) -> tuple[str, ...]:
    confidence = "-" if one.confidence is None else f"{one.confidence:.3f}"
    reads = ", ".join(f"{name}: {count}" for name, count in one.reads.items()) or "-"
    called = one.kinds if one.rows or one.result == "right" else "-"
    spread = f"{one.margin:.1f}" if one.rows else "-"
    best = "-" if count is None else ", ".join(f"{side} {reads}" for side, reads in count.reads.items())
    mark = _MARKS[one.result] + (FEW if count is not None and not count.enough and one.rows else "")
    return str(number), one.walk.how, _expected(one), called, confidence, spread, reads, best, mark


def _expected(one: Outcome) -> str:
    return "no crossing" if one.walk.expect == "none" else one.walk.expect


def _text_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    table = [tuple(heads), *map(tuple, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    yield ""
    yield f"{title}:"
    for number, row in enumerate(table):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if not number:
            yield "  ".join("-" * width for width in widths)


def _html_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "\n".join(f"<tr>{''.join(_html_cell(cell) for cell in row)}</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2>\n<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _html_cell(cell: str) -> str:
    bad = ' class="bad"' if cell.endswith(FEW) or cell in {_MARKS["wrong"], _MARKS["missed"]} else ""
    return f"<td{bad}>{escape(cell)}</td>"


def _html_list(title: str, lines: Sequence[str]) -> str:
    return f"<h2>{escape(title)}</h2>\n<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
