"""The temperature inside a reader, where its vendor tells it."""

from edge.llrp.messages.answers import GetReaderConfigResponse
from edge.llrp.messages.impinj import ImpinjReaderTemperature
from edge.readers.configuration import ask_temperature
from edge.readers.errors import ReaderRefusedError
from edge.readers.requests import Requests


async def read_temperature_c(requests: Requests) -> float:
    """Ask an Impinj reader, which answers in whole degrees Celsius."""
    said = await requests.ask(ask_temperature(), GetReaderConfigResponse)
    for parameter in said.custom:
        if isinstance(parameter, ImpinjReaderTemperature):
            return float(parameter.temperature)
    raise ReaderRefusedError("the reader did not tell its temperature")
