"""`ladder fingerprint`: what an agent is made of, what it was made of before, and what a change of it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ladder_graph.cli.documents import keys
from ladder_graph.cli.lineage import CarriedDocument, DifferenceDocument, SightingDocument
from ladder_graph.cli.naming import agents_of
from ladder_graph.cli.options import Json, Yes
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.cli.screen import Cell, Screen
    from ladder_graph.fingerprint import Change
    from ladder_graph.ladder import Ladder
    from ladder_graph.ladder.carrying import Cost, Keep
    from ladder_graph.ladder.pins import Difference, Sighting

SHORT = 10
"""Characters of a key that are shown."""


class AgentOrCommand(TyperGroup):
    """A group whose first word is an agent's name where it is no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the agent's name behind its option."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["--agent", *args]
        return super().parse_args(ctx, args)


commands = typer.Typer(
    cls=AgentOrCommand, invoke_without_command=True, rich_markup_mode=None, subcommand_metavar="[AGENT] [COMMAND]",
    epilog=keys(SightingDocument), help="Show what proposed an agent's calls, and what changed.",
)  # fmt: skip

Agent = Annotated[
    str | None, typer.Option(help="Whose, where it isn't the policy's agent, as in ops/research.", show_default=False)
]
Key = Annotated[
    str | None,
    typer.Argument(metavar="[KEY]", help="The environment's key, or the beginning of it.", show_default=False),
]


@commands.callback()
def fingerprint(ctx: typer.Context, *, agent: Agent = None, json: Json = False) -> None:
    """Show what proposed an agent's calls: the present environment whole, and every one before."""
    if ctx.invoked_subcommand is not None:
        ctx.meta["agent"], ctx.meta["json"] = agent, json
        return
    from ladder_graph.cli import lineage, screen

    with place_of(ctx).looking() as ladder:
        whose = _whose(ladder, agent)
        known = ladder.sightings(whose)
    if json:
        screen.document([lineage.sighting(one) for one in known])
        return
    out = screen.Screen()
    if not known:
        out.note(f"no call of {whose} was seen yet; its first environment will be granted the policy's rungs")
        return
    present, *others = known
    out.heading(whose, f"{present.key[:SHORT]}{', which the rungs are granted to' if present.granted else ''}")
    _made_of(out, present)
    _stands(out, present)
    if others:
        out.heading("Others that were seen")
        out.columns([_row(one) for one in others], ("key", "granted", "last seen", "what it is"))
    out.gap()
    if others:
        out.note("ladder fingerprint diff; ladder fingerprint diff KEY KEY")


@commands.command(epilog=keys(DifferenceDocument, many=False))
def diff(ctx: typer.Context, first: Key = None, second: Key = None, *, agent: Agent = None, json: Json = False) -> None:
    """Tell how two environments differ, and what it means for each tool.

    By default from the one that the rungs are granted to, to the one that was last seen; with one key, from the first
    of these to that one.
    """
    from ladder_graph.cli import lineage, screen

    agent, json = agent or ctx.meta.get("agent"), json or bool(ctx.meta.get("json"))
    with place_of(ctx).looking() as ladder:
        whose = _whose(ladder, agent)
        found = ladder.difference(None if second is None else first, first if second is None else second, whose)
    if json:
        screen.document(lineage.difference(found))
        return
    _differs(screen.Screen(), whose, found)


