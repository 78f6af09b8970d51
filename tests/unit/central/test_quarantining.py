"""Log lines about the quarantine: one at the start of a topic's spell, one at its end."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from central.application.records import Unreadable
from central.ingest import quarantining
from central.ingest.quarantining import CLEAN_AFTER, QuarantineLog

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def item(topic="a", reason="is no JSON"):
    return Unreadable(topic, reason, b"x", NOW)


@pytest.fixture
def logged():
    with capture_logs() as lines:
        yield lines


def test_a_topic_is_named_once_with_reason_and_where_to_look(logged):
    log = QuarantineLog()
    log.note([item(), item(reason="another")], NOW)
    log.note([item()], NOW + timedelta(seconds=30))
    assert [(line["log_level"], line["topic"], line["reason"], line["see"]) for line in logged] == [
        ("warning", "a", "is no JSON", "/api/v1/quarantine")
    ]


def test_a_topic_is_called_clean_once_after_a_while_and_may_begin_again(logged):
    log = QuarantineLog()
    log.note([item(), item()], NOW)
    log.look(NOW + CLEAN_AFTER - timedelta(seconds=1))
    assert len(logged) == 1
    for _ in range(2):
        log.look(NOW + CLEAN_AFTER)
    assert [(line["log_level"], line.get("quarantined")) for line in logged] == [("warning", None), ("info", 2)]
    log.note([item()], NOW + 2 * CLEAN_AFTER)
    assert len(logged) == 3


def test_a_flood_of_topics_is_told_once(logged, monkeypatch):
    monkeypatch.setattr(quarantining, "MAX_TOPICS", 2)
    log = QuarantineLog()
    log.note([item(str(number)) for number in range(9)], NOW)
    assert len(logged) == 3
    assert logged[-1]["named"] == 2
