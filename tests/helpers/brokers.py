"""Private brokers on free loopback ports, which a test may kill and start again."""

import contextlib
import itertools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from deploy.standalone.nats import EmbeddedBroker

ROOT = Path(__file__).resolve().parent.parent.parent
START_S = 60.0
FIRST_PORT, WORKERS = 20_000, 24


PORTS = 500
"""Ports of each of the test run's workers, below those that the system gives out by itself (32768 and up)."""
_ports = itertools.cycle(random.SystemRandom().sample(range(PORTS), PORTS))


def free_port():
    """Return a port that nobody else will take: a program that must come back on one port needs a fixed one."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for place in itertools.islice(_ports, PORTS):
        port = FIRST_PORT + worker % WORKERS * PORTS + place
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no port is free among the {PORTS} of this worker")


def mosquitto_path():
    """Return Mosquitto's path, also where Debian keeps daemons, or None."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Nats:
    """nats-server of the wheel, as the standalone form configures it."""

    name = "nats"

    def __init__(self, run_dir) -> None:
        self.port = free_port()
        self._run_dir = run_dir / "nats"
        self._broker = EmbeddedBroker(self._run_dir, mqtt_port=self.port)

    @property
    def url(self):
        """Address for MQTT clients."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        """Start and wait until it listens."""
        self._broker.start()

    def kill(self):
        """Kill -9."""
        os.kill(self._broker.pid, signal.SIGKILL)
        self._broker.stop()

    def stop(self):
        """End in order."""
        self._broker.stop()


class Mosquitto:
    """A private Mosquitto with the settings of deploy/mosquitto."""

    name = "mosquitto"

    def __init__(self, run_dir, extra="") -> None:
        self.port = free_port()
        self._dir = run_dir / "mosquitto"
        self._dir.mkdir(parents=True, exist_ok=True)
        self._extra = extra
        self._process = None

    @property
    def url(self):
        """Address for MQTT clients."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        """Start and wait until it listens."""
        template = (ROOT / "deploy" / "mosquitto" / "mosquitto.conf").read_text()
        text = template.replace("listener 1883 127.0.0.1", f"listener {self.port} 127.0.0.1")
        text = text.replace("/var/lib/mosquitto/", f"{self._dir}/")
        conf = self._dir / "mosquitto.conf"
        # Run as root it would become the user mosquitto, who can't write the test's directory.
        user = pwd.getpwuid(os.geteuid()).pw_name
        conf.write_text(f"{text}\nuser {user}\n{self._extra}")
        with (self._dir / "log").open("ab") as log:
            self._process = subprocess.Popen([mosquitto_path(), "-c", conf], stdout=log, stderr=log)
        self._wait()

    def kill(self):
        """Kill -9."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        """End in order."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(START_S)

    def _wait(self):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"mosquitto ended at start: {(self._dir / 'log').read_text()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"mosquitto does not listen on port {self.port}")


BROKERS = {"nats": Nats, "mosquitto": Mosquitto}
