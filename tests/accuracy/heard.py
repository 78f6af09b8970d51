"""What was read of each tag at each portal, tag by tag, from what was played."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.llrp import TagBatch
from edge.windows import WindowsSettings
from tests.accuracy.peers import TagReads
from tests.accuracy.play import Played

NO_READS: Final = TagReads(*(np.zeros(0, np.int64) for _ in range(4)))


def reads_by_tag(played: Played) -> dict[tuple[str, str], TagReads]:
    """Return each tag's reads in time order, by portal and EPC."""
    found: dict[tuple[str, str], list[TagReads]] = {}
    for reader in dict.fromkeys(reader for reader, _, _ in played.chunks):
        batches = [batch for name, _, batch in played.chunks if name == reader and len(batch)]
        if batches:
            for key, mine in _reads_of(reader, batches, played.settings):
                found.setdefault(key, []).append(mine)
    return {key: _in_order(parts) for key, parts in found.items()}


def _reads_of(
    reader: str, batches: list[TagBatch], settings: WindowsSettings
) -> Iterator[tuple[tuple[str, str], TagReads]]:
    """Yield what one reader read of each tag at each portal."""
    names = ("epc", "epc_bits", "antenna", "last_us", "rssi_cdbm")
    columns = [np.concatenate([getattr(batch, name) for batch in batches]) for name in names]
    epc, bits, port, at_us, rssi = columns
    place = _places(reader, settings)[port]
    # All EPCs of one scenario are of one length; the portal goes before, so that one number names both.
    keys = np.column_stack([place[:, 0].astype(np.uint8), epc[:, : int(bits[0]) // 8]])
    raws, index = np.unique(keys.view(f"V{keys.shape[1]}").ravel(), return_inverse=True)
    rows_of = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
    for name, rows in zip(raws, rows_of, strict=True):
        raw = name.tobytes()
        mine = TagReads(at_us[rows], place[rows, 1], place[rows, 2], rssi[rows].astype(np.int64))
        yield (settings.portals[raw[0]].id, raw[1:].hex()), mine


def _places(reader: str, settings: WindowsSettings) -> NDArray[np.int64]:
    """Return (ports + 1, 3): portal, antenna in it and side of each of a reader's ports."""
    table = np.zeros((17, 3), np.int64)
    for number, portal in enumerate(settings.portals):
        for index, antenna in enumerate(portal.antennas):
            if antenna.reader == reader:
                table[antenna.port] = number, index, antenna.side == "outside"
    return table


def _in_order(parts: list[TagReads]) -> TagReads:
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in TagReads.__slots__]
    order = np.argsort(columns[0], kind="stable")
    return TagReads(*(column[order] for column in columns))
