"""What the demo writes and reports, without starting anything."""

import importlib.metadata
import io
import json
import tomllib
from datetime import UTC, datetime

import pytest
from rich.console import Console
from typer.testing import CliRunner

from deploy.standalone.central_client import AlertLine, CentralClient, Snapshot
from deploy.standalone.cli import app
from deploy.standalone.demo import SAMPLE, Truth, edge_config, read_truth, report, run_demo, why_short
from deploy.standalone.errors import StandaloneError
from deploy.standalone.view import PlainView, figures_line, picture
from tests.helpers.fake_central import FakeCentral, alert

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READERS = {"r1": {"host": "127.0.0.1", "port": 40001}, "r2": {"host": "127.0.0.1", "port": 40002}}


def plain_view(clock):
    stream = io.StringIO()
    return PlainView(Console(file=stream, width=200, force_terminal=False), clock), stream


def alerts_in(stream):
    lines = (line for line in stream.getvalue().splitlines() if line.startswith("ALERT "))
    return [line.removeprefix("ALERT ") for line in lines]


def test_edge_configuration_names_the_readers_ports_and_the_broker():
    found = tomllib.loads(edge_config(READERS, "mqtt://127.0.0.1:1884"))
    assert [(reader["id"], reader["port"]) for reader in found["readers"]] == [("r1", 40001), ("r2", 40002)]
    assert found["mqtt"]["url"] == "mqtt://127.0.0.1:1884"


def test_edge_believes_the_central_that_the_demo_starts():
    found = tomllib.loads(edge_config(READERS, "mqtt://127.0.0.1:1884", '[trust]\ncentral_keys = ["a:b"]\n'))
    assert found["trust"] == {"central_keys": ["a:b"]}


def test_edge_configuration_and_the_sample_registry_agree_on_the_portals():
    found = tomllib.loads(edge_config(READERS, "mqtt://127.0.0.1:1884"))
    rows = [line.split(",") for line in (SAMPLE / "portals.csv").read_text().splitlines()[1:]]
    configured = {
        (one["id"], found["site"], found["gateway"], one["inside"], one["outside"]) for one in found["portals"]
    }
    assert configured == {(row[0], row[2], row[3], row[4], row[5]) for row in rows}


def test_truth_that_is_not_written_yet_is_an_unfinished_one(tmp_path):
    assert not read_truth(tmp_path / "truth.json").done


def test_truth_is_read_from_the_simulators_file(tmp_path):
    file = tmp_path / "truth.json"
    file.write_text(json.dumps({"scenario": "office", "seed": 1, "done": True, "reads": 7, "crossings": []}))
    truth = read_truth(file)
    assert (truth.reads, truth.done, truth.crossings) == (7, True, [])


def test_report_counts_rows_that_the_database_lacks_and_those_that_were_dropped(tmp_path):
    truth = read_truth(tmp_path / "none")
    last, final = Snapshot(reads=5, written=10), Snapshot(committed=8, gaps=1, duplicated=2)
    figures = report(last, final, truth)
    assert (figures["reads"], figures["events_lost"], figures["events_duplicated"]) == (5, 3, 2)
    assert set(figures["truth"]) == set(figures) - {"truth"}


def test_report_holds_what_the_doors_judged_against_the_registry():
    walks = [
        {"epc": "3034257bf7194e4000000001", "portal": "stockroom-a-door", "kind": "out", "crossed_at": instant}
        for instant in ("2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z")
    ]
    walks[1] |= {"epc": "3034257bf7194e4000000002", "portal": "main-entrance"}
    truth = Truth(2, done=True, crossings=walks)
    figures = report(Snapshot(judged={"refuse": 1, "allow": 1}), Snapshot(), truth)
    assert figures["judged_at_the_door"] == figures["truth"]["judged_at_the_door"] == {"allow": 1, "refuse": 1}


def test_the_gate_counts_as_published_once_every_gateway_was_sent_a_generation():
    with FakeCentral() as api:
        client = CentralClient(api.url)
        try:
            found = []
            for api.gate in (
                [],
                [{"generation": None}],
                [{"generation": 1}, {"generation": None}],
                [{"generation": 1}],
            ):
                found.append(client.gate_is_published())
        finally:
            client.close()
    assert found == [False, False, False, True]


