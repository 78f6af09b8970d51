"""Readers that are not there: LLRP server over a simulated world."""
