"""Answering questions: what waits, yes, no, other arguments, a text instead, and taking a yes back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ladder_graph.cli.options import Json, Yes, words
from ladder_graph.cli.place import place_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection

    from ladder_graph.briefing import Briefing
    from ladder_graph.cli.screen import Screen
    from ladder_graph.facts import Person, Question, Verdict
    from ladder_graph.ladder import Ladder

QuestionId = Annotated[str, typer.Argument(metavar="QUESTION", help="The question's id, or the beginning of it.")]


def pending(
    ctx: typer.Context,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing it, live, until Ctrl-C.")] = False,
    bell: Annotated[bool, typer.Option("--bell", help="With --watch, ring when a new one comes.")] = False,
    json: Json = False,
) -> None:
    """List the questions that wait for an answer."""
    from ladder_graph.cli import documents, screen

    if watch:
        from ladder_graph.cli import vigil

        with place_of(ctx).following() as ladder:
            vigil.watch(ladder, bell=bell)
        return
    with place_of(ctx).looking() as ladder:
        questions, now = ladder.pending(), ladder.clock()
    if json:
        screen.document([documents.question(question, now) for question in questions])
        return
    out = screen.Screen()
    for question in questions:
        _card(out, question, now)
    out.gap()
    if questions:
        out.note(
            "ladder inbox, or ladder approve QUESTION, ladder decline QUESTION --reason WHY; also edit, respond, revoke"
        )
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
    from ladder_graph.cli import screen
    from ladder_graph.ladder.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        asked, out = ladder.question(question), screen.Screen()
        told = _told(out, ladder, asked, person)
        _refuse_what_is_hopeless(ladder, asked, person)
        question = f"Let {asked.call.agent} run this, once, in your name ({person.name})?"
        typed, looked = _asked(asked, question, typed, yes=yes)
        taken = ladder.approve(
            asked.id, by=person, typed=typed, digest=asked.digest, looked=looked, characters=told.characters,
            shown=told.shown, input=None if yes else "keyboard",
        )  # fmt: skip
        now = then(ladder, taken)
    said(out, "approved", person)
    what_now(out, taken, now)


def decline(
    ctx: typer.Context,
    question: QuestionId,
    *,
    reason: Annotated[str, typer.Option(help="Why not; the agent reads it.", callback=words)],
    not_the_agent: Annotated[
        bool, typer.Option("--not-the-agent", help="The reason lies outside the agent, so it doesn't count against it.")
    ] = False,
) -> None:
    """Say no to one waiting action.

    The agent reads the reason, and doesn't ask for the same again.
    """
    fault: Literal["agent", "policy"] = "policy" if not_the_agent else "agent"
    _end(ctx, "declined", lambda ladder, person: ladder.decline(question, by=person, reason=reason, fault=fault))


def edit(
    ctx: typer.Context,
    question: QuestionId,
    *,
    change: Annotated[
        list[str],
        typer.Option("--set", metavar="NAME=VALUE", help="An argument's new value, as JSON or plain text. Repeatable."),
    ],
    reason: Annotated[str, typer.Option(help="Why.", show_default=False)] = "",
    typed: Annotated[
        str | None,
        typer.Option(help="The value that must be typed, where the question asks for it.", show_default=False),
    ] = None,
    yes: Yes = False,
) -> None:
    """Let one waiting action run with other arguments, in your name.

    The arguments that --set doesn't name stay as they are. The agent is told what was called instead.
    """
    from ladder_graph.cli import screen
    from ladder_graph.ladder.desk import signed_in
    from ladder_graph.wording import show

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        asked, out = ladder.question(question), screen.Screen()
        told = _told(out, ladder, asked, person)
        _refuse_what_is_hopeless(ladder, asked, person, "edit")
        changes = dict(_changed(one, asked, told.fields) for one in change)
        _refuse_strange(asked, told.fields, changes)
        out.fields([(name, f"becomes {show(value)}") for name, value in changes.items()])
        out.gap()
        typed, looked = _asked(
            asked, f"Let {asked.call.agent} run this instead, in your name ({person.name})?", typed, yes=yes
        )
        arguments = {**asked.call.arguments, **changes}
        taken = ladder.edit(
            asked.id, arguments, by=person, reason=reason, typed=typed, digest=asked.digest, looked=looked,
            characters=told.characters, shown=told.shown, input=None if yes else "keyboard",
        )  # fmt: skip
        now_asked, now = None if taken.probe else waits_now(ladder, asked), then(ladder, asked)
    said(out, "edited", person)
    what_now(out, now_asked or taken, now)


def respond(
    ctx: typer.Context,
    question: QuestionId,
    *,
    text: Annotated[str, typer.Option(help="What the agent reads in the tool's place.", callback=words)],
) -> None:
    """Answer the agent yourself; the action doesn't run."""
    _end(ctx, "answered", lambda ladder, person: ladder.respond(question, text, by=person))


