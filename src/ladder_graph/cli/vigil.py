"""pending --watch: what waits for an answer, live. A table on a terminal, and one line for each change on a pipe."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ladder_graph.cli.screen import QUIET, Glyphs, Paper, shortened, span, styled
from ladder_graph.ledger.database import statements as sql
from ladder_graph.wording import inert, show

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.facts import Question
    from ladder_graph.ladder import Ladder
    from ladder_graph.ledger.database.cursor import Cursor

EVERY = 0.5
"""Seconds between two looks at where the chains end."""

MOST = 50
"""Questions that are shown, those that expire soonest."""

NEW = 30.0
"""Seconds for which a question is marked as new."""


@dataclass(slots=True)
class Vigil:
    """What waited when it was last looked, and what is new among it. It never holds more than is shown.

    Args:
        ladder: Whose questions.
        bell: Whether a new question rings the terminal's bell.
    """

    ladder: Ladder
    bell: bool = False
    shown: dict[str, Question] = field(default_factory=dict)
    fresh: dict[str, dt.datetime] = field(default_factory=dict)
    """Since when a question has been on the list, of those that came while somebody watched."""
    more: str = ""
    """How many there are, where that is more than is shown."""
    _ends: Any = None

    def look(self) -> list[tuple[str, Question]]:
        """What came and what went since the last look: `asked`, `changed` or `gone`, with the question.

        As long as no chain has grown, nothing can have changed, and nothing is read but where they end.
        """
        ends = self.ladder.store.glance(_ends)
        if ends == self._ends:
            return []
        first, self._ends = self._ends is None, ends
        page = self.ladder.waiting(size=MOST)
        now, found = self.ladder.clock(), {one.id: one for one in page.items}
        self.more = "" if page.count is None or page.next is None else f"{page.count} wait"
        changes = [("asked", one) for name, one in found.items() if name not in self.shown]
        changes += [("changed", one) for name, one in found.items() if name in self.shown and one != self.shown[name]]
        changes += [("gone", one) for name, one in self.shown.items() if name not in found]
        kept = {name: at for name, at in self.fresh.items() if name in found}
        came = {} if first else {one.id: now for kind, one in changes if kind == "asked"}
        self.shown, self.fresh = found, {**kept, **came}
        return changes

    def new(self, question: str) -> bool:
        """Whether a question came a moment ago."""
        since = self.fresh.get(question)
        return since is not None and (self.ladder.clock() - since).total_seconds() < NEW


def _ends(cursor: Cursor) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((row["stream"], row["n"]) for row in cursor.execute(sql.HEADS).fetchall()))


def watch(ladder: Ladder, *, bell: bool, over: Callable[[], bool] = lambda: False) -> None:
    """Show what waits until somebody presses Ctrl-C.

    Args:
        ladder: Whose questions.
        bell: Whether a new one rings the terminal's bell.
        over: Whether to stop, asked after each look.
    """
    vigil = Vigil(ladder, bell)
    try:
        # A terminal that can't move its cursor, as many a screen reader's, gets lines.
        if sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}:
            _on_a_terminal(vigil, over)
        else:
            _on_a_pipe(vigil, over)
    except KeyboardInterrupt:
        return


def _on_a_pipe(vigil: Vigil, over: Callable[[], bool]) -> None:
    while True:
        now = vigil.ladder.clock()
        for kind, one in vigil.look():
            sys.stdout.write(f"{now.astimezone():%H:%M:%S}  {kind:<7}  {line(one, now)}\n")
        sys.stdout.flush()
        if over():
            return
        time.sleep(EVERY)


def _on_a_terminal(vigil: Vigil, over: Callable[[], bool]) -> None:
    from rich.live import Live

    console = Paper(markup=False, emoji=False, highlight=False)
    glyphs = Glyphs(plain="utf" not in console.encoding.lower())
    drawn: list[tuple[str, ...]] | None = None
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            came = [one for kind, one in vigil.look() if kind == "asked" and one.id in vigil.fresh]
            if came and vigil.bell:
                console.bell()
            rows = _rows(vigil, glyphs)
            if rows != drawn:  # Nothing moves on the screen unless something changed.
                live.update(table(vigil, rows), refresh=True)
                drawn = rows
            if over():
                return
            time.sleep(EVERY)


def _rows(vigil: Vigil, glyphs: Glyphs) -> list[tuple[str, ...]]:
    """What waits, in the words of the table; what came a moment ago is marked with one."""
    now = vigil.ladder.clock()
    return [
        (
            "new" if vigil.new(one.id) else glyphs.odd, inert(one.id[:8]),
            shortened(inert(f"{one.call.agent} {one.call.tool}"), 30), _left(one, now), shortened(_arguments(one), 40),
            _beside(one),
        )
        for one in vigil.shown.values()
    ]  # fmt: skip


def table(vigil: Vigil, rows: list[tuple[str, ...]]) -> Any:
    """What waits, as a table.

    Args:
        vigil: What was looked at.
        rows: Its words.
    """
    from rich.table import Table

    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for head in ("", "question", "asks to run", "left", "with"):
        grid.add_column(styled(head, QUIET), no_wrap=True, overflow="ellipsis")
    grid.add_column(styled("approved, passed", QUIET), overflow="ellipsis", no_wrap=True)
    for mark, *words in rows:
        grid.add_row(styled(mark, "bold yellow" if mark == "new" else QUIET), *(styled(word, "") for word in words))
    if not vigil.shown:
        return styled("Nothing waits for an answer. Ctrl-C ends the watch.", QUIET)
    end = f"{vigil.more}; these expire soonest. " if vigil.more else ""
    grid.caption = styled(f"{end}ladder inbox answers; Ctrl-C ends the watch", QUIET)
    grid.caption_justify = "left"
    return grid


def line(question: Question, now: dt.datetime) -> str:
    """One question in one line."""
    call = question.call
    parts = [question.id[:8], f"{inert(call.agent)} {inert(call.tool)}", shortened(_arguments(question), 100),
             _left(question, now), _beside(question)]  # fmt: skip
    return "  ".join(part for part in parts if part)


def _arguments(question: Question) -> str:
    few = list(question.call.arguments.items())[:10]
    return ", ".join(f"{inert(name)}={shortened(show(value), 60)}" for name, value in few)


def _left(question: Question, now: dt.datetime) -> str:
    left = (question.expires_at - now).total_seconds()
    if question.decision is not None:
        return "answered"
    return span(left) if left > 0 else "expired"


def _beside(question: Question) -> str:
    parts: Iterable[str] = (
        f"{len(question.votes)} of {question.quorum}" if question.quorum > 1 else "",
        f"passed to {inert(question.passed_to)}" if question.passed_to else "",
    )
    return ", ".join(part for part in parts if part)
