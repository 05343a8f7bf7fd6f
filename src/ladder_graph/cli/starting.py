"""`ladder init`: a first policy under which nothing runs unasked, and which says how to allow more; and its schema."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import App, Mcp
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.policy import Policy


def init(
    ctx: typer.Context,
    *,
    agent: Annotated[str, typer.Option(help="The agent's name.")] = "agent",
    app: App = None,
    mcp: Mcp = None,
    interrupt_on: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:NAME",
            help="LangChain's interrupt_on, or the middleware that has it, where the graph doesn't show it.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file that is there.")] = False,
) -> None:
    """Write a first policy, in which a tool suggests or asks, and none runs unasked.

    A JSON Schema for editors goes beside it, unless one is there.
    """
    from ladder_graph.cli.graphs import known_at, load
    from ladder_graph.inventory.reviews import mapping_of, reviews_of
    from ladder_graph.inventory.starter import SCHEMA, written
    from ladder_graph.policy import policy_of

    if not agent.isprintable():
        raise LadderError(f"{agent!r} is no name for an agent: it must be readable on one line")
    file = place_of(ctx).policy
    reviews = None if interrupt_on is None else reviews_of(mapping_of(load(interrupt_on)))
    text = written(agent, known_at(app, mcp or ()), reviews)
    try:
        with file.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise LadderError(f"{file} is there already and was not touched; --force overwrites it") from None
    with suppress(FileExistsError), file.with_name(SCHEMA).open("w" if force else "x", encoding="utf-8") as beside:
        beside.write(schema_text())
    _say(str(file), policy_of(tomllib.loads(text), str(file)), looked=bool(app or mcp or interrupt_on))


def _say(file: str, policy: Policy, *, looked: bool) -> None:
    from ladder_graph.cli.screen import Screen, styled

    out = Screen()
    out.gap()
    out.line(styled(f"{out.glyphs.good} {file}", "green"))
    count, rungs = len(policy.tools), Counter(rule.rung for rule in policy.tools.values())
    stand = ", ".join(f"{number} on rung {rung.word}" for rung, number in sorted(rungs.items()))
    found = f"{count} tool{'s' * (count != 1)} found{': ' * bool(stand)}{stand}." if looked else "It lists no tool yet."
    out.gap()
    out.line(f"{found} Nothing runs unasked until you allow it there; `ladder doctor` checks what you wrote.")
    out.gap()


def schema() -> None:
    """Print the JSON Schema of a policy file, for editors."""
    typer.echo(schema_text(), nl=False)


def schema_text() -> str:
    """The JSON Schema of a policy file, as a file."""
    from ladder_graph.policy.schema import policy_schema

    return json.dumps(policy_schema(), indent=2) + "\n"
