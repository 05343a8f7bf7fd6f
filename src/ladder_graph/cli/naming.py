"""Which agent, tool and scope are meant, and what is said where there are none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

Agent = Annotated[
    str | None, typer.Option(help="Whose, where it isn't the policy's agent, as in ops/research.", show_default=False)
]
Tool = Annotated[str, typer.Argument(metavar="TOOL", help="The tool's name.")]


def agents_of(ladder: Ladder, agent: str | None = None) -> list[str]:
    """The agent that is meant; unsaid, the policy's and each one inside it.

    Raises:
        LadderError: There is no such agent.
    """
    own = ladder.refresh().agent
    known = sorted({own, *ladder.reading.agents(own)})
    if agent is not None and agent not in known:
        raise LadderError(f"there is no agent {agent}; {_near(agent, known, 'the agents are')}")
    return known if agent is None else [agent]


def tool_of(ladder: Ladder, tool: str, agent: str) -> str:
    """A tool that the policy names, that was mounted, or that is known from the ledger.

    Raises:
        LadderError: The agent has no such tool.
    """
    named = ladder.policy.named if agent == ladder.policy.agent else frozenset[str]()
    known = {*named, *ladder.reading.footings(agent), *(cell.tool for cell in ladder.reading.standings(agent))}
    if tool not in known:
        raise LadderError(f"{agent} has no tool {tool}; {_near(tool, known, 'its tools are')}")
    return tool


def scope_of(ladder: Ladder, tool: str, scope: str) -> str:
    """A scope that the tool's rule declares.

    Raises:
        LadderError: It has no such scope, or none was named and it has several.
    """
    declared = ladder.policy.rule(tool).scope
    if declared is None:
        if scope:
            raise LadderError(f"{tool} has no scope {scope}: the policy doesn't tell its calls apart")
        return scope
    listed = ", ".join(declared.names)
    if not scope:
        raise LadderError(f"{tool} has scopes, each with a standing of its own; name one by --scope: {listed}")
    if scope not in declared.names:
        raise LadderError(f"{tool} has no scope {scope}; {_near(scope, declared.names, 'its scopes are')}")
    return scope


def _near(name: str, known: Iterable[str], otherwise: str) -> str:
    """What was meant, perhaps; else all there is."""
    listed = sorted(known)
    near = difflib.get_close_matches(name, listed, 1)
    return f"did you mean {near[0]}?" if near else f"{otherwise} {', '.join(listed) or 'not known yet'}"
