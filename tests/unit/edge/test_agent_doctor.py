"""`stockgate-edge doctor`: what is wrong, in plain words, with what to do."""

import asyncio
import errno
import json
import os
import sqlite3
import ssl
import struct

import msgspec
import pytest
import structlog

from edge import config
from edge.agent import doctor, doctor_store
from edge.agent.doctor import Wish, examine, run_doctor
from edge.agent.doctor_readers import reader_faults
from edge.agent.doctor_store import folder_faults, outbox_faults
from edge.agent.kernel_cache import Kernels
from edge.agent.status_socket import StatusServer
from edge.agent.trial_files import TrialFiles
from edge.contracts import LossRow, instant
from edge.outbox import SqliteOutbox, inspect
from edge.uplink import UplinkSettings, try_broker
from tests.helpers.authority import Authority
from tests.helpers.brokers import free_port
from tests.helpers.fake_reader import FakeReader, attempt, message, status, tlv
from tests.helpers.supervised import port_that
from tests.unit.edge.test_agent_status import ON_TRIAL, WELL

CONFIG = """
site = "hq"
gateway = "g1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {reader}
region = "us"
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
antennas = [
  {{ reader = "r1", port = 1, side = "inside", gain_dbi = 8, cable_db = 1 }},
  {{ reader = "r1", port = 3, side = "outside", gain_dbi = 8, cable_db = 1 }},
]
[mqtt]
url = "mqtt://127.0.0.1:{broker}"
[agent]
data_dir = "data"
[outbox]
max_mib = 16
"""
LOSS = LossRow(seq=0, reader="r1", reason="test", from_=instant(0), to=instant(1), count=1)
CONNACK = {"welcome": b"\x20\x02\x00\x00", "bad password": b"\x20\x02\x00\x04", "not authorised": b"\x20\x02\x00\x05"}


def settings(port, scheme="mqtt", **more):
    return UplinkSettings(url=f"{scheme}://127.0.0.1:{port}", **more)


def broker_that(answer, **how):
    """Serve a broker that answers a CONNECT so, and then waits for the end; None: it says nothing."""

    async def talk(reader, writer):
        if not await reader.read(100):
            return
        if answer is not None:
            writer.write(answer)
        if answer != b"":
            await reader.read()
        writer.close()

    return port_that(talk, **how)


async def _try(knobs, *, timeout_s=60.0):
    """Try a broker; the default is for those that answer, and runs out for none."""
    return await asyncio.to_thread(try_broker, knobs, client_id="trial", timeout_s=timeout_s)


async def test_broker_that_welcomes_us_is_well():
    async with broker_that(CONNACK["welcome"]) as port:
        assert (await _try(settings(port))).step == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (CONNACK["bad password"], "refuses us"),
        (CONNACK["not authorised"], "refuses us"),
        (b"", "is it an MQTT broker?"),
        (None, "does not greet us within 2 s"),
    ],
)
async def test_broker_that_refuses_or_stays_silent_is_told(answer, said):
    async with broker_that(answer) as port:
        tried = await _try(settings(port), timeout_s=2.0 if answer is None else 60.0)
    assert (tried.step, said in tried.what) == ("mqtt", True), tried
    assert tried.do


async def test_broker_that_is_not_there_or_has_no_name_is_told():
    tried = await _try(settings(free_port()))
    assert (tried.step, "can't be reached" in tried.what) == ("network", True)
    tried = await _try(UplinkSettings(url="mqtt://no-such-broker.invalid"))
    assert (tried.step, "no-such-broker.invalid is not known" in tried.what) == ("name", True)


