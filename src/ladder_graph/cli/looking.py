"""Looking: where an agent stands, what happened, and whether the ledger is whole."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ladder_graph.cli.options import MOST, Json
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder import Ladder
    from ladder_graph.ladder.assessing import Assessment
    from ladder_graph.ladder.desk import Cell
    from ladder_graph.ladder.notarizing import Notarized
    from ladder_graph.ladder.sagas import SagaView
    from ladder_graph.ladder.windows import After
    from ladder_graph.ledger import Action, Entry
    from ladder_graph.scale import Rung


def status(ctx: typer.Context, *, json: Json = False) -> None:
    """Show where each tool really stands, and why not higher."""
    from ladder_graph.cli import documents, screen

    with place_of(ctx).looking() as ladder:
        cells, policy = ladder.status(), ladder.policy
        beside = _in_shadow(ladder)
        news = {agent: ladder.environments(agent) for agent in {cell.agent for cell in cells}}
        vouched = ladder.notarized() if policy.checkpoints.key is not None else None
        after, ready, scopes = (
            ladder.after(),
            _ready(ladder),
            [one for one in ladder.sagas() if one.waits or one.phase in {"open", "undo"}],
        )
    if json:
        up = None if ready is None else {one.cell[:3] for one in ready}
        screen.document([
            documents.cell(
                cell, after, ceiling=policy.rule(cell.tool).ceiling.word,
                may_go_up=None if up is None else (cell.agent, cell.tool, cell.scope) in up,
            )
            for cell in cells
        ])  # fmt: skip
        return
    out = screen.Screen()
    for agent in dict.fromkeys(cell.agent for cell in cells):
        last = news[agent][1]
        out.heading(agent, f"last call proposed by {last}" if last else "no call yet")
        own = [cell for cell in cells if cell.agent == agent]
        rows = [_row(out, cell, policy.rule(cell.tool).ceiling) for cell in own]
        if any(cell.entry not in {cell.tool, None} for cell in own):
            rows = [[*row, screen.styled(cell.entry or "", screen.QUIET)] for row, cell in zip(rows, own, strict=True)]
        out.columns(rows, _HEAD[: len(rows[0])])
        _reasons(out, own)
    if not cells:
        out.note("The policy names no tool, and none was mounted yet.")
        _beside(out, beside)
        return
    _after(out, after)
    _vouched(out, vouched)
    _scopes(out, scopes)
    _beside(out, beside)
    if ready is None:
        out.gap()
        out.note("The ledger is long; `ladder trust` reads all of it, and tells what may go up")
    elif ready:
        out.gap()
        out.line(screen.styled(f"{len(ready)} may go up: ladder trust", "green"))
    out.gap()
    signs = out.glyphs
    out.note(f"{signs.reached} stands here   {signs.missed} granted, out of reach   {signs.free} allowed, to be earned")
    out.gap()


_HEAD = ("tool", "0 1 2 3 4 5", "stands on", "policy says", "by the entry")


LONG = 100_000
"""Entries in all chains up to which a look at them all is a matter of a second or two."""


def _ready(ladder: Ladder) -> list[Assessment] | None:
    """What may go up now; None where that can't be told at a look, since every entry must be read for it."""
    return ladder.ready() if sum(n for _, n, _ in ladder.heads()) <= LONG else None


def _in_shadow(ladder: Ladder) -> int:
    """How many entries the shadows of the agent and of those inside it have."""
    from ladder_graph.ledger.evidence.shadows import chain_of

    own = chain_of(ladder.policy.agent)
    return sum(n for chain, n, _ in ladder.heads() if chain == own or chain.startswith(f"{own}/"))


def _beside(out: Screen, entries: int) -> None:
    if entries:
        out.gap()
        out.line(f"in shadow: {entries} entries; `ladder shadow` tells what the gate would have decided")


def _row(out: Screen, cell: Cell, ceiling: Rung) -> list[Any]:
    from rich.text import Text

    from ladder_graph.cli.screen import QUIET, styled
    from ladder_graph.scale import Rung

    stands, low = cell.route.rung, cell.route.rung < cell.claimed
    steps = Text()
    for rung in Rung:
        if rung <= stands:
            steps.append(f"{out.glyphs.reached} ", "yellow" if low else "green")
        elif rung <= cell.claimed:
            steps.append(f"{out.glyphs.missed} ", "yellow")
        else:
            steps.append(f"{out.glyphs.free} " if rung <= ceiling else "  ", QUIET)
    return [
        styled(cell.name, "bold"), steps, styled(stands.word, "yellow" if low else ""),
        styled(cell.claimed.word if low else "", QUIET),
    ]  # fmt: skip


