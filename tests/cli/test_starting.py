"""init and demo: the first minutes."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from ladder_graph import Rung, load_policy
from tests.cli.test_drafts import APP

PROSE = re.compile(r"# (?:[A-Z]|---)|#$|#   [0-9]")
"""A comment of the first policy that is no example."""

ODD = """
from langchain_core.tools import StructuredTool
tools = [
    StructuredTool.from_function(lambda: "", name='odd "tool"', description='a\\x1b[2J\\n[tools.evil]\\nrung = 5'),
    StructuredTool.from_function(lambda: "", name="line\\nbreak", description="x"),
]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to stand in, with a module beside it."""
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "beside" / "odd.py").write_text(ODD, encoding="utf-8")
    (tmp_path / "here").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "beside")
    monkeypatch.chdir(tmp_path / "here")
    for name in ("app", "odd"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path / "here"


def test_the_first_policy_allows_nothing(here, ladder):
    """`init` writes a policy that can be read, names the agent, and in which no tool stands above suggest."""
    assert "ladder.toml" in ladder("init", "--agent", "ops").stdout
    policy = load_policy(here / "ladder.toml")
    assert policy.agent == "ops"
    assert policy.tools == {}
    assert sorted(path.name for path in here.iterdir()) == ["ladder.schema.json", "ladder.toml"]


def test_editors_find_the_schema_beside_the_policy(here, ladder):
    """The first line of the policy names the schema that was written beside it; one that is there is left alone."""
    ladder("init")
    first, _, _ = (here / "ladder.toml").read_text(encoding="utf-8").partition("\n")
    file = here / first.removeprefix("#:schema ")
    assert file.read_text(encoding="utf-8") == ladder("schema").stdout
    file.write_text("mine", encoding="utf-8")
    (here / "ladder.toml").unlink()
    ladder("init")
    assert file.read_text(encoding="utf-8") == "mine"
    ladder("init", "--force")
    assert file.read_text(encoding="utf-8") == ladder("schema").stdout


def test_its_examples_can_be_used(here, ladder):
    """With the comment signs taken off, the examples of the first policy are a valid policy, too."""
    ladder("init")
    lines = (here / "ladder.toml").read_text(encoding="utf-8").splitlines()
    code = [line.removeprefix("# ") for line in lines if not PROSE.match(line)]
    (here / "ladder.toml").write_text("\n".join(code), encoding="utf-8")
    policy = load_policy(here / "ladder.toml")
    assert {name: rule.rung for name, rule in policy.tools.items()} == {
        "read_status": Rung.BOUNDED, "drop_table": Rung.CONFIRM, "send_email": Rung.BOUNDED,
    }  # fmt: skip
    assert policy.reports.reader == ("ana",)


def test_a_policy_is_not_overwritten_by_accident(here, ladder):
    """A file that is there is left alone without --force."""
    (here / "ladder.toml").write_text("mine", encoding="utf-8")
    assert "is there already" in ladder("init", code=2).stderr
    assert (here / "ladder.toml").read_text(encoding="utf-8") == "mine"
    ladder("init", "--force")
    assert load_policy(here / "ladder.toml").agent == "agent"


@pytest.mark.parametrize("name", ["graph", "tools", "factory", "wrapped"])
def test_the_tools_of_a_graph_are_listed(here, ladder, name):
    """With --app each tool that is found stands on the lowest rung, with what it says and declares as a comment."""
    ladder("init", "--app", f"app:{name}")
    policy = load_policy(here / "ladder.toml")
    assert {rule.rung for rule in policy.tools.values()} == {Rung.SUGGEST}
    assert sorted(policy.tools) == [
        "close_ticket", "read_stock", "refund", "restart", "send_mail", "set_price", "write_letter",
    ]  # fmt: skip
    text = (here / "ladder.toml").read_text(encoding="utf-8")
    assert "# Set a price.\n# arguments: item, cents\n# declares an undo\n[tools.set_price]\n" in text
    assert sorted(path.name for path in here.iterdir()) == ["ladder.schema.json", "ladder.toml"]


ASYNC = """
import contextlib
from app import tools

async def made():
    return tools

@contextlib.asynccontextmanager
async def opened():
    yield tools
    print("closed")

@contextlib.contextmanager
def managed():
    yield tools

def twice():
    return made
"""


@pytest.mark.parametrize("name", ["made", "opened", "managed"])
def test_what_makes_the_graph_may_be_async_and_a_context_manager(here, ladder, name):
    """As for `ladder resume-worker`; what was opened is closed again, and both commands that look at tools take it."""
    (here / "later.py").write_text(ASYNC, encoding="utf-8")
    assert ("closed" in ladder("init", "--app", f"later.py:{name}").stdout) is (name == "opened")
    assert "set_price" in load_policy(here / "ladder.toml").tools
    assert "set_price" in ladder("doctor", "--app", f"later.py:{name}", code=None).stdout


def test_what_returns_another_function_is_named(here, ladder):
    """It isn't called again."""
    (here / "later.py").write_text(ASYNC, encoding="utf-8")
    said = ladder("init", "--app", "later.py:twice", code=2).stderr
    assert "later.py:twice returned another function" in said


def test_a_graph_may_be_named_by_its_file(here, ladder):
    """--app takes a file instead of a module, as LangGraph's own configuration does."""
    ladder("init", "--app", "../beside/app.py:graph")
    assert "refund" in load_policy(here / "ladder.toml").tools


def test_what_a_tool_says_cannot_write_the_policy(here, ladder):
    """A tool's name and description stay a key and a one-line comment, whatever they hold."""
    ladder("init", "--app", "odd:tools")
    assert list(load_policy(here / "ladder.toml").tools) == ['odd "tool"']
    assert "\x1b" not in (here / "ladder.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["", "two\nlines", " spaces "])
def test_a_name_that_nobody_can_read_is_refused(here, ladder, name):
    """An agent's name that is no name writes no file."""
    ladder("init", "--agent", name, code=2)
    assert not list(here.iterdir())


def test_a_place_that_cannot_be_written_is_said(here, ladder):
    """A directory that isn't there is an error in one line."""
    assert "missing/ladder.toml: No such file" in ladder("--policy", "missing/ladder.toml", "init", code=2).stderr


def test_the_demo_walks_all_six_rungs(here):
    """`ladder demo` shows every rung and the effect of a changed model, and leaves nothing behind."""
    command = [sys.executable, "-m", "ladder_graph.cli", "demo"]
    env = {**os.environ, "COLUMNS": "100", "TMPDIR": str(here)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    for line in (
        "0 suggest    restart()              suggested: nothing ran",
        "1 draft      write_letter('ana')    drafted: 1 letter waits, none was sent",
        "2 confirm    drop_table('orders')   done: you typed its name; it is gone",
        "3 bounded    send_mail('ana')       done: without asking; 1 is out",
        "2 confirm    send_mail('bo')        declined: outside its bound, and you said no; 1 is out",
        "4 rollback   write_page('')         undone: unhealthy; it says 'We are open.' again",
        "5 report     read_page()            done: 1 report waits for you",
        "2 confirm   read_page()   declined: you were asked, since another model had earned the rung",
        "every chain is whole",
    ):
        assert line in done.stdout
    assert not list(here.iterdir())
