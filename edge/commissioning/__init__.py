"""Is a doorway fit? Airtime and walks, measured, judged and written down. Pure: reads, rows and times in, words out.

Errors: `CommissioningError`, the room's one error: a plan of walks or a configuration that can't be worked with.
"""

from edge.commissioning.errors import CommissioningError

__all__ = ["CommissioningError"]
