"""Findings held against the truth: which visits were called right, which not at all, and how late.

Pure from visits and calls to a `Score`; files are read by `simulator.scoring.files`. Errors: `ScoreError`.
"""

from simulator.scoring.calls import Call
from simulator.scoring.errors import ScoreError
from simulator.scoring.score import Score, score
from simulator.scoring.visits import Visit

__all__ = ["Call", "Score", "ScoreError", "Visit", "score"]
