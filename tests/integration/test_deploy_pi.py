"""The installer for small boards: twice is once, an upgrade goes back where it fails, and the service is confined."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.agent.trial_files import TrialFiles
from tests.helpers.docs import ROOT
from tests.helpers.wheels import stand_in

pytestmark = pytest.mark.xdist_group("deploy_pi")
PI = ROOT / "deploy" / "pi"
UNIT = PI / "stockgate-edge.service"
OPENING = "etc/systemd/system/stockgate-edge.service.d/pushed.conf"
NOBODY = 65_534
MOST_EXPOSED = 3.0
PATIENCE_S = 900.0


def install(root, *words):
    """Run the installer on a root of the test's own; return its exit code and what it said."""
    told = ["--root", str(root), "--python", sys.executable, *map(str, words)]
    done = subprocess.run(
        [PI / "install", *told], capture_output=True, text=True, timeout=PATIENCE_S, check=False, stdin=-3
    )
    return done.returncode, done.stdout + done.stderr


def tree(root):
    """Every file with its content, every link with its target; what Python compiles by the way isn't counted."""
    found = {}
    for path in sorted(root.rglob("*")):
        if "__pycache__" not in path.parts and not path.is_dir():
            found[str(path.relative_to(root))] = str(path.readlink()) if path.is_symlink() else path.read_bytes()
    return found


def current(root):
    return (root / "opt/stockgate-edge/current").resolve().name


@pytest.fixture
def old_card(tmp_path):
    """The root file system of a device that is swapped."""
    card = tmp_path / "card"
    (card / "etc/stockgate").mkdir(parents=True)
    (card / "etc/stockgate/edge.toml").write_text('gateway = "hq-east-1"')
    (card / "etc/stockgate/gateway.key").write_text("a key")
    (card / "var/lib/stockgate-edge").mkdir(parents=True)
    (card / "var/lib/stockgate-edge/outbox.db").write_bytes(b"events")
    (card / "var/lib/stockgate-edge/references.json").write_text("[]")
    return card


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The wheels of release 1.0, and a device that has it with a configuration; making one takes seconds."""
    folder = tmp_path_factory.mktemp("first")
    wheels = stand_in(folder / "wheels", "1.0")
    (folder / "edge.toml").write_text("one")
    code, said = install(folder / "root", "--wheels", wheels, "--config", folder / "edge.toml")
    assert code == 0, said
    return wheels, folder / "root"


@pytest.fixture
def device(first, tmp_path):
    """A device of the test's own."""
    return Path(shutil.copytree(first[1], tmp_path / "root", symlinks=True))


def test_second_run_with_the_same_wheels_changes_nothing(first, device, tmp_path):
    before = tree(device)
    (tmp_path / "edge.toml").write_text("two")
    code, said = install(device, "--wheels", first[0], "--config", tmp_path / "edge.toml")
    assert (code, "nothing to change" in said) == (0, True), said
    assert "kept /etc/stockgate/edge.toml" in said
    assert tree(device) == before
    release = device / "opt/stockgate-edge/current"
    assert (release / "kernels/kernel.nbi").read_text() == "compiled", "the kernels are made before the service starts"
    assert (device / "etc/systemd/system/stockgate-edge.service").read_text() == UNIT.read_text()
    assert (device / "etc/stockgate/edge.toml").stat().st_mode & 0o777 == 0o640


def test_upgrade_keeps_the_release_before_and_a_bad_one_changes_nothing(device, tmp_path):
    old = current(device)
    code, said = install(device, "--wheels", stand_in(tmp_path / "2", "2.0"))
    assert code == 0, said
    new = current(device)
    assert new != old
    assert (device / "opt/stockgate-edge/releases" / old).is_dir()
    code, said = install(device, "--wheels", stand_in(tmp_path / "3", "3.0", check=2))
    assert (code, "can't use /etc/stockgate/edge.toml: nothing was changed" in said) == (2, True), said
    assert (current(device), (device / "etc/stockgate/edge.toml").read_text()) == (new, "one")


