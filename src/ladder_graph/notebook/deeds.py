"""What an agent did and what waits for people: actions, lives, questions, drafts, reports and the ledger's entries."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

from ladder_graph.briefing import Briefing
from ladder_graph.facts import Question
from ladder_graph.ladder.lives import Life
from ladder_graph.ledger import Action, Digest, Draft, Entry, Report, Verification
from ladder_graph.notebook.markup import Child, Html, element, joined, page, pairs, table, text
from ladder_graph.telling import Check
from ladder_graph.wording import sentence, show

BRIEF = 120
"""Characters of arguments that a list shows; the whole of them stands in the piece about the one."""


def clock(at: dt.datetime | None) -> str:
    """A moment as it is shown, in UTC."""
    return "" if at is None else f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"


def _id(short: str) -> Html:
    return element("code", short, class_="id")


def _code(value: object, most: int = BRIEF) -> Html:
    return element("code", text(show(value), most))


# --- actions ------------------------------------------------------------------------------------------------------


def actions(found: Sequence[Action]) -> Html:
    """Calls and where they are in their lives."""
    rows: list[tuple[Child, ...]] = [
        (
            one.tool,
            _code(one.arguments),
            one.rung.word,
            one.state.value,
            one.why,
            clock(one.at),
            _id(one.short),
        )
        for one in found
    ]
    heads = ("tool", "arguments", "rung", "state", "why no higher", "at (UTC)", "action")
    return page(table("What the agent did", heads, rows))


def action(found: Action) -> Html:
    """One call."""
    return page(element("div", element("h3", found.tool, " ", _id(found.short)), _facts(found), class_="card"))


def _facts(found: Action) -> Html:
    return pairs([
        *((element("code", name), _code(value, 2000)) for name, value in found.arguments.items()),
        ("rung", str(found.rung)), ("state", found.state.value), ("why no higher", found.why),
        ("the model was told", found.text), ("whose act", found.actor), ("suggestion", found.verdict),
        ("proposed", clock(found.at)), ("thread", found.thread),
    ])  # fmt: skip


def life(found: Life) -> Html:
    """One action's life, step by step, with what can be done about it now."""
    steps = [
        element("li", element("span", clock(one.at), " ", class_="soft"), one.title, f", by {one.by}" if one.by else "",
                element("span", *(f"; {name}: {said}" for name, said in one.facts), class_="soft"))
        for one in found.steps
    ]  # fmt: skip
    nexts = [
        element("li", one.text, joined(" ", element("code", one.command)) if one.command else None)
        for one in found.next
    ]
    return page(
        element("h3", found.action.tool, " ", _id(found.action.short)), _facts(found.action),
        pairs([("proposed by", found.proposed_by), ("counts as", f"{found.counted.as_}: {found.counted.why}")]),
        element("ol", *steps),
        element("p", "There is more in the ledger than is told here.", class_="soft") if found.cut else None,
        joined(element("p", "What can be done now:"), element("ul", *nexts)) if nexts else None,
    )  # fmt: skip


# --- questions ----------------------------------------------------------------------------------------------------


def questions(found: Sequence[Question]) -> Html:
    """What waits for an answer, each on a card of its own."""
    if not found:
        return page(element("p", "Nothing waits for an answer."))
    return page(*map(_asked, found))


def question(found: Question) -> Html:
    """One question, with what answers it."""
    return page(_asked(found))


def _asked(one: Question) -> Html:
    call = one.call
    told = pairs([
        *((element("code", name), _code(value, 2000)) for name, value in call.arguments.items()),
        ("why it asks", one.reasons), ("impact", one.impact),
        ("may answer", ", ".join(one.may_answer) or "anybody who is named"),
        ("people who must approve", f"{one.quorum}, so far {len(one.votes)}" if one.quorum > 1 else None),
        ("to approve, type", f"the {one.to_type}" if one.to_type else None),
        ("unanswered, it is declined at", f"{clock(one.expires_at)} UTC"),
    ])  # fmt: skip
    head = element("h3", f"May {call.agent} run {call.tool}?")
    return element("div", head, told, _said(one) or _how(one), class_="card")


def _said(one: Question) -> Html | None:
    if one.decision is None:
        return element("p", "Nobody answered in time.") if one.expired else None
    why = f": {one.decision.reason}" if one.decision.reason else "."
    return element("p", f"{one.decision.by.name} said {one.decision.verdict}{why}")


def _how(one: Question) -> Html:
    """The lines that answer it, to be copied into a cell."""
    typed = f", typed={one.typed_value!r}" if one.to_type else ""
    lines = {
        "approve": f'ladder.approve("{one.id[:8]}", by="…"{typed})',
        "edit": f'ladder.edit("{one.id[:8]}", {{…}}, by="…")',
        "respond": f'ladder.respond("{one.id[:8]}", "…", by="…")',
        "decline": f'ladder.decline("{one.id[:8]}", by="…", reason="…")',
    }
    return element(
        "ul", *(element("li", element("code", lines[verdict])) for verdict in lines if verdict in one.decisions)
    )


