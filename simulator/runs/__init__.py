"""Scenarios played to their end: offline into a recording, or live through agents to a broker.

Errors: `RunError`.
"""

from simulator.runs.errors import RunError

__all__ = ["RunError"]
