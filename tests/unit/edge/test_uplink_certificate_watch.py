"""Which pair is dialled with and which is tried, by a clock of the test's own; the broker is played by the test."""

from dataclasses import replace

import pytest
import structlog
from structlog.testing import capture_logs

from edge.uplink import KeptPair, UplinkSettings, UplinkSettingsError
from edge.uplink.certificate_watch import LOOK_S, RETRY_FIRST_S, RETRY_MAX_S, CertificateWatch
from edge.uplink.own_certificate import read_pair
from tests.helpers.authority import Authority


class Life:
    """A watch, its files, and the time."""

    def __init__(self, folder) -> None:
        self.authority, self.now_s = Authority(folder), 0.0
        certificate, key = self.authority.pair("gateway")
        self.settings = UplinkSettings(
            url="mqtts://localhost",
            ca_file=self.authority.ca_file,
            certificate_file=certificate,
            key_file=key,
        )
        self.kept = KeptPair()
        self.watch = self.another()

    def another(self, **settings):
        """Return the watch of the next agent of this process."""
        knobs, log = replace(self.settings, **settings), structlog.get_logger()
        return CertificateWatch(knobs, lambda: self.now_s, self._now_us, log, self.kept)

    def _now_us(self):
        begun_us = self.authority.ca_file.stat().st_mtime_ns // 1_000
        return begun_us + int(self.now_s * 1e6)

    def connect(self):
        """Dial and connect; return the pair."""
        pair = self.watch.to_dial()
        self.watch.stood()
        return pair

    def renew(self):
        """Put another pair into the files; return it."""
        self.authority.pair("gateway")
        return read_pair(self.settings)

    def look(self, after_s=LOOK_S):
        """Let time pass and return what is to be tried."""
        self.now_s += after_s
        return self.watch.candidate()


@pytest.fixture
def life(tmp_path):
    return Life(tmp_path)


def test_a_pair_that_is_refused_is_tried_ever_later_and_another_at_once(life):
    life.connect()
    assert life.look() is None, "it is in use"
    new = life.renew()
    assert life.look() == new
    waits = []
    with capture_logs() as logs:
        for _ in range(9):
            assert not life.watch.tried("connection lost")
            waits.append(0.0)
            while life.look() is None:
                waits[-1] += LOOK_S
    assert waits[0] < RETRY_FIRST_S <= waits[0] + LOOK_S
    assert waits == sorted(waits)
    assert RETRY_MAX_S - LOOK_S <= waits[-1] <= RETRY_MAX_S
    assert len(logs) == 1, "once, not for each try"
    life.watch.tried("connection lost")
    assert life.look() is None
    assert life.look() is None
    assert life.look(0.0) is None
    another = life.renew()
    assert life.look() == another


def test_a_lost_connection_comes_back_with_what_worked_and_then_in_turns(life):
    old = life.connect()
    new = life.renew()
    assert life.look() == new
    life.watch.tried("connection lost")
    assert [life.watch.to_dial() for _ in range(4)] == [old, new, old, new]
    assert life.watch.untried
    life.watch.stood()
    assert life.watch.to_dial() == new, "it works"
    life.watch.stood()
    assert life.look() is None
    assert life.watch.problem == ""


def test_a_pair_that_nobody_has_tried_goes_first(life):
    old = life.connect()
    new = life.renew()
    assert [life.watch.to_dial(), life.watch.to_dial()] == [new, old]


def test_a_pair_that_only_works_beside_the_other_does_not_end_the_connection_again_and_again(life):
    """A broker that refuses it under the agent's own name: the next try waits."""
    old = life.connect()
    new = life.renew()
    assert life.look() == new
    assert life.watch.tried(""), "it works, so the connection is left for it"
    assert [life.watch.to_dial(), life.watch.to_dial()] == [new, old]
    life.watch.stood()
    assert "not in its place" in life.watch.problem
    assert life.look() is None
    assert life.look(RETRY_FIRST_S) == new


def test_files_that_are_gone_or_unfit_cost_no_connection_of_an_agent_that_had_one(life):
    old = life.connect()
    life.settings.certificate_file.write_text("half a certifi")
    assert life.watch.to_dial() == old
    life.settings.certificate_file.unlink()
    assert life.watch.to_dial() == old
    assert life.another().to_dial() == old, "nor the next agent's of the process"
    other = life.settings.certificate_file.with_name("other.pem")
    with pytest.raises(UplinkSettingsError, match=r"other\.pem"):
        life.another(certificate_file=other).to_dial()


def test_a_key_is_shown_to_nobody(life):
    pair = life.connect()
    assert b"PRIVATE KEY" in pair.key
    assert "PRIVATE" not in repr(pair) + repr(life.kept) + repr(life.watch)
