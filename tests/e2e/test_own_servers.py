"""The main job on servers that are not ours: a private Mosquitto and the system's PostgreSQL."""

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.helpers.brokers import Mosquitto
from tests.helpers.postgres import fresh_database, system_server

STOCKGATE = str(Path(sys.executable).with_name("stockgate"))


def demo(*options):
    """Run the demo to its end and return exit status, output and the figures of its last line."""
    command = [STOCKGATE, "demo", "--seconds", "25", *options]
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240, check=False
    )
    last = ended.stdout.splitlines()[-1]
    return ended.returncode, ended.stdout, json.loads(last) if last.startswith("{") else None


@pytest.mark.system("mosquitto", "postgres")
def test_main_job_runs_on_mosquitto_and_the_systems_postgresql(tmp_path, program):
    """Nothing is lost or doubled, and the alert is raised, without NATS and without the embedded database."""
    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        with system_server(program("postgres")) as server, fresh_database(server, migrated=False) as dsn:
            status, output, figures = demo("--mqtt", broker.url, "--dsn", dsn)
            with psycopg.connect(dsn) as connection:
                stored = connection.execute("SELECT count(*) FROM passage WHERE final").fetchone()[0]
    finally:
        broker.stop()
    assert status == 0, output
    assert (figures["events_lost"], figures["events_duplicated"]) == (0, 0)
    assert figures["reads"] == figures["truth"]["reads"] > 0
    assert figures["movements"] == stored > 0
    assert figures["unauthorised_exits"] == figures["truth"]["unauthorised_exits"] >= 1
    assert figures["counts"] == figures["truth"]["counts"]


def test_a_database_with_tables_in_it_is_refused():
    """Samples must not mix with somebody's data."""
    with fresh_database() as dsn:
        status, output, _ = demo("--dsn", dsn)
    assert status == 1
    assert "holds" in output
    assert "give the demo an empty one" in output
