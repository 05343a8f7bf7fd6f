"""drafts and suggestions: looked at, taken up, or turned down."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver

from tests.cli.test_answering import ME

LETTER = ("write_letter", {"to": "cy", "text": "The tea is here.\n"})
APP = """
from tests.cli import shop as world
RAN = []
tools = world.tools(RAN)
def factory():
    return world.builder(world.ScriptedModel(answers=[]), RAN)
graph = factory()
nothing = 3
def wrapped():
    from ladder_graph import Ladder
    return Ladder(agent="other", ledger=":memory:", rungs={"write_letter": "draft"}).wrap(graph, checkpointer="host")
"""


@pytest.fixture
def app(tmp_path, monkeypatch):
    """A module with the shop's graph in it; what its tools did."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    import app

    return app.RAN


def test_a_draft_is_listed_and_shown(folder, ladder, action):
    """The list has the waiting draft with its file, and `show` prints what stands in the file."""
    (draft,) = ladder("drafts", "--json").document
    assert (draft["draft"], draft["kind"], draft["labels"]) == ("waiting", "text", [])
    assert Path(draft["path"]).read_text(encoding="utf-8").startswith("# Draft: write_letter")
    assert "the tea is here." in ladder("drafts", "show", action("write_letter")).stdout


def test_a_draft_on_the_screen_does_nothing(shop, ladder, action):
    """What a model wrote into a draft is printed with its line breaks, and escaped otherwise."""
    shop.run(("write_letter", {"to": "cy", "text": "a\x1b[2J\nb\u202e"}))
    text = ladder("drafts", "show", action("write_letter")).stdout
    assert "a\\u{1B}[2J\n" in text
    assert "b\\u{202E}\n" in text


def test_a_changed_draft_is_noticed(shop, ladder, action):
    """Where the file was changed since, `show` says that the recorded call is what would run."""
    shop.run(LETTER)
    (draft,) = ladder("drafts", "--json").document
    Path(draft["path"]).write_text("something else", encoding="utf-8")
    text = " ".join(ladder("drafts", "show", action("write_letter")).stdout.split())
    assert "The file was changed since it was written. Accepting runs the recorded call" in text
    Path(draft["path"]).unlink()
    assert "can't be read" in ladder("drafts", "show", action("write_letter")).stdout


def test_an_accepted_draft_runs_in_the_agents_process(shop, ladder, action):
    """Without --app, accepting says where it runs; there it runs once, as the act of who accepted."""
    shop.run(LETTER)
    text = ladder("drafts", "accept", action("write_letter"), "--yes").stdout
    assert "ladder.run_accepted()" in text
    assert shop.ran == []
    assert ladder("drafts", "--json").document[0]["draft"] == "accepted"
    assert [reply.state for reply in shop.run_accepted()] == ["done"]
    assert shop.run_accepted() == []
    assert shop.ran == ["write_letter cy The tea is here.\n"]
    assert ladder("show", action("write_letter"), "--json").document["actor"] == ME
    assert ladder("drafts", "--json").document == []


@pytest.mark.parametrize("name", ["tools", "graph", "factory", "wrapped"])
def test_an_accepted_draft_runs_here_with_the_app(shop, ladder, action, app, name):
    """With --app the tool is found in a list, a graph, a wrapped graph or what makes one, and runs once, here."""
    shop.run(LETTER)
    text = ladder("drafts", "accept", action("write_letter"), "--app", f"app:{name}", "--yes").stdout
    assert "done posted" in text
    assert app == ["write_letter cy The tea is here.\n"]
    assert (
        "has accepted this draft already" in ladder("drafts", "accept", action("write_letter"), "--yes", code=2).stderr
    )
    assert len(app) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("app:nothing", "'int' has no tools"),
        ("app:missing", "app:missing can't be loaded: AttributeError"),
        ("nowhere:graph", "nowhere:graph can't be loaded: ModuleNotFoundError"),
        ("app", "names no graph"),
    ],
)
def test_an_app_that_cannot_be_used_accepts_nothing(folder, ladder, action, app, name, words):
    """An --app without such a tool, or that can't be loaded, is an error, and the draft waits on."""
    assert words in ladder("drafts", "accept", action("write_letter"), "--app", name, "--yes", code=2).stderr
    assert ladder("drafts", "--json").document[0]["draft"] == "waiting"


def test_accepting_asks_first(folder, ladder, action):
    """Without --yes a person is asked, and where that can't be, nothing is accepted."""
    assert "no terminal" in ladder("drafts", "accept", action("write_letter"), code=2).stderr
    assert ladder("drafts", "--json").document[0]["draft"] == "waiting"


def test_a_draft_is_rejected(folder, ladder, action):
    """A rejected draft leaves the list, and stands in the long one with who and why."""
    assert "it is blank" in ladder("drafts", "reject", action("write_letter"), "--reason", " ", code=2).stderr
    ladder("drafts", "reject", action("write_letter"), "--reason", "too late")
    assert ladder("drafts", "--json").document == []
    (draft,) = ladder("drafts", "--all", "--json").document
    assert (draft["draft"], draft["by"], draft["reason"]) == ("rejected", ME, "too late")
    assert ladder("drafts").stdout.strip() == "No draft waits."


def test_what_is_no_draft_is_not_accepted(folder, ladder, action):
    """Another action than a draft is refused by name."""
    assert "is no draft" in ladder("drafts", "accept", action("refund"), "--yes", code=2).stderr


