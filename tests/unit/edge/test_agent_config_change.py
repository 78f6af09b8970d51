"""What differs between two configurations is told by key, and what a running agent can't change is refused."""

import pytest

from edge.agent.config_change import changes, changes_in_words, fixed_problems, trust_problem
from edge.config import document_of, parse
from tests.helpers.commands import KEY_LINE, OTHER_LINE

TEXT = """
site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "192.0.2.1"
[[readers]]
id = "s1"
serial = "/dev/ttyUSB0"
protocol = "r200"
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
layout = "single"
antennas = [{{ reader = "r1", port = 1 }}]
[[portals]]
id = "window"
inside = "room"
outside = "garden"
layout = "single"
antennas = [{{ reader = "s1", port = 1 }}]
[mqtt]
url = "mqtt://127.0.0.1:1"
[trust]
central_keys = ["{key}"]
"""


def read(text=TEXT, key=KEY_LINE, **change):
    """A configuration with some words replaced."""
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    return parse(document_of(text.format(key=key).encode(), source="t"), source="t")


def test_each_difference_is_told_by_its_place_in_the_file():
    """What has an id is named by it: a list that is put in another order is the same."""
    after = read(**{"192.0.2.1": "192.0.2.9", "ttyUSB0": "ttyUSB1", '"garden"': '"street"'})
    assert changes(read(), after) == [
        "readers[r1].host: 192.0.2.1 -> 192.0.2.9",
        "readers[s1].serial: /dev/ttyUSB0 -> /dev/ttyUSB1",
        "portals[window].outside: garden -> street",
    ]
    first, second = TEXT.index("[[portals]]"), TEXT.rindex("[[portals]]")
    turned = TEXT[:first] + TEXT[second : TEXT.index("[mqtt]")] + TEXT[first:second] + TEXT[TEXT.index("[mqtt]") :]
    assert changes(read(), read(turned)) == []
    assert changes_in_words([]) == "nothing"


def test_what_is_new_or_gone_is_told_and_a_long_list_is_cut():
    found = changes(read(), read(**{'id = "r1"': 'id = "r7"', 'reader = "r1"': 'reader = "r7"'}))
    assert "readers[r1].host: 192.0.2.1 -> none" in found
    assert "readers[r7].host: none -> 192.0.2.1" in found
    assert changes_in_words(found).endswith(f"and {len(found) - 20} more")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({'site = "hq"': 'site = "west"'}, "site"),
        ({'"gw-1"': '"gw-2"'}, "gateway"),
        ({"[mqtt]": '[agent]\ndata_dir = "/else"\n[mqtt]'}, "agent.data_dir"),
    ],
)
def test_whose_events_lie_where_is_not_changed_while_the_agent_runs(change, key):
    (told,) = fixed_problems(read(), read(**change))
    assert told.startswith(f"{key} is ")
    assert fixed_problems(read(), read(**{"192.0.2.1": "192.0.2.9"})) == []


def test_the_key_that_signed_must_stay_believed_and_others_may_join_it():
    """Also under its own name with another's bytes it is gone."""
    name = KEY_LINE.partition(":")[0]
    two = read(TEXT.replace('["{key}"]', f'["{KEY_LINE}", "{OTHER_LINE}"]'))
    assert trust_problem(read(), two, name) == ""
    assert trust_problem(two, read(), name) == ""
    for gone in (
        read(key=OTHER_LINE),
        read(key=f"{name}:{OTHER_LINE.partition(':')[2]}"),
        read(TEXT.partition("[trust]")[0]),
    ):
        assert f"lacks {name}" in trust_problem(read(), gone, name)