def test_settled_wants_a_health_report_and_nothing_on_its_way():
    with FakeCentral() as api:
        client = CentralClient(api.url)
        try:
            assert not client.snapshot().settled
            api.gateways = [api.health()]
            assert client.snapshot().settled
            streams = [{"stream": "movement", "written": 9, "pending": 2}]
            api.gateways = [api.health(streams=streams)]
            assert not client.snapshot().settled
        finally:
            client.close()


def test_snapshot_sums_readers_and_words_alerts():
    with FakeCentral() as api:
        api.gateways, api.alerts = [api.health()], [alert()]
        client = CentralClient(api.url)
        try:
            found = client.snapshot()
        finally:
            client.close()
    assert (found.reads, found.written, found.committed, found.lost) == (2468, 3, 3, 0)
    assert "LT-0001 (T14 laptop)  at stockroom-a-door  stockroom-a -> corridor" in found.newest_alerts[0].text


def test_an_alert_about_a_door_needs_neither_asset_nor_tag():
    nobody = {"asset": None, "epc": None, "portal": None, "from": None, "to": None}
    with FakeCentral() as api:
        api.alerts = [alert(kind="portal_config_mismatch", reason="They differ.", **nobody)]
        client = CentralClient(api.url)
        try:
            line = client.snapshot().newest_alerts[0].text
        finally:
            client.close()
    assert line.endswith("  portal config mismatch  They differ.")


def test_a_silent_api_is_told_in_words():
    client = CentralClient("http://127.0.0.1:9")
    with pytest.raises(StandaloneError, match="did not answer /api/v1/summary"):
        client.snapshot()
    client.close()


def test_plain_view_prints_changes_at_most_once_a_second():
    times = iter([0.0, 0.4, 1.5, 3.0])
    view, stream = plain_view(lambda: next(times))
    for reads in (1, 2, 3, 3):
        view.show(Snapshot(reads=reads))
    lines = stream.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["1", "3"]


def test_plain_view_prints_each_alert_once_and_at_once():
    view, stream = plain_view(lambda: 0.0)
    first, second = AlertLine(1, "first"), AlertLine(2, "second")
    view.show(Snapshot(newest_alerts=(first,)))
    view.show(Snapshot(newest_alerts=(second, first)))
    assert alerts_in(stream) == ["first", "second"]


def test_an_alert_whose_time_shifts_is_printed_once_and_a_reworded_one_again():
    view, stream = plain_view(lambda: 0.0)
    view.show(Snapshot(newest_alerts=(AlertLine(1, "10:00:01 no permission", "no permission"),)))
    view.show(Snapshot(newest_alerts=(AlertLine(1, "10:00:02 no permission", "no permission"),)))
    view.show(Snapshot(newest_alerts=(AlertLine(1, "10:00:02 corrected", "corrected"),)))
    assert alerts_in(stream) == ["10:00:01 no permission", "10:00:02 corrected"]


def test_a_cart_that_fills_up_is_printed_at_once_and_again_when_no_more_joins_it():
    view, stream = plain_view(lambda: 0.0)
    for assets in (1, 5, 12, 12, 12):
        view.show(Snapshot(newest_alerts=(AlertLine(1, f"cart of {assets}", assets=assets),)))
    assert alerts_in(stream) == ["cart of 1", "cart of 12"]


def test_an_alert_of_many_assets_says_how_many_more():
    members = alert()["assets"] * 12
    with FakeCentral() as api:
        api.alerts = [alert(assets=members)]
        client = CentralClient(api.url)
        try:
            assert "LT-0001 (T14 laptop) and 11 more  at stockroom-a-door" in client.snapshot().newest_alerts[0].text
        finally:
            client.close()


