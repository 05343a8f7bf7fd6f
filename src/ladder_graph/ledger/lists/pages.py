"""Long lists a page at a time: merged from sorted lanes, and taken up again by a mark of where the last page ended.

A page reads about as many rows as it shows, wherever in the list it is: a mark names the row that it stands behind, and
never how many rows came before. Rows that are added meanwhile neither shift a page nor show twice.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from ladder_graph.errors import LadderError, UnknownPage
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql

T = TypeVar("T")
U = TypeVar("U")

SIZE = 50
"""Rows of a page, where nobody says."""
LARGEST = 500
"""Rows of the largest page."""
COUNTED = 1000
"""Up to how many rows are counted one by one."""
NO_PAGE = "this page isn't known: its mark is none of this list; begin at the first page"
LOOKED = 5_000
"""Rows that are looked at for one page at most: what a filter leaves over may be rare among them."""


class Key(NamedTuple):
    """Where a row stands in its list."""

    us: int
    """Microseconds since the epoch: what the list is sorted by."""
    lane: str
    """The agent, whose rows are one lane of the list."""
    id: int | str
    """Tells rows of one lane and one moment apart."""


class Row(NamedTuple):
    """One row of a lane, with where it stands."""

    key: Key
    found: Any
    """The database's row."""


@dataclass(frozen=True, slots=True)
class Bound:
    """From where on a lane is read."""

    us: int
    id: int | str
    rising: bool
    """Towards later moments."""
    limit: int
    """Rows at most."""


Lane = Callable[[Cursor, Bound], Sequence[Row]]
"""Reads the rows behind a bound in its direction, sorted by moment and id, as many as its limit says."""

Lanes = Sequence[tuple[str, Lane]]
"""Agents with their rows. An agent may have several lanes; what stands in two of them is taken from the earlier one."""

Sees = Callable[[str], bool]
"""Tells of each agent whether whoever looks may see what is its own. The others are left out before anything is read:
left out of a page afterwards, they would still be counted, and fill it."""


def anybody(agent: str) -> bool:  # noqa: ARG001  # whoever asks for nothing sees all
    """Sees all agents."""
    return True


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a list has; above a thousand it is only said that there are more."""

    least: int
    exact: bool

    def __str__(self) -> str:
        return f"{self.least:,}" if self.exact else f"{self.least:,}+"

    @classmethod
    def of(cls, counted: int) -> Count:
        """From what was counted up to one more than is counted."""
        return cls(min(counted, COUNTED), counted <= COUNTED)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list."""

    items: tuple[T, ...]
    previous: str | None = None
    """The mark of the page before it; None on the first one."""
    next: str | None = None
    """The mark of the page after it; None on the last one."""
    count: Count | None = None
    """How long the whole list is; None where that would take long to find out."""
    looked_us: int | None = None
    """Up to which moment it was looked, where so much was left out by the filter that the page isn't full; `next` looks
    on from there."""

    def of(self, items: Sequence[U], count: Count | None = None) -> Page[U]:
        """The same page with other things in the place of its items."""
        return Page(tuple(items), self.previous, self.next, count or self.count, self.looked_us)


