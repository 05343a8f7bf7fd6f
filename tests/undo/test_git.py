"""Undoing what a tool did to a git work tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.undo import git_tree, touched_from, undo_apart, undo_from
from tests.undo.sequences import SEQUENCES, came, hold, made, refused, tried

WHO = {"NAME": "ana", "EMAIL": "ana@example.com", "DATE": "2026-01-01T00:00:00Z"}
IDENTITY = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in WHO.items()}


def git(top, *words):
    """What git says."""
    outside = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    env = {**os.environ, **IDENTITY, **outside}
    return subprocess.run(["git", "-C", top, *words], env=env, check=True, capture_output=True).stdout.decode()


def repository(top):
    """One with a commit, a change that isn't committed, and ignored files."""
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    (top / ".gitignore").write_text("*.log\nbuild/\n")
    (top / "a").write_text("a\r\n")
    (top / "d").mkdir()
    (top / "d" / "b").write_text("b\n")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    (top / "d" / "b").write_text("somebody is at it\n")
    (top / "x.log").write_text("ignored")
    (top / "build").mkdir()
    (top / "build" / "o").write_text("ignored too")
    (top / "empty").mkdir()
    return top


def seen(top):
    """Everything that can be seen of a work tree."""
    files = {
        os.fspath(path.relative_to(top)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(top.rglob("*"))
        if ".git" not in path.parts
    }
    refs = git(top, "for-each-ref") + git(top, "symbolic-ref", "HEAD")
    return files, git(top, "ls-files", "--stage"), git(top, "status", "--porcelain"), refs


@pytest.fixture
def tree(tmp_path):
    """A repository."""
    return repository(tmp_path / "tree")


def write(name, text):
    """Write a file, in a directory that is there."""

    def act(top):
        if not (top / name).parent.is_dir():
            return False
        (top / name).write_text(text)
        return True

    return act


def remove(name):
    """Remove a file that is there."""

    def act(top):
        there = (top / name).exists()
        (top / name).unlink(missing_ok=True)
        return there

    return act


def new(name, text):
    """Write a file in a new directory."""

    def act(top):
        (top / name).mkdir(exist_ok=True)
        (top / name / "x").write_text(text)

    return act


def stage(top):
    """Stage everything."""
    git(top, "add", "-A")


def commit(top):
    """Commit everything."""
    git(top, "add", "-A")
    git(top, "commit", "-qm", "it", "--allow-empty")


def executable(top):
    """Make a file executable."""
    if (top / "a").exists():
        (top / "a").chmod(0o755)


NAMES = st.sampled_from(["a", "d/b", "c", "d/c", ".gitignore"])
ACTIONS = st.one_of(
    st.builds(write, NAMES, st.sampled_from(["it\n", "*.tmp\n", "", "it\r\n"])), st.builds(remove, NAMES),
    st.builds(new, st.just("n"), st.just("it")), st.sampled_from([stage, commit, executable]),
)  # fmt: skip
FOREIGN = st.one_of(st.builds(write, NAMES, st.sampled_from(["me\n", "mine\r\n"])), st.builds(remove, NAMES))


@SEQUENCES
def test_it_leaves_what_would_be_there_without_the_action(sequences):
    """Files, what is staged, HEAD and its branch, whatever the action did and others did after it."""
    root = Path(tempfile.mkdtemp(prefix="ladder-trees-"))
    first, worlds = repository(root / "first"), iter(range(10**9))

    # Each sequence starts git some fifty times.
    @tried(sequences if sequences > 8 else 5)
    @given(st.lists(ACTIONS, min_size=1, max_size=4), st.lists(FOREIGN, max_size=2))
    def run(action, foreign):
        def build():
            return Path(shutil.copytree(first, root / str(next(worlds)), symlinks=True))

        def act(top):
            for one in action:
                one(top)

        hold(build, lambda top: git_tree("path"), lambda top: {"path": str(top)}, act, foreign, seen)

    try:
        run()
    finally:
        shutil.rmtree(root)


def attempt(tree, action, *meanwhile, known=True):
    """Act, let others act, undo."""
    declared = git_tree(path=tree)
    steps = [lambda one=one: one(tree) for one in (action, *meanwhile)]
    return came(declared, made(declared, {}), *steps, known=known)


def test_the_work_of_others_stays(tree):
    """What somebody hadn't committed before the action, and wrote after it, is still there."""
    assert attempt(tree, write("a", "it"), write("mine", "me")) == "undone"
    assert (tree / "a").read_bytes() == b"a\r\n"
    assert (tree / "d" / "b").read_text() == "somebody is at it\n"
    assert (tree / "mine").read_text() == "me"


@pytest.mark.parametrize("branch", ["main", "other"])
def test_a_commit_is_taken_back(tree, branch):
    """On the branch it was made, or on one that the action switched to."""
    before = seen(tree)

    def act(top):
        if branch != "main":
            git(top, "checkout", "-q", "-b", branch)
        commit(top)

    assert attempt(tree, act) == "undone"
    if branch != "main":
        git(tree, "branch", "-qD", branch)
    assert seen(tree) == before


def test_a_commit_that_others_build_upon_stays(tree):
    """A branch that somebody moved after the action is a conflict, and the files stay too."""

    def act(top):
        write("a", "it")(top)
        commit(top)

    assert attempt(tree, act, write("c", "me"), commit) == "conflict"
    assert git(tree, "log", "--oneline").count("\n") == 3
    assert (tree / "a").read_text() == "it"


def test_the_first_commit_is_taken_back(tmp_path):
    """Of a repository without one, the branch is unborn again."""
    git(tmp_path, "init", "-q", "-b", "main")
    assert attempt(tmp_path, commit) == "undone"
    assert git(tmp_path, "for-each-ref") == ""
    assert git(tmp_path, "symbolic-ref", "HEAD") == "refs/heads/main\n"


def test_a_detached_head_comes_back(tree):
    """HEAD at a commit, which the action left for the branch."""
    git(tree, "checkout", "-q", "--detach")
    at = (tree / ".git" / "HEAD").read_text()
    assert attempt(tree, lambda top: git(top, "checkout", "-q", "main")) == "undone"
    assert (tree / ".git" / "HEAD").read_text() == at


def test_ignored_files_are_nobodys_business(tree):
    """Not even when the action makes git see them."""
    assert attempt(tree, lambda top: (remove(".gitignore")(top), stage(top))) == "undone"
    assert (tree / "x.log").read_text() == "ignored"
    assert (tree / "build" / "o").exists()


def test_a_file_that_the_action_hides_is_still_seen(tree):
    """New files that the action's own rules ignore go, and what others write into a hidden one stays."""
    (tree / "note").write_text("old")

    def act(top):
        (top / ".gitignore").write_text("*")
        (top / "hidden").write_text("it")

    assert attempt(tree, act, write("note", "me")) == "undone"
    assert not (tree / "hidden").exists()
    assert (tree / "note").read_text() == "me"


def test_after_a_crash_a_changed_tree_is_a_conflict(tree):
    """Nobody knows whose change it was; one that is as before needs nothing."""
    assert attempt(tree, write("a", "it"), known=False) == "conflict"
    assert (tree / "a").read_text() == "it"
    assert attempt(tree, lambda top: None, known=False) == "no-op"


def test_an_index_that_somebody_works_on_is_left_alone(tree):
    """Git's own lock is kept; the next try finishes."""
    declared = git_tree(path=tree)
    artifact = made(declared, {})
    commit(tree)
    after = touched_from(artifact)
    lock = tree / ".git" / "index.lock"
    lock.touch()
    assert "somebody else works on the index" in undo_from(artifact, after).text
    lock.unlink()
    assert undo_apart(artifact, after).text == ""


def test_hooks_do_not_run(tree):
    """An action can't leave a hook that the undo would run."""
    hook = tree / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tree.parent}/ran\n")
    declared = git_tree(path=tree)
    artifact = made(declared, {})
    commit(tree)
    hook.chmod(0o755)
    undo_from(artifact, touched_from(artifact))
    assert git(tree, "log", "--oneline").count("\n") == 1
    assert not (tree.parent / "ran").exists()


def test_what_is_under_way_is_finished_first(tree, tmp_path):
    """In the middle of a merge, and outside of a repository, there is no undo."""
    (tree / ".git" / "MERGE_HEAD").touch()
    assert "under way" in refused(git_tree(path=tree), {})
    assert "git rev-parse" in refused(git_tree(path=tmp_path), {})
    assert "is no path" in refused(git_tree("path"), {"path": "nowhere"})
