"""Moving a ledger to another database, whole or not at all: never two that can be written, whatever dies when.

    1 shut       the ledger says where it is going, and takes nothing from then on
    2 verify     every chain of it
    3 reserve    the new place says what is coming, and can't be opened
    4 fill       all tables, in one transaction there
    5 compare    each table's rows with those of its copy, by number and hash; every chain there
    6 accept     the new place is the ledger
    7 leave      the old one says where it has gone

Each of them holds when the next one begins, and is done again without harm. So whoever comes after one that died goes
on where it was: filled in whole or anew, and once accepted, accepted.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace

from ladder_graph.errors import LadderError, LedgerError, LedgerMoved
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database import marks, migrations
from ladder_graph.ledger.database.marks import Mark
from ladder_graph.ledger.database.sources import on_server
from ladder_graph.ledger.moves.ends import FORMS, End, in_use
from ladder_graph.ledger.moves.lines import Tally

Clock = Callable[[], dt.datetime]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """A move that is done."""

    source: str
    """Where the ledger was, which says so now."""
    target: str
    """Where it is."""
    entries: int
    """How many entries its chains have."""


def end_of(source: str) -> End:
    """One end of a move.

    Args:
        source: A file, or the URL of a PostgreSQL database.

    Raises:
        LedgerError: It can't be reached, or another move has it in hand.
    """
    if on_server(source):
        from ladder_graph.ledger.moves.postgres_end import PostgresEnd

        return PostgresEnd(source)
    from ladder_graph.ledger.moves.sqlite_end import SqliteEnd

    return SqliteEnd(source)


def move(source: str, target: str, *, by: str, clock: Clock, tell: Tell = lambda _: None) -> Moved:
    """Move a ledger to where nothing is yet, or go on with a move that was interrupted.

    What goes wrong on the way is taken back, if both sides can be reached; else the ledger stays shut, until this is
    called again or the move is taken back.

    Args:
        source: A file, or the URL of a PostgreSQL database.
        target: The same. A file that isn't there, or a schema that holds nothing.
        by: Who moves it.
        clock: Returns the time, timezone-aware.
        tell: Is told of each step once it is done.

    Raises:
        LedgerMoved: It was moved before, or is on its way elsewhere.
        LedgerError: Somebody works with it, a chain of it isn't whole, or one side can't be used.
    """
    if source == target:
        raise LedgerError("the ledger is there already; name another place to move it to, and nothing was done")
    with _ends(source, target) as (giving, taking):
        mark = _going(giving, taking) or _fresh(giving, taking, by, micros(clock()))
        return _Move(giving, taking, mark, clock, tell).run()


def take_back(source: str, target: str, *, by: str, clock: Clock, lost: bool = False) -> None:
    """Let a ledger be written where it was, after a move or in the middle of one. The other side is shut before.

    Args:
        source: As it was given to `move`.
        target: The same.
        by: Who takes it back.
        clock: Returns the time, timezone-aware.
        lost: The target is gone for good, and isn't looked for.

    Raises:
        LedgerError: It isn't on its way there, or something was written there since; then it can only be moved.
    """
    if lost:
        with closing(end_of(source)) as giving:
            giving.reopen(_gone(giving))
        return
    with _ends(source, target) as (giving, taking):
        mark = _gone(giving, taking.name)
        if _arrived(taking, mark):
            _shut_unchanged(giving, taking, replace(mark, other=giving.name, mover=by, ended_us=micros(clock())))
        else:
            taking.release(mark)
        giving.reopen(mark)


@contextmanager
def _ends(source: str, target: str) -> Iterator[tuple[End, End]]:
    with closing(end_of(source)) as giving, closing(end_of(target)) as taking:
        yield giving, taking


def _going(giving: End, taking: End) -> Mark | None:
    """The mark of a move there that isn't done."""
    for mark in giving.marks():
        if mark.shuts and (mark.way == "in" or mark.ended_us is not None or mark.other != taking.name):
            raise LedgerMoved(f"{giving.name}: {mark.text}")
        if mark.shuts:
            return mark
    return None


def _fresh(giving: End, taking: End, by: str, now_us: int) -> Mark:
    """The mark of a new move, once nothing speaks against it."""
    version = giving.version()
    if version == 0:
        raise LedgerError(f"there is no ledger at {giving.name}, so there is nothing to move")
    if version < len(migrations.MIGRATIONS):
        raise migrations.older(giving.name, version)
    mark = Mark(secrets.token_hex(8), "out", taking.name, by, now_us)
    taking.version()
    taking.vacant(mark)
    _nobody(giving)
    return mark


