"""The windows' compiled kernels are forgotten when what they were made from changes, and only then."""

from edge.windows.fresh import forget_stale


def test_compiled_kernels_go_when_the_layout_changes(tmp_path):
    """Numba looks at the kernels' own file alone, and constants stand in another."""
    inner = tmp_path / "evidence" / "__pycache__"
    inner.mkdir(parents=True)
    (tmp_path / "kernels.py").write_text("one")
    layout, index = tmp_path / "layout.py", inner / "kernels.measure-1.py311.nbi"
    layout.write_text("ROWS = 1")
    forget_stale(tmp_path)
    index.write_bytes(b"compiled")
    (tmp_path / "group.py").write_text("no kernel in it")
    forget_stale(tmp_path)
    assert index.exists()
    layout.write_text("ROWS = 2")
    forget_stale(tmp_path)
    assert not index.exists()


def test_a_kernel_that_is_called_from_another_folder_forgets_its_caller(tmp_path):
    """What `evidence` calls in `evidence/levels` is compiled into it."""
    called, kept = tmp_path / "evidence" / "levels", tmp_path / "evidence" / "__pycache__"
    called.mkdir(parents=True)
    kept.mkdir()
    (called / "kernels.py").write_text("one")
    forget_stale(tmp_path)
    (kept / "kernels.measure-1.py311.nbi").write_bytes(b"compiled")
    (called / "kernels.py").write_text("two")
    forget_stale(tmp_path)
    assert not list(kept.iterdir())


def test_nothing_happens_where_nothing_can_be_written(tmp_path):
    """As in an installation that belongs to another user."""
    (tmp_path / "__pycache__").write_text("a file where the folder should be")
    forget_stale(tmp_path)
    assert (tmp_path / "__pycache__").read_text() == "a file where the folder should be"
