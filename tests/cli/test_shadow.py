"""shadow, and what status and log say of it: what the gate would have decided about an agent in production."""

from __future__ import annotations

import contextlib

import pytest

from ladder_graph import Ladder
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, World, agent_of, on

POLICY = """
agent = "ops"

[tools.send]
rung = "bounded"
bounds = [{ kind = "volume", limit = 2 }]

[tools.note]
rung = "draft"
"""


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A folder with a policy, whose agent has run beside a shadow."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ladder.toml").write_text(POLICY)
    tools = [World().tool(name) for name in ("send", "note")]
    answers = [*[calls("send", {"x": str(n)}) for n in range(3)], calls("note", {"x": "1"}), calls("gone", {}), "Done."]
    with contextlib.closing(Ladder(policy="ladder.toml")) as ladder:
        ladder.shadow(agent_of(answers, tools)).invoke(GO, on())


def test_what_would_have_been_decided(beside, ladder):
    """Each tool has a row with its verdicts and the reasons, below one line about all of them."""
    text = ladder("shadow").stdout
    assert "in shadow: 5 calls, 1 would have asked, 1 would have been held, 1 would have been refused" in text
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert rows["send"] == ["send", "3", "2", "1", "-", "-", "-", "outside_volume", "1"]
    assert rows["note"] == ["note", "1", "-", "-", "1", "-", "-", "policy", "1"]
    assert rows["gone"] == ["gone", "1", "-", "-", "-", "1", "-", "refused", "1"]


def test_the_same_as_json(beside, ladder):
    """The document has the same counts, with each reason by its verdict."""
    document = ladder("shadow", "--json").document
    assert (document["calls"], document["lost"]) == (5, 0)
    (send,) = [one for one in document["tools"] if one["tool"] == "send"]
    assert send == {
        "agent": "ops", "tool": "send", "calls": 3, "free": 2, "asked": 1, "held": 0, "refused": 0, "failed": 0,
        "unended": 0, "reasons": [{"verdict": "asked", "code": "outside_volume", "calls": 1}],
    }  # fmt: skip


def test_status_and_log_see_it(beside, ladder):
    """`status` says that there is something, and `log --shadow` shows it; the agent's own log stays as it is."""
    assert "in shadow: " in ladder("status").stdout
    assert ladder("log", "--json").document == []
    kinds = [one["kind"] for one in ladder("log", "--shadow", "--tool", "send", "--json").document]
    assert kinds == ["shadow"] * 3
    assert len(ladder("log", "--shadow", "--thread", "1", "--json").document) == 5
    text = ladder("log", "--shadow").stdout
    assert "asked: x = 2" in text or 'asked: x="2"' in text
    assert ladder("verify", "--json").document["ok"]


def test_nothing_yet(tmp_path, monkeypatch, ladder):
    """Where no shadow was, it says so, and `status` is silent."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ladder.toml").write_text(POLICY)
    with contextlib.closing(Ladder(policy="ladder.toml")):
        pass
    assert "No shadow has taken anything down" in ladder("shadow").stdout
    assert "in shadow" not in ladder("status").stdout
