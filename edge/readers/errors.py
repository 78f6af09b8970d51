"""Why a session with a reader ended; each message names the reader, its address and what to do.

ReaderError
├── ReaderUnreachableError  nobody answers at the address
├── ReaderUntrustedError    the reader's certificate, or ours, can't be trusted
├── NotAnLlrpReaderError    somebody answers, but not in LLRP
├── ReaderBusyError         the reader serves another client
├── ReaderRefusedError      the reader answered a request with an error status
├── ReaderSilentError       keepalives or an answer did not come
├── ReaderClosedError       the connection was closed or its stream broke
└── MalformedError          a frame or payload is not what its protocol says (serial and smart readers)
"""


class ReaderError(Exception):
    """A session ended or could not begin."""


class ReaderUnreachableError(ReaderError):
    """Nobody answers at the address."""


class ReaderUntrustedError(ReaderError):
    """The reader's certificate is not the one to trust, or ours can't be used."""


class NotAnLlrpReaderError(ReaderError):
    """Somebody answers at the address, but not in LLRP."""


class ReaderBusyError(ReaderError):
    """The reader serves another client, or still thinks so."""


class ReaderRefusedError(ReaderError):
    """The reader answered a request with an error status."""


class ReaderSilentError(ReaderError):
    """Keepalives, or the answer to a request, did not come in time."""


class ReaderClosedError(ReaderError):
    """The connection was closed, or its stream broke."""


class MalformedError(ReaderError):
    """A frame or payload is not what its protocol says; it is counted, and what follows it is read on."""