@dataclass(frozen=True, slots=True)
class Paging:
    """How a list is read."""

    name: str
    """Which list; a mark of another one is refused."""
    rising: bool
    """The earliest comes first."""
    text_ids: bool = False
    """Rows of one moment are told apart by a text, and else by a number."""
    since_us: int | None = None
    """Only rows from this moment on."""
    until_us: int | None = None
    """Only rows before this moment."""
    fits: Callable[[Row], bool] | None = None
    """What is left out after reading; None for nothing."""

    def page(self, cursor: Cursor, lanes: Lanes, mark: str | None, size: int = SIZE) -> Page[Row]:
        """One page.

        Args:
            cursor: Of one snapshot.
            lanes: Where its rows come from.
            mark: Where it begins, as an earlier page gave it; None for the first one.
            size: Rows at most.

        Raises:
            UnknownPage: The mark is none of this list.
            LadderError: The size is out of bounds.
        """
        if not 1 <= size <= LARGEST:
            raise LadderError(f"a page has 1 to {LARGEST} rows, and not {size}")
        if mark is None:
            return self._onward(cursor, lanes, None, size)
        back, key = read_mark(self.name, mark, text_ids=self.text_ids)
        if not back:
            return self._onward(cursor, lanes, key, size)
        found, more, last = self._gather(cursor, lanes, key, size, rising=not self.rising)
        if len(found) < size and last is None:
            return self._onward(cursor, lanes, None, size)  # The first page, whole.
        items = tuple(reversed(found))
        first = items[0].key if items else key
        before = self._mark(last or first, back=True) if more or last else None
        return Page(items, before, self._mark(items[-1].key if items else key), None, last and last.us)

    def behind(self, cursor: Cursor, lanes: Lanes, key: Key, *, rising: bool) -> Iterator[Row]:
        """The rows that fit behind one, in either direction; few of them will be read.

        Args:
            cursor: Of one snapshot.
            lanes: Where its rows come from.
            key: Where the row stands; it need not be there any more.
            rising: Towards later moments.
        """
        walked = itertools.islice(self.walk(cursor, lanes, key, 1, rising=rising), LOOKED)
        return (row for row in walked if self.fits is None or self.fits(row))

    def counted(self, cursor: Cursor, lanes: Lanes, before: Key | None) -> Count:
        """How many rows fit, or how many of them stand before one; up to a thousand are counted.

        Args:
            cursor: Of one snapshot.
            lanes: Where its rows come from.
            before: Where that one stands; None for all.
        """
        found = 0
        for looked, row in enumerate(self.walk(cursor, lanes, None, COUNTED, rising=self.rising)):
            if before is not None and (row.key >= before if self.rising else row.key <= before):
                break
            found += self.fits is None or self.fits(row)
            if found > COUNTED or looked + 1 >= LOOKED:
                return Count(min(found, COUNTED), exact=False)
        return Count(found, exact=True)

    def _onward(self, cursor: Cursor, lanes: Lanes, key: Key | None, size: int) -> Page[Row]:
        found, more, last = self._gather(cursor, lanes, key, size, rising=self.rising)
        items = tuple(found)
        first = items[0].key if items else key
        before = None if key is None or first is None else self._mark(first, back=True)
        end = last or (items[-1].key if more else None)
        return Page(items, before, end and self._mark(end), None, last and last.us)

    def _gather(
        self, cursor: Cursor, lanes: Lanes, key: Key | None, size: int, *, rising: bool
    ) -> tuple[list[Row], bool, Key | None]:
        """Rows that fit; whether there are more; and the last that was looked at, where that was enough."""
        found: list[Row] = []
        for looked, row in enumerate(self.walk(cursor, lanes, key, size, rising=rising)):
            if self.fits is None or self.fits(row):
                if len(found) == size:
                    return found, True, None
                found.append(row)
            if looked + 1 >= max(LOOKED, size + 1):
                return found, True, row.key
        return found, False, None

    def walk(self, cursor: Cursor, lanes: Lanes, key: Key | None, size: int, *, rising: bool) -> Iterator[Row]:
        """All rows behind a key in one direction, merged from the lanes, which are read as they are needed.

        Args:
            cursor: Of one snapshot.
            lanes: Where the rows come from.
            key: Where a row stands; None for the very first or last.
            size: How many will be read, as far as that is known.
            rising: Towards later moments.
        """
        edge = self.since_us if rising else self.until_us
        first = max(4, 2 * size // max(1, len(lanes))) if len(lanes) > 1 else size + 1
        merged = heapq.merge(
            *(self._read(cursor, lane, self.bound(name, key, edge, first, rising=rising))
              for name, lane in lanes),
            key=itemgetter(0), reverse=not rising,
        )  # fmt: skip
        last: Key | None = None
        for row in merged:
            if row.key == last:
                continue
            last = row.key
            if rising and self.until_us is not None and row.key.us >= self.until_us:
                return
            if not rising and self.since_us is not None and row.key.us < self.since_us:
                return
            yield row

    def bound(self, lane: str, key: Key | None, edge: int | None = None, limit: int = 0, *, rising: bool) -> Bound:
        """Where a lane begins: behind a key in one direction, and inside of what is asked for.

        Args:
            lane: The agent.
            key: Where a row stands, of this lane or of another one; None for the very first or last.
            edge: The moment from which on, or before which, rows are asked for.
            limit: Rows at most.
            rising: Towards later moments.
        """
        least: int | str = "" if self.text_ids else 0
        if key is None:
            start = (_FIRST, least) if rising else (_LAST, least)
        elif lane == key.lane:
            start = (key.us, key.id)
        else:
            # No id is as small as `least`: at one moment lanes stand in the order of their names.
            start = (key.us + (lane < key.lane), least)
        if edge is not None:
            start = max(start, (edge, least)) if rising else min(start, (edge, least))
        return Bound(start[0], start[1], rising, limit)

    def _read(self, cursor: Cursor, lane: Lane, bound: Bound) -> Iterator[Row]:
        while True:
            rows = lane(cursor, bound)
            yield from rows
            if len(rows) < bound.limit:
                return
            last = rows[-1].key
            bound = Bound(last.us, last.id, bound.rising, min(2 * bound.limit, _PORTION))

    def _mark(self, key: Key, *, back: bool = False) -> str:
        return write_mark(self.name, key, back=back)


_FIRST, _LAST = -1, 2**62
_PORTION = 1000
"""Rows that are read of one lane at a time."""


def write_mark(name: str, key: Key, *, back: bool = False) -> str:
    """A mark for an address: which list, which row, and which way from there."""
    text = json.dumps([name, int(back), *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_mark(name: str, mark: str, *, text_ids: bool) -> tuple[bool, Key]:
    """What a mark says: whether it leads back, and from which row.

    Raises:
        UnknownPage: It is none of this list.
    """
    try:
        raw = base64.b64decode(mark.encode("ascii") + b"=" * (-len(mark) % 4), altchars=b"-_", validate=True)
        said = json.loads(raw)
        of, back, us, lane, row = said
    except (ValueError, TypeError, binascii.Error, RecursionError):
        of, back, us, lane, row = "", 0, 0, "", 0
    kind = str if text_ids else int
    if of != name or [type(part) for part in (back, us, lane, row)] != [int, int, str, kind] or back not in {0, 1}:
        raise UnknownPage(NO_PAGE)
    if not 0 <= us < _LAST or (not row.isalnum() if isinstance(row, str) else not 0 <= row < _LAST):
        raise UnknownPage(NO_PAGE)
    return back == 1, Key(us, lane, row)


def tools_by(cursor: Cursor, after: Sql, agent: str) -> list[str]:
    """The tools of an agent in an index, in their order: one look into it for each, however many rows each has.

    Args:
        cursor: Of one snapshot.
        after: Finds the next one behind `:tool`, null where there is none.
        agent: Whose.
    """
    found: list[str] = []
    while True:
        (tool,) = cursor.execute(after, {"agent": agent, "tool": found[-1] if found else ""}).fetchone()
        if tool is None:
            return found
        found.append(tool)
