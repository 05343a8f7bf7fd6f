"""Erasing what calls were about, after a look at what that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import Yes
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.cli.screen import Screen
    from ladder_graph.ledger.upkeep.portions import Found

_MOST = 10
"""Lines of one sort that are shown; more are counted."""


def erase(
    ctx: typer.Context,
    *,
    person: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Whom it names: a name, an address, another spelling. Repeatable."),
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="For how long it has been over, as 90d.", show_default=False)
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it stays in the ledger, so name nobody in it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased.")] = False,
    yes: Yes = False,
) -> None:
    """Erase what calls were about; the chains stay whole.

    Arguments, results, drafts, reasons and undo artifacts of actions that are over go for good. Codes, numbers and keys
    stay, by which trust is counted, and so do incidents and who judged. Backups are yours to erase.
    """
    from ladder_graph.cli import asking
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in

    by, age = signed_in(), _age(older_than)
    out = Screen()
    with place_of(ctx).acting() as ladder:
        found = ladder.erasable(person=person or (), older_than=age)
        _tell(out, found)
        if dry_run or not (found.entries or found.actions):
            return
        if not reason.strip():
            raise LadderError("say why with --reason; it stays in the ledger, so name nobody in it")
        asking.confirm(f"Erase them for good, in your name ({by.name})?", yes=yes)
        left = ladder.erase(found, by=by, reason=reason)
        whole = ladder.verify()
    out.line(styled(f"{out.glyphs.good} erased", "green").append(f" by {by.name}: {reason}", "default"))
    for file in left:
        out.line(f"{file} couldn't be deleted; delete it by hand", 4)
    if not whole.ok:
        raise LadderError(f"the chains aren't whole: {whole.problems[0]}; see `ladder verify`")
    out.line(f"{whole.entries} entries, {whole.erased} of them erased, and every chain is whole")


def _age(text: str | None) -> dt.timedelta | None:
    import datetime as dt

    from ladder_graph.policy.units import seconds

    if text is None:
        return None
    try:
        return dt.timedelta(seconds=seconds(text))
    except (ValueError, OverflowError) as wrong:
        raise LadderError(f"{text!r} is no age: {wrong}") from None


def _tell(out: Screen, found: Found) -> None:
    out.line(f"{len(found.entries)} entries about {len(found.actions)} actions say what would be erased.")
    if found.bare:
        out.line(f"Of {len(found.bare)} of the actions no entry does: it stands in what they came back with.")
    _some(out, f"{len(found.waiting)} more actions aren't over, and stay:", [key[:12] for key in found.waiting])
    _some(out, f"{len(found.scopes)} scopes aren't over, and stay:", [one[:12] for one in found.scopes])
    staying = [f"entry {n} of {stream} ({kind})" for stream, n, kind in found.staying]
    _some(out, f"{len(staying)} entries name them and are never erased:", staying)


def _some(out: Screen, heading: str, lines: list[str]) -> None:
    if not lines:
        return
    out.line(heading)
    for line in lines[:_MOST]:
        out.line(line, 4)
    if len(lines) > _MOST:
        out.line(f"and {len(lines) - _MOST} more", 4)
