"""Parameters that stand in many messages: times, status and errors."""

from typing import Annotated

from edge.llrp.messages.element import Parameter
from edge.llrp.messages.enums import StatusCode
from edge.llrp.messages.wire_types import U16, U64, Scalar, String


class UTCTimestamp(Parameter, number=128):
    """An instant, in microseconds since 1970 without leap seconds [7.1.3.1.1.1, 16.2.2.1]."""

    microseconds: U64


class Uptime(Parameter, number=129):
    """Microseconds since the reader started [7.1.3.1.1.2, 16.2.2.2]."""

    microseconds: U64


class FieldError(Parameter, number=288):
    """Which field of a message or parameter was wrong, counted from 0, and why [14.2.2.1, 16.2.8.1.1]."""

    field_num: U16
    error_code: Annotated[int, Scalar(16, StatusCode)]


class ParameterError(Parameter, number=289):
    """Which parameter was wrong, by type number, and what in it [14.2.2.2, 16.2.8.1.2]."""

    parameter_type: U16
    error_code: Annotated[int, Scalar(16, StatusCode)]
    field_error: FieldError | None = None
    parameter_error: "ParameterError | None" = None


class LLRPStatus(Parameter, number=287):
    """What became of a request; readers put words of their own beside the code [14.2.2, 16.2.8.1]."""

    status_code: Annotated[int, Scalar(16, StatusCode)]
    error_description: String
    field_error: FieldError | None = None
    parameter_error: ParameterError | None = None
