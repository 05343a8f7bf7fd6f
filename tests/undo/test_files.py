"""Undoing what a tool did to files and directories."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.undo import files, sweep, undo_apart, undo_from
from ladder_graph.undo.filesystem import present
from tests.undo.sequences import SEQUENCES, came, hold, made, refused, tried

NAMES = ["a", "b", "d/a", "d/b", "d/e/a", "d", "d/e", "a-b"]


@pytest.fixture
def folder(tmp_path):
    """A directory with a file in it, apart from where before-images go."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "page").write_text("old")
    (tmp_path / "site" / "page").chmod(0o640)
    return tmp_path / "site"


def declared(folder, **said):
    """The declaration for a tool with an argument `path`."""
    return files("path", root=folder, store=folder.parent / "store", **said)


def seen(top):
    """Everything that can be seen below a directory."""

    def one(path):
        if path.is_symlink():
            return ("link", os.fspath(path.readlink()))
        mode = path.stat().st_mode
        return (mode, None if path.is_dir() else path.read_bytes())

    return {os.fspath(path.relative_to(top)): one(path) for path in sorted(top.rglob("*"))}


def clear(path):
    """Take away whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def change(kind, name, text):
    """One change to a directory; what can't be done there isn't."""

    def act(top):
        path = top / name
        above = [parent for parent in path.parents if parent.is_relative_to(top)]
        if any(parent.is_symlink() or parent.is_file() for parent in above):
            return False
        return DOING[kind](path, text)

    return act


def write(path, text):
    """A file with its directories."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        clear(path)
        path.write_text(text)


def put(path, text):
    """A file in a directory that is there already: making one that is there too would be a change nobody can see."""
    return write(path, text) if path.parent.is_dir() and not path.is_dir() else False


def remove(path, _):
    """Nothing where something was; False where nothing was, since then nobody did anything."""
    there = path.exists() or path.is_symlink()
    clear(path)
    return there


def mode(path, text):
    """Other rights."""
    if path.is_file() and not path.is_symlink():
        path.chmod(0o600 if len(text) % 2 else 0o664)


def link(path, text):
    """A symlink to nowhere."""
    if path.parent.is_dir() and not path.is_dir():
        clear(path)
        path.symlink_to(text)


def replace(path, text):
    """A file where a directory was, and the other way round."""
    path.parent.mkdir(parents=True, exist_ok=True)
    was_directory = path.is_dir()
    clear(path)
    path.write_text(text) if was_directory else path.mkdir()


DOING = {"write": write, "remove": remove, "put": put, "mode": mode, "link": link, "replace": replace}


def changes(who, kinds=tuple(DOING)):
    """Some changes; what two people write differs, as it does in life."""
    texts = st.integers(0, 3).map(lambda nth: f"{who}{nth}" * (nth + 1))
    return st.builds(change, st.sampled_from(kinds), st.sampled_from(NAMES), texts)


@SEQUENCES
def test_it_leaves_what_would_be_there_without_the_action(sequences):
    """Whatever was changed before, by the action and by others after it."""
    root = Path(tempfile.mkdtemp(prefix="ladder-files-"))
    worlds = iter(range(10**9))

    @tried(sequences)
    @given(st.lists(changes("before"), max_size=5), st.lists(changes("it"), min_size=1, max_size=4),
           st.lists(changes("other", ("put", "remove")), max_size=3))  # fmt: skip
    def run(before, action, foreign):
        def build():
            top = root / str(next(worlds))
            top.mkdir()
            for one in before:
                one(top)
            return top

        def act(top):
            for one in action:
                one(top)

        hold(build, lambda top: files("path", store=root / "store"), lambda top: {"path": str(top)}, act, foreign, seen)

    try:
        run()
    finally:
        shutil.rmtree(root)


def test_content_and_mode_come_back(folder):
    """The file is as it was, its mode too."""
    page = folder / "page"
    artifact = made(declared(folder), {"path": str(page)})
    before = seen(folder)
    assert came(declared(folder), artifact, lambda: (page.write_text("new"), page.chmod(0o600))) == "undone"
    assert seen(folder) == before


def test_what_was_absent_is_absent_again(folder):
    """A file that the action made is removed."""
    artifact = made(declared(folder), {"path": str(folder / "new")})
    assert came(declared(folder), artifact, lambda: (folder / "new").write_text("x")) == "undone"
    assert not (folder / "new").exists()


def test_directories_on_the_way_to_a_file_stay(folder):
    """They aren't what the argument names, and somebody may use them by now."""
    page = folder / "new" / "page"
    artifact = made(declared(folder), {"path": str(page)})
    assert came(declared(folder), artifact, lambda: (page.parent.mkdir(), page.write_text("x"))) == "undone"
    assert list(folder.glob("new/**/*")) == []
    assert page.parent.is_dir()


def test_others_keep_what_they_changed_beside_it(folder):
    """In a directory, only what the action changed goes back."""
    artifact = made(declared(folder), {"path": str(folder)})
    wrong, other = lambda: (folder / "page").write_text("new"), lambda: (folder / "note").write_text("mine")
    assert came(declared(folder), artifact, wrong, other) == "undone"
    assert ((folder / "page").read_text(), (folder / "note").read_text()) == ("old", "mine")


def test_what_others_changed_after_it_is_a_conflict(folder):
    """The same file, changed by somebody after the action, is left alone."""
    page = folder / "page"
    artifact = made(declared(folder), {"path": str(page)})
    assert came(declared(folder), artifact, lambda: page.write_text("it"), lambda: page.write_text("me")) == "conflict"
    assert page.read_text() == "me"


