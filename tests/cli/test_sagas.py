"""saga and rollback: what people see of scopes and do about them, and threads that are taken back."""

from __future__ import annotations

import contextlib
import importlib
import sys

import pytest

from ladder_graph.cli.sagas import SagaDocument

POLICY = """
agent = "pages"

[tools.write]
rung = "bounded"
bounds = [{ kind = "volume", limit = 100 }]
checks = [{ kind = "python", function = "pages_agent:fine" }]

[tools.mail]
rung = "bounded"
bounds = [{ kind = "volume", limit = 100 }]
"""
AGENT = """
import sqlite3
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from ladder_graph import Ladder, reversible
from ladder_graph.testing import ScriptedModel, calls

SENT = []
PAGES = __import__("pathlib").Path("pages")

def fine(arguments):
    return True

def before(given):
    file = PAGES / given["page"]
    return {"page": given["page"], "text": file.read_text() if file.exists() else None}

def put_back(kept):
    file = PAGES / kept["page"]
    file.unlink(missing_ok=True) if kept["text"] is None else file.write_text(kept["text"])

def now(kept):
    file = PAGES / kept["page"]
    return repr(file.read_text() if file.exists() else None)

@tool
@reversible(prepare=before, undo=put_back, fingerprint=now)
def write(page: str, text: str) -> str:
    "Write a page."
    (PAGES / page).write_text(text)
    return "written"

@tool
def mail(to: str) -> str:
    "Send a mail."
    SENT.append(to)
    return "sent"

SAVER = SqliteSaver(sqlite3.connect("threads.db", check_same_thread=False))
LADDER = Ladder(policy="ladder.toml")

def agent(*answers):
    return LADDER.wrap(create_agent(ScriptedModel(answers=[*answers]), [write, mail], checkpointer=SAVER))

def pages(*names):
    return [calls("write", {"page": name, "text": "new"}) for name in names]

graph = agent("I see.")
"""
CONFIG = {"configurable": {"thread_id": "t1"}}


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An agent that writes pages; the test stands in its folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pages").mkdir()
    (tmp_path / "ladder.toml").write_text(POLICY)
    (tmp_path / "pages_agent.py").write_text(AGENT)
    made = importlib.import_module("pages_agent")
    yield made
    made.LADDER.close()
    made.SAVER.conn.close()
    sys.modules.pop("pages_agent")


def there(site):
    """The pages."""
    return sorted(file.name for file in site.PAGES.iterdir())


def ran(site, *answers):
    """Let an agent work."""
    return site.agent(*answers, "Done.").invoke({"messages": [("user", "Go.")]}, CONFIG)


def test_a_scope_is_listed_shown_and_undone(site, ladder):
    """As a whole, the latest call first, after a look and a question."""
    with contextlib.suppress(RuntimeError), site.LADDER.saga("move", key="k1"):
        ran(site, *site.pages("a", "b"))
    assert there(site) == ["a", "b"]
    (found,) = ladder("saga", "--all", "--json").document
    assert set(found) == set(SagaDocument.__annotations__)
    assert (found["name"], found["phase"], len(found["members"])) == ("move", "closed", 2)
    assert "No scope waits" in ladder("saga").stdout
    key = found["members"][1]["action"]
    assert ladder("show", key, "--json").document["saga"] == found["saga"]
    assert "move (closed); ladder saga show" in ladder("show", key).stdout
    assert "can be undone" in ladder("saga", "show", found["saga"][:6]).stdout
    assert "say it again with --yes" in ladder("saga", "undo", found["saga"], code=2).stderr
    done = ladder("saga", "undo", found["saga"], "--yes", "--reason", "wrong shop")
    assert done.stdout.rstrip().endswith("undone")
    assert there(site) == []
    assert ladder("saga", "show", found["saga"], "--json").document["why"].endswith("said so: wrong shop")
    log = ladder("log").stdout
    assert "(os-user): the scope move: undo, because" in " ".join(log.split())
    assert "(None)" not in log
    assert "can't be undone now: nothing of it stands" in ladder("saga", "undo", found["saga"], "--yes", code=2).stderr


