"""The job worker: its queue's schema, jobs by an injected clock, several workers, kill -9 and a clean stop."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.schema import SchemaManager

from central.application.errors import StoreUnavailable
from central.application.loans import NewLoan, open_loan
from central.jobs.queue import Job, Queue
from central.jobs.tasks import jobs
from central.storage.calendars import PgCalendars
from tests.helpers.central import central
from tests.helpers.postgres import fresh_database

FRIDAY = datetime(2026, 3, 6, 12, tzinfo=UTC)
LOANS_FIRED = "SELECT count(*) FROM act WHERE kind = 'deadline_fired' AND subject ~ '^loan/'"
LOAN = NewLoan("L-1", "LT-0001", "borrower", "INC-7", "hq", date(2026, 3, 10), FRIDAY, "desk")
CATALOGUE = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_name ~ '^procrastinate' ORDER BY 1, 2",
    "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE proname ~ '^procrastinate' ORDER BY 1, 2",
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename ~ '^procrastinate' ORDER BY 1",
)


@pytest.fixture
async def one(dsn):
    async with central(dsn) as one:
        await one.sql("INSERT INTO person (id, name) VALUES ('borrower', 'B'), ('desk', 'D')")
        yield one


async def enqueue(queue, name):
    """Put a job into the queue, unless the real clock has just done so."""
    with contextlib.suppress(AlreadyEnqueued):
        await queue.app.configure_task(name).defer_async(timestamp=0)


def test_the_queues_schema_by_our_runner_equals_its_own(dsn):
    with fresh_database(migrated=False) as plain, psycopg.connect(plain) as theirs, psycopg.connect(dsn) as ours:
        theirs.execute(SchemaManager.get_schema())
        for query in CATALOGUE:
            found = ours.execute(query).fetchall()
            assert found == theirs.execute(query).fetchall()
            assert found


async def test_jobs_go_by_the_clock_that_they_are_given(one):
    """The queue's own ticks come from the real clock; what is due is asked of ours."""
    await open_loan(one.log, LOAN, FRIDAY)
    clock = [FRIDAY]
    queue = Queue(one.database.pool, jobs(one.log, one.book, PgCalendars(one.database), lambda: clock[0]))
    fired = []
    for now in (FRIDAY, datetime(2026, 3, 10, 23, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)):
        clock[0] = now
        await queue.app.open_async(one.database.pool)
        await enqueue(queue, "deadlines")
        await queue.run_waiting()
        fired += await one.sql("SELECT count(*) FROM act WHERE kind = 'deadline_fired'")
    assert fired == [(0,), (0,), (2,)]
    assert await one.sql("SELECT count(*) FROM procrastinate_jobs WHERE status NOT IN ('todo')") == [(0,)]


async def test_a_job_that_fails_is_told_once_and_goes_on(one, capsys):
    outcomes = iter([StoreUnavailable("gone"), StoreUnavailable("gone"), ""])

    async def shaky():
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    queue = Queue(one.database.pool, [Job("shaky", "0 0 1 1 *", shaky)])
    await queue.app.open_async(one.database.pool)
    for _ in range(3):
        await enqueue(queue, "shaky")
        await queue.run_waiting()
    told = capsys.readouterr().out
    assert (told.count("job failed"), told.count("job works again")) == (1, 1)


async def test_a_job_whose_worker_was_killed_is_queued_again(one):
    """A worker that died without a word has left its job begun; another one's housekeeping gives it back."""
    ran = []

    async def once():
        ran.append(1)
        return ""

    queue = Queue(one.database.pool, [Job("once", "0 0 1 1 *", once)])
    await queue.app.open_async(one.database.pool)
    await enqueue(queue, "once")
    dead = await queue.app.job_manager.register_worker()
    await queue.app.job_manager.fetch_job(["stockgate"], dead)
    await one.sql("UPDATE procrastinate_workers SET last_heartbeat = now() - INTERVAL '1 hour'")
    await enqueue(queue, "housekeeping")
    await queue.run_waiting()
    await queue.run_waiting()
    assert ran == [1]


def worker(dsn, log):
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "central.cli", "jobs", "--dsn", dsn], stderr=out)


def wait(true, timeout_s=90.0):
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def events(log):
    return [json.loads(line)["event"] for line in log.read_text().splitlines()]


async def test_two_workers_one_killed_and_each_deadline_fires_once(one, dsn, tmp_path):
    """The kill hits a worker that works; the other one does the rest and stops cleanly when told."""
    now = datetime.now(UTC)
    begun, due = now - timedelta(days=40), (now - timedelta(days=30)).date()
    for number in (1, 2, 3):
        loan = NewLoan(f"L-{number}", f"LT-000{number}", "borrower", "INC-7", "hq", due, begun, "desk")
        await open_loan(one.log, loan, now)
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    processes = [worker(dsn, log) for log in logs]
    try:
        await asyncio.to_thread(wait, lambda: all(log.exists() and "jobs run" in log.read_text() for log in logs))
        processes[0].kill()
        queue = Queue(one.database.pool, jobs(one.log, one.book, PgCalendars(one.database), lambda: now))
        await queue.app.open_async(one.database.pool)
        await enqueue(queue, "deadlines")
        async with asyncio.timeout(90):
            while await one.sql(LOANS_FIRED) != [(12,)]:  # noqa: ASYNC110 (it happens in another program)
                await asyncio.sleep(0.1)
        processes[1].send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(processes[1].wait, 30) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert await one.sql(LOANS_FIRED) == [(12,)]
    assert events(logs[1])[-1] == "stopped"


def test_a_worker_on_a_database_without_our_schema_says_what_to_run(tmp_path):
    with fresh_database(migrated=False) as dsn:
        process = worker(dsn, tmp_path / "log")
        try:
            assert process.wait(120) == 1
        finally:
            process.kill()
            process.wait()
    assert "run stockgate-central migrate" in (tmp_path / "log").read_text()