def test_what_others_put_into_a_new_directory_is_a_conflict(folder):
    """A directory that the action made stays, with all in it, where somebody else uses it meanwhile."""
    new = folder / "new"
    artifact = made(declared(folder), {"path": str(new)})
    wrong = lambda: (new.mkdir(), (new / "x").write_text("it"))  # noqa: E731
    assert came(declared(folder), artifact, wrong, lambda: (new / "y").write_text("me")) == "conflict"
    assert ((new / "x").read_text(), (new / "y").read_text()) == ("it", "me")


def test_after_a_crash_it_goes_back_all_the_same(folder):
    """Without the fingerprint after the action, what is there now is the action's."""
    page = folder / "page"
    artifact = made(declared(folder), {"path": str(page)})
    assert came(declared(folder), artifact, lambda: page.write_text("it"), known=False) == "undone"
    assert page.read_text() == "old"


def test_large_files_wait_in_the_store(folder):
    """What is too large for the ledger is kept beside it, for its owner only."""
    page, store = folder / "page", folder.parent / "store"
    large = os.urandom(100_000)
    page.write_bytes(large)
    artifact = made(declared(folder), {"path": str(page)})
    assert store.stat().st_mode & 0o777 == 0o700
    assert came(declared(folder), artifact, page.unlink) == "undone"
    assert page.read_bytes() == large
    assert sweep(3600, store=store) == 0
    assert sweep(-1, store=store) == 1


def test_many_small_files_do_not_fill_the_ledger(folder):
    """Beyond a limit for all of them they go into the store, and come back from it."""
    for nth in range(20):
        (folder / str(nth)).write_bytes(os.urandom(30_000))
    artifact, before = made(declared(folder), {"path": str(folder)}), seen(folder)
    assert len(json.dumps(artifact)) < 400_000
    assert came(declared(folder), artifact, lambda: [(folder / str(nth)).unlink() for nth in range(20)]) == "undone"
    assert seen(folder) == before


def test_a_before_image_that_was_tampered_with_is_not_put_back(folder):
    """The bytes in the store must be those that were kept."""
    page, store = folder / "page", folder.parent / "store"
    page.write_bytes(os.urandom(100_000))
    artifact = made(declared(folder), {"path": str(page)})
    page.write_text("new")
    next(store.iterdir()).write_bytes(b"x")
    assert "can't be read" in undo_from(artifact, None).text
    assert page.read_text() == "new"


@pytest.mark.parametrize("way", ["outside", "linked", "leaf", "dots"])
def test_nothing_outside_of_the_root(folder, way):
    """A path that leads out, by name or by symlink, gets no undo and so doesn't run unasked."""
    (folder.parent / "secret").write_text("s")
    (folder / "out").symlink_to(folder.parent)
    (folder / "leaf").symlink_to(folder.parent / "secret")
    paths = {"outside": folder.parent / "secret", "linked": folder / "out" / "secret", "leaf": folder / "leaf",
             "dots": folder / ".." / "secret"}  # fmt: skip
    assert "is not below" in refused(declared(folder), {"path": str(paths[way])})


def test_a_symlink_is_written_through(folder):
    """Where a tool writes through a symlink, both the link and what it leads to go back."""
    (folder / "link").symlink_to("page")
    artifact = made(declared(folder), {"path": str(folder / "link")})
    assert came(declared(folder), artifact, lambda: (folder / "link").write_text("new")) == "undone"
    assert (folder / "page").read_text() == "old"


def test_a_way_that_somebody_moved_is_a_conflict(folder):
    """A directory on the way that became a symlink leads nobody astray."""
    (folder / "d").mkdir()
    (folder / "d" / "x").write_text("old")
    artifact = made(declared(folder), {"path": str(folder / "d" / "x")})
    (folder / "d" / "x").write_text("new")
    (folder / "d").rename(folder.parent / "moved")
    (folder / "d").symlink_to(folder.parent / "moved")
    assert undo_from(artifact, None).text == f"the directory {folder / 'd'} is somewhere else now"
    assert (folder.parent / "moved" / "x").read_text() == "new"


@pytest.mark.parametrize("arguments", [{}, {"path": 3}, {"path": ""}, {"path": []}, {"path": "a\0b"}])
def test_without_a_path_there_is_no_undo(folder, arguments):
    """An argument that is missing or no path."""
    assert "is no path" in refused(declared(folder), arguments)


def test_what_is_too_large_or_no_file_gets_no_undo(folder):
    """Beyond the limit, and for pipes, the call asks."""
    (folder / "page").write_bytes(b"x" * 2000)
    assert "too large" in refused(declared(folder, largest="1KB"), {"path": str(folder)})
    os.mkfifo(folder / "pipe")
    assert "no file, directory or symlink" in refused(declared(folder), {"path": str(folder / "pipe")})


def test_a_killed_undo_is_finished_by_the_next(folder):
    """What a killed undo left half-written is removed, and the rest is put back."""
    artifact = made(declared(folder), {"path": str(folder)})
    before = seen(folder)
    (folder / "page").write_text("new")
    (folder / "more").mkdir()
    (folder / "more" / "x").write_text("x")
    after = present(artifact["state"])
    (folder / "more" / "x").unlink()
    (folder / ".ladder-part-0123").write_text("ol")
    assert undo_apart(artifact, after).text == ""
    assert seen(folder) == before
