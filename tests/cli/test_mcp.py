"""init and doctor with the tools of an MCP server: a real one, in a process of its own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ladder_graph import LadderError, Rung, load_policy

pytest.importorskip("langchain_mcp_adapters", reason="the extra mcp isn't installed")
# It keeps the stderr of its import for the servers, which must be a real one and not the runner's.
pytest.importorskip("mcp.client.stdio", reason="the extra mcp isn't installed")

from ladder_graph.inventory.servers import tools_of

SERVER = shlex.join([sys.executable, str(Path(__file__).with_name("mcp_server.py"))])


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def address():
    """The URL of the server over HTTP."""
    with subprocess.Popen([*shlex.split(SERVER), "http"], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
        finally:
            process.terminate()


def test_a_server_says_what_its_tools_are(here, ladder):
    """Over standard input and output: what is said to read asks, what may lose something stays below, both say why."""
    said = ladder("init", "--mcp", SERVER).stdout
    assert "3 tools found: 2 on rung suggest, 1 on rung confirm." in said
    rules = load_policy("ladder.toml").tools
    assert {name: (rule.rung, rule.ceiling, rule.impact) for name, rule in rules.items()} == {
        "answer_ticket": (Rung.SUGGEST, Rung.REPORT, "low"),
        "delete_ticket": (Rung.SUGGEST, Rung.CONFIRM, "high"),
        "read_ticket": (Rung.CONFIRM, Rung.REPORT, "low"),
    }
    text = Path("ladder.toml").read_text(encoding="utf-8")
    assert "# Read a ticket.\n# arguments: number\n# its server says readOnlyHint = true: it changes nothing\n" in text
    assert '#   { kind = "domain", argument = "email", domains = ["example.com"] },' in text


def test_a_server_may_be_anywhere(here, ladder, address):
    """Over HTTP the same server makes the same file."""
    ladder("init", "--mcp", SERVER)
    first = Path("ladder.toml").read_text(encoding="utf-8")
    ladder("init", "--force", "--mcp", address)
    assert Path("ladder.toml").read_text(encoding="utf-8") == first


def test_two_tools_of_one_name_are_an_error(here, ladder):
    """Nobody could tell whose tool the entry is for."""
    assert (
        "answer_ticket, delete_ticket, read_ticket: more than one"
        in ladder("init", "--mcp", SERVER, "--mcp", SERVER, code=2).stderr
    )
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("no-such-program --here", "no-such-program --here can't be asked for its tools: FileNotFoundError"),
        (f"{sys.executable} -c pass", "can't be asked for its tools: "),
        ("http://127.0.0.1:9/mcp", "http://127.0.0.1:9/mcp can't be asked for its tools: ConnectError"),
        ("python 'server.py", "is no command: No closing quotation"),
        (" ", "name an MCP server by its command"),
    ],
)
def test_a_server_that_cannot_be_asked_writes_nothing(here, ladder, server, words):
    """The error is one line with what went wrong, and no file is there."""
    assert words in " ".join(ladder("init", "--mcp", server, code=2).stderr.split())
    assert not list(here.iterdir())


def test_a_server_that_says_nothing_is_given_up():
    """A process that doesn't speak is left after a while, and ended."""
    mute = shlex.join([sys.executable, "-c", "import sys; sys.stdin.read()"])
    with pytest.raises(LadderError, match=r"has not said within 0\.5 seconds"):
        tools_of(mute, patience=0.5)


def test_the_doctor_asks_the_server_too(here, ladder):
    """A claim that the server's own hints are against can't be so, and the graph's other tools aren't missed."""
    Path("ladder.toml").write_text(
        '[tools.delete_ticket]\nread_only = true\nrung = "bounded"\n[tools.elsewhere]\n[tools.answer_ticket]\n'
        'rung = "bounded"\nbounds = [{ kind = "domain", argument = "mail", domains = ["shop.example"] }]\n',
        encoding="utf-8",
    )
    found = {one["about"]: one for one in ladder("doctor", "--json", "--mcp", SERVER, code=1).document}
    assert "destructiveHint = true" in found["delete_ticket"]["points"][0]["text"]
    assert found["answer_ticket"]["points"][0]["advice"] == "did you mean email?"
    assert found["elsewhere"]["verdict"] == "good"
    assert found["read_ticket"]["points"][0]["text"] == "the policy doesn't name it, so it only suggests"
