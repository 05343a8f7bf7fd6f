"""What is done to a ledger as a whole: bringing it to this release's schema, and moving it to another database."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import Yes
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.ledger.moves.upgrades import Upgrade

From = Annotated[str, typer.Argument(metavar="FROM", help="The ledger: a file or postgresql://…")]
To = Annotated[
    str, typer.Argument(metavar="TO", help="Where it goes: a schema that holds nothing, or a file that isn't there.")
]


def migrate(
    ctx: typer.Context,
    ledger: Annotated[
        str | None, typer.Argument(metavar="FILE|URL", help="The ledger; else the policy's.", show_default=False)
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would be done; exit code 1 if there is something.")
    ] = False,
    while_running: Annotated[
        bool, typer.Option("--while-running", help="On a server, although processes work with the ledger.")
    ] = False,
) -> None:
    """Bring a ledger to this release's schema.

    It goes forward only, whole or not at all, and two at once do no harm.
    """
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ledger.moves.upgrades import plan, upgrade

    source, out = ledger or _ledger(ctx), Screen()
    found = plan(source) if check else upgrade(source, while_running=while_running)
    if not found.statements:
        out.line(
            styled(f"{out.glyphs.good} ", "green").append(f"{found.name} has schema {found.newest}, as it should be")
        )
        return
    out.line(_story(found, done=not check))
    if check:
        for statement in found.statements:
            out.block(statement.strip())
        raise typer.Exit(1)


def _story(found: Upgrade, *, done: bool) -> str:
    if not found.version:
        was = "was made" if done else "isn't there yet; it would be made"
        return f"{found.name} {was}, with schema {found.newest}"
    went = "went" if done else "would go"
    return f"{found.name} {went} from schema {found.version} to {found.newest}"


def _ledger(ctx: typer.Context) -> str:
    place = place_of(ctx)
    return place.ledger or place.shared_ledger(place.read_policy())


def move(
    source: From,
    target: To,
    *,
    undo: Annotated[
        bool, typer.Option("--undo", help="Let FROM be written again, if nothing was written at TO; that is shut.")
    ] = False,
    lost: Annotated[bool, typer.Option("--lost", help="With --undo: TO is gone for good.")] = False,
    yes: Yes = False,
) -> None:
    """Move a ledger to another database, and check it on both sides.

    FROM is shut and says where it has gone. Interrupted anywhere, the same command goes on.
    """
    from ladder_graph.cli import asking
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in
    from ladder_graph.ledger.moves import moving

    by, out = signed_in().name, Screen()
    if lost and not undo:
        raise LadderError("--lost belongs to --undo: it says that TO is gone for good, and isn't looked for")
    if undo:
        if lost:
            asking.confirm(f"Is {target} gone for good? A ledger that goes on in two places is none.", yes=yes)
        moving.take_back(source, target, by=by, clock=_now, lost=lost)
        out.line(styled(f"{out.glyphs.good} {source}", "green").append(" is open again", "default"))
        return
    moved = moving.move(source, target, by=by, clock=_now, tell=_told)
    out.line(
        styled(f"{out.glyphs.good} moved", "green").append(
            f" to {moved.target}: {moved.entries} entries, every row and every hash of them as it was", "default"
        )
    )
    out.line(f"Put it into the policy as `ledger`. {moved.source} is shut, and says where it has gone.")


def _told(step: str) -> None:
    from ladder_graph.cli.screen import Screen

    if not step.endswith(", 0 rows"):  # Most of the fifty tables.
        Screen(stderr=True).note(step)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
