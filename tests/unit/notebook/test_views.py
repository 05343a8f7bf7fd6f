"""There is a picture of everything that a ladder gives, and nothing in it acts."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from ladder_graph.errors import LadderError
from ladder_graph.notebook import html
from ladder_graph.notebook.style import STYLE
from ladder_graph.notebook.views import MANY, ONE
from tests.unit.notebook.full import ACTING, HOSTILE

KINDS = (
    "ladder", "cells", "cell", "actions", "action", "life", "questions", "question", "briefing", "drafts", "digests",
    "digest", "reports", "entries", "entry", "verification", "explanation", "assessments", "assessment", "certificate",
    "board", "rows", "coverage", "changes", "front", "suggestions",
)  # fmt: skip
VOID = {"br"}


class Balance(HTMLParser):
    """Fails at a tag that is closed twice, or never."""

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], set()

    def handle_starttag(self, tag, attrs):
        """A tag begins."""
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """A tag ends."""
        if tag not in VOID:
            assert self.open.pop() == tag


def plain(told):
    """What somebody reads."""
    found = []
    reader = Balance()
    reader.handle_data = found.append
    reader.feed(told.replace(f"<style>{STYLE}</style>", ""))
    return " ".join(" ".join(found).split())


@pytest.mark.parametrize("kind", KINDS)
def test_everything_shows_itself_and_nothing_acts(full, kind):
    """Tags are closed, and what a model wrote is neither a tag nor a hidden sign."""
    told = html(full.everything()[kind])
    parser = Balance()
    parser.feed(told)
    assert parser.open == []
    assert "script" not in parser.tags
    assert not any(sign in told for sign in ACTING)


def test_what_the_model_wrote_is_shown_all_the_same(full):
    """It is made harmless, and not left out."""
    for kind in ("actions", "life", "question", "briefing", "board", "changes", "digest"):
        assert "alert(1)" in plain(html(full.everything()[kind])), kind


def test_each_kind_is_tried(full):
    """No picture is left out of these tests but those of what changed between two environments."""
    shown = {type(one[0] if isinstance(one, list | tuple) else one).__name__ for one in full.everything().values()}
    assert {kind.__name__ for kind in {*ONE, *MANY}} - shown == {"Difference"}


def test_the_ladder_shows_where_each_tool_stands_and_why_not_higher(full):
    """Six rungs from the top, each tool on its own, and a claim that doesn't hold with its reasons."""
    told = plain(html(full.ladder))
    order = [told.index(f"{number} {word}") for number, word in enumerate(
        ("suggest", "draft", "confirm", "bounded", "rollback", "report"))]  # fmt: skip
    assert order == sorted(order, reverse=True)
    rollback, bounded = told.index("4 rollback"), told.index("3 bounded")
    assert "pay: the policy's; it stands lower" in told[rollback:bounded]
    assert "pay : claims rollback (4), stands at bounded (3): it declares no undo" in told


def test_a_question_shows_the_lines_that_answer_it(full):
    """Whoever reads it can copy the answer into a cell."""
    told = plain(html(full.asked))
    assert f'ladder.approve("{full.asked[0].id[:8]}", by="…", typed=' in told
    assert 'ladder.decline("' in told
    assert "May shop run ask_it?" in told


def test_a_board_shows_its_intervals(full):
    """Each ratio with where 95 % of its resamples lie; what a replay can't say isn't there."""
    told = plain(html(full.board))
    assert "3.50 [2.50, 4.50]" in told
    assert "attacks executed" not in told
    assert "What everything asked decides otherwise read_it" not in told
    assert "free asked 10" in told


def test_what_cannot_be_shown_is_said_in_a_sentence(full):
    """Something else, a mixed list, and an empty list."""
    with pytest.raises(LadderError, match=r"a dict can't be shown; give one of Action, Assessment"):
        html({})
    with pytest.raises(LadderError, match=r"a list of Action, Cell can't be shown"):
        html([*full.ladder.status(), *full.ladder.actions()])
    with pytest.raises(LadderError, match=r"an empty list can't be shown: nobody knows"):
        html([])


def test_a_ladder_shows_itself_without_the_extension(full):
    """`ladder` as the last line of a cell is enough."""
    assert full.ladder._repr_html_() == html(full.ladder)
    assert html(full.ladder)._repr_html_() == html(full.ladder)


def test_hostile_words_of_people_are_text_too(full):
    """A reason that a person gives reaches the page as text."""
    question = full.asked[0]
    assert question.call.arguments["text"] == HOSTILE
    assert "&lt;script&gt;" in html(question)
