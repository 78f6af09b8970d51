"""Presence: what zones and sweeps heard, folded into coverage, each tag's own history, and what a count may say.

Pure. `spans` turns rows into listening rounds, `coverage` says when a place was sighted, `history` how likely an
asset is still there, `buckets` what that makes of the book, `tree` how it adds up to sites.
"""
