"""A filled database of an older program is brought up to date and keeps all that it holds."""

import psycopg
import pytest

from central.application.upkeep import tell_due
from central.storage import migrate as runner
from central.storage.migrate import load, migrate
from central.storage.rebuild import projection_hash, rebuild
from tests.helpers.central import START, central
from tests.helpers.postgres import fresh_database

OLD = """
INSERT INTO location VALUES ('hq', 'HQ', 'building', NULL, true);
INSERT INTO asset VALUES ('LT-1', 'Laptop', 'laptop', 'S1'), ('LT-2', 'Laptop', 'laptop', NULL);
INSERT INTO tag (epc, asset, role, registered_at) VALUES ('3034', 'LT-1', 'body', '2026-01-01Z');
INSERT INTO authorisation VALUES ('A', 'LT-1', 'hq', NULL, NULL, '', '2026-01-01Z');
INSERT INTO act (at, kind, asset, location, by) VALUES ('2026-01-02Z', 'placed', 'LT-1', 'hq', 'import');
"""


def test_a_filled_registry_of_before_the_axes_keeps_its_acts_tags_and_serials(monkeypatch):
    whole = load("migrations")
    before = [step for step in whole if step.name < "migrations/0005"]
    with fresh_database(migrated=False) as dsn:
        monkeypatch.setattr(runner, "load", lambda folder: before if folder == "migrations" else [])
        migrate(dsn)
        with psycopg.connect(dsn) as connection:
            connection.execute(OLD)
        monkeypatch.undo()
        assert migrate(dsn)
        with psycopg.connect(dsn) as connection:
            rows = connection.execute("SELECT kind, recorded_at = at FROM act_standing").fetchall()
            assert rows == [("placed", True)]
            bound = "SELECT epc, asset, state, bound_from = 'epoch', bound_to FROM tag"
            assert connection.execute(bound).fetchall() == [("3034", "LT-1", "active", True, None)]
            assert connection.execute("SELECT asset, serial, to_at FROM asset_serial").fetchall() == [
                ("LT-1", "S1", None)
            ]
            assert connection.execute("SELECT kind FROM authorisation").fetchall() == [("standing",)]


def test_measured_stays_keep_their_cohort_and_what_is_carried_begins_as_what_came(monkeypatch):
    before = [step for step in load("migrations") if step.name < "migrations/0025"]
    with fresh_database(migrated=False) as dsn:
        monkeypatch.setattr(runner, "load", lambda folder: before if folder == "migrations" else [])
        migrate(dsn)
        with psycopg.connect(dsn) as connection:
            connection.execute("INSERT INTO location (id, name, kind, guarded) VALUES ('hq', 'HQ', 'building', true)")
            connection.execute(
                "INSERT INTO place_stay (location, recorded, hours, gone, unseen, patience_h, as_of) VALUES"
                " ('hq', true, '{9}', '{0.1}', 0.1, 90, '2026-01-02Z'),"
                " ('hq', false, '{8}', '{0.5}', 0.1, 8, '2026-01-02Z')"
            )
        monkeypatch.undo()
        migrate(dsn)
        with psycopg.connect(dsn) as connection:
            found = connection.execute("SELECT cohort, hours, patience_h FROM place_stay ORDER BY 1").fetchall()
            assert found == [("arrived", [8.0], 8.0), ("carried", [8.0], 8.0), ("recorded", [9.0], 90.0)]


VERIFIED = """
INSERT INTO location (id, name, kind, guarded) VALUES ('hq', 'HQ', 'building', true), ('away', 'A', 'building', true);
INSERT INTO person (id, name) VALUES ('ann', 'Ann');
INSERT INTO asset (id, name, class) SELECT 'A-' || n, 'Laptop', 'laptop' FROM generate_series(1, 3) AS n;
INSERT INTO act (at, recorded_at, kind, asset, location, by)
SELECT '2026-01-02Z', '2026-01-02Z', 'placed', id, 'hq', 'import' FROM asset;
INSERT INTO asset_location (asset, location, since, confidence, basis)
SELECT id, 'hq', '2026-01-02Z', 1, 'recorded' FROM asset;
INSERT INTO location_counter (location, shard, count, counted_at) VALUES ('hq', 0, 3, '2026-01-02Z');
INSERT INTO act (at, recorded_at, kind, asset, location, by, detail) VALUES
('2026-01-03Z', '2026-01-03Z', 'asset_verified', 'A-1', 'away', 'ann', '{"grade": "barcode", "how": "scan"}'),
('2026-01-03Z', '2026-01-03Z', 'asset_verified', 'A-2', 'away', 'ann', '{"grade": "tag_seen", "how": "scan"}');
"""


async def test_what_was_verified_before_verifications_moved_anything_is_told_once_as_a_rebuild_tells_it(monkeypatch):
    before = [step for step in load("migrations") if step.name < "migrations/0038"]
    with fresh_database(migrated=False) as dsn:
        monkeypatch.setattr(runner, "load", lambda folder: before if folder == "migrations" else [])
        migrate(dsn)
        with psycopg.connect(dsn) as connection:
            connection.execute(VERIFIED)
        monkeypatch.undo()
        migrate(dsn)
        async with central(dsn) as one:
            assert await one.where("A-1") == "hq"
            old = await projection_hash(one.database)
            assert await tell_due(one.upkeep, None, START) == 1
            assert [await one.where(f"A-{n}") for n in (1, 2, 3)] == ["away", "hq", "hq"]
            live = await projection_hash(one.database)
            await rebuild(one.database, START)
            assert await projection_hash(one.database) == live != old
            assert await tell_due(one.upkeep, None, START) == 0


ASSETS = 2000
WORK = """
INSERT INTO location (id, name, kind, guarded) VALUES ('hq', 'HQ', 'building', true);
INSERT INTO person (id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob');
INSERT INTO asset (id, name, class, parent, parent_since)
SELECT 'A-' || n, 'Laptop', 'laptop', CASE WHEN n %% 10 = 3 THEN 'A-' || (n - 2) END,
       CASE WHEN n %% 10 = 3 THEN '2026-01-01Z'::timestamptz END
FROM generate_series(1, %(assets)s) AS n;
INSERT INTO asset_state (asset, lifecycle, lifecycle_since, custody_kind, custodian, custody_since, title, holds)
SELECT 'A-' || n, CASE WHEN n %% 100 = 1 THEN 'disposed' ELSE 'in_use' END, '2026-01-01Z', 'person', 'ann',
       '2026-01-01Z', 'owned', '{}' FROM generate_series(1, %(assets)s, 10) AS n;
INSERT INTO loan (id, asset, person, incident, location, opened_at, due_on, due_at, calendar, returned_at)
SELECT 'L-' || n, 'A-' || n, 'bob', 'INC', 'hq', '2026-01-01Z', '2026-02-01', '2026-02-01Z', 'c',
       CASE WHEN n %% 20 = 2 THEN '2026-01-20Z'::timestamptz END
FROM generate_series(2, %(assets)s, 10) AS n;
INSERT INTO act (at, recorded_at, kind, asset, location, by)
SELECT '2026-01-02Z', '2026-01-02Z', 'placed', 'A-' || n, 'hq', 'import' FROM generate_series(1, %(assets)s) AS n;
INSERT INTO gateway_command (nonce, gateway, name, args, by, key, given_at, expires_at, answer_by)
SELECT md5(n::text), 'gone-1', 'capture', '{}', 'ann', 'k', '2026-01-01Z', '2026-01-01 00:05Z', '2026-01-01 00:10Z'
FROM generate_series(1, %(assets)s) AS n;
"""
BOOKS = """
INSERT INTO book_snapshot (book, location, taken_at, complete, digest, by, recorded_at, withdrawn_at)
SELECT b, 'hq', '2026-01-03Z', '{*}', repeat('0', 64), 'ann', '2026-01-03Z', w
FROM (VALUES ('far', NULL), ('hrms', NULL), ('hrms', '2026-01-04Z'::timestamptz)) AS s (b, w);
INSERT INTO book_row (snapshot, line, id, asset, serial, active, person, cost_centre, name)
SELECT s.id, n + 1, 'R-' || n, NULL, 'S' || n, n %% 2 = 0, NULL, '', ''
FROM book_snapshot AS s, generate_series(1, %(assets)s) AS n;
INSERT INTO gateway_capture (command, token_hash, max_bytes, expires_at, received_at, bytes, sha256, dropped_at)
SELECT id, decode(md5(id::text) || md5(id::text), 'hex'), 9, '2026-01-01 00:05Z', r, CASE WHEN r IS NOT NULL THEN 9 END,
       CASE WHEN r IS NOT NULL THEN repeat('a', 64) END, CASE WHEN id %% 3 = 0 THEN r END
FROM gateway_command, LATERAL (SELECT CASE WHEN id %% 2 = 0 THEN '2026-01-01 00:02Z'::timestamptz END AS r) AS t;
"""


def test_commands_books_loans_and_custody_of_a_filled_database_are_kept_and_told_as_what_people_answer_for(monkeypatch):
    """Captures, books and leavers came to databases that were at work; each of the steps finds its tables filled."""
    whole = load("migrations")
    with fresh_database(migrated=False) as dsn:
        for until, fill in (("0027", WORK), ("0030", BOOKS)):
            before = [step for step in whole if step.name < f"migrations/{until}"]
            monkeypatch.setattr(runner, "load", lambda folder, some=before: some if folder == "migrations" else [])
            migrate(dsn)
            with psycopg.connect(dsn, cursor_factory=psycopg.ClientCursor) as connection:
                connection.execute(fill, {"assets": ASSETS})
        monkeypatch.undo()
        assert migrate(dsn)
        with psycopg.connect(dsn) as connection:
            for table, times in (("book_row", 3), ("gateway_command", 1), ("gateway_capture", 1), ("act", 1)):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(times * ASSETS,)]  # noqa: S608
            assert connection.execute("SELECT count(*) FROM book_row WHERE leaves_on IS NULL").fetchone() == (
                3 * ASSETS,
            )
            held = "SELECT how ~ '^part', person, count(*) FROM person_holding GROUP BY 1, 2 ORDER BY 1, 2"
            disposed = ASSETS // 100
            assert connection.execute(held).fetchall() == [
                (False, "ann", ASSETS // 10 - disposed), (False, "bob", ASSETS // 20),
                (True, "ann", ASSETS // 10 - disposed),
            ]  # fmt: skip
            newest = "SELECT book FROM book_newest ORDER BY 1"
            assert connection.execute(newest).fetchall() == [("far",), ("hrms",)]
            with pytest.raises(psycopg.errors.RaiseException):
                connection.execute("UPDATE gateway_capture SET bytes = 8 WHERE received_at IS NOT NULL")
