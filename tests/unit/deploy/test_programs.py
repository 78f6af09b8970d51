"""Children: started, waited for, missed when they die, and ended."""

import shutil
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from deploy.standalone import programs as room
from deploy.standalone.errors import ConfigurationError, StandaloneError
from deploy.standalone.interrupts import Interrupted, Interrupts
from deploy.standalone.programs import Programs
from deploy.standalone.reaper import Reaper
from deploy.standalone.stack import Stack, _at

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def reaper():
    with Reaper() as one:
        yield one


@pytest.fixture
def programs(tmp_path, reaper, monkeypatch):
    """Children that are Python one-liners instead of console scripts."""
    monkeypatch.setattr(room, "script", lambda name: name)
    group = Programs(tmp_path, reaper, lambda: None)
    yield group
    group.stop()


def python(code):
    return [sys.executable, "-c", code]


def test_a_child_that_dies_is_named_with_its_log_and_last_words(programs, tmp_path):
    child = programs.start("edge", python("import sys; print('no broker', file=sys.stderr); sys.exit(3)"))
    child.process.wait()
    with pytest.raises(StandaloneError, match=r"edge ended with status 3: no broker \(its log: .*edge\.log\)"):
        programs.check()


def test_a_child_that_is_killed_is_told_by_its_signal(programs):
    child = programs.start("edge", python(SLEEP))
    child.process.kill()
    child.process.wait()
    with pytest.raises(StandaloneError, match="edge was ended by signal 9"):
        programs.check()


def test_a_child_that_may_finish_is_no_death(programs):
    child = programs.start("simulator", python("pass"), may_finish=True)
    child.process.wait()
    programs.check()


def test_ready_gives_the_childs_own_words(programs, tmp_path):
    file = tmp_path / "ready"
    child = programs.start("api", python(f"open({str(file)!r}, 'w').write('{{\"port\": 1}}'); {SLEEP}"))
    assert programs.ready(child, file) == {"port": 1}


def test_half_of_a_childs_words_isnt_ready_yet(programs, tmp_path):
    file = tmp_path / "ready"
    file.write_text('{"port"')
    child = programs.start(
        "api", python(f"import time; time.sleep(0.3); open({str(file)!r}, 'a').write(': 1}}'); {SLEEP}")
    )
    assert programs.ready(child, file) == {"port": 1}


def test_waiting_ends_at_once_when_the_child_dies(programs, tmp_path):
    child = programs.start("api", python("raise SystemExit(2)"))
    with pytest.raises(StandaloneError, match="status 2"):
        programs.ready(child, tmp_path / "never")


def test_waiting_has_a_bound(programs, tmp_path):
    child = programs.start("api", python(SLEEP))
    with pytest.raises(StandaloneError, match="was not ready within 0 s"):
        programs.ready(child, tmp_path / "never", timeout_s=0.2)


@pytest.mark.parametrize(("name", "warm"), [("simulator", "stockgate-sim warm"), ("edge", "stockgate-edge warm")])
def test_a_child_that_may_still_compile_is_told_with_what_compiles_beforehand(programs, tmp_path, name, warm):
    child = programs.start(name, python(SLEEP))
    with pytest.raises(StandaloneError, match=rf"it wrote nothing to .*{name}\.log; .*run `{warm}` once"):
        programs.ready(child, tmp_path / "never", timeout_s=0.1)


def test_finish_reports_a_failure(programs):
    with pytest.raises(StandaloneError, match="import ended with status 2: row 3 is wrong"):
        programs.finish(programs.start("import", python("print('row 3 is wrong'); raise SystemExit(2)")))


def test_stop_ends_everything_and_says_what_went_wrong(programs):
    good = programs.start("good", python(f"import signal, sys; signal.signal(15, lambda *_: sys.exit(0)); {SLEEP}"))
    early = programs.start("early", python(SLEEP))
    bad = programs.start("bad", python(f"import signal, sys; signal.signal(15, lambda *_: sys.exit(4)); {SLEEP}"))
    wait_for_signal_handler(good)
    wait_for_signal_handler(bad)
    problems = programs.stop()
    assert len(problems) == 1
    assert problems[0].startswith("bad ended with status 4")
    assert good.status() == 0
    # Our own signal, before the child could handle it, is no failure of the child's.
    assert early.status() == -signal.SIGTERM


def test_a_dead_child_is_started_again_with_its_command_and_told(programs):
    child = programs.start("central", python(SLEEP))
    child.again, before = python(f"{SLEEP} # again"), child.process
    programs._say = (said := []).append
    before.kill()
    before.wait()
    programs.check()
    assert said == ["central ended (signal 9), started again"]
    assert child.status() is None
    assert psutil.Process(child.process.pid).pid != before.pid


