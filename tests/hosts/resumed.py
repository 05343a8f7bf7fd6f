"""An agent whose threads other processes go on with: `FOLDER` says where, `THREADS` on which database.

`HOLD` names what a process waits in, after it has written down that it is there: the tool or the model.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ladder_graph import Ladder

POLICY = """
agent = "ops"
ledger = "LEDGER"

[tools.send]
rung = "confirm"
confirm = { expires = "1h" }
"""


def note(file: str, text: str) -> None:
    """Write a line down, which is there even if this process dies right after."""
    with (Path(os.environ["FOLDER"]) / file).open("a") as out:
        out.write(f"{text}\n")


def wait_in(place: str) -> None:
    """Say that one is there, and stay, where one is to."""
    if os.environ.get("HOLD") == place:
        note("held", place)
        time.sleep(60)


@contextlib.contextmanager
def saver_of(threads: str) -> Iterator[Any]:
    """The checkpointer."""
    if "://" not in threads:
        from langgraph.checkpoint.sqlite import SqliteSaver

        with SqliteSaver.from_conn_string(threads) as found:
            yield found
        return
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(threads) as found:
        found.setup()
        yield found


@contextlib.contextmanager
def make() -> Iterator[Any]:
    """The graph, as `ladder resume-worker` opens it."""
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    from ladder_graph.testing import ScriptedModel, calls

    def model(messages: Any) -> Any:
        note("model", str(len(messages)))
        if len(messages) > 1:
            wait_in("model")
            return "Done."
        return calls("send", {"to": "ben"})

    @tool
    def send(to: str) -> str:
        """Send."""
        wait_in("tool")
        note("effects", to)
        return f"sent to {to}"

    folder = Path(os.environ["FOLDER"])
    with (
        saver_of(os.environ["THREADS"]) as saver,
        contextlib.closing(Ladder(policy=folder / "ladder.toml")) as ladder,
    ):
        yield ladder.wrap(create_agent(ScriptedModel(answers=[model] * 9), [send], checkpointer=saver))


def main(step: str, *threads: str) -> dict[str, Any]:
    """Ask on some threads, answer all that is asked, or look where they stand."""
    if step == "approve":
        with contextlib.closing(Ladder(policy=Path(os.environ["FOLDER"]) / "ladder.toml")) as ladder:
            for question in ladder.pending():
                ladder.approve(question.id, by="ana")
            return {"words": [one.words for one in ladder.resumptions()]}
    found: dict[str, Any] = {}
    with make() as graph:
        for thread in threads:
            config = {"configurable": {"thread_id": thread}}
            if step == "ask":
                graph.invoke({"messages": [("user", "Go.")]}, config)
            state = graph.get_state(config)
            told = [str(m.text) for m in state.values["messages"] if m.type != "human"]
            found[thread] = [list(state.next), told]
    return found


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
