"""`ladder init`: a first policy that lets nothing happen, and says how to allow more; and its schema."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import App
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from ladder_graph.desk import Seat

SCHEMA = "ladder.schema.json"
"""The file beside the policy by which editors complete and check it."""

HEAD = f"""\
#:schema {SCHEMA}
# What the agent may do, tool by tool. `ladder doctor` tells what is really in place, `ladder status` where it stands.
#
#   0 suggest    nothing runs; the suggestion is written down for a person
#   1 draft      the artifact is made and waits in the drafts; nothing is sent or applied
#   2 confirm    somebody is asked each time, and it runs once, exactly as it was shown
#   3 bounded    runs without asking inside its bounds, and asks outside them
#   4 rollback   as 3, with the undo stored before the action and a health check after it
#   5 report     as 4, and a named person must read a report on it in time
#
# A tool that isn't listed here suggests. An unknown key is an error, so that no typing mistake allows anything.

agent = {{agent}}
ledger = "ladder.db"  # what happened; a file beside this one
drafts = "drafts"     # a directory beside this file

[reports]
# reader = "ana"      # who reads what was done unasked; without a name nothing stands on rung 5
sla = "24h"           # how soon it must be read
"""

EXAMPLES = """
# --- tools: take off the "# " in front of the lines that you want --------------------------------------------------

# A tool that only reads may soon run by itself.
# [tools.read_status]
# rung = "bounded"
# read_only = true

# A tool whose effect can't be taken back asks each time; the value that matters is typed, not just "yes".
# [tools.drop_table]
# rung = "confirm"
# ceiling = "confirm"
# impact = "high"
# confirm = { type = "table", by = ["ana"], expires = "1h" }

# A tool that runs inside bounds, and asks outside them.
# [tools.send_email]
# rung = "bounded"
# bounds = [
#   { kind = "domain", argument = "to", domains = ["example.com"] },
#   { kind = "volume", limit = 20, per = "day" },
# ]
"""

FOUND = """
# --- tools: those that were found, each on the lowest rung; raise one when you have seen what it suggests ------------
"""


def init(
    ctx: typer.Context,
    *,
    agent: Annotated[str, typer.Option(help="The agent's name.")] = "agent",
    app: App = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file that is there.")] = False,
) -> None:
    """Write a first policy, in which every tool only suggests.

    A JSON Schema for editors goes beside it, unless one is there.
    """
    from ladder_graph.cli import graphs
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.policy import policy_of

    if not agent.isprintable():
        raise LadderError(f"{agent!r} is no name for an agent: it must be readable on one line")
    file = place_of(ctx).policy
    seats = {} if app is None else graphs.seats_in(graphs.load(app))
    text = policy_text(agent, seats)
    policy = policy_of(tomllib.loads(text), str(file))
    try:
        with file.open("w" if force else "x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise LadderError(f"{file} is there already and was not touched; --force overwrites it") from None
    with suppress(FileExistsError), file.with_name(SCHEMA).open("w" if force else "x", encoding="utf-8") as beside:
        beside.write(schema_text())
    out = Screen()
    out.gap()
    out.line(styled(f"{out.glyphs.good} {file}", "green"))
    count = len(policy.tools)
    found = f"{count} tool{'s' * (count != 1)} found, each on rung suggest." if app else "It lists no tool yet."
    out.gap()
    out.line(f"{found} Nothing runs until you allow it there; `ladder doctor` checks what you wrote.")
    out.gap()


def schema() -> None:
    """Print the JSON Schema of a policy file, for editors."""
    typer.echo(schema_text(), nl=False)


def schema_text() -> str:
    """The JSON Schema of a policy file, as a file."""
    from ladder_graph.policy.schema import policy_schema

    return json.dumps(policy_schema(), indent=2) + "\n"


def policy_text(agent: str, seats: dict[str, Seat]) -> str:
    """A first policy, as a commented file.

    Args:
        agent: The agent's name.
        seats: The tools to list, with what they declare; none for a file with examples.
    """
    head = HEAD.replace("{agent}", json.dumps(agent, ensure_ascii=False))
    return head + ("\n".join([FOUND, *_tools(seats)]) if seats else EXAMPLES)


def _tools(seats: dict[str, Seat]) -> Iterator[str]:
    from ladder_graph.cli import graphs

    for name, tool in graphs.tools_of(seats).items():
        yield from _tool(name, tool, seats[name])


def _tool(name: str, tool: BaseTool | None, seat: Seat) -> Iterator[str]:
    from ladder_graph.wording import inert

    said = seat.declaration
    declares = [
        word for word, there in (
            ("an undo", said.reversible), ("a drafter", said.drafter is not None), ("a probe", said.probe is not None),
            ("that it is idempotent", said.idempotent),
        ) if there
    ]  # fmt: skip
    if tool is not None:
        # A comment is one line, whatever the tool's author wrote.
        yield f"# {inert(tool.description.strip().partition(chr(10))[0])[:110]}".rstrip()
        yield f"# arguments: {inert(', '.join(tool.args))}" if tool.args else "# no arguments"
    if declares:
        yield f"# declares {', '.join(declares)}"
    if not name.isprintable() or name != name.strip() or not name or "*" in name:
        yield f"# its name can't stand in a policy, so it only suggests: {inert(name)}\n"
        return
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
    yield f"[tools.{key}]"
    yield 'rung = "suggest"'
    yield '# rung = "confirm"   # ask each time'
    if said.reversible:
        yield '# rung = "rollback"  # run unasked, since it can be undone; add bounds = [...] and checks = [...]'
    yield ""
