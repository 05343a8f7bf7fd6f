"""Graphs of every kind, with the same agents in them, under every mount: `kinds.py FOLDER KIND MOUNT …`.

Each agent makes one turn with a call of every sort. Its model answers by what it finds in the conversation, so that
any process can go on with it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, StructuredTool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from langgraph.types import Command, Send

from ladder_graph import Ladder, Policy, reversible
from ladder_graph.testing import ScriptedModel, says, tool_call

SICK = [{"kind": "python", "function": "tests.hosts.kinds:healthy"}]
BOUNDS = [{"kind": "volume", "limit": 99}]
RULES = {
    "read": {"rung": "report", "read_only": True},
    "send": {"rung": "confirm"},
    "put": {"rung": "rollback", "bounds": BOUNDS, "checks": SICK},
    "note": {"rung": "draft"},
    "ask_*": {"rung": "bounded", "read_only": True},
    "by_hand": {"rung": "bounded", "read_only": True},
}
DECISIONS = {"yes": {"type": "approve", "by": "ana"}, "no": {"type": "decline", "by": "ana", "reason": "no"}}
CALLS = [("read", "1"), ("send", "yes"), ("send", "no"), ("put", "1"), ("note", "d")]
"""What each agent calls in its one turn."""
THREAD: dict[str, Any] = {"configurable": {"thread_id": "1"}}


def healthy(arguments: dict[str, Any]) -> bool:
    """Nothing that is put anywhere is well."""
    return False


def write(folder: str, what: str) -> str:
    """Write an effect down."""
    with (Path(folder) / "effects").open("a", encoding="utf-8") as file:
        file.write(f"{what}\n")
    return what


def take_back(kept: dict[str, str]) -> None:
    """The undo of `put`."""
    write(kept["folder"], kept["what"])


class Making:
    """What a graph is made with.

    Args:
        folder: Where the effects go.
        mount: `wrap`, `middleware` or `guard`.
        ladder: The ladder.
        saver: The checkpointer.
    """

    def __init__(self, folder: Path, mount: str, ladder: Ladder, saver: Any) -> None:
        self.folder, self.mount, self.ladder, self.saver = str(folder), mount, ladder, saver

    def tools(self, agent: str) -> list[Any]:
        """The tools of an agent; they write down whose they are."""
        made = [self._tool(agent, name) for name in ("read", "send", "put", "note")]
        return [self.ladder.guard(tool) for tool in made] if self.mount == "guard" else made

    def _tool(self, agent: str, name: str) -> StructuredTool:
        def run(x: str) -> str:
            return write(self.folder, f"{agent} {name} {x}")

        async def arun(x: str) -> str:
            return run(x)

        if name == "put":
            kept = {"folder": self.folder, "what": f"{agent} undo 1"}
            run = reversible(prepare=lambda _: kept, undo=take_back)(run)
        return StructuredTool.from_function(run, arun, name=name, description=f"{name} it.")

    def agent(self, name: str, *more: Any, after: Any = "", acting: str = "") -> Any:
        """An agent of `create_agent`, which makes its turn, then says this."""
        inside = self.ladder.middleware(agent=acting or f"ops/{name}") if self.mount == "middleware" else []
        return create_agent(
            model(name, after or f"{name} done."), [*self.tools(name), *more], name=name, middleware=inside
        )

    def mounted(self, graph: Any) -> Any:
        """A graph that isn't compiled yet, under the ladder."""
        if self.mount == "wrap":
            return self.ladder.wrap(graph, checkpointer=self.saver)
        return graph.compile(checkpointer=self.saver)


def model(name: str, *after: Any) -> ScriptedModel:
    """The model of an agent: its turn, then each of these in order."""
    turn = says(*(tool_call(tool, {"x": x}, id=f"{name}-{tool}-{x}") for tool, x in CALLS))
    return deciding(name, turn, *after)


def deciding(name: str, *turns: Any) -> ScriptedModel:
    """A model that makes its turns in order, knowing those that it has made by the ids of their calls."""

    def decide(messages: list[Any]) -> Any:
        made = {message.id for message in messages if isinstance(message, AIMessage) and _by(name, message)}
        return turns[min(len(made), len(turns) - 1)]

    return ScriptedModel(answers=[decide] * 99)


def _by(name: str, message: AIMessage) -> bool:
    return any(str(call["id"]).startswith(f"{name}-") for call in message.tool_calls)


