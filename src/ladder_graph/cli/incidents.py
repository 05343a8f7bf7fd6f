"""What people report to trust, and what the numbers say: mistakes, attestations, sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ladder_graph.cli.options import ActionId, Json
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ladder_graph.cli.aftermath import ReportedDocument
    from ladder_graph.cli.screen import Screen
    from ladder_graph.facts import Person
    from ladder_graph.ladder import Ladder
    from ladder_graph.ledger import Action, Entry
    from ladder_graph.trust.deeds import Severity
    from ladder_graph.trust.demotion import Demotion


def incident(
    ctx: typer.Context,
    action: ActionId,
    *,
    severity: Annotated[
        str | None,
        typer.Option(
            metavar="S0|S1|S2|S3|S4",
            help="cosmetic, minor, real (it had a consequence), severe (it hurt), breach (it cost more than the cap).",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--class", help="Of the mistakes that the rule names; any other one nobody anticipated.", show_default=False
        ),
    ] = "",
    text: Annotated[str, typer.Option(help="What happened.", show_default=False)] = "",
    reverse: Annotated[bool, typer.Option("--reverse", help="It was none after all: it counts no more.")] = False,
    close: Annotated[bool, typer.Option("--close", help="Somebody has seen to it.")] = False,
    json: Json = False,
) -> None:
    """Report that an action was wrong; its tool goes down at once where that calls for it.

    With --reverse or --close an earlier report of this class is taken back, or seen to; the tool has to earn its rung
    again all the same. With --severity and --close it is reported, where nobody has yet, and closed at once.
    """
    from ladder_graph.cli import assessments, screen
    from ladder_graph.ladder.desk import signed_in

    if severity is None and not (reverse or close):
        raise LadderError("say how bad it was by --severity S0 to S4, or what became of the report: --reverse, --close")
    if severity is not None and reverse:
        raise LadderError("--reverse says that it was no mistake, so it has no severity; leave --severity out")
    person = signed_in()
    with place_of(ctx).acting() as ladder:
        found, down, new = _reported(
            ladder, action, severity, person, kind=kind, text=text, reversed_=reverse, closed=close
        )
        named = ladder.policy.rule(found.tool).trust.mistakes
    if json:
        screen.document(assessments.incident(found, down, new=new))
        return
    out = screen.Screen()
    word = "taken back" if reverse else "closed" if close else "reported"
    said = f" by {person.name}" if new else ": it was said before, and changes nothing"
    out.line(screen.styled(f"{out.glyphs.good} {word}", "green" if new else "").append(said, "default"))
    _what_came(out, found, down)
    if new and severity is not None and kind not in named:
        out.note(f"The rule of {found.tool} expects {', '.join(named) or 'no mistake by name'}, and not this one.")


def _reported(
    ladder: Ladder, action: str, severity: str | None, by: Person, *, closed: bool, **said: Any
) -> tuple[Action, Demotion | None, bool]:
    """As `report`; what is both reported and closed is two reports, so that its tool goes down as for any other."""
    if severity is None or not closed:
        return report(ladder, action, severity or "S0", by, closed=closed, **said)
    _, down, opened = report(ladder, action, severity, by, **said)
    found, _, ended = report(ladder, action, severity, by, closed=True, **said)
    return found, down, opened or ended


def report(
    ladder: Ladder, action: str, severity: Severity | str, by: Person, **said: Any
) -> tuple[Action, Demotion | None, bool]:
    """Take a report about an action: the action, where its tool was put, and whether nobody had said that before."""
    found = ladder.action(action)
    before = _reports(ladder, found)
    down = ladder.incident(found.key, severity, by=by, **said)
    return found, down, _reports(ladder, found) > before


def _reports(ladder: Ladder, action: Action) -> int:
    return sum(entry.kind == "incident" for entry in ladder.log(limit=10_000, action=action.key))


def _what_came(out: Screen, action: Action, down: Demotion | None) -> None:
    if down is not None:
        out.line(f"{action.tool} may not stand above {down.rung.word} any more ({down.code}): {down.reason}")
        out.line({"keep": "Its evidence stays.", "half": "Its evidence counts half.",
                  "wipe": "Its evidence counts no more, in every scope and environment."}[down.evidence])  # fmt: skip
        out.line(f"It may go up again after {down.cooldown} days at the earliest: ladder why {action.tool}")


def told(entries: Sequence[Entry]) -> list[ReportedDocument]:
    """What was last said of each class of mistake, by the entries of one action.

    Args:
        entries: Oldest first.
    """
    from ladder_graph.cli import aftermath
    from ladder_graph.ledger.actions.questions import micros
    from ladder_graph.trust.deeds import Deed, Happening, add

    deed = Deed()
    said: dict[str, Entry] = {}
    for entry in entries:
        if entry.kind == "incident" and entry.body:
            add(deed, Happening(entry.agent, micros(entry.at), entry.kind, entry.action, entry.body))
            said[str(entry.body.get("class", ""))] = entry
    return [
        {
            "mistake": kind, "severity": f"S{int(one.severity)}", "anticipated": one.anticipated,
            "reversed": one.reversed, "closed": one.closed, "at": aftermath.moment(said[kind].at),
            "by": str(said[kind].body.get("by", "")), "text": str(said[kind].body.get("text", "")),
        }
        for kind, one in sorted(deed.incidents.items()) if kind in said
    ]  # fmt: skip


def listed(out: Screen, found: Sequence[ReportedDocument]) -> None:
    """The mistakes that were reported about an action."""
    from ladder_graph.cli.screen import styled
    from ladder_graph.trust.deeds import severity_of

    if found:
        out.heading("Incidents")
    for one in found:
        stands = "taken back" if one["reversed"] else "closed" if one["closed"] else "open"
        word = severity_of(one["severity"]).name.lower()
        out.columns([[
            styled(f"{one['severity']} ({word})", "bold red" if stands == "open" else ""), one["mistake"] or "unnamed",
            stands, f"by {one['by']}" + (f": {one['text']}" if one["text"] else ""),
        ]], between=2)  # fmt: skip


def attest(ctx: typer.Context) -> None:
    """Try out what a promotion relies on, and write down what held.

    The ledger is read back, and a call outside each bound must be stopped.

    No tool runs. What held counts for 30 days. Exit code 1 where something doesn't hold.
    """
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in

    with place_of(ctx).acting() as ladder:
        tried = ladder.attest(by=signed_in())
    out = Screen()
    for what, tool, wrong in tried:
        said = f"the bounds of {tool} stop what is outside" if what == "bounds" else "the ledger is whole"
        sign = styled(out.glyphs.bad if wrong else out.glyphs.good, "red" if wrong else "green")
        out.line(sign.append(f" {tool or 'the ledger'}: {wrong}" if wrong else f" {said}", "default"))
    if any(wrong for *_, wrong in tried):
        raise typer.Exit(1)


def sweep(ctx: typer.Context, *, json: Json = False) -> None:
    """Do what is due about reports and questions, and put down what the numbers speak against.

    A question that nobody answered in time is closed, which is a no. Reports are made, their readers reminded, others
    told; what acted in one that lay unread goes down. Messages about questions and drafts that wait are sent. Too many
    mistakes, a spent loss budget and a long silence put a tool down too. Whoever watches does all of it by the way; a
    second time changes nothing.
    """
    from ladder_graph.cli import assessments, screen

    with place_of(ctx).acting() as ladder:
        done, untold = ladder.sweep(), ladder.untold()
    if json:
        screen.document([assessments.swept(cell, down) for cell, down in done])
        return
    out = screen.Screen()
    for cell, down in done:
        sign = screen.styled(f"{out.glyphs.bad} {cell.tool}", "yellow")
        out.line(sign.append(f" of {cell.agent} goes down to {down.rung.word} ({down.code}): {down.reason}", "default"))
    if not done:
        out.note("Nothing speaks against where the tools stand.")
    for one in untold:
        out.line(screen.styled(f"{out.glyphs.bad} not told: {one.kind} of {one.agent}: {one.error}", "red"))
