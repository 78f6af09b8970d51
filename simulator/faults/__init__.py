"""What simulated readers do wrong, or differently: switches that hold while they are set, and actions."""

from simulator.faults.model import Faults, Stamps
from simulator.faults.plan import FaultAction, FaultChange, FaultPlan, span
from simulator.faults.table import ACTIONS, Action, Switch, checked, checked_action, shown, switches

__all__ = [
    "ACTIONS",
    "Action",
    "FaultAction",
    "FaultChange",
    "FaultPlan",
    "Faults",
    "Stamps",
    "Switch",
    "checked",
    "checked_action",
    "shown",
    "span",
    "switches",
]
