"""A briefing on a terminal: in the order of thought, inert, and no longer than anybody can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ladder_graph.cli.screen import QUIET, shortened, span, stacked, styled

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.briefing import Briefing, Given
    from ladder_graph.cli.screen import Cell, Screen
    from ladder_graph.telling import Check

MOST_CHARACTERS = 2_000
"""Characters of one value that are shown before somebody asks for all of it."""

MOST_ARGUMENTS = 60
"""Arguments that are shown before somebody asks for all of them."""

MOST_CHANGES = 40
"""Changes that are shown before somebody asks for all of them."""

_SIGNS = {"ok": ("", ""), "warn": ("warning: ", "yellow"), "stop": ("danger: ", "bold red")}
"""What stands before a check, in words, since a colour alone tells nobody."""


def brief(out: Screen, told: Briefing, now: dt.datetime, *, whole: bool = False) -> bool:
    """Show a briefing.

    Args:
        out: Where.
        told: What.
        now: The moment.
        whole: All of each value, however long.

    Returns:
        Whether something was cut.
    """
    out.heading(told.title, told.question.id)
    out.line(told.asked)
    if told.withheld:
        out.gap()
        out.line(styled(f"Its values are withheld: you lack {', '.join(told.withheld)}.", "yellow"))
    cut = _arguments(out, told, whole=whole)
    cut = _changes(out, told, whole=whole) or cut
    _reach(out, told)
    out.heading("If it turns out wrong")
    out.line(" ".join(one for one in (*told.remedy.sentences, told.remedy.rehearsed, told.remedy.until) if one))
    _words(out, told)
    _why(out, told)
    _terms(out, told, now)
    return cut


def _arguments(out: Screen, told: Briefing, *, whole: bool) -> bool:
    out.heading("What will run", told.question.call.tool)
    shown = told.arguments if whole else told.arguments[:MOST_ARGUMENTS]
    out.fields([(one.name, _value(one, whole=whole)) for one in shown])
    left = len(told.arguments) - len(shown)
    if not told.arguments:
        out.line("It takes no arguments.")
    if left:
        out.note(f"{left} more arguments are not shown here.")
    for check in told.checks:
        out.line(_check(check))
    return left > 0 or (not whole and any(len(one.value) > MOST_CHARACTERS for one in shown))


def _value(one: Given, *, whole: bool) -> Cell:
    value = one.value or "withheld"
    parts: list[Any] = [value if whole else shortened(value, MOST_CHARACTERS)]
    parts += [styled(one.source, QUIET)] if one.source else []
    return stacked(*parts, *(_check(check) for check in one.checks))


def _check(check: Check) -> Any:
    sign, style = _SIGNS[check.level]
    return styled(f"{sign}{check.text}", style or QUIET)


def _changes(out: Screen, told: Briefing, *, whole: bool) -> bool:
    out.heading("What changes", told.changes_said)
    shown = told.changes if whole else told.changes[:MOST_CHANGES]
    unknown = "not known before it runs"
    most = len if whole else lambda _: 500  # a change is cut when it is taken down
    out.fields([
        (one.thing, stacked(
            styled(f"now   {shortened(one.before, most(one.before))}" if one.before is not None else "now   not known",
                   QUIET),
            f"then  {shortened(one.after, most(one.after)) if one.after is not None else unknown}",
        ))
        for one in shown
    ])  # fmt: skip
    for trouble in told.trouble:
        out.line(styled(trouble, "yellow"))
    if not (told.changes or told.trouble):
        out.line(told.changes_said[:1].upper() + told.changes_said[1:] + ".")
    return len(shown) < len(told.changes)


def _reach(out: Screen, told: Briefing) -> None:
    from ladder_graph.briefing import plain_reach

    out.heading("How far it reaches")
    out.fields(plain_reach(told.reach).items())


def _words(out: Screen, told: Briefing) -> None:
    if not told.words:
        return
    out.heading("Why the agent wants this", "the agent's own words; nobody has checked them")
    # Each line is marked, so that none of them passes for one of ours.
    rows = [["|", line.expandtabs(4)] for line in told.words.splitlines()]
    out.columns(rows, between=1)
    if told.words_cut:
        out.note(f"{told.words_cut} more characters")


def _why(out: Screen, told: Briefing) -> None:
    out.heading("Why you are asked")
    facts: list[tuple[str, Cell]] = [("because", told.question.reasons), ("impact", told.question.impact)]
    if told.question.mistake is not None:
        from ladder_graph.policy.units import spell_dollars

        facts.append(("a mistake costs", f"up to {spell_dollars(told.question.mistake)}"))
    facts.append(("before", told.past.words))
    if told.missing:
        facts.append(("to go up", "; ".join(told.missing)))
    out.fields(facts)


def _terms(out: Screen, told: Briefing, now: dt.datetime) -> None:
    """What holds for the answer: the clock, who may, what must be typed."""
    asked, left = told.question, told.left(now)
    out.heading("Your decision")
    ends = f"{span(left)} left. {told.at_zero}" if left else "The time is up, which counts as no."
    facts = [
        ("time", ends),
        ("answer by", " or ".join(asked.may_answer)),
        ("approved by", _approved(told)),
        ("answers", " or ".join(asked.decisions) if len(asked.decisions) < _ALL else ""),
        ("to approve", f"type the {asked.to_type}" if asked.to_type else ""),
        *(("passed", f"to {one.to} by {one.by}{f': {one.note}' if one.note else ''}") for one in told.passed),
        ("you may not", told.barred),
        ("digest", asked.digest[:16]),
    ]
    out.fields([(name, value) for name, value in facts if value])


_ALL = 4
"""How many answers there are where the rule leaves none out."""


def _approved(told: Briefing) -> str:
    asked = told.question
    if asked.quorum == 1:
        return ""
    names = [vote.by.name for vote in asked.votes]
    return f"{', '.join(names) or 'nobody yet'} ({len(names)} of {asked.quorum})"
