"""What the command line tells of tools that act on a part first."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from langchain_core.tools import tool

from ladder_graph import Declaration, Ladder, undo
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, agent_of

POLICY = """
agent = "ops"
rehearsals = "advised"

[tools.blank]
rung = "rollback"
bounds = [{ kind = "volume", limit = 9 }]
checks = [{ kind = "python", function = "builtins:bool" }]
"""


@tool
@undo.files("paths")
@Declaration(canary=lambda given: ({"paths": given["paths"][:1]}, {"paths": given["paths"][1:]}))
def blank(paths: list[str]) -> str:
    """Blank some files."""
    for path in paths:
        Path(path).write_text("")
    return "blank"


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """The key of a call that went by a part first, in the folder where the test stands."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ladder.toml").write_text(POLICY)
    with closing(Ladder(policy="ladder.toml")) as ladder:
        graph = ladder.wrap(agent_of([calls("blank", {"paths": ["a", "b"]}), "Done."], [blank]))
        graph.invoke(GO, {"configurable": {"thread_id": "t"}})
        return ladder.actions()[0].key


def test_show_names_part_and_rest(whole, ladder):
    """The whole call has both, with where they are; each of them has a page of its own."""
    text = ladder("show", whole).stdout
    assert "It went by a part first" in text
    assert "was found good, and the rest runs" in " ".join(text.split())
    told = ladder("show", whole, "--json").document
    assert [(one["arguments"], one["state"]) for one in told["parts"]] == [
        ({"paths": ["a"]}, "done"),
        ({"paths": ["b"]}, "done"),
    ]
    assert ladder("show", told["parts"][0]["action"], "--json").document["parts"] == []


def test_status_doctor_and_explain_say_so(whole, ladder):
    """Whoever looks at the tool, or at a call of it, reads that a part goes first."""
    assert "blank: a part of a call goes first" in ladder("status").stdout
    assert ladder("status", "--json").document[0]["part_first"] is True
    assert "a part goes first" in ladder("doctor", code=None).stdout
    assert "by a part first" in ladder("explain", "blank", "--args", '{"paths": ["a"]}').stdout


def test_undo_of_a_part_says_what_came_of_its_rest(whole, ladder):
    """It is tried first, and a conflict there is no sign of somebody who is at it."""
    part, rest = [one["action"] for one in ladder("show", whole, "--json").document["parts"]]
    Path("b").write_text("somebody else's")
    said = ladder("undo", part, code=1).stdout
    assert f"conflict: action {rest[:8]} lies on it, and goes first" in said
    assert "changed by somebody else after the action" in " ".join(said.split())
    assert Path("a").read_text() == ""


def test_undo_by_the_key_of_the_whole(whole, ladder):
    """One command undoes the rest and then the part."""
    assert "undone" in ladder("undo", whole).stdout
    assert not Path("a").exists()
    assert not Path("b").exists()
    assert ladder("show", whole, "--json").document["state"] == "undone"
    assert [one["state"] for one in ladder("show", whole, "--json").document["parts"]] == ["undone", "undone"]
