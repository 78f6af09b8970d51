"""`python -m tests.helpers.other_clients WHO inventory|connect HOST PORT`: clients of others, as they come.

`inventory` reads until stdin ends, and says each new EPC; its last line has what it heard about connection attempts and
Doppler. `connect` only connects, and says how it was turned away.
"""

import asyncio
import json
import logging
import os
import sys
import threading

from llrpkit import Reader
from llrpkit.exceptions import LLRPConnectionError
from pyllrp.LLRPConnector import LLRPConnector
from pyllrp.pyllrp import ConnectionAttemptEvent_Parameter
from pyllrp.TagInventory import TagInventory
from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig

PATIENCE_S = 20


def say(**values):
    """Tell whoever started us."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


class Seen:
    """What a client has seen; each EPC is said once."""

    def __init__(self) -> None:
        self.epcs, self.attempts, self.dopplers = set(), [], []

    def tag(self, epc, doppler=None):
        """Take a read."""
        if epc not in self.epcs:
            self.epcs.add(epc)
            say(epc=epc)
        if doppler is not None:
            self.dopplers.append(doppler)

    def finish(self):
        """Say the rest."""
        say(attempts=self.attempts, dopplers=len(self.dopplers), epcs=sorted(self.epcs))


class Sllurp:
    """sllurp's client, in the thread that it starts by itself."""

    def inventory(self, host, port):
        """Read until stdin ends."""
        seen, impinj = Seen(), {"EnableRFPhaseAngle": True, "EnablePeakRSSI": True, "EnableRFDopplerFrequency": True}
        config = {"antennas": [1, 2], "report_every_n_tags": 5, "report_timeout_ms": 200, "keepalive_interval": 1000}
        config["impinj_tag_content_selector"] = impinj
        client = LLRPReaderClient(host, port, LLRPReaderConfig(config))
        client.add_tag_report_callback(lambda _, tags: [self._tag(seen, tag) for tag in tags])
        client.add_event_callback(lambda _, event: self._event(seen, event))
        client.connect()
        sys.stdin.read()
        client.disconnect(timeout=3)
        seen.finish()

    def connect(self, host, port):
        """Connect; what it has to say about it goes to its log."""
        told = []
        handler = logging.Handler()
        handler.emit = lambda record: told.append(record.getMessage())
        logging.getLogger("sllurp").addHandler(handler)
        client = LLRPReaderClient(host, port, LLRPReaderConfig({"antennas": [1], "reconnect": False}))
        client.connect()
        threading.Event().wait(2)
        say(refused=" ".join(told))

    def _tag(self, seen, tag):
        seen.tag(tag["EPC"].decode(), tag.get("ImpinjRFDopplerFrequency"))

    def _event(self, seen, event):
        if "ConnectionAttemptEvent" in event:
            seen.attempts.append(event["ConnectionAttemptEvent"]["Status"])


class Llrpkit:
    """llrpkit's reader object."""

    def inventory(self, host, port):
        """Read until stdin ends."""
        asyncio.run(self._inventory(host, port))

    def connect(self, host, port):
        """Connect once."""
        try:
            asyncio.run(Reader(host, port).connect())
        except LLRPConnectionError as error:
            say(refused=str(error))

    async def _inventory(self, host, port):
        seen, stop = Seen(), asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
        async with Reader(host, port) as reader:
            events = asyncio.create_task(self._events(reader, seen))
            tags = asyncio.create_task(self._tags(reader, seen))
            await stop.wait()
            for task in (tags, events):
                task.cancel()
            await asyncio.gather(tags, events, return_exceptions=True)
        seen.finish()

    async def _tags(self, reader, seen):
        async for report in reader.inventory(antennas=[1, 2], include_phase=True, include_doppler=True, session=0):
            seen.tag(report.epc.hex(), report.doppler_hz)

    async def _events(self, reader, seen):
        async for event in reader.events():
            attempt = event.reader_event_notification_data.connection_attempt_event
            if attempt is not None:
                seen.attempts.append(int(attempt.status))


class Pyllrp:
    """pyllrp's inventory, again and again as an application does; its port is fixed, so it is changed in there."""

    def inventory(self, host, port):
        """Read until stdin ends."""
        self._go_to(port)
        seen, ended = Seen(), threading.Event()
        threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
        client = TagInventory(host)
        client.Connect()
        while not ended.is_set():
            epcs, others = client.GetTagInventory()
            for epc in sorted(epcs):
                seen.tag(epc.lower())
            for other in others:
                attempt = other.getFirstParameterByClass(ConnectionAttemptEvent_Parameter)
                if attempt:
                    seen.attempts.append(int(attempt.Status))
        client.Disconnect()
        seen.finish()

    def connect(self, host, port):
        """Connect once."""
        self._go_to(port)
        try:
            TagInventory(host).Connect()
        except OSError as error:
            say(refused=str(error))

    def _go_to(self, port):
        connect = LLRPConnector.connect
        LLRPConnector.connect = lambda connector, host: connect(connector, host, port)


CLIENTS = {"sllurp": Sllurp, "llrpkit": Llrpkit, "pyllrp": Pyllrp}


def main(who, what, host, port):
    """Run one client."""
    logging.basicConfig(level=logging.CRITICAL)
    getattr(CLIENTS[who](), what)(host, int(port))
    os._exit(0)  # sllurp's thread may wait for ever


if __name__ == "__main__":
    main(*sys.argv[1:])