def test_a_child_that_dies_again_and_again_is_given_up_by_name(programs):
    child = programs.start("edge", python("raise SystemExit('no disk')"))
    child.again = python("raise SystemExit('no disk')")
    for _ in range(5):
        child.process.wait()
        programs.check()
    child.process.wait()
    with pytest.raises(
        StandaloneError, match=r"edge ended with status 1: no disk \(its log: .*, again after 5 restarts"
    ):
        programs.check()
    assert child.log_file.read_text().count("no disk") == 6


def test_a_child_that_refuses_its_options_is_not_started_again(programs):
    child = programs.start("edge", python("raise SystemExit(2)"))
    child.again = python(SLEEP)
    child.process.wait()
    with pytest.raises(StandaloneError, match="status 2"):
        programs.check()


def test_a_reaper_may_be_closed_twice_and_told_more_afterwards():
    one = Reaper()
    one.close()
    one.watch_directory(Path("/nowhere"))
    one.close()
    dead = Reaper()
    dead._process.kill()
    dead._process.wait()
    dead.watch_directory(Path("/nowhere"))
    dead.close()


def test_a_child_that_is_killed_is_not_explained_by_its_log(programs):
    child = programs.start("simulator", python(f"print('all is well', flush=True); {SLEEP}"))
    while not child.words():
        time.sleep(0.01)
    child.process.kill()
    child.process.wait()
    with pytest.raises(StandaloneError, match="killed it") as caught:
        programs.check()
    assert "all is well" not in str(caught.value)


def test_a_child_that_can_be_done_without_is_no_death(programs):
    child = programs.start("simulator", python("raise SystemExit(1)"), may_finish=True)
    child.dispensable = True
    child.process.wait()
    programs.check()


def test_wrong_options_or_files_are_told_whole_and_leave_no_log(programs):
    child = programs.start("edge", python("print('first'); print('second'); raise SystemExit(2)"))
    with pytest.raises(ConfigurationError, match="first\nsecond") as caught:
        programs.finish(child)
    assert str(child.log_file) not in str(caught.value)


def test_every_problem_of_the_sheets_is_told(tmp_path, monkeypatch):
    words = "a.csv:2: is wrong\na.csv:3: is wrong too\n2 problems, nothing was imported"
    code = f"import sys; print({words!r}, file=sys.stderr); sys.exit(1)"
    with Stack(pulse=lambda: None, dsn="postgresql://nowhere") as stack:
        begin = stack.programs.start
        monkeypatch.setattr(room, "script", lambda name: name)
        commands = iter([python("pass"), python(code)])
        monkeypatch.setattr(stack.programs, "start", lambda name, _: begin(name, next(commands)))
        with pytest.raises(ConfigurationError) as caught:
            stack.import_registry(tmp_path)
        stack.keep_if_named(caught.value)
    assert words in str(caught.value)
    assert not stack.run_dir.exists()


def test_a_stack_closes_once_and_keeps_its_directory_only_for_a_message_that_names_it():
    for text, kept in (("elsewhere is wrong", False), ("see {}/edge.log", True)):
        stack = Stack(pulse=lambda: None)
        error = StandaloneError(text.format(stack.run_dir))
        stack.keep_if_named(error)
        assert bool(getattr(error, "__notes__", ())) == kept
        assert stack.close() == []
        assert stack.close() == []
        assert stack.run_dir.exists() == kept
    shutil.rmtree(stack.run_dir)


def test_a_restart_asks_for_the_address_that_was_chosen():
    command = ["stockgate-central", "run", "--listen", "127.0.0.1:0", "--data-dir", "d"]
    assert _at(command, "http://127.0.0.1:41234") == [*command[:3], "127.0.0.1:41234", *command[4:]]


def wait_for_signal_handler(child):
    """Wait until /proc says that the child catches SIGTERM."""
    for _ in range(1000):
        status = Path(f"/proc/{child.process.pid}/status").read_text()
        caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.01)
    pytest.fail("the child never installed its handler")


def test_a_signal_ends_a_wait(tmp_path, reaper, monkeypatch):
    monkeypatch.setattr(room, "script", lambda name: name)
    with Interrupts() as interrupts:
        group = Programs(tmp_path, reaper, interrupts.pulse)
        child = group.start("api", python(SLEEP))
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            group.ready(child, tmp_path / "never")
        group.stop()
    assert not psutil.pid_exists(child.process.pid)


def test_interrupts_give_the_signals_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_scripts_stand_beside_this_interpreter():
    assert room.script("stockgate").endswith("/stockgate")
    with pytest.raises(StandaloneError, match="stockgate-nothing is not installed"):
        room.script("stockgate-nothing")
