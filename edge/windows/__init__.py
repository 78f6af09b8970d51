"""Per-tag windows over event time: reads in, passages out."""
