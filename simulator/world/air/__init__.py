"""Gen2 on the air: inventory rounds of one reader, on its antennas in turn and on hopping channels."""

from simulator.world.air.reader import AirCounts, AirReader, meet

__all__ = ["AirCounts", "AirReader", "meet"]
