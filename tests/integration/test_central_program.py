"""`stockgate-central` as its users run it: processes, real brokers, the system's own PostgreSQL."""

import asyncio
import contextlib
import json
import re
import signal
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from central import app
from central.config import CentralSettings
from central.storage.rebuild import projection_hash
from edge.contracts import topic
from tests.helpers.brokers import BROKERS
from tests.helpers.central import GATEWAY, SHEETS, central, envelope, epc, movement, registered_database
from tests.helpers.postgres import fresh_database, system_server
from tests.helpers.service import PATIENCE_S, service, wait

CONNECTIONS = 3
"""Of one service to its broker: ingest, the gate's publisher, and who gives commands."""
MOVEMENT, MARK = topic("hq", GATEWAY, "movement"), topic("hq", GATEWAY, "watermark")


def command(*arguments, status=0):
    """Run one command to its end and return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "central.cli", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def write_sheets(directory):
    for kind, text in SHEETS.items():
        (directory / f"{kind}.csv").write_text(text)
    (directory / "people.csv").write_text("id,name\nguard,A. Guard\n")


@contextlib.contextmanager
def gateway(port):
    """A gateway's MQTT client; yields (publish, marks)."""
    marks, up = [], []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="gateway-under-test")
    client.on_connect = lambda client, *_: client.subscribe(MARK, qos=1)
    client.on_subscribe = lambda *_: up.append(True)
    client.on_message = lambda _client, _data, message: marks.append(json.loads(message.payload))
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        wait(lambda: up)
        yield lambda payload: client.publish(MOVEMENT, payload, qos=1), marks
    finally:
        client.disconnect()
        client.loop_stop()


def main_job(tmp_path, dsn, port):
    """Migrate, import, run: a crossing comes by MQTT and stands in every list; the watermark promises it."""
    assert "applied migrations/0001_registry.sql" in command("migrate", "--dsn", dsn)
    assert "up to date" in command("migrate", "--dsn", dsn)
    write_sheets(tmp_path)
    assert "3 assets" in command("import", "--dsn", dsn, tmp_path)
    start = datetime.now(UTC)
    rows = [
        movement(1, final=False, start=start),
        movement(2, rev=2, start=start),
        movement(3, tag=epc(2), start=start),
    ]
    with service(tmp_path, dsn, f"mqtt://127.0.0.1:{port}") as (process, url, token), gateway(port) as (publish, marks):
        publish(envelope(rows))
        publish(b"no envelope")
        wait(lambda: marks and marks[-1]["streams"].get("movement", {}).get("upto") == 3)
        with httpx.Client(base_url=url, timeout=PATIENCE_S) as api:
            check_lists(api, token)
            crossing = envelope([movement(4, tag=epc(3), portal="main-entrance", start=start)])
            hear(url, lambda: publish(crossing), {"movement", "location"})
        wait(lambda: said(tmp_path).count("broker connected") == CONNECTIONS)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    # Ingest, commander and publisher connect when each of them comes to it.
    told = [event for event in said(tmp_path) if event not in {"gateways served", "broker connected"}]
    assert told == ["listening", "what this topic sends is quarantined", "stopped"]
    assert said(tmp_path).count("broker connected") == CONNECTIONS


def said(directory):
    """What the service logged so far."""
    whole = (directory / "central.log").read_text().rpartition("\n")[0]
    return [json.loads(line)["event"] for line in whole.splitlines()]


def check_lists(api, token):
    counts = {one["id"]: one["count"] for one in api.get("/api/v1/locations").json()["locations"]}
    assert counts == {"corridor": 3, "hq": 0, "hq-site": 0, "stockroom-a": 0, "street": 0}
    alert = api.get("/api/v1/alerts").json()["alerts"][0]
    assert (alert["asset"]["id"], alert["from"], alert["to"]) == ("LT-0001", "stockroom-a", "corridor")
    moved = api.get("/api/v1/assets/LT-0001/movements").json()["movements"]
    assert [(one["rev"], one["kind"], one["from"]) for one in moved] == [(2, "out", "stockroom-a")]
    listed = api.get("/api/v1/movements", params={"portal": "stockroom-a-door", "limit": 2}).json()["movements"]
    assert sorted((one["asset"], one["rev"]) for one in listed) == [("LT-0001", 2), ("LT-0002", 1)]
    assert moved[0] in listed
    doors = {one["id"]: (one["name"], one["inside"]) for one in api.get("/api/v1/portals").json()["portals"]}
    assert doors["stockroom-a-door"] == ("Stockroom door", "stockroom-a")
    taken = api.post(
        f"/api/v1/alerts/{alert['id']}/acknowledge",
        json={"by": "guard"},
        headers={"authorization": f"Bearer {token}"},
    )
    assert taken.json()["alert"]["state"] == "acknowledged"
    assert api.get("/api/v1/alerts").json()["alerts"] == []
    wait(lambda: api.get("/api/v1/quarantine").json()["items"])
    summary = api.get("/api/v1/summary").json()
    assert (summary["events"]["committed"], summary["events"]["duplicated"], summary["unauthorised_exits"]) == (3, 0, 1)
    found = [one["id"] for one in api.get("/api/v1/assets", params={"q": "40000000F3"}).json()["assets"]]
    assert found == ["LT-0003"]
    assert api.get("/healthz").json()["well"]