def _reasons(out: Screen, cells: list[Cell]) -> None:
    """Why, each reason once with the tools that it holds back."""
    from ladder_graph.cli.screen import QUIET, stacked, styled

    held: dict[str, list[str]] = {}
    for cell in cells:
        for reason in cell.route.reasons:
            text = f"demoted: {reason.text}" if reason.code == "demoted" else reason.text
            held.setdefault(text, []).append(cell.name)
    if held:
        out.gap()
    for text, tools in held.items():
        out.columns([[styled(out.glyphs.missed, "yellow"), stacked(text, styled(", ".join(tools), QUIET))]], between=1)
    for cell in cells:
        if cell.beyond:
            out.gap()
            calls = "1 call" if cell.beyond == 1 else f"{cell.beyond} calls"
            out.note(f"{cell.tool}: {calls} beyond its bounds approved today (UTC)")
    if parted := [cell.tool for cell in cells if cell.part_first]:
        out.gap()
        out.note(f"{', '.join(parted)}: a part of a call goes first, and the rest once that is found good")


def _after(out: Screen, after: After) -> None:
    """What is watched, by whom, and what only a person can put right."""
    from ladder_graph.cli.screen import shortened, styled

    held = [one for one in after.watched if one.phase == "held"]
    if after.watched or after.watchers:
        names = ", ".join(name for name, _ in after.watchers)
        out.gap()
        out.line(f"{len(after.watched) - len(held)} watched; {f'by {names}' if names else 'no watcher lives'}")
    if held or after.doubtful:
        out.heading("Waiting for a person")
        out.columns(
            [[styled(one.action[:8], "bold red"), one.tool, shortened(one.why, 160)] for one in held], between=2
        )
        out.columns([
            [styled("message", "bold red"), one.tool, f"may have been sent, and isn't tried again: {one.file}"]
            for one in after.doubtful
        ], between=2)  # fmt: skip
    if held:
        out.note("ladder show ACTION; then ladder keep ACTION, or ladder undo ACTION")


def _vouched(out: Screen, found: Notarized | None) -> None:
    """How far the signed checkpoints have got, and which targets lack some."""
    from ladder_graph.cli.aftermath import instant
    from ladder_graph.cli.screen import clock, styled

    if found is None:
        return
    last, lacking = found.last, [one for one in found.targets if one.waiting]
    out.gap()
    made = f"checkpoint {last.number} of {clock(instant(last.at_us))}" if last.number else "no checkpoint yet"
    out.line(f"{made}; {last.unseen or 'no'} {'entry' if last.unseen == 1 else 'entries'} since")
    for one in lacking:
        out.line(styled(f"{one.target} lacks {one.waiting}{f': {one.trouble}' if one.trouble else ''}", "yellow"), 4)


def _scopes(out: Screen, scopes: list[SagaView]) -> None:
    """Scopes that run, are being undone, or wait for a person."""
    from ladder_graph.cli import sagas

    if scopes:
        out.heading("Scopes")
        out.columns([sagas.row(one) for one in scopes], between=2)
    if any(one.waits for one in scopes):
        out.note("ladder saga show SAGA; then ladder saga undo SAGA, or ladder saga close SAGA")


def log(
    ctx: typer.Context,
    *,
    tool: Annotated[str | None, typer.Option(help="Only calls of this tool.")] = None,
    thread: Annotated[str | None, typer.Option(help="Only this LangGraph thread.")] = None,
    action: Annotated[str | None, typer.Option(help="Only the action whose key begins like this.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many entries at most, the latest ones.")] = 50,
    shadow: Annotated[bool, typer.Option("--shadow", help="What shadows took down, instead.")] = False,
    json: Json = False,
) -> None:
    """Show what happened, newest last."""
    from ladder_graph.cli import documents, screen

    with place_of(ctx).looking() as ladder:
        entries = ladder.log(limit=limit, tool=tool, thread=thread, action=action, shadow=shadow)
    if json:
        screen.document([documents.entry(entry) for entry in entries])
        return
    out = screen.Screen()
    if not entries:
        out.note("Nothing is written down that fits.")
        return
    days = dict.fromkeys(f"{entry.at.astimezone():%Y-%m-%d}" for entry in entries)
    for day in days:
        out.note(day)
        out.columns([
            [screen.styled(f"{entry.at.astimezone():%H:%M:%S}", screen.QUIET), kind(entry.kind), entry.tool,
             screen.styled(entry.action[:8], screen.QUIET), gist(entry)]
            for entry in entries if f"{entry.at.astimezone():%Y-%m-%d}" == day
        ], between=2, crop=True)  # fmt: skip


