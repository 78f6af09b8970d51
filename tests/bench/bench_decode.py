"""Tag reports decoded a second on one core: hot as every read of every reader passes here, on a Raspberry Pi too.

Each figure is of one path: received bytes in pieces of 64 KiB -> whole messages -> values that a program can use. Ours
ends in columns. The peers are run by their own code, not by a part of it: sllurp's `raw_data_received` up to a tag
report callback (dicts), llrpkit's read loop up to the `TagReport`s that its `inventory` yields (objects). What all
three give is compared value by value in the same run, so that no figure is of a decoder that left something out.
"""

import asyncio
import logging
import statistics
import time
from importlib.metadata import version

from llrpkit import LLRPClient, TagReport
from sllurp.llrp import LLRPReaderClient, LLRPReaderState

from edge.llrp import FrameBuffer, ReportDecoder, TagBatch
from edge.llrp.batch import NO_PHASE
from edge.llrp.framing import CompiledCut, PlainCut
from edge.llrp.reports import CompiledReports, PlainReports
from tests.bench.figures import BENCH, Figure
from tests.helpers.llrp_messages import custom, report, tag

TAGS = 8000
"""Tag reports in the recorded stream; a busy portal's few seconds."""
SECONDS = 0.4
"""Time of one measurement; decoders take turns and the median of `ROUNDS` counts, as others share the cores."""
ROUNDS = 5
RECEIVE = 65536
START_US = 1_594_174_805_140_192
SLLURP, LLRPKIT = f"sllurp {version('sllurp')}", f"llrpkit {version('llrpkit')}"
FIELDS = ("epc", "antenna", "rssi_cdbm", "channel", "first_us", "last_us", "seen_count", "phase")


@BENCH.register("decode.")
def decode_speed():
    """Yield tags/s from received bytes to values, 50 and 1 tag a message, with and without Impinj's parameters."""
    logging.getLogger("sllurp").setLevel(logging.ERROR)  # it warns where a piece ends inside a header
    logging.getLogger("llrpkit").setLevel(logging.ERROR)  # and it of the stream's end
    for impinj in (False, True):
        for per_message in (50, 1):
            yield from measure(
                f"decode.{per_message}tag{'s' * (per_message > 1)}{'_impinj' * impinj}", per_message, impinj
            )


def measure(name, per_message, impinj):
    """Yield one stream's figures: ours against each peer, and the plain twin's."""
    wire = stream(per_message, impinj=impinj)
    work = {"ours": receive, "plain": receive_plain, SLLURP: receive_sllurp, LLRPKIT: receive_llrpkit}
    same = {peer: agreeing(receive(wire), work[peer](wire)) for peer in (SLLURP, LLRPKIT)}
    speeds = medians({who: lambda run=run: run(wire) for who, run in work.items()})
    for peer in (SLLURP, LLRPKIT):
        detail = f"{len(wire) // TAGS} B a tag, framing to columns; same values in {same[peer]:,} of {TAGS:,}"
        short = peer.split()[0]
        yield Figure(
            f"{name}.{short}", speeds["ours"], "tags/s", peer, speeds[peer], speeds["ours"] / speeds[peer], detail
        )
    plain, theirs = speeds["plain"], speeds[SLLURP]
    yield Figure(f"{name}.plain", plain, "tags/s", SLLURP, theirs, plain / theirs, "the twin, where numba is absent")


def stream(per_message, *, impinj):
    """Return reports as an R420 sends them, with or without its phase and fine RSSI."""
    tags = [
        tag(
            *(extension(n) if impinj else ()),
            epc=b"\x30\x34\x25\x7b\xf7\x19\x4e\x40" + (n % 24).to_bytes(4, "big"),
            antenna=1 + n % 4,
            rssi_dbm=-57 - n % 9,
            channel=1 + n % 50,
            first_us=START_US + 900 * n,
            last_us=START_US + 900 * n + 400,
            seen_count=1 + n % 3,
            rospec_id=14,
        )
        for n in range(TAGS)
    ]
    return b"".join(report(*tags[at : at + per_message]) for at in range(0, TAGS, per_message))


def extension(n):
    """Return phase and fine RSSI, different for each tag."""
    fine = (-5742 - n % 99).to_bytes(2, "big", signed=True)
    return custom(25882, 56, (37 * n % 4096).to_bytes(2, "big")), custom(25882, 57, fine)


