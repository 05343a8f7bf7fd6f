"""`ladder explain`: which rung a call would get, and why. No tool runs, and nothing is written.

Predicates are asked as the gate would ask them: they are functions of the project, and what they do is theirs.
"""

from __future__ import annotations

import json as reading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ladder_graph.cli.options import Json
from ladder_graph.cli.place import find_project, place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.cli.screen import Cell, Screen
    from ladder_graph.explaining import Explanation, Weighed


def explain(
    ctx: typer.Context,
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="The tool's name.")],
    *,
    args: Annotated[str, typer.Option("--args", metavar="JSON", help="The arguments, as a JSON object.")] = "{}",
    each: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="One argument; its value is JSON, or else text. Repeatable."),
    ] = None,
    agent: Annotated[str | None, typer.Option(help="Whose call, if not the policy's agent's.")] = None,
    said: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="What the user said. Repeatable.")] = None,
    requester: Annotated[str | None, typer.Option(metavar="NAME", help="Whose run it would be.")] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What is known of the run, as tenant=acme. Repeatable."),
    ] = None,
    json: Json = False,
) -> None:
    """Tell which rung a call would get now, and why.

    No tool runs. A bound that is a predicate is a function of your own, and is called.
    """
    from ladder_graph.cli import documents, screen
    from ladder_graph.policy.scene import Said

    arguments = arguments_of(args, each or ())
    find_project()
    with place_of(ctx).looking() as ladder:
        told = ladder.explain(
            tool, arguments, agent=agent, requester=requester, facts=arguments_of("{}", fact or (), "--fact"),
            said=Said(tuple(said or ())),
        )  # fmt: skip
    if json:
        screen.document(documents.explanation(told))
        return
    _show(screen.Screen(), told)


def arguments_of(args: str, each: list[str] | tuple[str, ...], option: str = "--set") -> dict[str, Any]:
    """Arguments as somebody types them.

    Args:
        args: A JSON object.
        each: `name=value`, put over it; a value that is no JSON is text.
        option: What they were given with, for the message.

    Raises:
        LadderError: They can't be read.
    """
    try:
        given = reading.loads(args)
    except (ValueError, RecursionError) as wrong:
        raise LadderError(f"--args is no JSON: {wrong}") from None
    if not isinstance(given, dict):
        raise LadderError('--args is no JSON object; write it like \'{"to": "ana@example.com"}\'')
    for one in each:
        name, equals, value = one.partition("=")
        if not (name and equals):
            raise LadderError(f"{option} {one} has no name and value; write it like to=ana@example.com")
        given[name] = _value(value)
    return given


def _value(text: str) -> Any:
    try:
        return reading.loads(text)
    except (ValueError, RecursionError):
        return text


def _show(out: Screen, told: Explanation) -> None:
    from ladder_graph.cli.screen import styled
    from ladder_graph.policy.units import spell_dollars
    from ladder_graph.wording import show as spell

    out.heading(told.call.tool, f"a call of {told.call.agent}, as things are now")
    out.fields([(name, spell(value)) for name, value in told.call.arguments.items()])
    if told.call.arguments:
        out.gap()
    steps: list[tuple[str, Cell]] = [
        ("policy says", _said(told)),
        ("tool stands on", told.stands.word),
        ("this call", styled(told.route.rung.word, "bold")),
    ]
    if told.part_first:
        steps.append(("goes", "by a part first, where it has one, and whole once that is found good"))
    if told.mistake is not None:
        steps.append(("a mistake costs", f"up to {spell_dollars(told.mistake)}"))
    out.fields(steps)
    if told.route.reasons:
        out.gap()
        out.columns([[styled(out.glyphs.missed, "yellow"), one.text] for one in told.route.reasons], between=1)
    if told.bounds:
        out.gap()
        out.columns([_row(out, one) for one in told.bounds], between=2)
    out.gap()
    out.note(f"{_asked(told)}No tool ran, and nothing was written down.")
    out.gap()


def _asked(told: Explanation) -> str:
    """Which functions of the project were called for this."""
    called = dict.fromkeys(bound.function for bound in (one.bound for one in told.bounds) if bound.kind == "predicate")
    return f"{' and '.join(called)} {'was' if len(called) == 1 else 'were'} called. " if called else ""


def _said(told: Explanation) -> str:
    if told.entry is None:
        return f"nothing, so {told.claimed.word}"
    return told.claimed.word if told.entry == told.call.tool else f"{told.claimed.word}, by the entry {told.entry}"


def _row(out: Screen, weighed: Weighed) -> list[Cell]:
    from ladder_graph.cli.screen import QUIET, stacked, styled
    from ladder_graph.wording import show

    fields = weighed.bound.model_dump(mode="json", exclude={"kind"}, exclude_none=True)
    # Where `within` says how long the window is, the calendar says nothing.
    silent = {"per", "timezone"} if "within" in fields else set()
    fields = {name: value for name, value in fields.items() if name not in silent and value != []}
    written = ", ".join(f"{name} = {show(value)}" for name, value in fields.items())
    sign, style = (out.glyphs.good, "green") if weighed.held else (out.glyphs.bad, "red")
    said: list[Cell] = [styled(written, QUIET)]
    said += [styled(weighed.text, "" if weighed.held else "yellow")] if weighed.text else []
    return [styled(sign, style), weighed.bound.kind, stacked(*said)]
