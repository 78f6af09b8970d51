"""What `stockgate up` says about a folder before it starts anything."""

import tomllib

import pytest

from deploy.standalone.errors import ConfigurationError
from deploy.standalone.up import check_edge, check_folder, default_data_dir, with_broker

EDGE = 'site = "hq"\ngateway = "g"\n'


@pytest.fixture
def folder(tmp_path):
    for name in ("locations.csv", "portals.csv"):
        (tmp_path / name).write_text("id\n")
    (tmp_path / "edge.toml").write_text(EDGE)
    return tmp_path


def test_complete_folder_gives_the_text_of_edge_toml(folder):
    assert check_folder(folder) == EDGE


def test_absent_folder_is_named_with_what_belongs_in_it(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere is no folder: make it, with edge\.toml and locations\.csv"):
        check_folder(tmp_path / "nowhere")


def test_missing_files_are_all_named(folder):
    (folder / "edge.toml").unlink()
    (folder / "portals.csv").unlink()
    with pytest.raises(ConfigurationError, match=r"lacks edge\.toml, portals\.csv"):
        check_folder(folder)


def test_broken_toml_is_named_with_its_line(folder):
    (folder / "edge.toml").write_text('site = "hq\n')
    with pytest.raises(ConfigurationError, match="line 1"):
        check_folder(folder)


def test_a_broker_of_ones_own_is_refused_with_the_way_out(folder):
    (folder / "edge.toml").write_text(EDGE + '[mqtt]\nurl = "mqtt://127.0.0.1"\n')
    with pytest.raises(ConfigurationError, match=r"take the \[mqtt\] table out"):
        check_folder(folder)


def test_state_of_root_is_kept_where_postgresqls_user_can_reach_it(monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert str(default_data_dir()) == "/var/lib/stockgate"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / "stockgate"


def test_every_problem_of_edge_toml_is_told_under_its_own_path_before_anything_starts(folder):
    own = folder / "edge.toml"
    text = 'site = "HQ!"\ngatway = "g"\n'
    with pytest.raises(ConfigurationError) as caught:
        check_edge(text, own)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{own} can't be used:"
    assert len(lines) > 2
    assert all(line.startswith(f"{own}: ") for line in lines[1:])
    assert any("gatway" in line for line in lines)


def test_a_good_edge_toml_passes_the_agents_own_check(folder):
    door = """
[[readers]]
id = "r1"
host = "127.0.0.1"
[[portals]]
id = "p"
inside = "a"
outside = "b"
layout = "single"
antennas = [{ reader = "r1", port = 1 }]
"""
    check_edge(EDGE + door, folder / "edge.toml")


def test_agent_believes_the_central_of_this_machine_unless_its_configuration_says_whom_to_believe():
    ours = '[trust]\ncentral_keys = ["ours:AAAA"]\n'
    told = tomllib.loads(with_broker('site = "hq"\n[agent]\nheartbeat_s = 5\n', "mqtt://127.0.0.1:1", ours))
    assert (told["trust"]["central_keys"], told["mqtt"]["url"]) == (["ours:AAAA"], "mqtt://127.0.0.1:1")
    own = 'site = "hq"\n[trust]\ncentral_keys = ["theirs:BBBB"]\n'
    assert tomllib.loads(with_broker(own, "mqtt://127.0.0.1:1", ours))["trust"]["central_keys"] == ["theirs:BBBB"]
