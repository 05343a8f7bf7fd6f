"""`ladder backup` and `ladder restore`: copies of the ledger, and saying that one was put back."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import Yes
from ladder_graph.cli.place import Place, absent, place_of
from ladder_graph.errors import LadderError, LedgerError

if TYPE_CHECKING:
    from ladder_graph.facts import Person


def backup(
    ctx: typer.Context,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The copy; it must not be there.")],
) -> None:
    """Copy the ledger while agents write, and check the copy.

    It is of one moment, and one file. Keep the policy, ladder.lock, the drafts and the signing key beside it, and
    exported checkpoints elsewhere: they show what a copy lacks.
    """
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ledger.database.sources import on_server
    from ladder_graph.ledger.moves import copies

    place = place_of(ctx)
    file = place.shared_ledger(policy := place.read_policy())
    if on_server(file):
        raise LadderError(f"a ledger on a server is copied by its own means: {_dumped(file)}")
    if (missing := absent(file)) is not None:
        raise LedgerError(f"{missing}, so there is nothing to copy")
    if policy.checkpoints.key is not None:
        with place.opened(policy, file) as ladder:  # What the copy holds is then vouched for elsewhere.
            ladder.sweep_checkpoints()
    found = copies.copy(Path(file), to)
    out = Screen()
    if not found.ok:
        raise LadderError(f"{to} was copied, and isn't whole: {found.problems[0]}; `ladder verify` tells more")
    sign = styled(f"{out.glyphs.good} {to}", "green")
    out.line(sign.append(f": {found.entries} entries, and every chain is whole", "default"))


def restore(
    ctx: typer.Context,
    source: Annotated[Path | None, typer.Argument(metavar="FILE", help="A copy of `ladder backup`.")] = None,
    *,
    mark: Annotated[
        bool, typer.Option("--mark", help="A copy was put back by other means, as pg_restore: say so.")
    ] = False,
    acknowledge: Annotated[
        bool, typer.Option("--acknowledge", help="Somebody has gone through what is missing: tools stand as before.")
    ] = False,
    reason: Annotated[str, typer.Option(help="With --acknowledge: what was gone through.")] = "",
    anchor: Annotated[
        Path | None,
        typer.Option(metavar="PLACE", help="With --acknowledge: the exported checkpoints, where they lie elsewhere."),
    ] = None,
    yes: Yes = False,
) -> None:
    """Put a copy of the ledger back; tools ask until that is acknowledged.

    What happened after the copy was made isn't in it: an action may be done already. Questions that waited and unused
    approvals are void, accepted drafts wait again, and what was under way or being watched is left to a person.
    """
    from ladder_graph.ladder.desk import signed_in

    if (source is not None) + mark + acknowledge != 1:
        raise LadderError("say what is meant: a copy to put back, --mark, or --acknowledge")
    place, person = place_of(ctx), signed_in()
    if acknowledge:
        _acknowledge(place, person, reason, anchor)
    elif source is None:
        _mark(place, person, "it was put back by other means")
    else:
        _put_back(place, person, source, yes=yes)


def _put_back(place: Place, person: Person, source: Path, *, yes: bool) -> None:
    from datetime import UTC, datetime

    from ladder_graph.cli import asking
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ledger.moves import copies

    file = place.shared_ledger(place.read_policy())
    if "://" in file:
        raise LadderError(
            "a ledger on a server is put back by its own means (pg_restore); then `ladder restore --mark`"
        )
    found = copies.check(source)
    if not found.ok:
        raise LadderError(f"{source} isn't whole, so it isn't put back: {found.problems[0]}")
    asking.confirm(f"Put {source} ({found.entries} entries) in the place of {file}?", yes=yes)
    kept = copies.put_back(source, Path(file), f"before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    if kept is not None:
        Screen().line(f"what lay there is kept as {kept}")
    _mark(place, person, f"{source.name} was put back")


def _mark(place: Place, person: Person, text: str) -> None:
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.restoring import told

    with place.acting() as ladder:
        marked = ladder.mark_restored(text, by=person)
    out = Screen()
    out.line(styled(f"{out.glyphs.odd} restored", "yellow").append(f" by {person.name}: {told(marked)}", "default"))
    out.line("Tools ask from now on. Go through what is missing, then: ladder restore --acknowledge --reason …")


def _acknowledge(place: Place, person: Person, reason: str, anchor: Path | None) -> None:
    from ladder_graph.cli.screen import Screen, styled

    with place.acting() as ladder:
        number = ladder.acknowledge_restore(by=person, reason=reason, anchor=anchor)
        if number is not None:
            ladder.export_checkpoints(hurry=True)
    out = Screen()
    out.line(styled(f"{out.glyphs.good} acknowledged", "green").append(f" by {person.name}: {reason}", "default"))
    if number is not None:
        out.line(f"checkpoint {number} says what is lost")


def _dumped(url: str) -> str:
    """The command that copies a schema, without the password that its address may hold."""
    from ladder_graph.ledger.database.sessions import Address

    schema = Address.of(url).schema
    return f'pg_dump --format=custom --schema={shlex.quote(schema)} --file=ladder.dump "$DATABASE_URL"'
