"""Shell of one LLRP reader."""
