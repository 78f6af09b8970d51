"""Who sits at this browser: it keeps their id, which outlives the console, and two desks may have two people."""

from typing import Final

KEEP_PERSON: Final = "localStorage.setItem('stockgate-on-duty', {person})"
RECALL_PERSON: Final = "localStorage.getItem('stockgate-on-duty') || ''"
