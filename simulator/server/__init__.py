"""LLRP reader role."""
