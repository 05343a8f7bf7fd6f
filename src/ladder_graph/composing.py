"""Composing a briefing from a question, what was taken down with it, and what a desk finds around it. Pure."""

from __future__ import annotations

from ladder_graph.briefing import (
    UNKNOWN,
    Briefing,
    Given,
    Remedy,
    Surroundings,
    deed_of,
    hashed,
    masked,
    titled,
)
from ladder_graph.facts import Question
from ladder_graph.policy.sources import Source
from ladder_graph.policy.units import spell_dollars, spell_seconds
from ladder_graph.telling import Check, Reach, Telling, Undoing
from ladder_graph.wording import unseen

NOTHING_TOLD = Telling()
"""What was taken down is gone, or never was."""


def composed(question: Question, told: Telling | None, around: Surroundings) -> Briefing:
    """Everything about one question, for one person.

    Args:
        question: The question.
        told: What was taken down when it was asked; None where nothing was.
        around: What is known beside it now.
    """
    known, told, hidden = told is not None, told or NOTHING_TOLD, around.withheld
    call = question.call
    return Briefing(
        question=question, title=titled("" if hidden else told.title, call.tool), deed=deed_of(told.deed, call.tool),
        asked=_asked(question), arguments=_arguments(question, told, around),
        checks=() if hidden else (*_of_the_call(question, told), *around.counted),
        text="" if hidden else hashed(question), changes=() if hidden else told.changes,
        changes_said=_changes_said(told), trouble=() if hidden else told.trouble,
        reach=_reach(question, told, around), remedy=_remedy(told, around), words="" if hidden else told.words,
        words_cut=max(0, told.length - len(told.words)), rung=around.rung, reasons=around.reasons, past=around.past,
        at_zero=_at_zero(question), barred=around.barred, withheld=hidden, passed=around.passed, known=known,
        fields=told.fields,
    )  # fmt: skip


def _asked(question: Question) -> str:
    call = question.call
    behalf = f", on behalf of {question.requester.name}" if question.requester is not None else ""
    at = f"{question.asked_at:%Y-%m-%d %H:%M %Z}"
    state = "It has not run." if question.decision is None and not question.expired else "It is answered."
    return f"{call.agent} asked to run {call.tool} at {at}, in thread {call.thread}{behalf}. {state}"


def _at_zero(question: Question) -> str:
    left = question.quorum - len(question.votes)
    one = f" {left} of {question.quorum} people still must approve." if question.quorum > 1 and left > 0 else ""
    return f"After that it is declined, not run, and the agent is told that nobody answered in time.{one}"


# --- what will run ------------------------------------------------------------------------------------------------


def _arguments(question: Question, told: Telling, around: Surroundings) -> tuple[Given, ...]:
    hidden, known = around.withheld, question.call.arguments
    named = dict.fromkeys((*(name for name in told.order if name in known), *known))
    given = [
        Given(
            name, masked(known[name], hidden), *_source(told.sources.get(name)),
            () if hidden else (*_of(name, told), *hidden_in(name, known[name])),
        )
        for name in named
    ]  # fmt: skip
    taken = [
        Given(name, masked(value, hidden), *_source(Source("default")), _of(name, told), sent=False)
        for name, value in told.defaults.items() if name not in known
    ]  # fmt: skip
    return (*given, *taken)


def _source(source: Source | None) -> tuple[str, str]:
    return ("", "") if source is None else (source.words, source.where)


def _of(name: str, told: Telling) -> tuple[Check, ...]:
    return tuple(one for one in told.checks if _about(one, name))


def _about(check: Check, name: str) -> bool:
    """Whether a check is about an argument, or about something in it; a name may hold dots of its own."""
    return check.argument == name or check.argument.startswith(f"{name}.")


def _of_the_call(question: Question, told: Telling) -> tuple[Check, ...]:
    """Checks that are about no argument that is shown; none of them is lost."""
    shown = (*question.call.arguments, *told.defaults)
    return tuple(one for one in told.checks if not any(_about(one, name) for name in shown))


