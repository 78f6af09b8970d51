"""The migration runner on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from central.storage import migrate as runner
from central.storage.migrate import Migration, MigrationError, load, migrate
from tests.helpers.postgres import fresh_database


@pytest.fixture
def dsn():
    with fresh_database(migrated=False) as dsn:
        yield dsn


def test_migrations_run_once_and_in_their_order(dsn):
    names = [step.name for step in load("migrations")]
    assert migrate(dsn)[: len(names)] == names
    assert migrate(dsn) == []


def test_two_that_migrate_at_once_apply_each_step_once(dsn):
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(dsn), range(4)))
    assert sorted(map(bool, applied)) == [False, False, False, True]


def test_a_changed_old_migration_is_refused_by_name(dsn, monkeypatch):
    migrate(dsn)
    changed = [Migration(step.name, step.text + "-- changed") for step in load("migrations")]
    monkeypatch.setattr(runner, "load", lambda folder: changed if folder == "migrations" else load(folder))
    with pytest.raises(MigrationError, match=r"0001_registry\.sql was changed after it was applied"):
        migrate(dsn)


def test_a_database_of_a_newer_program_is_refused(dsn):
    migrate(dsn)
    with psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO schema_migration (name, checksum) VALUES ('migrations/9999_later.sql', 'x')")
    with pytest.raises(MigrationError, match=r"9999_later.*update Stockgate"):
        migrate(dsn)


def test_a_failing_migration_is_taken_back_whole(dsn, monkeypatch):
    steps = [*load("migrations"), Migration("migrations/0999_bad.sql", "CREATE TABLE half (id int); SELECT nonsense")]
    monkeypatch.setattr(runner, "load", lambda folder: steps if folder == "migrations" else load(folder))
    with pytest.raises(MigrationError, match=r"0999_bad\.sql failed and was taken back"):
        migrate(dsn)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT to_regclass('half'), to_regclass('movement') IS NOT NULL").fetchone() == (
            None,
            True,
        )


def test_a_server_that_is_not_there_is_told():
    with pytest.raises(MigrationError, match="can't connect"):
        migrate("host=127.0.0.1 port=1 connect_timeout=2")
