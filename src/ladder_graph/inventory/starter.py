"""A first policy from the tools at hand, as a commented file: it asks or suggests, and says how to allow more."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ladder_graph.inventory.arguments import programs, suggested
from ladder_graph.inventory.finding import Known, known_in
from ladder_graph.inventory.reviews import ALL, NAMED_NOWHERE, Review, mapping_of, reviews_of
from ladder_graph.policy import policy_of
from ladder_graph.wording import inert

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
# mistake = "$5"  # what one wrong call costs at most; with it `ladder trust` can tell what the tool has earned
"""

FOUND = """
# --- tools: those that were found. None runs unasked; raise one when you have seen what it does ----------------------
# What is said of them here, nobody has checked.
"""


def starter(tools: Any = (), *, agent: str = "agent", interrupt_on: Any = None) -> str:
    """A first policy for these tools, as the text of a `ladder.toml`. No call runs unasked under it.

    A tool suggests, or asks where LangChain's middleware asks already or where its server says that it only reads.
    What is said of a tool can make its entry stricter. What would let it run unasked stands in comments.

    Args:
        tools: A graph, a ladder, a list of tools, one tool, or a function that makes one of these. MCP tools that
            langchain-mcp-adapters loaded bring the annotations of their server.
        agent: The agent's name.
        interrupt_on: The `interrupt_on` of LangChain's `HumanInTheLoopMiddleware` or of deepagents, or the middleware;
            None where it is to be found in the graph.

    Returns:
        The text; the same one for the same tools.

    Raises:
        LadderError: There are no tools in this, or `interrupt_on` is none.
        PolicyError: The agent's name is none.

    Example:
        >>> from langchain_core.tools import tool
        >>> @tool
        ... def send_email(to: str) -> str:
        ...     "Send an e-mail."
        >>> print(starter([send_email], interrupt_on={"send_email": True}).partition("[tools.")[2])
        send_email]
        rung = "confirm"
        # From the names and types of its arguments; look at what it does before you take off the "# ".
        # rung = "bounded"
        # bounds = [
        #   { kind = "domain", argument = "to", domains = ["example.com"] },
        #   { kind = "volume", limit = 20, per = "day" },
        # ]
        <BLANKLINE>
    """
    known = known_in(tools) if not isinstance(tools, list | tuple) or tools else {}
    return written(agent, known, None if interrupt_on is None else reviews_of(mapping_of(interrupt_on)))


def written(agent: str, known: Mapping[str, Known], reviews: Mapping[str, Review] | None = None) -> str:
    """A first policy for tools that were found.

    Args:
        agent: The agent's name.
        known: The tools; none for a file with examples.
        reviews: What LangChain's middleware does, by the tool's name, where that wasn't found with them. Without any
            tools its names stand for them.
    """
    reviews = reviews or {}
    if reviews:
        known = known or {name: Known(name) for name in reviews}
        known = {name: replace(one, review=reviews.get(name, NAMED_NOWHERE)) for name, one in known.items()}
    head = HEAD.replace("{agent}", json.dumps(agent, ensure_ascii=False))
    strange = [f"# interrupt_on names {inert(name)}, which is no tool here" for name in sorted(reviews.keys() - known)]
    entries = (line for _, one in sorted(known.items()) for line in _entry(one))
    text = head + ("\n".join([FOUND, *entries, *strange]).rstrip() + "\n" if known else EXAMPLES)
    policy_of(tomllib.loads(text), "the first policy")
    return text


def _entry(tool: Known) -> Iterator[str]:
    yield from (f"# {inert(line)}".rstrip() for line in _said(tool))
    if not _fits(tool.name):
        yield f"# its name can't stand in a policy, so it only suggests: {inert(tool.name)}\n"
        return
    if tool.hands_over and not (tool.review is not None and tool.review.asks):
        yield "# it only hands over, to agents whose calls have rungs of their own: it runs, and needs no entry\n"
        return
    bare = re.fullmatch(r"[A-Za-z0-9_-]+", tool.name)
    yield f"[tools.{tool.name if bare else json.dumps(tool.name, ensure_ascii=False)}]"
    yield from _settings(tool)
    if not tool.hints.destructive:
        yield from _more(tool)
    yield ""


def _fits(name: str) -> bool:
    return bool(name) and name.isprintable() and name == name.strip() and "*" not in name


def _said(tool: Known) -> Iterator[str]:
    """Why its entry is as it is: what it says, and what others say of it. A comment is one line, whoever wrote it."""
    yield from [tool.description.strip().partition("\n")[0][:110]] if tool.description.strip() else []
    if tool.arguments is not None:
        yield f"arguments: {', '.join(tool.arguments)}" if tool.arguments else "no arguments"
    said = tool.declaration
    declares = [
        word for word, there in (
            ("an undo", said.reversible), ("a drafter", said.drafter is not None), ("a probe", said.probe is not None),
            ("that it is idempotent", said.idempotent),
        ) if there
    ]  # fmt: skip
    remarks = tool.review.remarks if tool.review is not None else ()
    yield from [f"declares {', '.join(declares)}"] if declares else []
    yield from (f"its server says {hint}" for hint in tool.hints.told)
    yield from remarks
    if not (declares or tool.hints.told or remarks):
        yield "nothing says what it changes"


def _settings(tool: Known) -> Iterator[str]:
    """What counts. A hint may only make it stricter; a person is asked at least before anything runs."""
    review, asks = tool.review, tool.hints.reads or (tool.review is not None and tool.review.asks)
    yield f'rung = "{"confirm" if asks else "suggest"}"'
    if tool.hints.destructive:
        yield 'ceiling = "confirm"'
        yield 'impact = "high"'
    if review is not None and review.asks and review.decisions != ALL:
        yield f"confirm = {{ decisions = {json.dumps(review.decisions)} }}"
    if not asks:
        yield '# rung = "confirm"   # ask each time'


def _more(tool: Known) -> Iterator[str]:
    """What a person might allow after a look, as comments."""
    if tool.declaration.reversible:
        yield '# rung = "rollback"  # run unasked, since it can be undone; add bounds = [...] and checks = [...]'
    arguments = tool.arguments or {}
    if runs := programs(arguments):
        yield f"# {inert(', '.join(runs))}: text that is run can't be bounded; let it ask."
        return
    bounds = list(suggested(arguments))
    if tool.hints.reads:
        yield "# If it is true that it only reads:"
        yield from _bounded(bounds, 100)
        yield from _reading(tool)
    elif bounds:
        yield '# From the names and types of its arguments; look at what it does before you take off the "# ".'
        yield from _bounded(bounds, 20)


def _bounded(bounds: Iterable[str], calls: int) -> Iterator[str]:
    yield '# rung = "bounded"'
    yield "# bounds = ["
    yield from (f"#   {bound}," for bound in (*bounds, f'{{ kind = "volume", limit = {calls}, per = "day" }}'))
    yield "# ]"


def _reading(tool: Known) -> Iterator[str]:
    if tool.hints.open_world is False:
        yield "# read_only = true"
    else:
        yield "# It may reach beyond its server, and then its arguments carry something out: no read_only."
