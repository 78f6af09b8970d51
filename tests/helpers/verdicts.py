"""Verdicts by decree, for tests of what comes after the reads' own: no weights of a fit are in them."""

from edge.windows import judge
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.around import NOTHING_AROUND
from edge.windows.decide import Verdict


def crossing_by_reads(monkeypatch, kind, confidence=0.95):
    """Let reads say of every visit that it crossed, early and in the end, or turned back if it can't have."""

    def crossed(seen, *_, **__):
        return Verdict(kind, confidence, seen.measured.change_us)

    monkeypatch.setattr(judge, "decide", crossed)
    monkeypatch.setattr(judge, "decide_early", crossed)
    monkeypatch.setattr(judge, "stayed", lambda *_: Verdict("turned_back", 0.7))


def parked_if_settled(monkeypatch, otherwise="turned_back"):
    """Let a visit be parked that ends by stillness, and another kind if the tag was gone."""

    def late(_judge, snap, *_, **__):
        if snap.why == L.SETTLED:
            return Verdict("parked", 0.9), NOTHING_AROUND
        return Verdict(otherwise, 0.9, int(snap.head[L.LAST_US])), NOTHING_AROUND

    monkeypatch.setattr(judge.Judge, "late", late)
    monkeypatch.setattr(judge, "decide_early", lambda *_: Verdict(None, 0.0))
