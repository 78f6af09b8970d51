"""LLRP bytes <-> values, without I/O."""

from edge.llrp.batch import TagBatch
from edge.llrp.errors import LlrpError
from edge.llrp.framing import Chunk, Frame, FrameBuffer
from edge.llrp.reports import ReportDecoder

__all__ = ["Chunk", "Frame", "FrameBuffer", "LlrpError", "ReportDecoder", "TagBatch"]