def briefing(found: Briefing) -> Html:
    """Everything that is needed to decide, in the order of thought."""
    given: list[tuple[Child, ...]] = [
        (one.name, element("code", one.value) if one.value else "withheld", one.source,
         "; ".join(map(_check, one.checks)))
        for one in found.arguments
    ]  # fmt: skip
    reach, asked = found.reach, found.question
    changes = [
        element("li", one.thing, f": {one.before or 'unknown'} → {one.after or 'unknown'}") for one in found.changes
    ]
    return page(element(
        "div", element("h3", found.title), element("p", found.asked, class_="soft"),
        table("What will run", ("argument", "value", "it came from", "checks"), given, empty="without arguments"),
        element("ul", *(element("li", _check(one)) for one in found.checks)) if found.checks else None,
        element("p", "What changes. ", element("span", found.changes_said, class_="soft")),
        element("ul", *changes) if changes else None,
        pairs([("concerns", reach.people), ("money", reach.money), ("leaves our systems", reach.outside),
               ("can be undone", reach.undone)]),
        element("p", "If it turns out wrong: ", " ".join(found.remedy.sentences)),
        joined(element("p", "The agent's own words, which nobody has checked:"), element("blockquote", found.words))
        if found.words else None,
        element("ul", *(element("li", sentence(one.text)) for one in found.reasons)),
        element("p", found.past.words, f" Until {clock(asked.expires_at)} UTC it can be answered. ", found.at_zero,
                class_="soft"),
        element("p", element("b", sentence(found.barred))) if found.barred else None,
        _said(asked) or _how(asked), class_="card",
    ))  # fmt: skip


def _check(one: Check) -> str:
    return one.text if one.level == "ok" else f"{one.level}: {one.text}"


# --- drafts and reports -------------------------------------------------------------------------------------------


def drafts(found: Sequence[Draft]) -> Html:
    """Drafts, without what they hold."""
    rows: list[tuple[Child, ...]] = [
        (one.action.tool, one.kind, one.state, one.by, one.reason, clock(one.made), _id(one.action.short))
        for one in found
    ]
    return page(table("Drafts", ("tool", "kind", "state", "decided by", "reason", "made (UTC)", "action"), rows))


def digests(found: Sequence[Digest]) -> Html:
    """Reports on what ran unasked."""
    rows: list[tuple[Child, ...]] = [
        (
            one.title,
            one.state,
            f"{one.given} of {one.shows}",
            ", ".join(one.readers),
            clock(one.due),
            _id(one.id[:12]),
        )
        for one in found
    ]
    return page(table("Reports", ("report", "state", "verdicts", "readers", "due (UTC)", "id"), rows))


def digest(found: Digest) -> Html:
    """One report, with each action that it shows."""
    rows: list[tuple[Child, ...]] = [
        (one.action.tool, _code(one.action.arguments), one.action.state.value,
         ", ".join(flag.text for flag in one.flags) or "picked at random", one.verdict or "none yet",
         _id(one.action.short))
        for one in found.items
    ]  # fmt: skip
    told = pairs([
        ("state", found.state), ("calls", found.calls), ("verdicts", f"{found.given} of {found.shows}"),
        ("readers", ", ".join(found.readers)), ("due", f"{clock(found.due)} UTC"),
        ("read", found.read and f"{clock(found.read)} UTC, by {found.by}"),
        ("falls unless it is read", ", ".join(" ".join(one).strip() for one in found.stakes) or None),
        ("fell", ", ".join(" ".join(one).strip() for one in found.fell) or None),
    ])  # fmt: skip
    heads = ("tool", "arguments", "state", "why it is shown", "verdict", "action")
    shown = table("What it shows", heads, rows) if found.items else None
    return page(element("div", element("h3", found.title), told, shown, class_="card"))


def reports(found: Sequence[Report]) -> Html:
    """Single actions on the stream of reports."""
    rows: list[tuple[Child, ...]] = [
        (one.action.tool, _code(one.action.arguments), one.action.state.value, one.reader, clock(one.due),
         clock(one.read) or "unread", one.verdict or "")
        for one in found
    ]  # fmt: skip
    heads = ("tool", "arguments", "state", "reader", "due (UTC)", "read (UTC)", "verdict")
    return page(table("On the stream of reports", heads, rows))


# --- the ledger ---------------------------------------------------------------------------------------------------


def entries(found: Sequence[Entry]) -> Html:
    """Links of the chain."""
    rows: list[tuple[Child, ...]] = [
        (
            str(one.n),
            one.kind,
            one.tool,
            clock(one.at),
            element("code", text(show(one.body), BRIEF)),
            _id(one.hash[:12]),
        )
        for one in found
    ]
    return page(table("The ledger", ("n", "kind", "tool", "at (UTC)", "what it says", "hash"), rows))


def entry(found: Entry) -> Html:
    """One link of the chain, whole."""
    said = element("pre", text(json.dumps(found.body, indent=2, ensure_ascii=False, default=str), 20_000))
    facts = pairs([("tool", found.tool), ("thread", found.thread), ("at", clock(found.at)), ("hash", found.hash)])
    return page(element("div", element("h3", f"{found.n}: {found.kind}"), facts, said, class_="card"))


def verification(found: Verification) -> Html:
    """Whether the chains are whole."""
    if found.ok:
        return page(element("p", "✓ Every entry of the ledger is as it was written."))
    return page(
        element("p", "✗ The ledger isn't as it was written:"),
        element("ul", *(element("li", one) for one in found.problems)),
    )
