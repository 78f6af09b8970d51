"""Exceptions: what can be wrong, and the way from open to closed. No clock, no I/O.

Errors: `StepRefused`, a step that the state, the evidence or the person doesn't allow.
"""