def revoke(
    ctx: typer.Context,
    question: QuestionId,
    *,
    reason: Annotated[str, typer.Option(help="Why; the agent reads it.", callback=words)],
) -> None:
    """Take an approval back, as long as nothing has run."""
    _end(ctx, "taken back", lambda ladder, person: ladder.revoke(question, by=person, reason=reason))


def _told(out: Screen, ladder: Ladder, asked: Question, person: Person) -> Briefing:
    """Show everything about a question."""
    from ladder_graph.cli.briefs import brief

    told = ladder.briefed(asked, by=person)
    if brief(out, told, ladder.clock()):
        out.gap()
        out.note(f"Not all of it is shown; all of it: ladder show {asked.call.short} --json")
    out.gap()
    return told


def _asked(asked: Question, question: str, typed: str | None, *, yes: bool) -> tuple[str | None, float]:
    """Ask for the yes, or for what must be typed.

    Returns:
        What was typed, and how many seconds the person looked at what is on the screen; none where nobody was asked.
    """
    from ladder_graph.cli import asking

    began = time.monotonic()
    if asked.to_type is not None and typed is None:
        instead = f"give the {asked.to_type} by --typed{'' if yes else ', with --yes'}"
        return asking.typed(f"Type the {asked.to_type} to approve: ", instead=instead), time.monotonic() - began
    asking.confirm(question, yes=yes)
    return typed, 0.0 if yes else time.monotonic() - began


def _refuse_strange(asked: Question, fields: Collection[str], changes: Collection[str]) -> None:
    """Refuse arguments that the tool doesn't have, where that is known; its own process would, and the answer be spent.

    Raises:
        AnswerRefused: There are some.
    """
    from ladder_graph.errors import AnswerRefused

    more = set(asked.call.arguments) - set(fields)  # Beyond what its schema names: it takes any.
    if fields and not more and (strange := sorted(set(changes) - set(fields))):
        has = ", ".join(sorted(fields))
        raise AnswerRefused(f"{asked.call.tool} has no argument {', '.join(strange)}; it has {has}")


def _changed(text: str, asked: Question, fields: Mapping[str, Any]) -> tuple[str, object]:
    """One argument and its new value.

    Raises:
        AnswerRefused: It isn't in the form that is expected, or the tool's schema is known and refuses it.
    """
    from ladder_graph.errors import AnswerRefused
    from ladder_graph.retyping import Misfit

    name, is_set, value = text.partition("=")
    if not is_set or not name:
        raise AnswerRefused(f"--set {text!r} names no argument; write --set NAME=VALUE")
    try:
        return name, _value(value, fields.get(name), asked.call.arguments.get(name))
    except Misfit as wrong:
        raise AnswerRefused(f"--set {text!r} is nothing that {asked.call.tool} takes: {name}: {wrong}") from None


def _value(text: str, schema: object, before: object) -> object:
    """The value that was meant: a text in quotes is that text, and else it is what the schema takes.

    Raises:
        Misfit: The schema is known, and refuses it.
    """
    from ladder_graph.retyping import choices_of, fits, kinds, typed

    said = schema if isinstance(schema, Mapping) else {}
    as_json = _json(text)
    if not kinds(said) and not choices_of(said):
        # Nobody knows what it takes: a text stays one, whatever it looks like.
        return text if isinstance(before, str) and not text.startswith('"') else as_json
    return as_json if isinstance(as_json, str) and fits(as_json, said, before) else typed(text, said, before)


def _json(text: str) -> object:
    """What a text is as JSON; the text itself where it is none."""
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def waits_now(ladder: Ladder, asked: Question) -> Question | None:
    """A question as it waits now, or the one that was asked in its place; None where neither waits any more."""
    from ladder_graph.ledger.lists.cases import case_of

    case = ladder.store.read(lambda cursor: case_of(cursor, asked.id))
    if case is not None and (later := case.next):
        case = ladder.store.read(lambda cursor: case_of(cursor, later))
    return case.question if case is not None and case.open else None


def then(ladder: Ladder, question: Question) -> str:
    """What happens next with the thread of a question that was answered, in words; empty where nothing does."""
    found = ladder.resumption(question.id)
    return "" if found is None else f"{found.words[0].upper()}{found.words[1:]}"


