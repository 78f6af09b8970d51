"""What phases say: how fast the tag came nearer to a side, or went away."""