def test_a_scope_that_waits_for_a_person_is_in_the_status(site, ladder):
    """Its block ended without an end; somebody closes it."""
    from ladder_graph import LedgerUnwritable

    with contextlib.suppress(LedgerUnwritable), site.LADDER.saga("move"):
        ran(site, *site.pages("a"))
        raise LedgerUnwritable("the disk is full")
    said = ladder("status").stdout
    assert "left open" in said
    assert "ladder saga undo SAGA" in said
    (found,) = ladder("saga", "--json").document
    assert found["waits"]
    (noted,) = [one for one in ladder("doctor", "--json", code=None).document if one["about"] == "scopes"]
    assert (noted["verdict"], noted["text"]) == ("note", "1 left open, for a person or a later block to end")
    assert "closed by" in ladder("saga", "close", found["saga"]).stdout
    assert "left open" not in ladder("status").stdout
    assert there(site) == ["a"]


def test_an_undo_in_part_says_so(site, ladder):
    """Exit code 1, and what is still in place, with the reason."""
    with site.LADDER.saga("move") as saga:
        ran(site, *site.pages("a", "b"))
    (site.PAGES / "a").write_text("somebody else's")
    done = ladder("saga", "undo", saga.id, "--yes", code=1)
    assert "undone in part" in done.stdout
    assert "conflict" in done.stdout
    assert there(site) == ["a"]
    assert "held" in ladder("status").stdout
    (found,) = [one for one in ladder("doctor", "--json", code=1).document if one["about"] == "scopes"]
    assert (found["verdict"], found["text"]) == ("wrong", "1 of which something stays that was to be undone")
    assert found["points"][0]["advice"] == f"`ladder saga show {saga.id[:8]}`; then undo, or close"
    ladder("saga", "close", saga.id)
    assert "scopes" not in [one["about"] for one in ladder("doctor", "--json", code=None).document]


def test_a_thread_is_rolled_back(site, ladder):
    """The plan comes first; then the effects are undone, and the conversation goes on from before the action."""
    ran(site, *site.pages("a", "b", "c"))
    key = site.LADDER.actions()[1].key
    refused = ladder("rollback", "t1", "--to", key[:10], "--app", "pages_agent:graph", code=2)
    assert "To be undone, in this order" in refused.stdout
    assert there(site) == ["a", "b", "c"]
    done = ladder("rollback", "t1", "--to", key, "--app", "pages_agent:graph", "--reason", "wrong shop", "--yes")
    assert "The conversation goes on from checkpoint" in done.stdout
    assert there(site) == ["a"]
    messages = site.graph.get_state(CONFIG).values["messages"]
    assert [one.type for one in messages] == ["human", "ai", "tool", "human"]
    assert "wrong shop" in messages[-1].text
    again = ladder("rollback", "t1", "--to", key, "--app", "pages_agent:graph", "--yes")
    assert "The conversation was taken back before" in again.stdout
    assert site.graph.invoke(None, CONFIG)["messages"][-1].text == "I see."


def test_a_thread_is_rolled_back_without_its_graph(site, ladder):
    """In part, where something can't be undone: it is listed before anything is done."""
    from ladder_graph.testing import calls

    ran(site, *site.pages("a"), calls("mail", {"to": "ana"}), *site.pages("b"))
    key = site.LADDER.actions()[0].key
    done = ladder("rollback", "t1", "--to", key, "--yes", code=1)
    plan, _, after = done.stdout.partition("--app MODULE:NAME")
    assert "mail after it can't be undone" in plan
    assert plan.index("To be undone") < plan.index("CAN'T BE UNDONE") < plan.index("mail") < plan.rindex("write")
    assert "rolled back in part" in after
    assert "The conversation was not forked" in after
    assert there(site) == ["a"]


def test_a_rollback_that_makes_no_sense(site, ladder):
    """Another thread, a graph that is none, an action that isn't there. Nothing is done."""
    ran(site, *site.pages("a"))
    key = site.LADDER.actions()[0].key
    assert "is of thread t1" in ladder("rollback", "t2", "--to", key, "--yes", code=2).stderr
    assert "no compiled graph" in ladder("rollback", "t1", "--to", key, "--app", "pages_agent:write", code=2).stderr
    assert "there is no action" in ladder("rollback", "t1", "--to", "00", "--yes", code=2).stderr
    assert there(site) == ["a"]


def test_the_chain_of_all_that_is_whole(site, ladder):
    """Scopes, rollbacks and forks are entries like all others, and can be read."""
    with site.LADDER.saga("move"):
        ran(site, *site.pages("a", "b"))
    ladder("rollback", "t1", "--to", site.LADDER.actions()[1].key, "--app", "pages_agent:graph", "--yes")
    ladder("verify")
    kinds = {entry["kind"] for entry in ladder("log", "--json").document}
    assert {"saga", "joined", "rolled_back", "forked"} <= kinds
    assert "rolled_back" in ladder("log").stdout
