"""What a reader calls itself by, where it tells: its MAC address or an EPC (LLRP 1.0.1, 12.2.2)."""

from edge.llrp.messages.answers import GetReaderConfigResponse
from edge.llrp.messages.commands import GetReaderConfig
from edge.llrp.messages.enums import GetReaderConfigRequestedData
from edge.readers.requests import Requests


async def read_identity(requests: Requests) -> str:
    """Ask for it; lower-case hex, empty where the reader has none."""
    wanted = GetReaderConfigRequestedData.IDENTIFICATION
    question = GetReaderConfig(antenna_id=0, requested_data=wanted, gpi_port_num=0, gpo_port_num=0)
    said = await requests.ask(question, GetReaderConfigResponse)
    return "" if said.identification is None else bytes(said.identification.reader_id).hex()
