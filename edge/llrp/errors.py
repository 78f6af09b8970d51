"""The room's error tree: `LlrpError`, with nothing under it."""


class LlrpError(ValueError):
    """Bytes or values that are not LLRP; the message names what, where and what it means.

    Attributes:
        offset: byte in the input where it went wrong, None where no byte is to blame.
    """

    def __init__(self, message: str, *, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset
