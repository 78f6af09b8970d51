"""A filled database of an older program is brought up to date and keeps all that it holds."""

import psycopg

from central.storage import migrate as runner
from central.storage.migrate import load, migrate
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
