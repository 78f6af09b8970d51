"""LLRP bytes <-> values, without I/O."""