def received(wire):
    """Yield a stream as receives of 64 KiB bring it."""
    for at in range(0, len(wire), RECEIVE):
        yield wire[at : at + RECEIVE]


def receive(wire, cut=CompiledCut, walk=CompiledReports):
    """Frame and decode as a reader's link does, after copying each piece into its buffer; return the batches."""
    buffer, decoder, batches = FrameBuffer(cut=cut()), ReportDecoder(walk()), []
    for piece in received(wire):
        buffer.feed(piece)
        batches.append(decoder.decode(buffer.take().data))
    return batches


def receive_plain(wire):
    """Do the same without numba."""
    return receive(wire, PlainCut, PlainReports)


def receive_sllurp(wire):
    """Let sllurp's client take each piece, as its thread does; return the dicts that its callback got."""
    client, reads = LLRPReaderClient("127.0.0.1"), []
    client.llrp.state = LLRPReaderState.STATE_INVENTORYING
    client.add_tag_report_callback(lambda _, tags: reads.append(tags))
    for piece in received(wire):
        client.raw_data_received(piece)
    return reads


def receive_llrpkit(wire):
    """Let llrpkit's read loop take each piece, and make of its queue what its `inventory` yields."""
    return asyncio.run(read_loop(wire))


async def read_loop(wire):
    """Feed the stream that the client would have from its socket."""
    client, reads = LLRPClient("127.0.0.1", max_queued_reports=0), []
    client._reader = asyncio.StreamReader()
    loop = asyncio.create_task(client._read_loop())
    for piece in received(wire):
        client._reader.feed_data(piece)
        for _ in range(3):  # the loop wakes, and takes all that is whole
            await asyncio.sleep(0)
        take_reports(client, reads)
    client._reader.feed_eof()
    await loop
    take_reports(client, reads)
    return reads


def take_reports(client, reads):
    """Empty the client's queue as its `inventory` does."""
    while not client.reports.empty():
        reads.append([TagReport.from_param(one) for one in client.reports.get_nowait().tag_report_datas])


def agreeing(batches, reads):
    """Return how many tags of ours have the same values, in the same order, in what a peer made of the same bytes."""
    ours = [row for batch in batches for row in rows(batch)]
    theirs = [row_of(read) for message in reads for read in message]
    return sum(left == right for left, right in zip(ours, theirs, strict=True))


def rows(batch: TagBatch):
    """Yield a batch's rows as tuples of `FIELDS`; EPCs of 96 bits are all that the stream has."""
    columns = [[bytes(epc[:12]) for epc in batch.epc]]
    columns += [getattr(batch, name).tolist() for name in FIELDS[1:-1]]
    columns.append([None if phase == NO_PHASE else phase for phase in batch.phase.tolist()])
    return zip(*columns, strict=True)


def row_of(read):
    """Return a peer's tag as a tuple of `FIELDS`."""
    if isinstance(read, TagReport):
        phase = None if read.phase_deg is None else round(read.phase_deg * 4096 / 360)
        times = read.first_seen_us, read.last_seen_us
        return read.epc, read.antenna, round(100 * read.rssi_dbm), read.channel_index, *times, read.seen_count, phase
    return (
        bytes.fromhex(read["EPC-96"].decode()),
        read["AntennaID"],
        read.get("ImpinjPeakRSSI", 100 * read["PeakRSSI"]),
        read["ChannelIndex"],
        read["FirstSeenTimestampUTC"],
        read["LastSeenTimestampUTC"],
        read["TagSeenCount"],
        read.get("ImpinjRFPhaseAngle"),
    )


def medians(works):
    """Return each work's tags a second, the median of rounds taken in turns; a first call warms what is compiled."""
    for work in works.values():
        work()
    rounds = [{name: one_round(work) for name, work in works.items()} for _ in range(ROUNDS)]
    return {name: statistics.median(speeds[name] for speeds in rounds) for name in works}


def one_round(work):
    """Return tags a second over one round."""
    begin = time.perf_counter()
    runs = 0
    while (spent := time.perf_counter() - begin) < SECONDS:
        work()
        runs += 1
    return runs * TAGS / spent
