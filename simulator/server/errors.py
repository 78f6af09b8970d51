"""The errors of the reader role.

SimulatedReaderError
├── WireError      bytes that can't be a message or a parameter
└── RefusedError   a message that a reader understands and refuses, with its LLRP status
"""


class SimulatedReaderError(Exception):
    """Anything that the simulated reader raises on purpose."""


class WireError(SimulatedReaderError):
    """Bytes that can't be read as LLRP."""


class RefusedError(SimulatedReaderError):
    """A request that is answered with an LLRP status other than success."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
