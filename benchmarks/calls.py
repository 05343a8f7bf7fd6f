"""Gated calls as the benchmarks make them: straight through `Ladder.run`, or by an agent whose model is scripted.

`python -m benchmarks.calls KIND LEDGER CALLS` makes that many on one ledger, for those who count its system calls or
run several of it. `race.*` says when it is ready and begins when it is sent a line; then it prints the wall time of
each call in seconds, one a line.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.facts import Outcome
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.testing import ScriptedModel, calls
from ladder_graph.tools import NOTHING
from ladder_graph.turns.hosting import Alone

PLENTY = [{"kind": "volume", "limit": 10**9}]
RULES: dict[str, Any] = {
    "read": {"rung": "report", "read_only": True},
    "write": {"rung": "bounded", "bounds": PLENTY},
    "asked": {"rung": "confirm"},
}
"""The rules that the one tool is run under, by name."""
TURNS = 20
"""Calls that an agent makes in a run, one a turn."""

_TOOLS = {"act": "0" * 64}
MODEL = Environment("scripted", "m-1", "m-1-2026-01-01", "none", "{}", toolset_component(_TOOLS), _TOOLS)
"""What proposes the calls that no model proposes."""


@tool
def act(n: int) -> str:
    """Do next to nothing."""
    return f"done {n}"


class NoHost(Alone):
    """Runs nothing, and says that it did."""

    def execute(self, call: Call, *, again: bool = False) -> Outcome:
        """Done."""
        del call, again
        return Outcome("done", "done")


def ladder_of(rule: str, ledger: str | Path) -> Ladder:
    """A ladder whose one tool stands under that rule, seated as a mount would do it."""
    ladder = Ladder(agent="bench", rungs={"act": RULES[rule]}, ledger=ledger)
    ladder.seat("act", NOTHING, agent="bench", can_ask=True)
    return ladder


def direct(ladder: Ladder) -> Callable[[], None]:
    """One new call through its whole life, without any graph."""
    host, mine, numbers = NoHost(), os.getpid(), itertools.count()

    def one() -> None:
        n = next(numbers)
        call = Call("bench", f"{mine}/{n // TURNS}", f"call_{n}", "act", {"n": n})
        reply = ladder.run(call, MODEL, host)
        if reply.state != "done":
            raise RuntimeError(f"a call came to {reply.state}: {reply.text}")

    return one


def _script(messages: list[BaseMessage]) -> AIMessage:
    """Call the tool `TURNS` times, then stop."""
    done = sum(message.type == "tool" for message in messages)
    return calls("act", {"n": done}) if done < TURNS else AIMessage("done")


def agent_of(checkpointer: Any, middleware: tuple[Any, ...] = ()) -> Any:
    """An agent that makes `TURNS` calls whenever it is told to go."""
    model = ScriptedModel(answers=[_script] * 10**5)
    return create_agent(model, [act], middleware=middleware, checkpointer=checkpointer)


def main(kind: str, ledger: str, count: int) -> None:
    """Make the calls.

    Args:
        kind: `run`, `race` or `wrap`, a dot, and a rule's name.
        ledger: Its file.
        count: How many, in whole runs where an agent makes them.
    """
    how, _, rule = kind.partition(".")
    with closing(ladder_of(rule, ledger)) as ladder:
        one = direct(ladder)
        if how == "race":
            one()
            print("ready", flush=True)
            sys.stdin.readline()
        if how == "wrap":
            graph = ladder.wrap(agent_of(InMemorySaver()))
            for n in range(count // TURNS):
                graph.invoke({"messages": "go"}, {"configurable": {"thread_id": f"{os.getpid()}/{n}"}})
            return
        waits = []
        for _ in range(count):
            began = time.perf_counter()
            one()
            waits.append(time.perf_counter() - began)
        if how == "race":
            print(*waits, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
