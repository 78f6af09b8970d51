"""`stockgate up`: one's own readers on one machine, with the embedded broker and a database that is kept."""

import contextlib
import json
import os
import subprocess
import tempfile
import time
import tomllib
from pathlib import Path

from rich.console import Console

from deploy.standalone.central_client import CentralClient
from deploy.standalone.checks import check_listen, only_user
from deploy.standalone.errors import ConfigurationError, StandaloneError
from deploy.standalone.interrupts import Interrupted, Interrupts
from deploy.standalone.programs import script
from deploy.standalone.stack import Stack
from deploy.standalone.view import View, make_view
from deploy.standalone.watching import Watch

CSV_FILES = ("locations.csv", "portals.csv", "assets.csv", "tags.csv", "authorisations.csv")
# Without these there is nothing to compare a movement with; the others may come later.
NEEDED_CSV_FILES = ("locations.csv", "portals.csv")
# The first start of the agent on a slow machine.
CHECK_S = 90.0
_UNUSABLE_STATUS = 2
_WATCH_EVERY_S = 1.0


def default_data_dir() -> Path:
    """Where state is kept by default; as root not in root's own home, which PostgreSQL's user can't enter."""
    if os.geteuid() == 0:
        return Path("/var/lib/stockgate")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "stockgate"


def check_folder(folder: Path) -> str:
    """Return the text of edge.toml, after a look at what the programs would only find out later."""
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder: make it, with edge.toml and {', '.join(CSV_FILES)}")
    missing = [name for name in ("edge.toml", *NEEDED_CSV_FILES) if not (folder / name).is_file()]
    if missing:
        raise ConfigurationError(f"{folder} lacks {', '.join(missing)}")
    text = (folder / "edge.toml").read_text(encoding="utf-8")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{folder / 'edge.toml'} can't be read: {error}") from error
    if "mqtt" in found:
        raise ConfigurationError(
            f"{folder / 'edge.toml'} names a broker, but 'stockgate up' starts its own: take the [mqtt] table out, "
            "or run stockgate-edge and stockgate-central by themselves"
        )
    return text


def check_edge(edge_toml: str, own: Path) -> None:
    """Let the agent itself read what it will be given, before anything starts.

    Raises:
        ConfigurationError: all problems, each under the path of the user's `own` file.
    """
    with tempfile.TemporaryDirectory(prefix="stockgate-check-") as directory:
        copy = Path(directory) / "edge.toml"
        copy.write_text(with_broker(edge_toml, "mqtt://127.0.0.1:1883"), encoding="utf-8")
        command = [script("stockgate-edge"), "check", "--config", str(copy), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CHECK_S)
    if done.returncode == _UNUSABLE_STATUS:
        found = json.loads(done.stdout)["findings"]
        errors = [f"{own}: {one['key'] or 'the file'}: {one['what']}" for one in found if one["severity"] == "error"]
        raise ConfigurationError("\n".join([f"{own} can't be used:", *errors]))


def with_broker(edge_toml: str, url: str, trust: str = "") -> str:
    """The user's configuration with our own broker in it, and our central's keys where it names none."""
    told = "" if "trust" in tomllib.loads(edge_toml) else f"\n{trust}"
    return f'{edge_toml.rstrip()}\n\n[mqtt]\nurl = "{url}"\n{told}'


def run_up(folder: Path, *, data_dir: Path, listen: str) -> int:
    """Run until a signal comes; both folders are absolute, for the children run elsewhere."""
    edge_toml = check_folder(folder)
    check_listen(listen)
    check_edge(edge_toml, folder / "edge.toml")
    _make_data_dir(data_dir)
    console = Console()
    with only_user(data_dir), Interrupts() as interrupts, contextlib.closing(make_view(console)) as view:
        stack = Stack(pulse=interrupts.pulse, say=view.say, data_dir=data_dir)
        try:
            client = _start(stack, view, folder=folder, edge_toml=edge_toml, listen=listen)
            _watch(stack, view, client, interrupts)
        except Interrupted:
            view.say("Stopping ...")
        except StandaloneError as error:
            if not interrupts.pending:
                stack.keep_if_named(error)
                raise
            view.say("Stopping ...")
        finally:
            view.close()
            problems = stack.close()
    for problem in problems:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    return int(bool(problems))


def _start(stack: Stack, view: View, *, folder: Path, edge_toml: str, listen: str) -> CentralClient:
    view.say("Starting broker, database, central service, console and edge agent ...")
    try:
        keys = stack.start_keys()
        stack.start_servers()
        stack.import_registry(folder)
        trust = stack.trust(keys)
        api = stack.start_central()
        stack.start_jobs()
        client = CentralClient(api.url)
        client.forget_earlier_runs()
        view.say(f"Console  {stack.start_console(api, listen)}")
        view.say(f"API      {api.url}/api/v1/summary (all of it: /api/v1/openapi.json)")
        config = stack.run_dir / "edge.toml"
        config.write_text(with_broker(edge_toml, stack.broker.url, trust), encoding="utf-8")
        stack.wait_for_gate(client)
        stack.start_edge(config)
    except Interrupted:
        view.say("Stopped before there was anything to report.")
        raise
    return client


def _watch(stack: Stack, view: View, client: CentralClient, interrupts: Interrupts) -> None:
    watch = Watch(stack, client, view)
    with contextlib.closing(client):
        while True:
            interrupts.pulse()
            watch.look()
            time.sleep(_WATCH_EVERY_S)


def _make_data_dir(data_dir: Path) -> None:
    try:
        # PostgreSQL's user must be able to pass; what is inside has stricter modes of its own.
        data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{data_dir} can't be made ({error.strerror}): name another with --data-dir"
        ) from error