def what_now(out: Screen, question: Question, then: str) -> None:
    """Say what comes next after a yes."""
    if _revealed(out, question):
        return
    left = 0 if question.decision is not None else question.quorum - len(question.votes)
    if question.quorum > 1 and left > 0:
        out.note(f"{left} more {'person' if left == 1 else 'people'} must approve question {question.id}.")
    elif then:
        out.note(then)
    out.gap()


def _revealed(out: Screen, question: Question) -> bool:
    """Say that a question was a probe, if it was one."""
    if question.probe:
        out.line(f"This was a probe, which never runs: {question.probe}")
        out.note("Probes are put among the questions to measure how many mistakes are caught.")
        out.gap()
    return bool(question.probe)


def _refuse_what_is_hopeless(ladder: Ladder, asked: Question, person: Person, verdict: Verdict = "approve") -> None:
    """Say at once that this person may not, or not any more, before anybody is asked to look."""
    from ladder_graph import answers
    from ladder_graph.errors import AnswerRefused

    if asked.decision is not None:
        raise AnswerRefused(f"{asked.decision.by.name} has answered already: {asked.decision.verdict}")
    best = answers.Answer(verdict, typed=asked.typed_value, digest=asked.digest)
    if (complaint := answers.objection(asked, best, person, ladder.clock(), ladder.policy.able)) is not None:
        raise AnswerRefused(complaint)


def _card(out: Screen, question: Question, now: dt.datetime) -> None:
    """One question in short: what would run, and all that bears on the answer."""
    from ladder_graph.cli.screen import shortened, span
    from ladder_graph.policy.units import spell_dollars
    from ladder_graph.wording import show

    call = question.call
    out.heading(f"{call.agent} asks to run {call.tool}", question.id)
    values = [(name, shortened(show(value))) for name, value in list(call.arguments.items())[:MOST_ARGUMENTS]]
    out.fields(values)
    if (left_out := len(call.arguments) - len(values)) > 0:
        out.note(f"{left_out} more arguments")
    if values:
        out.gap()
    left = (question.expires_at - now).total_seconds()
    waiting = f"{span((now - question.asked_at).total_seconds())} ago"
    facts = [
        ("because", question.reasons),
        ("impact", question.impact),
        *([] if question.mistake is None else [("a mistake costs", f"up to {spell_dollars(question.mistake)}")]),
        (
            "asked",
            f"{waiting}, {f'in {span(left)} it counts as a no' if left > 0 else 'and expired, which counts as no'}",
        ),
        ("answer by", " or ".join(question.may_answer)),
        ("passed to", f"{question.passed_to} by {question.passed_by}" if question.passed_to else ""),
        ("proposed in", _run_of(question)),
        ("approved by", _approved(question)),
        ("answers", " or ".join(question.decisions) if len(question.decisions) < len(EVERY) else ""),
        ("to approve", f"type the {question.to_type}" if question.to_type else ""),
    ]
    out.fields([(name, value) for name, value in facts if value])


MOST_ARGUMENTS = 20
"""Arguments that are listed in short."""

EVERY: tuple[Verdict, ...] = ("approve", "decline", "edit", "respond")
"""What may be answered where the rule leaves nothing out."""


def _run_of(question: Question) -> str:
    """Whose run proposed it, where that matters or is known."""
    if question.requester is not None:
        barred = ", who may not approve it" if question.not_requester else ""
        return f"a run of {question.requester.name}{barred}"
    return "a run of somebody unknown, so nobody can approve it" if question.not_requester else ""


def _approved(question: Question) -> str:
    """How far a quorum is."""
    if question.quorum == 1:
        return ""
    names = [vote.by.name for vote in question.votes]
    return f"{', '.join(names) or 'nobody yet'} ({len(names)} of {question.quorum})"


def _end(ctx: typer.Context, verdict: str, act: Callable[[Ladder, Person], Question]) -> None:
    """Give an answer after which nothing runs on the question any more, and say so."""
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        question = act(ladder, person)
        now, next_ = ladder.clock(), then(ladder, question)
    out = Screen()
    _card(out, question, now)
    out.gap()
    said(out, verdict, person)
    if not _revealed(out, question):
        if next_:
            out.note(next_)
        out.gap()


def said(out: Screen, verdict: str, person: Person) -> None:
    """Say what was taken, and from whom."""
    from ladder_graph.cli.screen import styled

    good = verdict in {"approved", "edited", "answered"}
    sign = styled(f"{out.glyphs.good if good else out.glyphs.bad} {verdict}", "green" if good else "red")
    out.line(sign.append(f" by {person.name}", "default"))
