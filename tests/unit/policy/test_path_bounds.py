"""Bounds on paths: what only looks as if it were below the directory."""

from __future__ import annotations

import pytest

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Under


def call(value):
    """A call with one argument."""
    return Call("ops", "t1", "c1", "tool", {"x": value})


@pytest.fixture
def root(tmp_path):
    """A directory with links that stay inside it and links that lead out of it."""
    root = tmp_path / "conf"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "conf-other").mkdir()
    (tmp_path / "secret").write_text("s")
    (root / "in").symlink_to(root / "sub")
    (root / "out").symlink_to(tmp_path)
    (root / "file").symlink_to(tmp_path / "secret")
    (root / "loop").symlink_to(root / "loop")
    (tmp_path / "door").symlink_to(root)
    return root


@pytest.mark.parametrize(
    "path", ["a", "sub/a", "sub/../a", "in/a", "missing/deep/a", "./a", "sub//a", "...", "a b", "é", ".hidden"]
)
def test_a_path_inside_is_inside(root, path):
    """Relative to the directory where the bound says so, and written out."""
    assert Under(argument="x", directory=str(root), relative_to="directory").check(call(path)) is None
    assert Under(argument="x", directory=str(root)).check(call(f"{root}/{path}")) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "sub/..",
        "..",
        "../secret",
        "sub/../../secret",
        "missing/../../secret",
        "out/secret",
        "out",
        "file",
        "in/../../secret",
        "out/conf-other/a",
        "../conf-other/a",
        "/etc/passwd",
        "//etc/passwd",
        "~",
        "~/a",
        "~root/a",
        " /etc/passwd",
        "a ",
        "a\n",
        "a\0b",
        "a\r",
        "..\\..\\secret",
        "a\\b",
        "C:\\a",
        "C:a",
        "file://localhost/etc/passwd",
        "file:a",
        "http://evil.example/a",
        "\ta",
        "a\N{RIGHT-TO-LEFT OVERRIDE}b",
        "\N{ZERO WIDTH SPACE}a",
    ],
)
def test_a_path_that_leads_out_is_outside(root, path):
    """`..`, links, other roots, home directories, drives, URLs, what a tool may strip, and the directory itself."""
    assert Under(argument="x", directory=str(root), relative_to="directory").check(call(path)) is not None


@pytest.mark.parametrize("odd", [None, 3, True, ["a"], {"a": "a"}, b"a", 2.0])
def test_what_is_no_text_is_no_path(root, odd):
    """A path is text."""
    assert Under(argument="x", directory=str(root), relative_to="directory").check(call(odd)) is not None


def test_a_relative_path_wants_a_word_about_what_it_means(root, tmp_path, monkeypatch):
    """Where the bound doesn't say it, the check and the tool could mean different files, so it asks."""
    monkeypatch.chdir(tmp_path)
    silent = Under(argument="x", directory=str(root)).check(call("a"))
    assert silent.text.endswith("; a relative one is clear only where the bound says relative_to")
    process = Under(argument="x", directory=str(root), relative_to="process")
    assert process.check(call("a")) is not None
    assert process.check(call("conf/a")) is None
    assert (
        Under(argument="x", directory=str(root)).check(call("/etc/passwd")).text.endswith(f"wants a path under {root}")
    )


def test_the_directory_may_be_a_link(root, tmp_path):
    """A bound on a link is a bound on where it leads."""
    door = Under(argument="x", directory=str(tmp_path / "door"))
    assert door.check(call(f"{tmp_path}/door/a")) is None
    assert door.check(call(f"{root}/a")) is None
    assert door.check(call(f"{tmp_path}/secret")) is not None


def test_odd_paths_do_no_harm(root):
    """Links in a circle and endless names end in an answer."""
    bound = Under(argument="x", directory=str(root), relative_to="directory")
    assert bound.check(call("loop/../../secret")) is not None
    assert bound.check(call("../" * 5000)) is not None
    assert bound.check(call("a" * 100_000 + "/../../secret")) is not None
