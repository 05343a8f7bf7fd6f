"""What an agent has earned: where each cell stands and why, what is missing to go up, and signing that it may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.naming import Agent, Tool, agents_of, scope_of, tool_of
from ladder_graph.cli.options import Json, Yes
from ladder_graph.cli.place import place_of
from ladder_graph.errors import AnswerRefused, LadderError

if TYPE_CHECKING:
    from ladder_graph.cli.assessments import WhyDocument
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder import Ladder
    from ladder_graph.ladder.assessing import Assessment
    from ladder_graph.ladder.desk import Cell
    from ladder_graph.trust.held import Event
    from ladder_graph.trust.looking import Reviewer

Scoped = Annotated[str, typer.Option(help="In which scope of it, where it has any.", show_default=False)]


def trust(
    ctx: typer.Context,
    tool: Annotated[
        str | None, typer.Argument(metavar="[TOOL]", help="One tool, with all that is known of it.", show_default=False)
    ] = None,
    *,
    agent: Agent = None,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Work out anew where everything stands, and what was signed.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what each tool has earned, and what is missing for the next rung.

    With --recompute the exit code is 1 where something isn't what the entries of the ledger give.
    """
    from ladder_graph.cli import assessments, screen
    from ladder_graph.ledger.actions.questions import micros

    if recompute and tool is not None:
        raise LadderError("--recompute is about everything; leave the tool out")
    if recompute:
        _recompute(ctx, agent, json=json)
        return
    with place_of(ctx).looking() as ladder:
        agents = agents_of(ladder, agent)
        if tool is not None:
            tool_of(ladder, tool, agents[0])
        found = [one for name in agents for one in ladder.trust(tool, agent=name)]
        reviewers = {one.name: one for name in agents for one in ladder.reviewers(name)}
        now_us = micros(ladder.clock())
    if json:
        screen.document([assessments.assessment(one, now_us) for one in found])
    elif tool is None:
        _list(screen.Screen(), found, list(reviewers.values()))
    else:
        _cards(screen.Screen(), found, tool, now_us)


def _recompute(ctx: typer.Context, agent: str | None, *, json: bool) -> None:
    from ladder_graph.cli import screen

    with place_of(ctx).acting() as ladder:
        wrong = [problem for name in agents_of(ladder, agent) for problem in ladder.recompute(name)]
    if json:
        screen.document({"ok": not wrong, "problems": wrong})
    else:
        out = screen.Screen()
        for problem in wrong:
            out.line(screen.styled(f"{out.glyphs.bad} ", "red").append(problem, "default"))
        if not wrong:
            good = screen.styled(f"{out.glyphs.good} ", "green")
            out.line(good.append("every standing and every signed certificate is what the entries give", "default"))
    if wrong:
        raise typer.Exit(1)


def _list(out: Screen, found: list[Assessment], reviewers: list[Reviewer]) -> None:
    """One line a cell, and what is to know about those who approve."""
    from ladder_graph.cli import certificates
    from ladder_graph.cli.screen import QUIET, styled

    if not found:
        out.note("No call was proposed yet, so there is nothing that trust could be earned on.")
        return
    for agent in dict.fromkeys(one.cell.agent for one in found):
        out.heading(agent)
        out.columns([
            [styled(certificates.name_of(one), "bold"), styled(one.cell.env[:8], "" if one.current else QUIET),
             one.standing.rung.word, "" if one.certificate is None else str(one.certificate.evidence.runs),
             certificates.verdict(out, one)]
            for one in found if one.cell.agent == agent
        ], ("tool", "env", "stands on", "runs", ""), between=2)  # fmt: skip
    if reviewers:
        out.heading("People who answer")
        head = ("name", "answers", "too fast", "probes missed", "catches")
        out.columns([
            [styled(one.name, "bold"), str(one.answered), f"{one.glances} of {one.timed}" if one.timed else "not timed",
             f"{one.probes.missed} of {one.probes.shown}" if one.probes.shown else "none shown", _catches(one)]
            for one in reviewers
        ], head, between=2)  # fmt: skip
    for one in reviewers:
        for text in one.worries:
            out.line(styled(f"{out.glyphs.missed} {one.name}: ", "yellow").append(text, "default"))
    out.gap()
    out.note("ladder trust TOOL shows the evidence, the money and each condition; ladder why TOOL how it came there")
    out.gap()


def _catches(one: Reviewer) -> str:
    """The share of mistakes that somebody is known to catch, or taken to."""
    return (
        f"{one.sensitivity.bound:.0%} or more" if one.sensitivity.measured else f"{one.sensitivity.bound:.0%}, assumed"
    )


def _cards(out: Screen, found: list[Assessment], tool: str, now_us: int) -> None:
    from ladder_graph.cli import certificates

    for one in found:
        certificates.card(out, one, now_us)
    if not found:
        out.note(f"{tool} has not been called yet, so there is nothing that trust could be earned on.")
    out.gap()


