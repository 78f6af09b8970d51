"""Tags that a sheet wants for a second asset: the import is refused, and somebody has to look at the tags."""

from collections.abc import Iterable
from datetime import datetime

from central.application.openings import Opening
from central.application.sheets import SheetRow
from central.domain.anomalies.tags import duplicate_tag
from central.domain.tags import Bindings

IMPORTS = "imports"


def duplicates(rows: Iterable[SheetRow], known: Bindings, now: datetime) -> list[Opening]:
    """Return what rows of tags.csv show, said of the asset that has the tag now."""
    found = []
    for row in rows:
        epc, wanted = row.values.get("epc"), row.values.get("asset")
        standing = next((one for one in known.of(epc) if one.bound_to is None), None) if epc else None
        odd = duplicate_tag(epc, wanted, standing.asset) if epc and wanted and standing else None
        if odd is not None and standing is not None:
            told = {**odd.evidence, "why": odd.reason, "file": row.file, "line": str(row.line)}
            found.append(Opening(odd.kind, None, standing.asset, None, now, told, f"{epc}/{wanted}"))
    return found