def hidden_in(name: str, value: object) -> tuple[Check, ...]:
    """Whether there is more in a value, or in its name, than can be seen."""
    count = unseen(name) + sum(unseen(text) for text in _texts(value))
    if not count:
        return ()
    characters = "1 character" if count == 1 else f"{count} characters"
    return (Check("stop", f"{characters} that can't be seen, or turn the reading direction", name),)


def _texts(value: object) -> list[str]:
    found, waiting = list[str](), [value]
    while waiting:
        match one := waiting.pop():
            case str():
                found.append(one)
            case dict():
                found += [str(key) for key in one]
                waiting += one.values()
            case list() | tuple():
                waiting += one
            case _:
                continue
    return found


# --- what changes, and how far it reaches --------------------------------------------------------------------------


def _changes_said(told: Telling) -> str:
    match told.changes_by:
        case "tool":
            return "as the tool says"
        case "undo":
            return "as far as its undo can tell"
        case _:
            return "the tool doesn't say" if not told.trouble else "the tool could not say"


def _reach(question: Question, told: Telling, around: Surroundings) -> Reach:
    said = Reach() if around.withheld else told.reach
    return Reach(
        people=said.people or ("nobody: it only reads" if around.read_only and _stays(around) else UNKNOWN),
        money=_money(question, said, around),
        outside=said.outside or _outside(around),
        undone=said.undone or _undone(told.undoing, around),
    )


def _stays(around: Surroundings) -> bool:
    return around.egress == "no" or (not around.egress and not around.outward)


def _money(question: Question, said: Reach, around: Surroundings) -> str:
    limits = "; ".join(around.money)
    if said.money:
        return said.money if ":" in said.money or not limits else f"{said.money}: {limits}"
    if limits:
        return limits
    if question.mistake is not None:
        return f"a mistake costs up to {spell_dollars(question.mistake)}"
    return UNKNOWN


def _outside(around: Surroundings) -> str:
    if around.egress:
        return f"{around.egress}: the policy says so"
    if around.outward:
        return f"perhaps: by {', '.join(around.outward)}"
    return UNKNOWN


def _undone(undoing: Undoing, around: Surroundings) -> str:
    within = "" if undoing.ttl is None else f" within {spell_seconds(undoing.ttl)}"
    match undoing.nature:
        case _ if around.read_only:
            return "nothing to undo: it only reads"
        case "reversible":
            return f"yes: put back as it was{within}"
        case "compensable":
            return f"partly: made good by another action{within}"
        case "buffered":
            return f"yes: it is held back, and can be stopped{within}"
        case "idempotent":
            return "no: it can be repeated without harm, and not taken back"
        case "read":
            return "nothing to undo: it only reads"
        case "irreversible":
            return "no"
        case _:
            return f"{UNKNOWN}: the tool declares no undo"


# --- if it turns out wrong -----------------------------------------------------------------------------------------


def _remedy(told: Telling, around: Surroundings) -> Remedy:
    undoing = told.undoing
    said = told.remedy if not around.withheld else ""
    sentences = [said] if said else [_plan(undoing, around)]
    sentences += [around.watched] if around.watched else []
    if not undoing.undo:
        return Remedy(tuple(sentences))
    until = "" if undoing.ttl is None else f"After {spell_seconds(undoing.ttl)} it is too late."
    if around.rehearsed_at is None:
        return Remedy(tuple(sentences), "Its undo was never rehearsed with this version of the tool.", None, until)
    when = f"{around.rehearsed_at:%Y-%m-%d}"
    came = "worked" if around.rehearsed_well else f"failed: {around.rehearsed_text}"
    return Remedy(tuple(sentences), f"Its undo was last rehearsed on {when}, and {came}.", around.rehearsed_well, until)


def _plan(undoing: Undoing, around: Surroundings) -> str:
    if around.read_only or undoing.nature == "read":
        return "It only reads, so nothing needs to be put back."
    match undoing.nature:
        case "reversible":
            return f"{undoing.undo} puts things back as they were."
        case "compensable":
            return f"{undoing.undo or 'Another action'} makes it good; what happened stays visible."
        case "buffered":
            return "It is held back for a while, and can be stopped until then."
        case "idempotent":
            return "It can be repeated without harm. It can't be taken back."
        case "irreversible":
            return "It can't be undone."
        case _:
            return "The tool declares no undo. Whether it can be put right is not known."