def test_new_device_with_a_bad_configuration_is_left_without_one(tmp_path):
    """A configuration that is there is never replaced: a bad one would stay in the way of its successor."""
    (tmp_path / "edge.toml").write_text("bad")
    root = tmp_path / "root"
    code, said = install(root, "--wheels", stand_in(tmp_path / "5", "5.0", check=2), "--config", tmp_path / "edge.toml")
    assert (code, f"can't use {tmp_path}/edge.toml: nothing was changed" in said) == (2, True), said
    assert not (root / "etc").exists()
    assert not (root / "opt/stockgate-edge/current").exists()


def test_configuration_that_only_fails_in_its_place_is_said_to_stay_there(tmp_path):
    (tmp_path / "edge.toml").write_text("names a file beside it")
    root = tmp_path / "root"
    in_place = f"2 if sys.argv[-1].startswith({str(root)!r}) else 0"
    code, said = install(
        root, "--wheels", stand_in(tmp_path / "6", "6.0", check=in_place), "--config", tmp_path / "edge.toml"
    )
    assert code == 2, said
    assert "can't use /etc/stockgate/edge.toml: it was put there by this run and stays" in said
    assert "nothing was changed" not in said
    assert (root / "etc/stockgate/edge.toml").exists()


def test_kernels_that_cannot_be_compiled_leave_the_device_as_it_was(device, tmp_path):
    before = current(device)
    code, said = install(device, "--wheels", stand_in(tmp_path / "wheels", "4.0", warm=1))
    assert (code, "nothing was changed" in said) == (2, True), said
    assert current(device) == before
    assert [one.name for one in (device / "opt/stockgate-edge/releases").iterdir()] == [before]


def test_spare_takes_over_who_the_old_device_was_and_what_it_had_not_sent(first, device, old_card):
    shutil.rmtree(device / "etc/stockgate")
    code, said = install(device, "--wheels", first[0], "--from", old_card)
    assert code == 0, said
    assert (device / "etc/stockgate/gateway.key").read_text() == "a key"
    assert (device / "var/lib/stockgate-edge/outbox.db").read_bytes() == b"events"
    code, said = install(device, "--wheels", first[0], "--from", old_card)
    assert (code, "takes over no other" in said) == (2, True), "a device in service keeps its events"


@pytest.mark.parametrize(("words", "kept"), [((), True), (("--pushed", "no"), False)])
def test_spare_takes_pushed_configurations_if_the_old_device_did_and_nobody_says_otherwise(
    first, device, old_card, words, kept
):
    (old_card / OPENING).parent.mkdir(parents=True)
    (old_card / OPENING).write_text("of an older release")
    shutil.rmtree(device / "etc/stockgate")
    code, said = install(device, "--wheels", first[0], "--from", old_card, *words)
    assert (code, "as it might to the old device" in said) == (0, kept), said
    assert (device / OPENING).exists() == kept
    assert ((device / "etc/stockgate").stat().st_mode & 0o7777 == 0o1770) == kept
    if kept:
        assert (device / OPENING).read_bytes() == (PI / "pushed.conf").read_bytes()


def test_a_swap_that_was_broken_off_is_gone_on_with(first, device, old_card):
    """By a power cut between the events and the configuration, which then lay in a folder too deep."""
    shutil.rmtree(device / "etc/stockgate")
    code, said = install(device, "--wheels", first[0], "--from", old_card)
    assert code == 0, said
    whole = tree(device)
    (device / "etc/stockgate").rename(device / "etc/stockgate.new")
    (device / "etc/stockgate.new/edge.toml").write_text("half a conf")
    marked = device / "var/lib/stockgate-edge/.taken-over"
    marked.write_text(hashlib.sha256((old_card / "etc/stockgate/edge.toml").read_bytes()).hexdigest())
    code, said = install(device, "--wheels", first[0], "--from", old_card)
    assert code == 0, said
    assert tree(device) == whole
    shutil.rmtree(device / "etc/stockgate")
    marked.write_text("of another card")
    code, said = install(device, "--wheels", first[0], "--from", old_card)
    assert (code, "outbox.db is there already: its events would be lost" in said) == (2, True), said


