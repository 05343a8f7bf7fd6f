"""The scale: six rungs, read from their words and numbers and from nothing else."""

from __future__ import annotations

import pytest

from ladder_graph.scale import Rung


def test_the_rungs_are_six_in_order():
    """Number and order of the rungs are public: code, pages and policies use them."""
    assert [(int(rung), rung.word) for rung in Rung] == [
        (0, "suggest"),
        (1, "draft"),
        (2, "confirm"),
        (3, "bounded"),
        (4, "rollback"),
        (5, "report"),
    ]


def test_a_rung_says_its_word_and_its_number():
    """A rung in a sentence shows both."""
    assert str(Rung.CONFIRM) == f"{Rung.CONFIRM}" == "confirm (2)"


@pytest.mark.parametrize("rung", Rung)
def test_a_rung_is_read_from_word_and_number(rung):
    """A word in any case, a number and a rung itself are read."""
    for spelling in (rung, int(rung), rung.word, rung.word.upper(), rung.word.title()):
        assert Rung.parse(spelling) is rung


@pytest.mark.parametrize(
    "odd",
    [
        None, True, False, -1, 6, 2.0, "2", "", " confirm", "confirm ", "confirm\n", "boundd", "auto",
        "\N{LATIN SMALL LETTER LONG S}uggest", "conf\N{LATIN SMALL LETTER DOTLESS I}rm", "rollbac\N{KELVIN SIGN}",
        ["confirm"], {"rung": 2}, b"confirm",
    ],
)  # fmt: skip
def test_nothing_else_is_a_rung(odd):
    """Numbers as text, true, look-alike letters and other words are refused, and the six words are named."""
    with pytest.raises(ValueError, match=r"is no rung; the rungs are suggest, draft, .* \(0 to 5\)"):
        Rung.parse(odd)
