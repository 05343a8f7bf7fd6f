"""Tools of a real MCP server under the ladder: over standard input and output, and over HTTP."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph import Rung, State, load_policy, starter
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, READ, ladder_of, on, raw_graph, told
from tests.hosts.mounts import BOUNDED, NO, YES

pytest.importorskip("langchain_mcp_adapters", reason="the extra mcp isn't installed")
# It keeps the stderr of its import for the servers, which must be a real one and not the runner's.
pytest.importorskip("mcp.client.stdio", reason="the extra mcp isn't installed")

from langchain_mcp_adapters.client import MultiServerMCPClient

SERVER = str(Path(__file__).with_name("mcp_server.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the servers act."""
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(autouse=True)
def _nothing_done(folder):
    (folder / "effects").unlink(missing_ok=True)


def _served(folder: Path, *more: str) -> Iterator[dict[str, Any]]:
    with subprocess.Popen(
        [sys.executable, SERVER, folder, "http", *more], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield {"transport": "streamable_http", "url": f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"}
        finally:
            process.kill()


@pytest.fixture(scope="module")
def http(folder):
    """The connection to a server over HTTP."""
    yield from _served(folder)


@pytest.fixture(scope="module")
def changed(folder):
    """The same to that server after an update."""
    yield from _served(folder, "changed")


@pytest.fixture
def stdio(folder):
    """The connection to a server that is started for each call."""
    return {"transport": "stdio", "command": sys.executable, "args": [SERVER, str(folder)]}


def tools_of(connection) -> list[Any]:
    """The server's tools, as langchain-mcp-adapters makes them."""
    return asyncio.run(MultiServerMCPClient({"desk": connection}).get_tools())


def effects(folder: Path) -> list[str]:
    """What the server did."""
    file = folder / "effects"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def agent(answers, tools, **options) -> Any:
    """An agent with the server's tools."""
    return create_agent(ScriptedModel(answers=answers), tools, **{"checkpointer": InMemorySaver(), **options})


MOUNTS = {
    "wrap": lambda ladder, answers, tools: ladder.wrap(agent(answers, tools)),
    "middleware": lambda ladder, answers, tools: agent(answers, tools, middleware=ladder.middleware()),
    "guard": lambda ladder, answers, tools: agent(answers, [ladder.guard(tool) for tool in tools]),
    "raw graph": lambda ladder, answers, tools: ladder.wrap(
        raw_graph(answers, tools), checkpointer=InMemorySaver()
    ),
}  # fmt: skip


@pytest.mark.parametrize(("mount", "transport"), [("wrap", "stdio"), *((mount, "http") for mount in MOUNTS)])
def test_each_call_reaches_the_server_once_it_may(request, folder, mount, transport):
    """What reads runs; what closes waits; an approved call reaches the server once, and a declined one never."""
    turn = says(tool_call("look", {"number": 1}), tool_call("close", {"number": 2}), tool_call("close", {"number": 3}))
    ladder = ladder_of({"look": READ, "close": "confirm"})
    graph = MOUNTS[mount](ladder, [turn, "Done."], tools_of(request.getfixturevalue(transport)))

    async def conversation() -> Any:
        out = await graph.ainvoke(GO, on())
        assert effects(folder) == ["look 1"]
        numbers = {one.value["action_requests"][0]["args"]["number"]: one.id for one in out["__interrupt__"]}
        return await graph.ainvoke(Command(resume={numbers[2]: YES, numbers[3]: NO}), on())

    out = asyncio.run(conversation())
    assert effects(folder) == ["look 1", "close 2"]
    assert [text.partition(":")[0] for _, text in told(out)] == ["look 1", "close 2", "DECLINED by ana"]
    assert sorted(one.state for one in ladder.actions()) == [State.DECLINED, State.DONE, State.DONE]
    assert ladder.verify().ok


@pytest.mark.parametrize(("name", "transport"), [("crash", "stdio"), ("fail", "http")])
def test_nobody_knows_what_a_lost_call_did(request, folder, name, transport):
    """A server that dies in the middle of a call, or says that it failed, leaves a doubt: nothing runs again."""
    ladder = ladder_of({name: BOUNDED})
    twice = [calls(name, {"number": 1}), calls(name, {"number": 1}), "Done."]
    graph = MOUNTS["wrap"](ladder, twice, tools_of(request.getfixturevalue(transport)))
    out = asyncio.run(graph.ainvoke(GO, on()))
    assert effects(folder) == [f"{name} 1"]
    assert ladder.actions()[0].state is State.UNKNOWN
    assert "Nobody knows whether it took effect" in told(out)[0][1]
    assert [one.state for one in ladder.actions()].count(State.DONE) == 0


def test_a_server_that_cannot_be_reached_leaves_a_doubt_too(http, folder):
    """The ladder doesn't know how far a call got on its way; it says so, and doesn't try again."""
    lost = _pointing(tools_of(http), {"transport": "streamable_http", "url": "http://127.0.0.1:9/mcp"})
    ladder = ladder_of({"close": BOUNDED})
    asyncio.run(MOUNTS["wrap"](ladder, [calls("close", {"number": 1}), "Done."], lost).ainvoke(GO, on()))
    assert [one.state for one in ladder.actions()] == [State.UNKNOWN]
    assert effects(folder) == []


def _pointing(tools: list[Any], connection: dict[str, Any]) -> list[Any]:
    """The same tools, at another address."""
    from langchain_mcp_adapters.tools import convert_mcp_tool_to_langchain_tool
    from mcp.types import Tool

    return [
        convert_mcp_tool_to_langchain_tool(
            None,
            Tool(name=tool.name, description=tool.description, inputSchema=tool.args_schema),
            connection=connection,
        )
        for tool in tools
    ]


def test_a_server_that_was_updated_starts_lower(http, changed, folder):
    """Another description is another tool, and asks; another list of tools is another environment for the rest."""
    ladder = ladder_of({"close": BOUNDED, "look": READ})
    answers = [calls("close", {"number": 1}), calls("look", {"number": 1}), "Done."]
    asyncio.run(MOUNTS["wrap"](ladder, answers, tools_of(http)).ainvoke(GO, on("1")))
    assert [one.rung for one in ladder.actions()] == [Rung.BOUNDED, Rung.REPORT]
    graph = MOUNTS["wrap"](ladder, answers, tools_of(changed))
    asyncio.run(graph.ainvoke(GO, on("2")))
    (question,) = ladder.pending()
    assert (question.call.tool, effects(folder)) == ("close", ["close 1", "look 1"])
    asyncio.run(graph.ainvoke(Command(resume=YES), on("2")))
    assert [one.rung for one in ladder.actions()][2:] == [Rung.CONFIRM, Rung.BOUNDED]


def test_its_tools_cannot_be_run_in_a_sync_graph(http, folder):
    """They are async only: in a sync run nothing happens, the model is told, and no doubt is left."""
    ladder = ladder_of({"close": BOUNDED})
    out = MOUNTS["wrap"](ladder, [calls("close", {"number": 1}), "Done."], tools_of(http)).invoke(GO, on())
    assert effects(folder) == []
    assert [one.state for one in ladder.actions()] == [State.FAILED]
    assert "changed nothing" in told(out)[0][1]


def test_what_the_server_says_only_makes_it_stricter(http, tmp_path):
    """A first policy for the server's tools lets nothing run; what is called destructive stays below a question."""
    file = tmp_path / "ladder.toml"
    file.write_text(starter(tools_of(http)), encoding="utf-8")
    rules = load_policy(file).tools
    assert {name: (rule.rung, rule.ceiling) for name, rule in rules.items()} == {
        "close": (Rung.SUGGEST, Rung.REPORT),
        "crash": (Rung.SUGGEST, Rung.CONFIRM),
        "fail": (Rung.SUGGEST, Rung.REPORT),
        "look": (Rung.CONFIRM, Rung.REPORT),
    }
