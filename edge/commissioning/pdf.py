"""Lines of text as a PDF that every printer takes: A4, in Courier, which every reader has (ISO 32000-1, 9.6.2.2)."""

from collections.abc import Iterator, Sequence
from typing import Final

PAGE: Final = (842, 595)
"""A4 on its side, points: tables are wide."""
MARGIN: Final = 40
SIZE: Final = 7.5
LEADING: Final = 9.5
COLUMNS: Final = int((PAGE[0] - 2 * MARGIN) / (0.6 * SIZE))
LINES: Final = int((PAGE[1] - 2 * MARGIN) / LEADING)
_CATALOGUE, _PAGES, _FONT, _FIRST = 1, 2, 3, 4


def pdf_of(text: str) -> bytes:
    """Return a document of the text's lines; longer ones go on in the next, what Windows-1252 lacks becomes `?`."""
    lines = [part for line in text.splitlines() for part in _folded(line)]
    pages = [lines[at : at + LINES] for at in range(0, max(len(lines), 1), LINES)]
    objects = list(_objects(pages))
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, _CATALOGUE, start)
    return bytes(out)


def _folded(line: str) -> Iterator[str]:
    indent = "    "
    while len(line) > COLUMNS:
        cut = line.rfind(" ", len(indent), COLUMNS)
        cut = COLUMNS if cut <= len(indent) else cut
        yield line[:cut]
        line = indent + line[cut:].lstrip()
    yield line


def _objects(pages: Sequence[Sequence[str]]) -> Iterator[bytes]:
    kids = b" ".join(b"%d 0 R" % (_FIRST + 2 * number) for number in range(len(pages)))
    yield b"<< /Type /Catalog /Pages %d 0 R >>" % _PAGES
    yield b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(pages))
    yield b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"
    for number, lines in enumerate(pages):
        yield (
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %d %d] /Resources << /Font << /F %d 0 R >> >> "
            b"/Contents %d 0 R >>" % (_PAGES, *PAGE, _FONT, _FIRST + 2 * number + 1)
        )
        stream = _stream(lines)
        yield b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream)


def _stream(lines: Sequence[str]) -> bytes:
    begin = f"BT /F {SIZE} Tf {LEADING} TL {MARGIN} {PAGE[1] - MARGIN} Td".encode()
    shown = [b"(%b) Tj T*" % _literal(line) for line in lines]
    return b"\n".join([begin, *shown, b"ET"])


def _literal(line: str) -> bytes:
    raw = line.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