@pytest.mark.parametrize(("act", "verdict"), [("adopt", "adopted"), ("dismiss", "dismissed")])
def test_a_suggestion_is_judged_once(folder, ladder, action, act, verdict):
    """A judged suggestion leaves the list, and can't be judged again; nothing of it runs."""
    assert "shop suggests restart" in ladder("suggestions").stdout
    ladder("suggestions", act, action("restart"), "--reason", "so be it")
    assert ladder("suggestions", "--json").document == []
    (found,) = ladder("suggestions", "--all", "--json").document
    assert (found["verdict"], found["actor"]) == (verdict, ME)
    assert "no suggestion that waits" in ladder("suggestions", act, action("restart"), code=2).stderr


# --- changes ---------------------------------------------------------------------------------------------------------

PARTS = """
from ladder_graph import drafted_by
from ladder_graph.drafting import text
from ladder_graph import Ladder, Policy
from ladder_graph.testing import ScriptedModel, calls
from langchain.agents import create_agent
from langchain_core.tools import tool
SENT = []
@tool
@drafted_by(text("body", base="Hello,\\n\\nBye.\\n", source="the template"))
def note(to: str, body: str) -> str:
    "Leave a note."
    SENT.append((to, body))
    return "left"
tools = [note]
"""


@pytest.fixture
def noted(tmp_path, monkeypatch, ladder):
    """A folder with a draft that has two changes; what the tool did, and the draft's key."""
    (tmp_path / "notes.py").write_text(PARTS, encoding="utf-8")
    (tmp_path / "ladder.toml").write_text('agent = "ops"\n[tools.note]\nrung = "draft"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "notes", raising=False)
    import notes

    from ladder_graph import Ladder
    from ladder_graph.testing import ScriptedModel, calls

    body = "Hello Cy,\n\nTen \x1b[2Jpercent.\n"
    with closing(Ladder(policy="ladder.toml")) as own:
        model = ScriptedModel(answers=[calls("note", {"to": "cy", "body": body}), "It waits."])
        graph = own.wrap(create_agent(model, notes.tools), checkpointer=InMemorySaver())
        graph.invoke({"messages": [("user", "go")]}, {"configurable": {"thread_id": "1"}})
        key = own.drafts()[0].action.key
    return notes.SENT, key


def test_each_change_is_shown_with_its_number(noted, ladder):
    """Against what, when it was captured, what goes and what comes; nothing of it acts on the screen."""
    text = ladder("drafts", "show", noted[1][:12]).stdout
    for said in ("the template", "1  Opening", "- Hello,", "+ Hello Cy,", "2  Closing", "+ Ten \\u{1B}[2Jpercent.",
                 "2 changes. Take or leave each one"):  # fmt: skip
        assert said in text
    assert "\x1b[2J" not in text
    found = ladder("drafts", "show", noted[1], "--json").document
    assert [one["heading"] for one in found["changes"]] == ["Opening", "Closing"]
    assert found["changes"][0]["lines"][0] == {"sign": "gone", "text": "Hello,", "marks": [], "ended": True} | {
        "marks": found["changes"][0]["lines"][0]["marks"]
    }


def test_a_part_is_taken_here(noted, ladder):
    """With the app it runs at once, with what was taken; what was left out stands in the record."""
    sent, key = noted
    assert "nothing is said of change 2" in ladder("drafts", "accept", key, "--take", "1", "--yes", code=2).stderr
    assert "are no numbers" in ladder("drafts", "accept", key, "--take", "one", "--yes", code=2).stderr
    assert "has the digest" in ladder("drafts", "accept", key, "--digest", "0" * 12, "--yes", code=2).stderr
    assert sent == []
    text = ladder(
        "drafts",
        "accept",
        key,
        "--take",
        "1",
        "--leave",
        "2",
        "--reason",
        "no discount",
        "--app",
        "notes:tools",
        "--yes",
    ).stdout
    assert "accepted" in text
    assert sent == [("cy", "Hello Cy,\n\nBye.\n")]
    assert ladder("drafts", "--json").document == []
    text = ladder("drafts", "show", key).stdout
    assert "accepted in part" in text
    assert "left out" in text
    assert "no discount" in text


def test_a_draft_is_edited_in_the_editor(noted, ladder, monkeypatch, tmp_path):
    """What the editor leaves runs; an editor that fails, or changes nothing, does nothing."""
    sent, key = noted
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    assert "no editor is named" in ladder("drafts", "edit", key, "--yes", code=None).stderr
    for command, said in (
        ("false", "nothing was done"),
        ("true", "nothing was changed"),
        ("nope-nope", "can't be run"),
    ):
        monkeypatch.setenv("EDITOR", command)
        assert said in " ".join(ladder("drafts", "edit", key, "--yes", code=None).stderr.split())
    script = tmp_path / "editor.py"
    script.write_text("import sys; open(sys.argv[1], 'w').write('Mine.\\n')")
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    ladder("drafts", "edit", key, "--app", "notes:tools", "--yes")
    assert sent == [("cy", "Mine.\n")]
    assert ladder("drafts", "show", key, "--json").document["draft"] == "edited"


def test_a_label_that_one_lacks_hides_a_draft(noted, ladder, tmp_path):
    """For the user of this machine too: that it is there, and nothing of what it holds."""
    (tmp_path / "ladder.toml").write_text(
        'agent = "ops"\n[tools.note]\nrung = "draft"\nlabels = ["hr"]\n[people.ana]\nlabels = ["hr"]\n',
        encoding="utf-8",
    )
    text = ladder("drafts", "show", noted[1]).stdout
    assert "It isn't shown" in text
    assert "Cy" not in text
    assert "touches hr" in ladder("drafts", "accept", noted[1], "--yes", code=2).stderr
    assert "touches hr" in ladder("drafts", "edit", noted[1], "--yes", code=2).stderr
    assert "touches hr" in ladder("drafts", "reject", noted[1], "--reason", "x", code=2).stderr