@commands.command(epilog=keys(CarriedDocument))
def carry(
    ctx: typer.Context,
    first: Key = None,
    second: Key = None,
    *,
    keep: Annotated[
        str, typer.Option(metavar="all|part|none", help="What it keeps: all, one rung less than it had, or none of it.")
    ],
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")],
    agent: Agent = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Decide in your name what a changed agent keeps of what it earned.

    It takes whoever may sign promotions. The environments are chosen as by `diff`. No evidence comes along, and what it
    was put down for since stays.
    """
    from ladder_graph.cli import asking, lineage, screen
    from ladder_graph.ladder.desk import signed_in

    if keep not in {"all", "part", "none"}:
        raise LadderError(f"--keep {keep} is none of all, part and none")
    kept: Keep = "all" if keep == "all" else "part" if keep == "part" else "none"
    agent, json = agent or ctx.meta.get("agent"), json or bool(ctx.meta.get("json"))
    person, out = signed_in(), screen.Screen(stderr=json)
    with place_of(ctx).acting() as ladder:
        whose = _whose(ladder, agent)
        found = ladder.difference(None if second is None else first, first if second is None else second, whose)
        fallen = [one for one in ladder.costs(found.before, found.after, whose) if one.fell]
        out.heading(whose, f"{found.before.key[:SHORT]} {out.glyphs.so} {found.after.key[:SHORT]}")
        out.columns([
            [_cell_name(one), one.stood.rung.word, one.stands.rung.word, one.kept(kept).word] for one in fallen
        ], ("tool", "stood on", "stands on", "would stand on"))  # fmt: skip
        out.gap()
        asking.confirm(f"Record this, in your name ({person.name})?", yes=yes)
        carried = ladder.carry_over(
            found.before.key, found.after.key, kept, by=person, reason=reason, agent=whose,
            shown=tuple((one.after, one.kept(kept)) for one in fallen),
        )  # fmt: skip
    if json:
        screen.document([lineage.carried(one, kept) for one in carried])
        return
    for one in carried:
        out.line(f"{_cell_name(one)} stands on {one.kept(kept).word} from its next call on")
    if not carried:
        out.note("It earns its rungs again from where it stands.")


def _whose(ladder: Ladder, agent: str | None) -> str:
    """The agent that is meant. One inside the policy's own needn't have called yet.

    Raises:
        LadderError: There is no such agent.
    """
    own = ladder.policy.agent
    if agent is None or agent.startswith(f"{own}/"):
        return agent or own
    (known,) = agents_of(ladder, agent)
    return known


def _cell_name(of: Cost) -> str:
    return f"{of.after.tool} [{of.after.scope}]" if of.after.scope else of.after.tool


def _made_of(out: Screen, of: Sighting) -> None:
    """Every component with the class of a change of it."""
    from ladder_graph.cli.screen import clock

    env = of.environment
    rows: list[tuple[str, Cell]] = [
        ("A model", env.model or "unknown"), ("  asked for", env.requested or "unknown"),
        ("A provider", env.provider or "unknown"), *([("A weights", env.weights)] if env.weights else []),
        ("A tools", ", ".join(f"{tool} {schema[:8]}" for tool, schema in env.tools.items()) or "unknown"),
        ("A their code", ", ".join(f"{tool} {code[:8]}" for tool, code in env.implementations.items()) or "unknown"),
        ("B prompt", (env.prompt or "unknown")[:12]), ("B parameters", env.parameters or "unknown"),
        ("B tool set", (env.toolset or "unknown")[:12]),
        *([("  by the provider", ", ".join(env.provider_tools))] if env.provider_tools else []),
        ("B middleware", "unknown" if env.middleware is None else ", ".join(env.middleware) or "none"),
        ("B graph", (env.graph or "unknown")[:12]),
        ("B data", ", ".join(f"{name} {version}" for name, version in env.data.items()) or "not declared"),
        *((f"C {name.replace('_', ' ')}", ", ".join(values)) for name, values in of.beside.items()),
    ]  # fmt: skip
    if of.seen is not None:
        rows.append(("  seen", f"first {clock(of.seen.first)}, last {clock(of.seen.last)}"))
    out.fields(rows)


def _stands(out: Screen, of: Sighting) -> None:
    """The tools by what the environment is, with what holds them."""
    if not of.stands:
        return
    out.gap()
    rows = [(tool, one.rung.word, "; ".join(reason.text for reason in one.reasons)) for tool, one in of.stands.items()]
    out.columns(rows, ("tool", "at most", "because"))


def _row(of: Sighting) -> list[Cell]:
    from ladder_graph.cli.screen import QUIET, clock, stacked, styled

    changes = "; ".join(_classed(one) for one in of.changes)
    what = stacked(str(of.environment), styled(changes, QUIET)) if changes else str(of.environment)
    seen = clock(of.seen.last) if of.seen is not None else "never"
    return [styled(of.key[:SHORT], "bold"), "yes" if of.granted else "", seen, what]


def _classed(change: Change) -> str:
    return f"{change.klass} {change.text}"


def _differs(out: Screen, agent: str, of: Difference) -> None:
    from ladder_graph.cli.screen import clock

    before, after = of.before, of.after
    out.heading(agent, f"{before.key[:SHORT]} {out.glyphs.so} {after.key[:SHORT]}")
    out.fields([("before", str(before.environment)), ("after", str(after.environment))])
    out.gap()
    changes = {_classed(change): None for tool in of.tools for change in tool.changes} or {
        _classed(change): None for change in _general(of)
    }
    for text in changes:
        out.line(text)
    if not changes:
        out.line("nothing that is known on both sides has changed")
    if of.prompt:
        out.heading("The system prompt")
        out.block("\n".join(of.prompt))
    if of.hidden:
        out.heading("Where it is masked")
        out.columns([(clock(at), text) for at, text in of.hidden])
    if of.tools:
        out.heading("What it means")
        out.columns(
            [
                (one.tool, f"{one.granted.word} {out.glyphs.so} {one.standing.rung.word}",
                 "; ".join(reason.text for reason in one.standing.reasons))
                for one in of.tools
            ],
        )  # fmt: skip
    out.gap()


def _general(of: Difference) -> tuple[Change, ...]:
    from ladder_graph.fingerprint import diff as differ

    return differ(of.before.environment, of.after.environment)