def test_two_installs_at_once_are_one(first, device):
    """Each took the other's release for an old one."""
    with (device / "opt/stockgate-edge/.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, said = install(device, "--wheels", first[0])
    assert (code, "another install is at work" in said) == (2, True), said


@pytest.mark.skipif(os.geteuid() != 0, reason="puts a file system over this machine's own, which wants root")
def test_upgrade_that_does_not_start_leaves_the_release_before_with_its_own_unit(tmp_path):
    """With a systemctl of the test's, which can't start the second release."""
    (tmp_path / "edge.toml").write_text("one")
    second = shutil.copytree(PI, tmp_path / "second")
    unit = (PI / "stockgate-edge.service").read_text()
    (second / "stockgate-edge.service").write_text(unit.replace("--metrics ", "--option-of-the-second --metrics "))
    for number in (1, 2):
        stand_in(tmp_path / f"wheels{number}", f"{number}.0")
    script = ONE_MACHINE.format(at=tmp_path, python=sys.executable, first=PI, second=second)
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "bash", "-euc", script],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False, stdin=-3,
    )  # fmt: skip
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"this machine lets nobody mount: {done.stderr[:200]}")
    said = done.stdout + done.stderr
    assert "went back to the release before, which runs again" in said, said
    assert "current is the first" in said
    assert "option-of-the-second" not in said.partition("--- unit")[2], said


ONE_MACHINE = """
for place in etc opt var usr/local; do
  mkdir -p {at}/over
done
mount -t tmpfs tmpfs {at}/over
for place in etc opt var usr/local; do
  mkdir -p {at}/over/$place/upper {at}/over/$place/work
  mount -t overlay overlay -o lowerdir=/$place,upperdir={at}/over/$place/upper,workdir={at}/over/$place/work /$place
done
mkdir -p {at}/over/run/systemd/system {at}/over/bin
mount --bind {at}/over/run /run
cat >{at}/over/bin/systemctl <<'END'
#!/bin/sh
[ "$1" = restart ] && [ -e /opt/first ] || exit 0
[ "$(readlink /opt/stockgate-edge/current)" = "$(cat /opt/first)" ]
END
chmod 755 {at}/over/bin/systemctl
export PATH={at}/over/bin:$PATH
{first}/install --python {python} --wheels {at}/wheels1 --config {at}/edge.toml
readlink /opt/stockgate-edge/current >/opt/first
{second}/install --python {python} --wheels {at}/wheels2 || true
[ "$(readlink /opt/stockgate-edge/current)" != "$(cat /opt/first)" ] || echo "current is the first"
echo "--- unit"
cat /etc/systemd/system/stockgate-edge.service
"""


def test_pushed_configurations_are_let_in_only_where_that_is_said_and_until_it_is_said_otherwise(first, device):
    folder = device / "etc/stockgate"
    assert not (device / OPENING).exists()
    code, said = install(device, "--wheels", first[0], "--pushed", "yes")
    assert (code, f"wrote /{OPENING}" in said) == (0, True), said
    assert (device / OPENING).read_bytes() == (PI / "pushed.conf").read_bytes()
    assert folder.stat().st_mode & 0o7777 == 0o1770
    code, said = install(device, "--wheels", first[0])
    assert (code, "nothing to change" in said) == (0, True), said
    assert (device / OPENING).exists()
    code, said = install(device, "--wheels", first[0], "--pushed", "no")
    assert (code, "refused from now on" in said) == (0, True), said
    assert not (device / OPENING).parent.exists()
    assert folder.stat().st_mode & 0o7777 == 0o750


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a while")
def test_agent_replaces_its_configuration_in_a_sticky_folder_and_no_key():
    """With owners and modes as the installer gives them; `nobody` stands for the agent's user."""
    folder = Path(tempfile.mkdtemp())  # not below tmp_path, which no other user can enter
    try:
        for name, owner in (("edge.toml", NOBODY), ("gateway.key", 0)):
            (folder / name).write_bytes(b"old")
            (folder / name).chmod(0o640)
            os.chown(folder / name, owner, NOBODY)
        os.chown(folder, 0, NOBODY)
        folder.chmod(0o1770)
        with somebody_else():
            note = TrialFiles(folder / "edge.toml").begin(b"old", b"new", name="configure", nonce="n")
            files = TrialFiles(folder / "edge.toml")
            assert files.settle().text == b"old", "an unfinished trial is taken back"
            files.forget(files.end(note, problem="", result={}))
            (folder / "mine").write_bytes(b"a key of mine")
            with pytest.raises(PermissionError):
                (folder / "mine").replace(folder / "gateway.key")
            for do in (Path.unlink, lambda key: key.write_bytes(b"mine"), lambda key: key.rename(folder / "other")):
                with pytest.raises(PermissionError):
                    do(folder / "gateway.key")
        assert sorted(one.name for one in folder.iterdir()) == ["edge.toml", "gateway.key", "mine"]
    finally:
        shutil.rmtree(folder)


