"""An agent `press` in a folder that writes a page, which is watched; and processes of it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.programs import Program

POLICY = """
agent = "press"
ledger = "ladder.db"
watcher = "{watcher}"
rehearsals = "advised"

[signals]
token_env = "PRESS_TOKEN"

[tools.write_page]
rung = "rollback"
bounds = [{{ kind = "volume", limit = 9 }}]
watch = {{ window = "10m" }}
checks = [
  {{ kind = "python", function = "press_health:fine", every = "100ms" }},
  {{ kind = "alert", labels = {{ app = "press" }} }},
]
"""
HEALTH = """
from pathlib import Path

from tests.programs import Program

def fine(arguments):
    return not Path(arguments["path"]).with_name("sick").exists()
"""
TOOLS = """
from pathlib import Path

from tests.programs import Program
from langchain_core.tools import tool
from ladder_graph import undo

@tool
@undo.files("path")
def write_page(path: str, text: str) -> str:
    "Write a page."
    Path(path).write_text(text)
    return "written"

def somebody():
    Path("page.html").write_text("somebody else's")
"""
LETTERS = """

def deliver(payload, name):
    if payload["to"] == "nobody":
        raise TimeoutError("no answer")
    with open("sent", "a") as file:
        file.write(payload["to"])

box = undo.Outbox("outbox", send=deliver, hold="15m")

@tool
@undo.outbox(box)
def send_letter(to: str) -> str:
    "Send a letter."
    box.post(to=to)
    return "it goes out later"
"""
LETTER_RULE = """
[tools.send_letter]
rung = "rollback"
bounds = [{ kind = "volume", limit = 9 }]
checks = [{ kind = "python", function = "operator:truth" }]
"""
AGENT = """
import os, sys
from pathlib import Path

from tests.programs import Program
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls
from press_tools import write_page

def act(text):
    ladder = Ladder(policy="ladder.toml")
    wanted = {"path": str(Path("page.html").absolute()), "text": text}
    model = ScriptedModel(answers=[calls("write_page", wanted), "Done."])
    graph = ladder.wrap(create_agent(model, [write_page], checkpointer=InMemorySaver()))
    out = graph.invoke({"messages": [("user", "Go.")]}, {"configurable": {"thread_id": text}})
    return ladder, out

if __name__ == "__main__":
    _, out = act(sys.argv[1])
    print("asked" if "__interrupt__" in out else "acted", flush=True)
    os._exit(9)
"""
TOKEN = "a token of sixteen and more"  # noqa: S105  # a test's own


class Press:
    """The press in a folder.

    Args:
        folder: Where everything lies.
        watcher: Who watches, as in the policy.
    """

    def __init__(self, folder: Path, watcher: str = "process") -> None:
        self.folder = folder
        self.page = folder / "page.html"
        self.page.write_text("before")
        self.policy = folder / "ladder.toml"
        self.policy.write_text(POLICY.format(watcher=watcher))
        for name, text in (("press_health", HEALTH), ("press_tools", TOOLS), ("press_agent", AGENT)):
            (folder / f"{name}.py").write_text(text)
        self._started: list[Program] = []

    def fall_sick(self) -> None:
        """From now on the health check is bad."""
        (self.folder / "sick").touch()

    def act(self, text: str) -> str:
        """Let an agent write the page in a process that is dead when this returns: whether it acted, or asked."""
        done = self._start(["press_agent.py", text])
        said = done.said()
        assert done.returncode == 9, said
        return said.split()[-1]

    def watch(self, *options: str) -> Program:
        """Start `ladder watch`."""
        return self._start(["-m", "ladder_graph.cli", "watch", *options])

    def _start(self, words: list[str]) -> Program:
        program = Program(words, self.folder, {**os.environ, "PRESS_TOKEN": TOKEN})
        self._started.append(program)
        return program

    def stop(self) -> None:
        """End what is still running."""
        for process in self._started:
            process.end()


def line(process: Program, word: str) -> str:
    """The next line of a process with this word."""
    said = []
    for one in process.stdout:
        said.append(one)
        if word in one:
            return one
    raise AssertionError(f"it ended without {word!r}: {''.join(said)}")
