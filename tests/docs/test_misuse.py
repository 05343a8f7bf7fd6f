"""The page on misuse: its table is what really happens."""

from __future__ import annotations

import pytest

from scripts import misuse


@pytest.fixture(scope="module")
def found():
    """Every probe under every system, run now."""
    return misuse.outcomes()


def test_the_page_says_what_happens(found):
    """`docs/misuse.md` holds the outcomes of today; `make docs` writes it anew."""
    written = misuse.PAGE.read_text(encoding="utf-8")
    assert "\n".join(line for line in written.splitlines() if line.startswith("|")) == misuse.table(found), (
        "run: make docs"
    )
    # The version that the page was made with is its own affair, as long as the outcomes are the same.
    assert written.partition("Made with")[0] == misuse.page(found).partition("Made with")[0], "run: make docs"


def test_nothing_harms_under_the_ladder(found):
    """No probe made a call run that nobody allowed, and none left it unknown who allowed one."""
    assert [row for row, cells in found if cells["ladder"].harm] == []


def test_the_probes_bite(found):
    """The same probes do harm elsewhere; one that harms nowhere would show nothing."""
    assert sum(cells["batched"].harm for _, cells in found) >= 5
    assert sum(cells["per_call"].harm for _, cells in found) >= 5


def test_a_clean_yes_runs():
    """What is approved properly runs under every system, so that nothing is safe by never running."""
    for system in misuse.SYSTEMS:
        with misuse.staged(system, misuse.paying(3)) as stage:
            (question,) = stage.questions
            stage.go_on({question.id: stage.yes()})
            assert (stage.paid, stage.error, stage.asked) == ([3], "", [])