def promote(
    ctx: typer.Context,
    tool: Tool,
    *,
    agent: Agent = None,
    scope: Scoped = "",
    env: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="In which environment, by the beginning of its key; else in that of the last call.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.", show_default=False)] = "",
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Sign that a tool goes up one rung, in your name, on what is shown first.

    All that speaks against it is told, and then nothing is signed.
    """
    from ladder_graph.cli import asking, assessments, certificates, screen
    from ladder_graph.ladder.desk import signed_in
    from ladder_graph.ledger.actions.questions import micros

    person, out = signed_in(), screen.Screen(stderr=json)
    with place_of(ctx).acting() as ladder:
        (whose,) = agents_of(ladder, agent or ladder.policy.agent)
        scope_of(ladder, tool_of(ladder, tool, whose), scope)
        wanted = ladder.candidate(tool, by=person, agent=whose, scope=scope, env=env)
        made, now_us = wanted.assessment.certificate, micros(ladder.clock())
        certificates.card(out, wanted.assessment, now_us)
        out.gap()
        if made is None or wanted.objections:
            count = len(wanted.objections)
            told = [f"{tool} can't go up, for {count} reason{'s' * (count > 1)}:", *wanted.objections]
            raise AnswerRefused("\n".join(told))
        asking.confirm(f"Let {tool} go up to {made.to.word}, in your name ({person.name})?", yes=yes)
        signed = ladder.promote(tool, by=person, agent=whose, scope=scope, env=wanted.assessment.cell.env,
                                reason=reason)  # fmt: skip
    if json:
        screen.document({**assessments.assessment(wanted.assessment, now_us), "by": person.name})
        return
    out.line(
        screen.styled(f"{out.glyphs.good} {tool}", "green").append(
            f" goes from {signed.rung.word} to {signed.to.word}, signed by {person.name}", "default"
        )
    )
    out.gap()


def why(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="[AGENT] TOOL", help="The tool, with its agent before it.")],
    *,
    json: Json = False,
) -> None:
    """Tell why a tool stands where it does, and what it takes to go up."""
    from ladder_graph.cli import screen

    agent, tool = (None, *names)[-2:]
    if tool is None or len(names) > 2:  # noqa: PLR2004  # an agent and a tool
        raise LadderError("name one tool, with its agent before it where it isn't the policy's: ladder why AGENT TOOL")
    with place_of(ctx).looking() as ladder:
        (whose,) = agents_of(ladder, agent or ladder.refresh().agent)
        tool_of(ladder, tool, whose)
        told = _told(ladder, tool, whose)
    if json:
        screen.document(told)
        return
    out = screen.Screen()
    for one in told:
        _why(out, one)
    out.gap()


def _told(ladder: Ladder, tool: str, agent: str) -> list[WhyDocument]:
    """Why, for each scope of a tool."""
    cells = [cell for cell in ladder.status() if (cell.agent, cell.tool) == (agent, tool)]
    known = {one.cell.scope: one for one in ladder.trust(tool, agent=agent) if one.current}
    steps = ladder.history(tool, agent=agent)
    return [_reason(ladder, cell, known.get(cell.scope), steps) for cell in cells]


def _reason(ladder: Ladder, cell: Cell, known: Assessment | None, steps: list[tuple[Event, str]]) -> WhyDocument:
    from ladder_graph.cli import assessments, documents
    from ladder_graph.fingerprint import diff

    pinned, seen = ladder.environments(cell.agent)
    made = None if known is None else known.certificate
    changes = diff(pinned, seen, cell.tool) if pinned and seen else ()
    return {
        "agent": cell.agent, "tool": cell.tool, "scope": cell.scope, "claimed": cell.claimed.word,
        "ceiling": ladder.policy.rule(cell.tool).ceiling.word, "effective": cell.route.rung.word,
        "reasons": documents.reasons(cell.route), "granted_to": str(pinned or ""), "proposed_by": str(seen or ""),
        "changes": [change.text for change in changes],
        "history": [assessments.step(step, by) for step, by in steps if step.cell.scope in {"*", cell.scope}],
        "to": made.to.word if made else None, "missing": assessments.missing(made),
    }  # fmt: skip


def _why(out: Screen, told: WhyDocument) -> None:
    from ladder_graph.cli.certificates import by
    from ladder_graph.cli.screen import QUIET, styled

    scope = f" [{told['scope']}]" if told["scope"] else ""
    out.heading(f"{told['tool']}{scope}", told["agent"])
    out.fields([
        ("stands on", told["effective"]),
        ("policy says", f"{told['claimed']}, and {told['ceiling']} at most"),
        ("granted to", told["granted_to"] or "whatever proposes the first call"),
        ("last call", f"proposed by {told['proposed_by']}" if told["proposed_by"] else "none yet"),
        *(("changed", text) for text in told["changes"]),
        *(("held back", one["text"]) for one in told["reasons"]),
    ])  # fmt: skip
    if told["history"]:
        out.heading("Up and down")
        out.columns([
            [styled(one["at"][:10], QUIET), "down to" if one["kind"] == "demoted" else "up to", one["rung"],
             one["by"] or one["code"], _because(one["reason"], one["cooldown_days"], one["env"])]
            for one in told["history"]
        ], between=2)  # fmt: skip
    if told["to"] is None:
        return
    out.heading(f"To go up to {told['to']}", "" if told["missing"] else "nothing is missing: ladder promote")
    out.columns([
        [styled(out.glyphs.bad, "red"), one["text"] + (by(one["code"], one["when"][:10]) if one["when"] else "")]
        for one in told["missing"]
    ], between=2)  # fmt: skip


def _because(reason: str, cooldown: int, env: str) -> str:
    waits = f"; waits {cooldown} days" if cooldown else ""
    return f"{reason}{waits}{'' if env == '*' else f' (environment {env[:8]})'}"
