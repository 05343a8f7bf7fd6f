"""Drafts: made without sending anything, and written whole, for their owner's eyes only."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ladder_graph.drafting import Drawn, patch
from ladder_graph.errors import LadderError
from ladder_graph.steps import Undrawn
from ladder_graph.tools import NOTHING, Declaration
from ladder_graph.turns.workspace import Workspace, compose, render
from tests.unit.walking import CALL

LETTER = replace(CALL, arguments={"to": "ana@example.com", "body": "Dear Ana,\n\nall is well.", "cc": ["bo"]})


def test_the_rendered_call_shows_every_argument():
    """Without a drafter the draft is the call itself, each argument verbatim."""
    text = render(LETTER)
    assert text.startswith("# Draft: send_email\n\nProposed by ops in thread t1.")
    for line in ("## to", "    ana@example.com", "    Dear Ana,", "    all is well.", "## cc"):
        assert line in text.splitlines()


def test_a_declared_drafter_makes_the_artifact():
    """The tool's own drafter decides on text and suffix."""
    declared = Declaration(drafter=lambda args: f"To: {args['to']}", suffix=".eml")
    drawn = compose(LETTER, declared)
    assert (drawn.artifact, drawn.suffix, drawn.whole) == ("To: ana@example.com", ".eml", True)
    assert [(one.base, one.text) for one in drawn.pieces] == [(None, "To: ana@example.com")]
    plain = compose(LETTER, NOTHING)
    assert (plain.artifact, plain.suffix) == (render(LETTER), ".md")


@pytest.mark.parametrize(("drafter", "said"), [(lambda args: args["nope"], "KeyError: 'nope'"), (lambda _: 7, "a int")])
def test_a_drafter_that_fails_leaves_the_rendered_call(drafter, said):
    """A drafter's own mistakes don't stop the draft, and are said in it."""
    drawn = compose(LETTER, Declaration(drafter=drafter, suffix=".eml"))
    assert drawn.artifact.startswith(render(LETTER))
    assert said in drawn.artifact
    assert said in drawn.notes[0]
    assert drawn.suffix == ".md"


def test_arguments_that_a_drafter_refuses_are_no_draft():
    """Where they would lead out of its root, there is nothing to accept."""
    drafter = patch(root="/srv", path="to", text="body")
    assert compose(replace(LETTER, arguments={"to": "../x", "body": ""}), Declaration(drafter=drafter)) == Undrawn(
        "'../x' leads out of /srv"
    )


def test_a_drafter_cannot_change_the_call():
    """What runs later is what was decided about, whatever the drafter does to its arguments."""
    call = replace(LETTER)
    compose(call, Declaration(drafter=lambda args: str(args["cc"].append("eve"))))
    assert call.arguments == LETTER.arguments


def test_it_is_written_for_its_owner_only(tmp_path):
    """The path, the digest of the bytes, and rights for nobody else."""
    path, digest = Workspace(tmp_path / "drafts").write(LETTER, "Dear Ana", ".eml")
    assert Path(path).name == f"send_email-{LETTER.short}.eml"
    assert digest == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(path).parent.stat().st_mode) == 0o700


def test_nothing_else_lies_about(tmp_path):
    """A second draft of the same call takes the place of the first, and no part of it is left over."""
    workspace = Workspace(tmp_path)
    workspace.write(LETTER, "one", ".tar.gz")
    path, _ = workspace.write(LETTER, "two", ".tar.gz")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["two"]
    assert path.endswith(".tar.gz")


@pytest.mark.parametrize("tool", ["../../etc/passwd", "a/b", ".", "", "x" * 300, "naïve 🙂"])
def test_a_tools_name_is_no_path(tmp_path, tool):
    """Whatever a tool is called, its drafts stay in the workspace."""
    path, _ = Workspace(tmp_path / "drafts").write(replace(LETTER, tool=tool), "x", ".md")
    assert Path(path).parent == tmp_path / "drafts"


def test_half_a_surrogate_pair_is_escaped(tmp_path):
    """Text that no file can hold is escaped rather than lost."""
    path, _ = Workspace(tmp_path).write(LETTER, "a\ud800b", ".md")
    assert Path(path).read_text() == r"a\ud800b"


def test_each_set_of_labels_has_a_directory_of_its_own(tmp_path):
    """For its owner's eyes only; the labels of the rule and of the draft together, in whatever order."""
    workspace = Workspace(tmp_path / "drafts")
    drawn = Drawn("text", (), "x", labels=("hr",))
    filed = [workspace.filed(LETTER, drawn, labels) for labels in (["pay"], ["hr", "pay"], [])]
    directories = [Path(one.path).parent for one in filed]
    assert directories[0] == directories[1] != directories[2]
    assert [one.labels for one in filed] == [("pay", "hr"), ("hr", "pay"), ("hr",)]
    assert all(one.parent == tmp_path / "drafts" and stat.S_IMODE(one.stat().st_mode) == 0o700 for one in directories)
    assert Path(workspace.write(LETTER, "x", ".md")[0]).parent == tmp_path / "drafts"
    for labels in (["../up"], ["a/b"], ["a+b"], ["a", "b"]):
        assert Path(workspace.write(LETTER, "x", ".md", labels)[0]).parent.parent == tmp_path / "drafts"
    assert len({Path(workspace.write(LETTER, "x", ".md", one)[0]).parent for one in (["a+b"], ["a", "b"])}) == 2


@pytest.mark.parametrize("suffix", ["/../x", ".a/b", "", ".md\n", "x"])
def test_a_suffix_is_no_path(tmp_path, suffix):
    """What a drafter of somebody else's calls a suffix stays one."""
    path, _ = Workspace(tmp_path).write(LETTER, "x", suffix)
    assert Path(path).name == f"send_email-{LETTER.short}.txt"


def test_a_link_that_lies_in_the_way_is_not_written_through(tmp_path):
    """Who may write into the workspace can't have a draft written elsewhere."""
    (tmp_path / f"send_email-{LETTER.short}.md.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LadderError, match="can't be written"):
        Workspace(tmp_path).write(LETTER, "x", ".md")
    assert not (tmp_path / "elsewhere").exists()


def test_a_workspace_that_cannot_be_written_is_said(tmp_path):
    """A workspace that is no directory is an error of ours, with the path in it."""
    (tmp_path / "drafts").write_text("a file")
    with pytest.raises(LadderError, match=r"the draft of send_email can't be written to .*drafts"):
        Workspace(tmp_path / "drafts").write(LETTER, "x", ".md")
