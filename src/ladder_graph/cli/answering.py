"""Answering questions: what waits, yes, and no. A yes is for exactly what was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import Json, Yes
from ladder_graph.cli.place import place_of

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder import Ladder
    from ladder_graph.steps import Person, Question

QuestionId = Annotated[str, typer.Argument(metavar="QUESTION", help="The question's id, or the beginning of it.")]


def pending(ctx: typer.Context, *, json: Json = False) -> None:
    """List the questions that wait for an answer."""
    from ladder_graph.cli import documents, screen

    with place_of(ctx).looking() as ladder:
        questions, now = ladder.pending(), ladder.clock()
    if json:
        screen.document([documents.question(question, now) for question in questions])
        return
    out = screen.Screen()
    for question in questions:
        _card(out, question, now, whole=False)
    out.gap()
    if questions:
        out.note("ladder approve QUESTION, or ladder decline QUESTION --reason WHY")
    else:
        out.note("Nothing waits for an answer.")
    out.gap()


def approve(
    ctx: typer.Context,
    question: QuestionId,
    *,
    typed: Annotated[
        str | None,
        typer.Option(help="The value that must be typed, where the question asks for it.", show_default=False),
    ] = None,
    yes: Yes = False,
) -> None:
    """Let one waiting action run, once, exactly as shown."""
    from ladder_graph.cli import asking, screen
    from ladder_graph.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        asked = ladder.question(question)
        out = screen.Screen()
        _card(out, asked, ladder.clock(), whole=True)
        out.gap()
        _refuse_what_is_hopeless(ladder, asked, person)
        if asked.to_type is not None and typed is None:
            typed = asking.typed(f"Type the {asked.to_type} to approve: ")
        else:
            asking.confirm(f"Let {asked.call.agent} run this, once, in your name ({person.name})?", yes=yes)
        ladder.approve(asked.id, by=person, typed=typed, digest=asked.digest)
    _said(out, "approved", person)
    out.note(f"It runs when thread {asked.call.thread} is resumed: graph.invoke(None, config)")
    out.gap()


def decline(
    ctx: typer.Context,
    question: QuestionId,
    *,
    reason: Annotated[str, typer.Option(help="Why not; the agent reads it.")],
) -> None:
    """Say no to one waiting action.

    The agent reads the reason, and doesn't ask for the same again.
    """
    from ladder_graph.cli import screen
    from ladder_graph.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        asked = ladder.decline(question, by=person, reason=reason)
        now = ladder.clock()
    out = screen.Screen()
    _card(out, asked, now, whole=False)
    out.gap()
    _said(out, "declined", person)
    out.gap()


def _refuse_what_is_hopeless(ladder: Ladder, asked: Question, person: Person) -> None:
    """Say at once that this person may not, or not any more, before anybody is asked to look."""
    from ladder_graph import answers
    from ladder_graph.errors import AnswerRefused

    if asked.decision is not None:
        raise AnswerRefused(f"{asked.decision.by.name} has answered already: {asked.decision.verdict}")
    best = answers.Answer("approve", typed=asked.typed_value, digest=asked.digest)
    if (complaint := answers.objection(asked, best, person, ladder.clock())) is not None:
        raise AnswerRefused(complaint)


def _card(out: Screen, question: Question, now: dt.datetime, *, whole: bool) -> None:
    """One question: exactly what would run, and all that bears on the answer."""
    from ladder_graph.cli.screen import shortened, span
    from ladder_graph.wording import show

    call = question.call
    out.heading(f"{call.agent} asks to run {call.tool}", question.id)
    values = {name: show(value) for name, value in call.arguments.items()}
    out.fields([(name, value if whole else shortened(value)) for name, value in values.items()])
    if values:
        out.gap()
    left = (question.expires_at - now).total_seconds()
    waiting = f"{span((now - question.asked_at).total_seconds())} ago"
    facts = [
        ("because", question.reasons),
        ("impact", question.impact),
        (
            "asked",
            f"{waiting}, {f'in {span(left)} it counts as a no' if left > 0 else 'and expired, which counts as no'}",
        ),
        ("answer by", " or ".join(question.may_answer)),
        ("to approve", f"type the {question.to_type}" if question.to_type else ""),
    ]
    facts += [("thread", call.thread), ("action", call.key)] if whole else []
    out.fields([(name, value) for name, value in facts if value])


def _said(out: Screen, verdict: str, person: Person) -> None:
    from ladder_graph.cli.screen import styled

    good = verdict == "approved"
    sign = styled(f"{out.glyphs.good if good else out.glyphs.bad} {verdict}", "green" if good else "red")
    out.line(sign.append(f" by {person.name}", "default"))
