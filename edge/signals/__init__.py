"""What the door shows and sounds: lights and sirens by the gate's verdicts, and what tells that the door is watched.

`Signals` is the gate's way out: `judged` returns at once, one task an output does the switching. `Alarm` and `Alive`
say what an output is at an instant, without I/O and clock. This room knows no gate and no snapshot.
"""

from edge.signals.acting import Alarm, Alive, Phase
from edge.signals.muted import Lender, MutedPort
from edge.signals.rules import Kind, Mode, OutputRule, QuietHours, SignalsError, Verdict
from edge.signals.signals import Signals, SignalsCounters

__all__ = [
    "Alarm",
    "Alive",
    "Kind",
    "Lender",
    "Mode",
    "MutedPort",
    "OutputRule",
    "Phase",
    "QuietHours",
    "Signals",
    "SignalsCounters",
    "SignalsError",
    "Verdict",
]
