"""Long lists a page at a time: every row once, in its order, wherever one begins, and while others come in."""

from __future__ import annotations

import base64
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.errors import LadderError, UnknownPage
from ladder_graph.ledger.lists import pages
from ladder_graph.ledger.lists.pages import Count, Key, Page, Paging, Row, read_mark, write_mark

KEYS = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", "a/b", "b"]), st.integers(1, 40)), unique=True)


class Shelf:
    """Rows in memory, read as a database reads them."""

    def __init__(self, keys):
        self.keys = {Key(*key) for key in keys}
        self.read = 0

    def lanes(self):
        """One for each agent."""
        return [(name, self._lane(name)) for name in ("a", "a/b", "b")]

    def _lane(self, name):
        def lane(cursor, bound):
            edge, rising = Key(bound.us, name, bound.id), bound.rising
            behind = [key for key in self.keys if key.lane == name and (key > edge if rising else key < edge)]
            found = sorted(behind, reverse=not rising)[: bound.limit]
            self.read += len(found)
            return [Row(key, None) for key in found]

        return lane

    def page(self, paging, mark=None, size=3):
        """One page."""
        return paging.page(None, self.lanes(), mark, size)

    def walked(self, paging, size=3):
        """All pages, one after the other."""
        page = self.page(paging, size=size)
        yield page
        while (mark := page.next) is not None:
            page = self.page(paging, mark, size)
            yield page


def keys_of(walked):
    """Where the rows of some pages stand."""
    return [row.key for page in walked for row in page.items]


@given(KEYS, st.booleans(), st.integers(1, 7))
def test_pages_walked_are_all_rows_in_their_order(keys, rising, size):
    """Forth and back again, with rows of one moment in several lanes."""
    shelf, paging = Shelf(keys), Paging("x", rising=rising)
    whole = sorted(shelf.keys, reverse=not rising)
    walked = list(shelf.walked(paging, size))
    assert keys_of(walked) == whole
    assert all(len(page.items) == size for page in walked[:-1])
    back, page = [walked[-1]], walked[-1]
    while page.previous is not None:
        page = shelf.page(paging, page.previous, size)
        back.insert(0, page)
    assert page.previous is None
    # The first page is whole, whichever way one comes to it; between it and the others nothing is left out.
    assert list(dict.fromkeys(keys_of(back))) == whole
    assert page.items[:1] == walked[0].items[:1]


@given(KEYS, KEYS, st.booleans(), st.integers(1, 5))
def test_what_comes_in_meanwhile_neither_shifts_nor_doubles_a_row(keys, more, rising, size):
    """Each row that was there from the start shows once, in its order."""
    shelf, paging = Shelf(keys), Paging("x", rising=rising)
    first, coming = set(shelf.keys), iter(more)
    seen = []
    for page in shelf.walked(paging, size):
        seen += [row.key for row in page.items]
        shelf.keys |= {Key(*key) for key in itertools.islice(coming, 2)}
    assert len(seen) == len(set(seen))
    assert [key for key in seen if key in first] == sorted(first, reverse=not rising)


@given(KEYS, st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_only_what_lies_between_two_moments_shows(keys, since, until, rising):
    """The first moment counts, the last doesn't."""
    shelf, paging = Shelf(keys), Paging("x", rising=rising, since_us=since, until_us=until)
    inside = sorted((key for key in shelf.keys if since <= key.us < until), reverse=not rising)
    assert keys_of(shelf.walked(paging)) == inside


@given(KEYS, st.booleans())
def test_a_filter_leaves_out_and_loses_nothing(keys, rising):
    """A page is full of what fits."""
    shelf = Shelf(keys)
    paging = Paging("x", rising=rising, fits=lambda row: row.key.id % 3 == 0)
    fitting = sorted((key for key in shelf.keys if key.id % 3 == 0), reverse=not rising)
    assert keys_of(shelf.walked(paging)) == fitting


def test_a_page_ends_where_enough_was_looked_at(monkeypatch):
    """It says how far it came, and the next one looks on from there."""
    monkeypatch.setattr(pages, "LOOKED", 10)
    shelf = Shelf([(n, "a", n) for n in range(1, 101)])
    walked = list(shelf.walked(Paging("x", rising=True, fits=lambda row: row.key.id in {37, 80})))
    assert [row.key.id for page in walked for row in page.items] == [37, 80]
    assert [page.looked_us for page in walked[:3]] == [10, 20, 30]
    assert len(walked) == 11


def test_a_page_reads_about_what_it_shows():
    """Wherever in the list it stands."""
    shelf, paging = Shelf([(n, "ab"[n % 2], n) for n in range(3000)]), Paging("x", rising=False)
    shelf.page(paging, write_mark("x", Key(700, "a", 700)), 50)
    assert shelf.read <= 250


def _mark(*said):
    """A mark that says just that."""
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "mark",
    ["", "?", "e30", "W10", write_mark("y", Key(1, "a", 1)), write_mark("x", Key(1, "a", "b")),
     write_mark("x", Key(-1, "a", 1)), write_mark("x", Key(2**70, "a", 1)), write_mark("x", Key(1, "a", 2**70)),
     _mark("x", [], 1, "a", 1), _mark("x", {}, 1, "a", 1),
     _mark("x", True, 1, "a", 1), "\ud800", "Ä", "A" * 100_000],
)  # fmt: skip
def test_a_mark_of_something_else_is_refused(mark):
    """It is told what to do, and nothing is read."""
    shelf = Shelf([(1, "a", 1)])
    with pytest.raises(UnknownPage, match="begin at the first page"):
        shelf.page(Paging("x", rising=True), mark)
    assert shelf.read == 0


@pytest.mark.parametrize("size", [0, 501])
def test_a_page_has_a_size(size):
    """At least one row, and not the whole ledger."""
    with pytest.raises(LadderError, match="1 to 500"):
        Shelf([]).page(Paging("x", rising=True), size=size)


def test_a_mark_says_where():
    """It can be read again."""
    key = Key(5, "ops/ä", "ab12")
    assert read_mark("x", write_mark("x", key, back=True), text_ids=True) == (True, key)


def test_a_count_is_exact_up_to_a_thousand():
    """Above it is only said that there are more."""
    assert [str(Count.of(n)) for n in (0, 999, 1000, 1001)] == ["0", "999", "1,000", "1,000+"]
    assert Page(()).count is None
