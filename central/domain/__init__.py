"""Pure rules: places, exits, alerts, stream positions. No clock, no I/O.

Errors: `PlaceError`, a location tree that can't be one.
"""
