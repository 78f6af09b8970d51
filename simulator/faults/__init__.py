"""What simulated readers do wrong, or differently: each a switch that holds while it is set."""

from simulator.faults.model import Faults, Stamps
from simulator.faults.plan import FaultChange, FaultPlan, checked, span

__all__ = ["FaultChange", "FaultPlan", "Faults", "Stamps", "checked", "span"]
