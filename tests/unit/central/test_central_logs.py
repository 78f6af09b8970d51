"""What the central's log says: one JSON line an event, and the broker's true state."""

import json
import logging

import pytest
from structlog.testing import capture_logs

from central.cli import JsonLines
from central.ingest.link import LinkSettings, PahoLink


def link():
    return PahoLink(LinkSettings("mqtt://127.0.0.1:1884"))


def test_a_librarys_text_of_many_lines_is_one_json_line():
    record = logging.LogRecord("psycopg", logging.WARNING, "", 0, "error:\n- one\n- %s", ("two",), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["event"] == "error:\n- one\n- two"
    assert json.loads(line)["level"] == "warning"


def test_a_broker_that_is_missing_is_told_once_with_its_address():
    one = link()
    with capture_logs() as told:
        one._missing("Connection refused")
        one._missing("Connection refused")
    assert [(line["event"], line["host"], line["port"]) for line in told] == [
        ("no broker there, trying again until it comes", "127.0.0.1", 1884)
    ]


def test_a_lost_broker_is_told_with_its_address_and_in_words():
    one = link()
    with capture_logs() as told:
        one._up(lambda: None)
        one._down("Unspecified error")
        one._missing("Connection refused")
    assert [line["event"] for line in told] == ["broker connected", "broker lost, trying again until it is back"]
    assert (told[1]["reason"], told[1]["port"]) == ("the connection broke", 1884)


@pytest.mark.parametrize(
    ("reason", "said"),
    [("Bad user name or password", "check url, username"), ("Server unavailable", "look at its log")],
)
def test_a_refusal_names_its_true_cause(reason, said):
    one = link()
    with capture_logs() as told:
        one._refused(reason)
        one._down("Unspecified error")
    assert len(told) == 1
    assert said in told[0]["event"]


def test_a_broker_that_closes_at_once_is_not_told_as_a_wrong_password():
    one = link()
    with capture_logs() as told:
        one._down("Unspecified error")
        one._down("Unspecified error")
    assert [line["event"] for line in told] == [
        "the broker closes the connection at once, trying again: look at its log"
    ]