# --- the kinds -------------------------------------------------------------------------------------------------------


def agent(make: Making) -> Any:
    """One agent of `create_agent`."""
    inside = make.ladder.middleware() if make.mount == "middleware" else []
    made = create_agent(model("ops", "ops done."), make.tools("ops"), middleware=inside, checkpointer=make.saver)
    return make.ladder.wrap(made) if make.mount == "wrap" else made


def raw(make: Making, *, each: bool = False) -> Any:
    """The graph of the tutorials; with an edge that sends each call by itself."""
    tools = make.tools("ops")
    asked = model("ops", "ops done.").bind_tools(tools)

    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [asked.invoke(state["messages"])]}

    def sends(state: MessagesState) -> Any:
        last: Any = state["messages"][-1]
        return [Send("tools", [call]) for call in last.tool_calls] or "__end__"

    builder = StateGraph(MessagesState)
    builder.add_node("agent", ask)
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", sends if each else tools_condition, ["tools", "__end__"])
    builder.add_edge("tools", "agent")
    return make.mounted(builder)


def deep(make: Making) -> Any:
    """A deep agent that sets two sub-agents to work at once: a declared one, and a compiled one."""
    from deepagents import create_deep_agent

    turn = says(
        *(tool_call("task", {"description": "Work.", "subagent_type": name}, id=f"boss-{name}") for name in NAMES)
    )

    def middleware(name: str) -> list[Any]:
        return list(make.ladder.middleware(agent=f"ops/{name}")) if make.mount == "middleware" else []

    def declared(name: str) -> dict[str, Any]:
        return {
            "name": name, "description": name, "system_prompt": "Work.", "tools": make.tools(name),
            "model": model(name, f"{name} done."), "middleware": middleware(name),
        }  # fmt: skip

    packed = {"name": "beta", "description": "beta", "runnable": make.agent("beta")}
    made = create_deep_agent(
        deciding("boss", turn, "All done."), subagents=[declared("alpha"), packed, declared("general-purpose")],
        middleware=make.ladder.middleware() if make.mount == "middleware" else [], checkpointer=make.saver,
    )  # fmt: skip
    return make.ladder.wrap(made) if make.mount == "wrap" else made


def as_tools(make: Making) -> Any:
    """A supervisor whose agents are tools, called both at once."""

    def asking(name: str) -> StructuredTool:
        inner = make.agent(name, acting=f"ops/ask_{name}")

        def ask(question: str) -> str:
            return str(inner.invoke({"messages": [("user", question)]})["messages"][-1].text)

        async def aask(question: str) -> str:
            return str((await inner.ainvoke({"messages": [("user", question)]}))["messages"][-1].text)

        return StructuredTool.from_function(ask, aask, name=f"ask_{name}", description="Ask it.")

    turn = says(*(tool_call(f"ask_{name}", {"question": "Well?"}, id=f"boss-{name}") for name in NAMES))
    inside = make.ladder.middleware() if make.mount == "middleware" else []
    made = create_agent(
        deciding("boss", turn, "All done."), [asking(name) for name in NAMES], middleware=inside,
        checkpointer=make.saver,
    )  # fmt: skip
    return make.ladder.wrap(made) if make.mount == "wrap" else made


def supervisor(make: Making) -> Any:
    """langgraph-supervisor."""
    from langgraph_supervisor import create_supervisor

    turns = [says(tool_call(f"transfer_to_{name}", {}, id=f"boss-{name}")) for name in NAMES]
    workers = [make.agent(name) for name in NAMES]
    return make.mounted(create_supervisor(workers, model=deciding("boss", *turns, "All done.")))


def swarm(make: Making, *, by_hand: bool = False) -> Any:
    """langgraph-swarm: alpha works, then hands over to beta; by a tool of the library, or by one of one's own."""
    from langgraph_swarm import create_handoff_tool, create_swarm

    hand = StructuredTool.from_function(_by_hand, name="by_hand") if by_hand else create_handoff_tool(agent_name="beta")
    over = says(tool_call(hand.name, {}, id="alpha-go"))
    alpha, beta = make.agent("alpha", hand, after=over), make.agent("beta", after="All done.")
    if not by_hand:
        return make.mounted(create_swarm([alpha, beta], default_active_agent="alpha"))
    builder = StateGraph(MessagesState)
    builder.add_node("alpha", alpha, destinations=("beta",))
    builder.add_node("beta", beta)
    builder.add_edge(START, "alpha")
    return make.mounted(builder)


