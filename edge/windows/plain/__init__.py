"""The plain twin: what the kernels must say, one object a (tag, portal) pair. Slow, and the definition.

It keeps up with one portal of 300 reads a second and stands in where numba has no wheel.
"""

from edge.windows.plain.engine import PlainEngine

__all__ = ["PlainEngine"]