def hear(url, act, expected):
    """The feed beats at once and tells what an act leads to; returns the data of its locations."""
    with httpx.Client(base_url=url, timeout=PATIENCE_S) as api, api.stream("GET", "/api/v1/events") as feed:
        lines = feed.iter_lines()
        kinds, ids, places = set(), [], []
        deadline = time.monotonic() + PATIENCE_S
        for line in lines:
            assert time.monotonic() < deadline
            if line.startswith("id: "):
                ids.append(line[4:])
            if line == "event: heartbeat" and not kinds:
                act()
            kinds |= set(re.findall("^event: (.*)", line))
            if line.startswith("data: ") and "counted_at" in line:
                places.append(json.loads(line[6:]))
            if expected <= kinds and (places or "location" not in expected):
                break
    assert ids
    return places


def test_the_main_job_over_a_real_broker(tmp_path, broker):
    with fresh_database(migrated=False) as dsn:
        main_job(tmp_path, dsn, broker.port)


@pytest.mark.system("postgres")
def test_the_main_job_on_the_systems_own_postgresql(tmp_path, program):
    started = BROKERS["nats"](tmp_path)
    started.start()
    try:
        with system_server(program("postgres")) as server, fresh_database(server, migrated=False) as dsn:
            main_job(tmp_path, dsn, started.port)
    finally:
        started.stop()


async def test_a_rebuild_tells_the_hash_how_long_it_took_and_whether_it_changed(tmp_path):
    with registered_database() as dsn:
        async with central(dsn) as one:
            await one.take(movement(1), movement(2, tag=epc(2), kind="near"))
            wanted = await projection_hash(one.database)
            said = await asyncio.to_thread(command, "rebuild", "--dsn", dsn)
            assert re.fullmatch(rf"rebuilt in \d+\.\d s; hash {wanted}, as before\n", said)
            await one.sql("UPDATE asset_location SET location = 'street' WHERE asset = 'LT-0001'")
            spoiled = await projection_hash(one.database)
            said = await asyncio.to_thread(command, "rebuild", "--dsn", dsn)
            assert said.endswith(f" s; hash {wanted}, it was {spoiled} before\n")
            assert await projection_hash(one.database) == wanted


def test_a_connection_that_asks_nothing_is_kept_longer_than_clients_keep_it():
    """They keep one for up to a minute: were the service to close it first, what is asked just then had no answer."""
    settings = CentralSettings(dsn="x", listen="127.0.0.1:0")
    assert app._serving(settings, None).timeout_keep_alive > max(httpx.Limits().keepalive_expiry, 60)


def test_a_rebuild_without_a_schema_says_so_and_does_nothing():
    with fresh_database(migrated=False) as dsn:
        assert "nothing was rebuilt: " in command("rebuild", "--dsn", dsn, status=1)


def test_a_central_killed_and_started_again_tells_what_it_committed(tmp_path):
    """A new session brings the edge to send again; what was committed is not stored twice."""
    started = BROKERS["nats"](tmp_path)
    started.start()
    try:
        with fresh_database() as dsn:
            write_sheets(tmp_path)
            command("import", "--dsn", dsn, tmp_path)
            with gateway(started.port) as (publish, marks):
                with service(tmp_path, dsn, f"mqtt://127.0.0.1:{started.port}") as (process, *_):
                    publish(envelope([movement(1), movement(2, kind="near")]))
                    wait(lambda: marks and marks[-1]["streams"].get("movement", {}).get("upto") == 2)
                    process.kill()
                before = marks[-1]["session"]
                with service(tmp_path, dsn, f"mqtt://127.0.0.1:{started.port}") as (_, url, _token):
                    wait(lambda: marks[-1]["session"] != before)
                    assert marks[-1]["streams"]["movement"]["upto"] == 2
                    publish(envelope([movement(seq, kind="near", after_s=seq) for seq in (1, 2, 3)]))
                    wait(lambda: marks[-1]["streams"]["movement"]["upto"] == 3)
                    events = httpx.get(f"{url}/api/v1/summary", timeout=PATIENCE_S).json()["events"]
        assert (events["committed"], events["duplicated"]) == (3, 0)
    finally:
        started.stop()


