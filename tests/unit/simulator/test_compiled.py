"""Compiled kernels are forgotten when a source changes, and only then."""

from simulator.world.compiled import forget_stale


def test_compiled_kernels_go_when_any_source_of_their_rooms_changes(tmp_path):
    """Also a module that has no kernels itself."""
    for room in ("radio", "air"):
        kept = tmp_path / room / "__pycache__"
        kept.mkdir(parents=True)
        (tmp_path / room / "kernels.py").write_text("one")
    layout, index = tmp_path / "radio" / "layout.py", tmp_path / "air" / "__pycache__" / "kernels.run-1.py311.nbi"
    layout.write_text("LEVEL = 1")
    forget_stale(tmp_path)
    index.write_bytes(b"compiled")
    forget_stale(tmp_path)
    assert index.exists()
    layout.write_text("LEVEL = 2")
    forget_stale(tmp_path)
    assert not index.exists()


def test_nothing_happens_where_nothing_can_be_written(tmp_path):
    """As in an installation that belongs to another user."""
    (tmp_path / "__pycache__").write_text("a file where the folder should be")
    forget_stale(tmp_path)
    assert (tmp_path / "__pycache__").read_text() == "a file where the folder should be"