def test_what_an_earlier_run_left_is_not_shown_as_present():
    with FakeCentral() as api:
        api.gateways, api.alerts = [api.health()], [alert(7)]
        client = CentralClient(api.url)
        try:
            client.forget_earlier_runs()
            before = client.snapshot()
            api.gateways, api.alerts = [api.health(boot="b2")], [alert(8), alert(7)]
            after = client.snapshot()
        finally:
            client.close()
    assert (before.uplink, before.readers, before.reads, before.newest_alerts) == ("not heard yet", (), 0, ())
    assert before.health_at is None
    assert (after.uplink, after.reads, [one.id for one in after.newest_alerts]) == ("live", 2468, [8])


def test_both_views_show_a_reader_that_is_down_with_its_problem():
    down = Snapshot(readers=(("r1", "lost", "nobody listens there"), ("r2", "connected", "")))
    view, stream = plain_view(lambda: 0.0)
    view.show(down)
    view.show(down)
    view.show(Snapshot(readers=(("r1", "connected", ""), ("r2", "connected", ""))))
    lines = [line for line in stream.getvalue().splitlines() if line.startswith("reader")]
    assert lines == ["reader r1 lost: nobody listens there", "reader r2 connected", "reader r1 connected"]
    Console(file=(drawn := io.StringIO()), width=100).print(picture(down))
    assert "reader r1 lost: nobody listens there" in drawn.getvalue()


def test_snapshot_has_each_readers_problem():
    readers = [{"id": "r1", "state": "lost", "reads": 0, "problem": "refused"}]
    with FakeCentral() as api:
        api.gateways = [api.health(readers=readers)]
        client = CentralClient(api.url)
        try:
            assert client.snapshot().readers == (("r1", "lost", "refused"),)
        finally:
            client.close()


@pytest.mark.parametrize(
    ("last", "reads", "heard", "words"),
    [
        (Snapshot(), 0, False, "never reported"),
        (Snapshot(health_at=NOW), 5, False, "has not reported"),
        (Snapshot(health_at=NOW), 0, True, "sent 9 reads; the edge agent reported none"),
        (Snapshot(health_at=NOW, written=4, pending=1, committed=3), 5, True, "Not everything arrived"),
    ],
)
def test_incomplete_figures_are_told_with_the_brokers_name(last, reads, heard, words):
    told = why_short(last, Truth(9, done=True, crossings=[]), reads=reads, heard=heard, broker="mqtt://127.0.0.1:1")
    assert words in told
    assert "mqtt://127.0.0.1:1" in told


def test_complete_figures_need_no_explanation():
    last = Snapshot(health_at=NOW, written=4, committed=4)
    assert why_short(last, Truth(9, done=True, crossings=[]), reads=9, heard=True, broker="b") is None


def test_a_dead_broker_is_refused_before_anything_starts(capsys):
    with pytest.raises(StandaloneError, match=r"no broker answers at mqtt://127\.0\.0\.1:1"):
        run_demo(seconds=20, keep=False, mqtt="mqtt://127.0.0.1:1")
    assert capsys.readouterr().out == ""


def test_picture_shows_every_figure():
    stream = io.StringIO()
    snapshot = Snapshot(
        reads=1234, counts={"stockroom-a": 15}, newest_alerts=(AlertLine(1, "10:00:00 LT-0001"),), alerts=1
    )
    Console(file=stream, width=100).print(picture(snapshot))
    for part in ("1,234", "stockroom-a", "15", "LT-0001"):
        assert part in stream.getvalue()
    assert "reads 1,234" in figures_line(snapshot)


def test_stockgate_says_its_version():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"stockgate {importlib.metadata.version('stockgate')}\n")


def test_the_demos_help_says_how_long_is_enough():
    output = CliRunner().invoke(app, ["demo", "--help"]).output
    assert "20 or more" in " ".join(output.replace("│", " ").split())
    assert "x>=0" not in output


@pytest.mark.parametrize("seconds", ["5", "-1"])
def test_a_demo_too_short_for_a_walk_is_refused_and_says_how_long_is_enough(seconds):
    result = CliRunner().invoke(app, ["demo", "--seconds", seconds])
    assert result.exit_code == 2
    assert "say 20 or more" in result.output