def verify(
    ctx: typer.Context,
    *,
    head: Annotated[
        list[Path] | None,
        typer.Option(help="Hold the chains against heads that were exported earlier; may be repeated.", metavar="FILE"),
    ] = None,
    anchor: Annotated[
        list[Path] | None,
        typer.Option(help="Hold them against checkpoints that were exported: a file or a directory.", metavar="PLACE"),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="Whose signature a checkpoint must have: a public key, or a file with one.", metavar="KEY"),
    ] = None,
    export_heads: Annotated[
        bool, typer.Option("--export-heads", help="Print where each chain ends, if all is well; keep it elsewhere.")
    ] = False,
    json: Json = False,
) -> None:
    """Check every hash chain of the ledger.

    Exit code 1 where one is broken.
    """
    from ladder_graph.cli import documents, screen
    from ladder_graph.cli.notarizing import anchored, known

    exported = [one for file in head or () for one in _exported(file)]
    anchors, keys = anchored(anchor or ()), known(key or ())
    with place_of(ctx).acting() as ladder:
        found = ladder.verify(exported, anchors, keys)
        heads = ladder.heads() if found.ok else []
    if export_heads and found.ok:
        for stream, n, digest in heads:
            print(dumps({"stream": stream, "n": n, "hash": digest}))  # noqa: T201  # for a file, and not for a screen
    elif json:
        screen.document(documents.verification(found))
    else:
        out = screen.Screen()
        erased = f", {found.erased} of them erased" if found.erased else ""
        if found.ok:
            sign = screen.styled(f"{out.glyphs.good} ", "green")
            out.line(sign.append(f"{found.entries} entries{erased}, and every chain is whole"))
        else:
            count = len(found.problems)
            out.line(
                screen.styled(f"{out.glyphs.bad} {count} problem{'s' * (count > 1)} in {found.entries} entries", "red")
            )
            for problem in found.problems:
                out.line(problem, 4)
        if found.anchors:
            unsigned = "" if keys else "; their signatures were not checked, since no --key was given"
            out.line(f"held against {found.anchors} checkpoint{'s' * (found.anchors > 1)} from elsewhere{unsigned}")
    if not found.ok:
        raise typer.Exit(1)


def _exported(file: Path) -> list[tuple[str, int, str]]:
    from ladder_graph.ledger.proof.chain import read_heads

    try:
        return list(read_heads(file))
    except OSError as wrong:
        raise LadderError(f"{file} can't be read: {wrong.strerror}") from wrong
    except (ValueError, KeyError, TypeError) as wrong:
        raise LadderError(f"{file} holds no heads as `ladder verify --export-heads` prints them: {wrong}") from wrong


def card(out: Screen, action: Action, *, whole: bool = True) -> None:
    """One action: what it is, its arguments, where it stands."""
    from ladder_graph.cli.screen import clock, shortened
    from ladder_graph.wording import show as spell

    out.heading(action.tool, action.key if whole else action.short)
    out.fields([(name, spell(value) if whole else shortened(spell(value))) for name, value in action.arguments.items()])
    if action.arguments:
        out.gap()
    facts = [
        ("agent", action.agent), ("thread", action.thread), ("proposed", clock(action.at)),
        ("rung", f"{action.rung.word}: {action.why}"), ("state", str(action.state)), ("act of", action.actor),
        ("verdict", action.verdict),
    ]  # fmt: skip
    out.fields([(name, value) for name, value in facts if value])


_COLOURS = {
    "done": "green", "approved": "green", "acknowledged": "green", "adopted": "green", "undone": "yellow",
    "asked": "yellow", "question": "yellow", "demoted": "yellow", "environment": "yellow", "policy": "yellow",
    "rolled_back": "yellow", "forked": "yellow", "undoing": "yellow",
    "unknown": "bold red", "undo_conflict": "bold red", "undo_failed": "bold red",
    "incident": "bold red", "promoted": "green",
    "failed": "red", "refused": "red", "unanswerable": "red", "declined": "red", "expired": "red",
}  # fmt: skip
"""What stands out in a list of entries."""


def kind(of: str) -> Any:
    """The kind of an entry, in its colour."""
    from ladder_graph.cli.screen import styled

    return styled(of, _COLOURS.get(of, ""))


def gist_of(action: Action) -> str:
    """What an action was called with, in one line."""
    from ladder_graph.wording import given

    return given(action.arguments)


def gist(entry: Entry, *, whole: bool = False) -> str:
    """What an entry says, in one line."""
    from ladder_graph.cli.screen import shortened
    from ladder_graph.scale import Rung
    from ladder_graph.wording import given

    body = entry.body
    if not body:
        return "erased"
    parts = []
    if entry.kind in {"shadow", "shadowed"}:
        parts.append(str(body.get("verdict") or body.get("outcome")))
    if isinstance(body.get("arguments"), dict):
        said = given(body["arguments"])
        parts.append(said if whole else shortened(said, 120))
    if entry.kind in {"demoted", "promoted"}:
        parts.append(f"to {Rung(body['rung']).word}")
    if entry.kind == "incident":
        parts.append(" ".join(str(part) for part in (f"S{body['severity']}", body["class"]) if part))
    if entry.kind == "pinned" and "text" not in body and isinstance(body.get("components"), dict):
        parts.append(f"granted to {body['components'].get('reported') or body['components'].get('requested')}")
    if body.get("by"):
        parts.append(f"by {body['by']}" + (f" ({body['auth']})" if body.get("auth") else ""))
    parts += [str(body[key]) for key in ("text", "reason", "complaint") if body.get(key)]
    return ": ".join(parts)
