"""Keeping an agent where it belongs: down a rung, pinned to its environment, out of doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.naming import Agent, Tool, agents_of, scope_of, tool_of
from ladder_graph.cli.options import ActionId, Yes
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.cli.screen import Screen
    from ladder_graph.fingerprint import Environment
    from ladder_graph.ladder import Ladder
    from ladder_graph.scale import Rung


def resolve(
    ctx: typer.Context,
    action: ActionId,
    *,
    happened: Annotated[
        bool | None, typer.Option("--happened/--absent", help="What you found: it took effect, or it didn't.")
    ] = None,
    reason: Annotated[str, typer.Option(help="How you found out.")] = "",
) -> None:
    """Say what became of an action in doubt."""
    from ladder_graph.cli.looking import card
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder.desk import signed_in

    if happened is None:
        raise LadderError("say what you found: --happened, or --absent")
    with place_of(ctx).acting() as ladder:
        key = ladder.action(action).key
        ladder.resolve(key, happened=happened, by=signed_in(), reason=reason)
        found = ladder.action(key)
    out = Screen()
    card(out, found, whole=False)
    out.gap()
    out.line(found.text)
    out.gap()


def demote(
    ctx: typer.Context,
    tool: Tool,
    rung: Annotated[str, typer.Argument(metavar="RUNG", help="The rung it may not stand above, by word or number.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; shown wherever the rung is.")],
    agent: Agent = None,
    scope: Annotated[str, typer.Option(help="In which scope of it; else in all.", show_default=False)] = "*",
) -> None:
    """Put a tool on a lower rung."""
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in
    from ladder_graph.scale import Rung

    try:
        to = Rung.parse(int(rung) if rung.isdecimal() else rung)
    except ValueError as wrong:
        raise LadderError(str(wrong)) from None
    person = signed_in()
    with place_of(ctx).acting() as ladder:
        (whose,) = agents_of(ladder, agent or ladder.policy.agent)
        tool_of(ladder, tool, whose)
        if scope != "*":
            scope_of(ladder, tool, scope)
        before = _stands(ladder, whose, tool, scope)
        changed = ladder.demote(tool, to, reason=reason, by=person, agent=whose, scope=scope)
        after = _stands(ladder, whose, tool, scope)
    out = Screen()
    if after < before:
        out.line(
            styled(f"{out.glyphs.good} {tool}", "green").append(f" went from {before.word} to {after.word}", "default")
        )
    elif changed:
        out.line(f"{tool} stays on {after.word}; it may not stand above {to.word} from now on.")
    else:
        out.line(f"{tool} stays on {after.word}; it was held on {to.word} or lower before, and nothing changed.")


def _stands(ladder: Ladder, agent: str, tool: str, scope: str) -> Rung:
    """Where a tool stands, at the highest of its scopes where all are meant."""
    cells = [cell for cell in ladder.status() if (cell.agent, cell.tool) == (agent, tool)]
    return max(cell.route.rung for cell in cells if scope in {"*", cell.scope})


def lock(ctx: typer.Context, *, agent: Agent = None, yes: Yes = False) -> None:
    """Grant the policy's rungs to what proposed the last call.

    It is written to ladder.lock beside the policy, which then wins over the ledger.
    """
    from ladder_graph.cli import asking
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.fingerprint import diff
    from ladder_graph.ladder.desk import signed_in
    from ladder_graph.trust.standing import gaps

    person, place = signed_in(), place_of(ctx)
    with place.acting() as ladder:
        whose = agent or ladder.policy.agent
        pinned, seen = ladder.environments(whose)
        if seen is None:
            raise LadderError(f"no call of {whose} was seen yet, so there is nothing to pin; run the agent once")
        out = Screen()
        _card(out, whose, seen)
        if pinned is not None and pinned != seen:
            out.heading("Since the rungs were granted")
            changes = [change.text for change in diff(pinned, seen)]
            for text in changes or ["nothing that is known on both sides has changed"]:
                out.line(text)
            for text in gaps(seen):
                out.line(text)
            out.gap()
            asking.confirm(f"Grant them to it as it is now, in your name ({person.name})?", yes=yes)
        ladder.pin(by=person, path=place.lock, agent=whose, environment=seen)
    out.gap()
    out.line(styled(f"{out.glyphs.good} pinned", "green").append(f" by {person.name}, in {place.lock}", "default"))
    out.gap()


def _card(out: Screen, agent: str, seen: Environment) -> None:
    out.heading(agent)
    facts = {
        "model": seen.model, "asked for": seen.requested, "provider": seen.provider, "prompt": (seen.prompt or "")[:12],
        "parameters": seen.parameters, "tools": ", ".join([*seen.tools, *seen.provider_tools]),
        **({"weights": seen.weights} if seen.weights else {}),
    }  # fmt: skip
    out.fields([(name, value or "unknown") for name, value in facts.items()])
