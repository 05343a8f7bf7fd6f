"""Files below a root: nothing a model writes leads out of it."""

from __future__ import annotations

import os

import pytest

from ladder_graph.drafting import roots
from ladder_graph.errors import DraftRefused


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/../../x", "a/..", "/etc/passwd", "//etc/passwd", "a\0b", "a\nb", "a\\..\\b", "C:/x",
     "c:x", ".git/config", "a/.GIT/hooks/x", "x" * 2000, "a\u2028b", "a\x7f", 3, None, ["a"]],
)  # fmt: skip
def test_what_is_no_path_below_the_root_is_refused(tmp_path, name):
    """Absolute, with dots, with characters that no name has, or into a repository's own files."""
    with pytest.raises(DraftRefused):
        roots.inside(tmp_path, name)


def test_a_path_below_the_root_is_one(tmp_path):
    """Relative, or absolute; also where the root is reached by a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert roots.inside(tmp_path / "link", "./a//b.txt") == "a/b.txt"
    assert roots.inside(tmp_path / "link", str(tmp_path / "link" / "a")) == "a"
    assert roots.inside(tmp_path / "link", str(tmp_path / "real" / "a")) == "a"
    with pytest.raises(DraftRefused):
        roots.inside(tmp_path / "link", str(tmp_path / "other"))


def test_links_and_odd_files_are_not_read(tmp_path):
    """On the way or at its end; nor directories, pipes, what is no text, and what is too large."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "d").symlink_to(outside)
    (root / "l").symlink_to(outside / "x")
    (root / "dir").mkdir()
    os.mkfifo(root / "pipe")
    (root / "bin").write_bytes(b"\xff\xfe")
    (root / "nul").write_bytes(b"a\0b")
    (root / "large").write_bytes(b"x" * (roots.LARGEST + 1))
    (root / "fine").write_text("ü\n")
    for name in ("d/x", "l", "dir", "pipe", "bin", "nul", "large", "fine/x"):
        with pytest.raises(DraftRefused):
            roots.read(root, name)
    assert roots.read(root, "fine") == "ü\n"
    assert roots.read(root, "nope") is roots.read(root, "no/pe") is None
