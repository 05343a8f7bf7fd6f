"""`ladder checkpoint` and `ladder keys`: signing what the ledger holds, and whose key that is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import Yes
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.ledger.proof.checkpoints_alone import Key, Placed

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The keys that sign checkpoints.")


def checkpoint(
    ctx: typer.Context,
    *,
    to: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Write all of them there too: a directory/, a file, or - for the newest."),
    ] = None,
) -> None:
    """Sign what the ledger holds now, and export it as the policy says.

    Exit code 1 where a target of the policy hasn't taken it; it is tried again by whoever watches.
    """
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.notary.exporting import write_all

    out = Screen(stderr=to == "-")
    with place_of(ctx).acting() as ladder:
        number = ladder.checkpoint()
        targets = ladder.export_checkpoints(hurry=True)
        newest = ladder.notarized().last.number
        if to == "-":
            sys.stdout.writelines(note for _, note in ladder.checkpoints_after(newest - 1))
        elif to is not None:
            write_all(to, list(ladder.checkpoints_after()))
    said = f"checkpoint {newest} was made" if number else f"nothing was written since checkpoint {newest}"
    out.line(styled(f"{out.glyphs.good} ", "green").append(said, "default"))
    for one in targets:
        late = one.waiting > 0
        sign = styled(f"{out.glyphs.bad if late else out.glyphs.good} ", "red" if late else "green")
        why = f"{one.waiting} not exported: {one.trouble or 'somebody else is at it'}" if late else "has all of them"
        out.line(sign.append(f"{one.target}: {why}", "default"), 4)
    if any(one.waiting for one in targets):
        raise typer.Exit(1)


@commands.command()
def new(ctx: typer.Context) -> None:
    """Make the key that signs checkpoints.

    It is written where the policy says; a key that lies there is made known to the ledger.
    """
    from ladder_graph.ladder.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        key = ladder.new_signing_key(by=person)
    _made(
        key.public, "Keep this public key where the ledger's writers can't change it; `ladder verify --key` takes it."
    )


@commands.command("list")
def listed(ctx: typer.Context) -> None:
    """List the public keys, with who made each known."""
    from ladder_graph.cli.aftermath import instant
    from ladder_graph.cli.screen import Screen, clock

    with place_of(ctx).looking() as ladder:
        found = ladder.signing_keys()
    out = Screen()
    if not found:
        out.note("There is no key yet; `ladder keys new` makes one.")
    for one in found:
        ended = f", until {clock(instant(one.ended_us))}" if one.ended_us else ""
        out.line(f"{one.state.replace('_', ' ')}, by {one.by} from {clock(instant(one.at_us))}{ended}")
        out.line(one.text, 4)


@commands.command()
def rotate(ctx: typer.Context) -> None:
    """Let a new key sign from now on.

    The old one vouches for it, and its private half is gone.
    """
    from ladder_graph.ladder.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        key = ladder.rotate_signing_key(by=person)
        ladder.export_checkpoints(hurry=True)
    _made(key.public, "Who trusts the old public key trusts this one. Copy the file to every machine that watches.")


@commands.command()
def retire(
    ctx: typer.Context,
    *,
    reason: Annotated[str, typer.Option(help="Why; it stays in the ledger.")],
    yes: Yes = False,
) -> None:
    """Take out a key that somebody else may have.

    From the next checkpoint on it counts for nothing, and a new one signs.
    """
    from ladder_graph.cli import asking
    from ladder_graph.ladder.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        asking.confirm(f"Retire the key that signs now, in your name ({person.name})?", yes=yes)
        key = ladder.retire_signing_key(by=person, reason=reason)
        ladder.export_checkpoints(hurry=True)
    _made(key.public, "Give this public key to whoever verifies, in place of the old one, which can't vouch for it.")


def _made(key: Key, advice: str) -> None:
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ledger.proof.checkpoints_alone import spell_key

    print(spell_key(key))  # noqa: T201  # for a file, and not for a screen
    Screen(stderr=True).note(advice)


def anchored(places: Sequence[Path]) -> list[Placed]:
    """The checkpoints that lie in files and directories.

    Raises:
        LadderError: One can't be read.
    """
    from ladder_graph.ledger.proof.checkpoints_alone import anchors_in

    try:
        return anchors_in(places)
    except OSError as wrong:
        raise LadderError(f"{wrong.filename} can't be read: {wrong.strerror}") from wrong
    except ValueError as wrong:
        raise LadderError(f"the checkpoints can't be held against it: {wrong}") from wrong


def known(keys: Sequence[str]) -> list[Key]:
    """Public keys as they were given: themselves, or files that hold one.

    Raises:
        LadderError: One is none.
    """
    from ladder_graph.ledger.proof.checkpoints_alone import key_at

    try:
        return [key_at(key) for key in keys]
    except OSError as wrong:
        raise LadderError(f"--key: {wrong.filename} is no public key, and can't be read: {wrong.strerror}") from wrong
    except ValueError as wrong:
        raise LadderError(f"--key: {wrong}") from wrong