@contextmanager
def somebody_else():
    """Act as a user without rights."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say where the wheels are"),
        (["--wheels", "/nowhere"], "there is no folder /nowhere"),
        (["--wheels", "."], "no stockgate-*.whl"),
        (["--wheel"], "what is --wheel?"),
        (["--wheels"], "--wheels wants a value"),
        (["--wheels", ".", "--index", "http://localhost"], "give one of them"),
        (["--wheels", ".", "--from", "/nowhere"], "mount the old card"),
        (["--wheels", ".", "--pushed", "maybe"], "say yes or no"),
        (["--wheels", ".", "--pushed", "yes"], "wants an edge.toml"),
        (["--wheels", ".", "--python", "/bin/false"], "no 64-bit Python"),
    ],
)
def test_bad_words_are_refused_before_anything_is_done(tmp_path, words, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, told = install(tmp_path / "root", *words)
    assert (code, said in told) == (2, True), told
    assert not (tmp_path / "root").exists()


@pytest.mark.system("systemd-analyze")
@pytest.mark.parametrize("pushed", ["no", "yes"])
def test_service_is_exposed_no_more_than_promised(pushed, tmp_path):
    """0 is a service without any rights, 10 one with all."""
    text = UNIT.read_text()
    if pushed == "yes":
        text += (PI / "pushed.conf").read_text()
    (tmp_path / UNIT.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", tmp_path / UNIT.name],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (found := re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)), done.stdout + done.stderr
    assert float(found[1]) <= MOST_EXPOSED, done.stdout


@pytest.mark.system("systemd-analyze")
def test_unit_is_understood_whole(tmp_path):
    """Every word is one that systemd knows; its programs are stood in for, since they aren't installed here."""
    text = re.sub(r"^(Exec\w+)=.*$", r"\1=/bin/true", UNIT.read_text(), flags=re.MULTILINE)
    text += (PI / "pushed.conf").read_text()
    (tmp_path / UNIT.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / UNIT.name],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if UNIT.name in line]) == (0, [])


def test_unit_starts_what_the_installer_installs_and_the_agent_knows():
    """Places that three files name are the same, and every option is one of the command's."""
    unit, installer = UNIT.read_text(), (PI / "install").read_text()
    line = re.search(r"^ExecStart=(\S+) (.*)$", unit, re.MULTILINE)
    assert line[1] == "/opt/stockgate-edge/current/bin/stockgate-edge"
    for place in (line[1], "/var/lib/stockgate-edge", "/var/cache/stockgate-edge", "/etc/stockgate/edge.toml"):
        assert place in installer
        assert place in unit
    reference = (ROOT / "docs/reference/cli.md").read_text("utf-8")
    for option in re.findall(r"--[a-z-]+", line[2]):
        assert option in reference
    for needed in ("Type=notify", "WatchdogSec=", "StateDirectory=stockgate-edge", "CacheDirectory=stockgate-edge"):
        assert needed in unit


def test_scripts_are_clean():
    """Where shellcheck is installed; it is no dependency of ours, so elsewhere bash alone reads them."""
    scripts = [PI / "install", ROOT / "deploy" / "arm" / "check"]
    for script in scripts:
        subprocess.run(["bash", "-n", script], check=True, timeout=PATIENCE_S)
    if shellcheck := shutil.which("shellcheck"):
        subprocess.run([shellcheck, *scripts], check=True, timeout=PATIENCE_S)


def test_no_script_names_a_place_of_the_network():
    """Where wheels come from is said by who installs; the chroot's mirror is this machine's own."""
    for script in (PI / "install", ROOT / "deploy" / "arm" / "check"):
        assert not re.search(r"https?://[a-z]", Path(script).read_text())
