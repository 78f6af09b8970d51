"""What simulated readers do wrong, or differently: each a switch that holds while it is set."""

from simulator.faults.model import Faults, Stamps

__all__ = ["Faults", "Stamps"]