def _by_hand(state: Annotated[dict, InjectedState], tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
    """Hand over to beta."""
    done = ToolMessage("Over to beta.", name="by_hand", tool_call_id=tool_call_id)
    return Command(goto="beta", graph=Command.PARENT, update={"messages": [*state["messages"], done]})


def parallel(make: Making) -> Any:
    """Two agents as nodes of one step; what each of them says stays its own."""
    builder = StateGraph(MessagesState)
    for name in NAMES:
        builder.add_node(name, make.agent(name))
        builder.add_edge(START, name)
    return make.mounted(builder)


NAMES = ("alpha", "beta")
KINDS: dict[str, Callable[[Making], Any]] = {
    "agent": agent, "raw": raw, "send": partial(raw, each=True), "deep": deep, "tools": as_tools,
    "supervisor": supervisor, "swarm": swarm, "by_hand": partial(swarm, by_hand=True), "parallel": parallel,
}  # fmt: skip


# --- running them ----------------------------------------------------------------------------------------------------


def ladder_in(folder: Path, ledger: str) -> Ladder:
    """The ladder; every process makes its own."""
    policy = Policy.model_validate({
        "agent": "ops", "ledger": ledger or str(folder / "ladder.db"), "drafts": str(folder / "drafts"),
        "reports": {"reader": "ana"}, "rehearsals": "advised", "tools": RULES,
    })  # fmt: skip
    return Ladder(policy=policy)


def step(folder: Path, kind: str, mount: str, *, saver: Any, ledger: str = "", resume: Any = None) -> dict[str, Any]:
    """Start the thread, or go on with it, with everything made anew; a saver of an async kind makes all of it async."""
    value = {"messages": [("user", "Go.")]} if resume is None else Command(resume=resume)
    with ExitStack() as stack, closing(ladder_in(folder, ledger)) as ladder:
        if getattr(saver, "is_async", False):
            out = asyncio.run(_later(folder, kind, mount, ladder, saver, value))
        else:
            made = Making(folder, mount, ladder, stack.enter_context(saver()))
            out = KINDS[kind](made).invoke(value, THREAD)
        return _told(out, ladder)


async def _later(folder: Path, kind: str, mount: str, ladder: Ladder, saver: Any, value: Any) -> Any:
    async with AsyncExitStack() as stack:
        made = Making(folder, mount, ladder, await stack.enter_async_context(saver()))
        return await KINDS[kind](made).ainvoke(value, THREAD)


def _told(out: Any, ladder: Ladder) -> dict[str, Any]:
    return {
        "asked": {one.id: one.value["action_requests"][0]["args"]["x"] for one in out.get("__interrupt__", [])},
        "pending": sorted((one.call.agent, one.call.arguments["x"]) for one in ladder.pending()),
        "actions": sorted((one.agent, one.tool, str(one.state)) for one in ladder.actions()),
        "last": str(out["messages"][-1].text),
        "ok": ladder.verify().ok,
    }


def savers(folder: Path, uri: str = "") -> Iterator[tuple[str, Any]]:
    """Each checkpointer, by name: makes it anew each time, but for the one in memory."""
    from contextlib import asynccontextmanager, nullcontext

    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.checkpoint.postgres import PostgresSaver
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    memory = InMemorySaver()

    @asynccontextmanager
    async def held(made: Any) -> Any:
        async with made as found:
            yield found

    def later(make: Callable[[], Any]) -> Any:
        def made() -> Any:
            return held(make())

        made.is_async = True  # type: ignore[attr-defined]  # read by `step`
        return made

    file = str(folder / "threads.db")
    yield "memory sync", lambda: nullcontext(memory)
    yield "memory async", later(lambda: nullcontext(memory))
    yield "sqlite sync", lambda: SqliteSaver.from_conn_string(file)
    yield "sqlite async", later(lambda: AsyncSqliteSaver.from_conn_string(file))
    yield "postgres sync", lambda: PostgresSaver.from_conn_string(uri)
    yield "postgres async", later(lambda: AsyncPostgresSaver.from_conn_string(uri))


if __name__ == "__main__":
    place, what, how, which, threads, url, told = sys.argv[1:]
    chosen = dict(savers(Path(place), threads))[which]
    print(json.dumps(step(Path(place), what, how, saver=chosen, ledger=url, resume=json.loads(told))))