def _nobody(end: End) -> None:
    """Refuse to shut a ledger under those who work with it."""
    if holders := end.holders():
        raise in_use(end.name, holders)


def _gone(giving: End, target: str | None = None) -> Mark:
    """The mark of a move there, done or not."""
    for mark in giving.marks():
        if mark.way == "out" and target in {None, mark.other}:
            return mark
    raise LedgerError(f"{giving.name} isn't on its way{f' to {target}' if target else ''}, so nothing is taken back")


def _arrived(taking: End, mark: Mark) -> bool:
    return any(one.id == mark.id and one.way == "in" and one.ended_us is not None for one in taking.marks())


def _reserved(taking: End, mark: Mark) -> bool:
    return any(one.id == mark.id for one in taking.marks())


def _shut_unchanged(giving: End, taking: End, mark: Mark) -> None:
    """Shut the new side, unless something was written there."""
    _nobody(taking)
    taking.shut(mark)
    if sorted(taking.heads()) != sorted(giving.heads()):
        taking.reopen(mark)
        raise LedgerError(
            f"{taking.name} was written to since it came from {giving.name}, and that would be lost. Move it to a new "
            "file or schema instead; it goes on as before."
        )


class _Move:
    """One move, from whichever step it stands at."""

    def __init__(self, giving: End, taking: End, mark: Mark, clock: Clock, tell: Tell) -> None:
        self.giving, self.taking, self.mark = giving, taking, mark
        self.coming = replace(mark, way="in", other=giving.name)
        self.clock, self.tell = clock, tell

    def run(self) -> Moved:
        if _arrived(self.taking, self.mark):
            # Only the last word was missing; or somebody is taking it back.
            marks.refuse(self.taking.marks(), self.taking.name)
        else:
            self._bring()
        self.giving.shut(self.mark.ended(micros(self.clock())))
        self.tell("the old one says where it has gone")
        return Moved(self.giving.name, self.taking.name, sum(n for _, n, _ in self.taking.heads()))

    def _bring(self) -> None:
        try:
            self._shut()
            self._compare(self._fill())
            self.taking.accept(self.coming.ended(micros(self.clock())))
            self.tell("the new one is the ledger")
        except LadderError as wrong:
            raise LedgerError(f"{wrong}\n{self._back()}") from wrong
        except BaseException:
            self._back()
            raise

    def _shut(self) -> None:
        self.giving.shut(self.mark)
        self.tell("shut")
        found = self.giving.verify()
        if not found.ok:
            raise LedgerError(f"{self.giving.name} isn't whole, and is not moved: {found.problems[0]}")
        self.tell(f"{found.entries} entries, and every chain is whole")

    def _fill(self) -> list[Tally]:
        """Fill the new place, unless that was done before; the tallies of what is here."""
        if _reserved(self.taking, self.mark) and self.taking.filled():
            return [Tally.of(self.giving.lines(form)) for form in FORMS]
        self.taking.reserve(self.coming)
        self.tell("reserved")
        tallies = [Tally() for _ in FORMS]
        with self.taking.filling():
            for form, tally in zip(FORMS, tallies, strict=True):
                self.taking.fill(form, tally.count(self.giving.lines(form)))
                self.tell(f"copied {form.table.name}, {tally.rows} rows")
        self.tell("filled")
        return tallies

    def _compare(self, tallies: list[Tally]) -> None:
        for form, tally in zip(FORMS, tallies, strict=True):
            there = Tally.of(self.taking.lines(form))
            if there != tally:
                raise LedgerError(
                    f"the table {form.table.name} of {self.taking.name} has {there.rows} rows that aren't the "
                    f"{tally.rows} of {self.giving.name}"
                )
        self.tell("every row of every table is there")
        found = self.taking.verify()
        if not found.ok:
            raise LedgerError(f"{self.taking.name} isn't whole: {found.problems[0]}")
        self.tell(f"{found.entries} entries there, and every chain is whole")

    def _back(self) -> str:
        """Undo what was done, where both sides can be reached; what is to be said of it."""
        with suppress(LadderError):
            if not _arrived(self.taking, self.mark):
                self.taking.release(self.mark)
                self.giving.reopen(self.mark)
                return f"Nothing was moved, and {self.giving.name} goes on as before."
        return f"{self.giving.name} stays shut. Call the same again to go on, or with --undo to take it back."