async def test_certificate_that_is_not_believed_is_told_and_one_that_is_passes(tmp_path):
    (tmp_path / "other").mkdir()
    site, other = Authority(tmp_path), Authority(tmp_path / "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*site.pair("broker"))
    async with broker_that(CONNACK["welcome"], tls=context) as port:
        believed = await _try(settings(port, "mqtts", ca_file=site.ca_file))
        refused = await _try(settings(port, "mqtts", ca_file=other.ca_file))
    assert believed.step == ""
    assert (refused.step, "its certificate is not believed" in refused.what) == ("tls", True)
    assert "ca_file" in refused.do


@pytest.mark.parametrize("answer", [CONNACK["welcome"], b"", None])
async def test_tls_to_a_broker_without_it_is_told(tmp_path, answer):
    """Whether it answers, hangs up or stays silent."""
    async with broker_that(answer) as port:
        tried = await _try(settings(port, "mqtts", ca_file=Authority(tmp_path).ca_file), timeout_s=2.0)
    assert (tried.step, "speaks no TLS" in tried.what) == ("tls", True)


@pytest.fixture
def outbox_file(tmp_path):
    """An outbox with two rows that wait since the epoch."""
    file = tmp_path / "data" / "outbox.db"
    outbox = SqliteOutbox(file, now_us=lambda: 0)
    outbox.append("movement", [LOSS, LOSS])
    outbox.close()
    return file


def test_outbox_with_an_old_backlog_is_told_with_its_age(outbox_file):
    (fault,) = outbox_faults(outbox_file, now_us=4 * 86_400_000_000)
    assert (fault.severity, fault.about) == ("bad", "backlog")
    assert "2 movement rows wait, the oldest for 4 days" in fault.what
    assert list(outbox_faults(outbox_file, now_us=1_000_000)) == [], "an event may wait for a second"


def test_outbox_is_looked_at_without_changing_it(outbox_file):
    before = outbox_file.read_bytes()
    found = inspect(outbox_file)
    assert outbox_file.read_bytes() == before
    assert (found.damage, found.layout, found.whole) == ("", 1, True)
    assert [(one.stream, one.pending) for one in found.waiting] == [("movement", 2), ("presence", 0)]


def test_damaged_outbox_is_told(outbox_file):
    outbox_file.write_bytes(b"no database at all " * 500)
    (fault,) = outbox_faults(outbox_file, now_us=0)
    assert "is damaged" in fault.what
    assert "sets the file aside" in fault.do


def test_outbox_of_a_newer_version_is_told(outbox_file):
    with sqlite3.connect(outbox_file) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    (fault,) = outbox_faults(outbox_file, now_us=0)
    assert "has layout 9" in fault.what


def test_outbox_too_large_to_be_read_whole_in_time_is_said(outbox_file):
    """The look breaks off; what waits is told all the same."""
    outbox = SqliteOutbox(outbox_file, now_us=lambda: 0)
    for _ in range(40):
        outbox.append("movement", [LOSS] * 200)
    outbox.close()
    found = inspect(outbox_file, look_s=-1.0)
    assert not found.whole
    assert found.waiting[0].pending == 8_002


def test_files_that_were_set_aside_are_told(outbox_file):
    outbox_file.with_name("outbox.db.damaged-170").write_bytes(b"")
    faults = list(outbox_faults(outbox_file, now_us=0))
    assert "1 damaged files were set aside" in faults[0].what


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.EROFS, "remount it"), (errno.ENOSPC, "free space"), (errno.EACCES, "agent's user"), (errno.EIO, "dmesg")],
)
def test_data_directory_that_cannot_be_written_says_what_to_do(monkeypatch, tmp_path, number, said):
    def refuse(**_how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(doctor_store.tempfile, "TemporaryFile", refuse)
    (fault,) = folder_faults(tmp_path, max_bytes=1)
    assert fault.severity == "bad"
    assert os.strerror(number) in fault.what
    assert said in fault.do


def test_data_directory_and_outbox_that_others_can_read_are_told(outbox_file):
    folder = outbox_file.parent
    assert list(folder_faults(folder, max_bytes=1)) == [], "as the agent makes them"
    folder.chmod(0o755)
    outbox_file.chmod(0o644)
    faults = list(folder_faults(folder, max_bytes=1))
    assert [(one.severity, one.do) for one in faults] == [
        ("see to", f"chmod 700 {folder}"),
        ("see to", f"chmod 600 {outbox_file}"),
    ]


def test_disk_smaller_than_the_outbox_may_become_is_told(tmp_path):
    (fault,) = folder_faults(tmp_path, max_bytes=1 << 60)
    assert (fault.severity, "max_mib" in fault.do) == ("see to", True)
    assert list(folder_faults(tmp_path, max_bytes=1)) == []
    assert [one.severity for one in folder_faults(tmp_path / "new", max_bytes=1)] == ["note"]
    assert list(tmp_path.iterdir()) == [], "nothing is left"


def _config(folder, reader, broker=1):
    (folder / "edge.toml").write_text(CONFIG.format(reader=reader, broker=broker))
    return config.load(folder / "edge.toml")


async def _readers(folder, port, **how):
    return await reader_faults(_config(folder, port), base=folder, timeout_s=60.0, listen_s=how.get("listen_s", 0.0))


def _reader(unplugged=()):
    """A reader that answers all that a look asks: its antennas' properties, and that no ROSpec is left."""
    ports = (tlv(221, struct.pack("!BHh", (port not in unplugged) << 7, port, 600)) for port in (1, 2, 3, 4))
    told = status() + b"".join(ports)
    return FakeReader(
        refuse={
            2: lambda message_id, _payload: message(12, message_id, told),
            26: lambda message_id, _payload: message(36, message_id, status()),
        }
    )


async def test_reader_with_an_open_cable_is_told_by_its_port(tmp_path):
    async with _reader(unplugged={3}) as reader:
        faults = await _readers(tmp_path, reader.port)
    assert any(fault.severity == "bad" and "antenna 3: not connected" in fault.what for fault in faults), faults
    assert any(fault.severity == "note" and "antennas were not tried" in fault.what for fault in faults)


async def test_antenna_without_reads_is_told_where_it_was_tried(tmp_path):
    async with _reader() as reader:
        faults = await _readers(tmp_path, reader.port, listen_s=0.1)
    assert any("no antenna heard a tag" in fault.what for fault in faults), faults


async def test_reader_that_another_client_holds_is_told(tmp_path):
    async with FakeReader(greeting=attempt(4)) as reader:
        faults = await _readers(tmp_path, reader.port)
    assert [fault.severity for fault in faults] == ["bad"]
    assert "stop the other client" in faults[0].do


async def test_reader_that_is_not_there_is_told(tmp_path):
    (fault,) = await _readers(tmp_path, free_port())
    assert "can't be reached" in fault.what


async def test_doctor_of_a_well_agent_asks_it_and_looks_at_nothing_that_it_holds(tmp_path, capsys):
    """Neither reader nor broker is there: who is asked is the agent."""
    _config(tmp_path, reader=1)
    (tmp_path / "data").mkdir()
    async with StatusServer(tmp_path / "data", lambda: WELL, log=structlog.get_logger()):
        code = await asyncio.to_thread(run_doctor, tmp_path / "edge.toml", None, Wish(as_json=True))
    document = json.loads(capsys.readouterr().out)
    assert [fault for fault in document["found"] if fault["severity"] == "bad"] == []
    assert (code, document["exit_code"]) == (code, code)
    assert any("running agent" in part for part in document["looked_at"])


def test_doctor_says_which_step_to_the_broker_fails_for_a_running_agent_too(tmp_path, monkeypatch):
    """The agent only knows that it doesn't get through."""
    offline = msgspec.structs.replace(WELL, health=msgspec.structs.replace(WELL.health, uplink="offline"))
    monkeypatch.setattr(doctor, "_ask", lambda _: (offline, []))
    (tmp_path / "edge.toml").write_text(CONFIG.format(reader=1, broker=free_port()))
    faults = examine(tmp_path / "edge.toml", None, Wish())[1]
    assert [one.what for one in faults if one.about.startswith("broker 127.0.0.1")] == [
        "can't be reached (Connection refused)"
    ]


def test_doctor_without_an_agent_looks_at_everything_itself(tmp_path, capsys, monkeypatch, outbox_file):
    monkeypatch.setattr(doctor_store, "warm_up", lambda: None)
    told = Kernels(seconds=9.0, compiled=3, loaded=0, folder="/cache")
    monkeypatch.setattr(doctor_store, "kernels_so_far", lambda _seconds: told)
    _config(tmp_path, reader=free_port(), broker=free_port())
    assert outbox_file.exists()
    assert run_doctor(tmp_path / "edge.toml", None, Wish(timeout_s=1.0)) == 2
    said = " ".join(capsys.readouterr().out.split())
    for part in ("no agent runs over", "broker 127.0.0.1", "reader r1", "3 were not in the cache", "movement rows"):
        assert part in said
    assert "looked at: configuration, data directory, disk, clock" in said


@pytest.mark.parametrize(("running", "said"), [(True, "the disk could not take that"), (False, "ended while")])
def test_trial_that_nobody_has_ended_is_told_and_one_that_goes_on_is_not(tmp_path, monkeypatch, running, said):
    """The file holds what was pushed, and the next start takes it back: whoever looks at the file must know."""
    path = tmp_path / "edge.toml"
    before, pushed = (CONFIG.format(reader=1, broker=1) + more for more in ("", "[log]\nmib = 8\n"))
    path.write_text(before)
    note = TrialFiles(path).begin(before.encode(), pushed.encode(), name="configure", nonce="n")
    monkeypatch.setattr(doctor, "reader_faults", _no_faults)
    monkeypatch.setattr(doctor, "_broker_faults", lambda *_: [])

    def told(status):
        monkeypatch.setattr(doctor, "_ask", lambda _: (status, []))
        return [one for one in examine(path, None, Wish())[1] if "pushed" in one.what]

    [fault] = told(WELL if running else None)
    assert (fault.severity, said in fault.what, "edge.toml.before" in fault.what) == ("see to", True, True)
    [going_on] = told(msgspec.structs.replace(WELL, trial=ON_TRIAL))
    assert (going_on.severity, "within 42 s, the one before is taken back" in going_on.what) == ("note", True)
    TrialFiles(path).end(note, problem="", result={})
    assert not told(WELL if running else None)


async def _no_faults(*_, **__):
    return []


def test_configuration_that_cannot_be_used_is_all_that_is_told(tmp_path, capsys):
    (tmp_path / "edge.toml").write_text("site = 1\n")
    assert run_doctor(tmp_path / "edge.toml", None, Wish()) == 2
    assert "looked at: configuration\n" in capsys.readouterr().out


def test_clock_before_the_program_was_written_is_told(tmp_path, monkeypatch):
    """A board without a battery starts in 1970, or where it was switched off."""
    monkeypatch.setattr(doctor.time, "time", lambda: 0.0)
    monkeypatch.setattr(doctor_store, "warm_up", lambda: None)
    _config(tmp_path, reader=free_port(), broker=free_port())
    _, faults = examine(tmp_path / "edge.toml", None, Wish(timeout_s=0.5))
    assert any("believes that it is 1970" in fault.what for fault in faults)


def test_kernels_that_cannot_be_kept_are_told(monkeypatch):
    def refuse():
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(doctor_store, "warm_up", refuse)
    (fault,) = doctor_store.kernel_faults()
    assert "NUMBA_CACHE_DIR" in fault.do


@pytest.mark.parametrize(("days", "severity"), [(3.0, ["see to"]), (-1.0, ["bad"]), (25.0, [])])
def test_own_certificate_that_runs_out_is_told(tmp_path, days, severity):
    certificate, key = Authority(tmp_path).pair("gateway", days=days)
    text = CONFIG.format(reader=1, broker=free_port()).replace("mqtt://", "mqtts://")
    broker = f'ca_file = "ca.pem"\ncertificate_file = "{certificate.name}"\nkey_file = "{key.name}"\n[agent]'
    (tmp_path / "edge.toml").write_text(text.replace("[agent]", broker))
    faults = doctor._broker_faults(config.load(tmp_path / "edge.toml"), tmp_path, 1.0)
    assert [fault.severity for fault in faults if "our certificate" in fault.what] == severity