def test_an_import_by_another_process_is_on_the_feed(tmp_path):
    """Nobody crossed a door, and yet a count changed: listeners hear of it."""
    started = BROKERS["nats"](tmp_path)
    started.start()
    try:
        with fresh_database() as dsn:
            write_sheets(tmp_path)
            command("import", "--dsn", dsn, tmp_path)
            sheet = tmp_path / "new" / "assets.csv"
            sheet.parent.mkdir()
            sheet.write_text("id,name,class,serial,location\nLT-0004,Laptop 4,laptop,,stockroom-a\n")
            with service(tmp_path, dsn, f"mqtt://127.0.0.1:{started.port}") as (_, url, _token):
                wait(lambda: httpx.get(f"{url}/healthz", timeout=PATIENCE_S).json()["well"])
                places = hear(url, lambda: command("import", "--dsn", dsn, sheet), {"location"})
            assert [(place["id"], place["count"]) for place in places] == [("stockroom-a", 3)]
    finally:
        started.stop()


def test_bad_input_exits_with_a_message_and_the_documented_status(tmp_path):
    (tmp_path / "tags.csv").write_text("epc,asset,role\nzz,LT-1,body\n")
    (tmp_path / "list.csv").touch()
    nowhere = "host=127.0.0.1 port=1 connect_timeout=1"
    with fresh_database() as dsn:
        told = command("import", "--dsn", dsn, tmp_path / "tags.csv", status=1)
        assert "tags.csv:2: epc: EPC 'zz' is not hexadecimal" in told
        assert "tags.csv:2: asset: there is no asset 'LT-1'" in told
        assert "2 problems, nothing was imported" in told
    assert "can't connect" in command("migrate", "--dsn", nowhere, status=1)
    missing = command("import", "--dsn", nowhere, tmp_path / "nodir", status=2)
    assert f"no such file or folder: {tmp_path / 'nodir'}" in missing
    assert "say --kind" in command("import", "--dsn", nowhere, tmp_path / "list.csv", status=2)
    assert "reachable from other machines" in command("run", "--dsn", nowhere, "--listen", "0.0.0.0:0", status=2)
    assert "dsn is missing" in command("run", status=2)


def start_on(dsn, tmp_path, *arguments):
    """What a start on an unfit database says before it ends."""
    return command(*arguments, "--dsn", dsn, "--mqtt", "mqtt://127.0.0.1:1", "--listen", "127.0.0.1:0",
                   "--data-dir", tmp_path / "data", status=1)  # fmt: skip


def test_a_database_without_our_schema_is_told_at_the_start_with_what_to_run(tmp_path):
    write_sheets(tmp_path)
    wanted = "the database has no Stockgate schema: run stockgate-central migrate --dsn …"
    with fresh_database(migrated=False) as dsn:
        assert start_on(dsn, tmp_path, "run").strip() == wanted
        assert wanted in command("import", "--dsn", dsn, tmp_path, status=1)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ("DELETE FROM schema_migration WHERE name > 'migrations/0002'", "older than this program"),
        ("INSERT INTO schema_migration (name, checksum) VALUES ('migrations/9999_later.sql', 'x')", "newer than this"),
    ],
)
def test_a_schema_of_another_version_is_told_at_the_start(tmp_path, change, wanted):
    write_sheets(tmp_path)
    with fresh_database() as dsn:
        with psycopg.connect(dsn) as connection:
            assert connection.execute(change).rowcount > 0
        assert wanted in start_on(dsn, tmp_path, "run")
        assert wanted in command("import", "--dsn", dsn, tmp_path, status=1)


def test_a_database_that_comes_after_the_start_is_looked_at_once_it_is_there(tmp_path):
    """The service waits for a database that isn't there yet; one without our schema then ends it with what to run."""
    with fresh_database(migrated=False) as dsn:
        server, later = psycopg.conninfo.conninfo_to_dict(dsn), f"sg_later_{uuid.uuid4().hex[:12]}"
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "central.cli", "run", "--dsn", psycopg.conninfo.make_conninfo(dsn, dbname=later),
                 "--mqtt", "mqtt://127.0.0.1:1", "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data"],
                stderr=log,
            )  # fmt: skip
        try:
            wait(lambda: b"listening" in (tmp_path / "log").read_bytes())
            time.sleep(8.0)  # long enough for the pool to have given up once
            assert process.poll() is None
            with psycopg.connect(**server, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {later}")
                assert process.wait(PATIENCE_S) == 1
                connection.execute(f"DROP DATABASE {later} WITH (FORCE)")
        finally:
            process.kill()
            process.wait()
    assert b"the database has no Stockgate schema: run stockgate-central migrate" in (tmp_path / "log").read_bytes()


def test_the_version_is_told():
    assert command("--version").startswith("stockgate-central ")
