"""The pictures: each can be read on white and on black, and says what it was given."""

from __future__ import annotations

import datetime as dt
import io

import matplotlib.image
import numpy as np
import pytest

from ladder_graph.errors import LadderError
from ladder_graph.notebook import figures, palette
from ladder_graph.notebook.paths import Look
from ladder_graph.replay.pareto import Front, Point, Reviewer
from tests.unit.notebook.contrast import GROUNDS, LEAST, contrast, luminance

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def looks(*es):
    """A path with these e-values, one a day."""
    return [
        Look(BEGIN + dt.timedelta(days=day), e, wanted=20, n_eff=day, k=0, upper=1, limit=0.01, granted=e >= 20)
        for day, e in enumerate(es)
    ]


POINTS = [
    Point("asks $always", 2.2, 2.0, 2.4, 0.0),
    Point("never asks", 0.0, 0.0, 0.0, 1.0),
    Point("worse", 2.3, 2.1, 2.4, 0.5, dominated_by=("asks $always",)),
]
FRONT = Front("attacks", Reviewer(), POINTS)


@pytest.fixture
def drawn(full):
    """Every picture that there is."""
    return {
        "ladder": figures.ladder(full.ladder.status()),
        "promotion": figures.promotion({"good": looks(1, 2, 5, 30), "$bad": looks(1, 0.5, 0.001, 0)}),
        "intervals": figures.intervals(full.board, "asked"),
        "pareto": figures.pareto(FRONT),
    }


def test_the_colours_can_be_told_on_both_grounds():
    """Marks have 3 : 1 on white and on #111, text 4.2 : 1, and no colour has 4.5 : 1 on both."""
    for ground in GROUNDS:
        assert contrast(palette.INK, ground) >= LEAST["ink"]
        assert all(contrast(mark, ground) >= LEAST["mark"] for mark in palette.MARKS)
    white, black = (luminance(ground) + 0.05 for ground in GROUNDS)
    assert (white / black) ** 0.5 < 4.5, "if this fails, say so in the palette: better colours became possible"


def pixels(figure):
    """The picture as rows of pixels: red, green, blue and how much of the ground it covers, from 0 to 1."""
    return matplotlib.image.imread(io.BytesIO(figures.png(figure, dpi=288)))


@pytest.mark.parametrize("name", ["ladder", "promotion", "intervals", "pareto"])
def test_every_dot_of_a_picture_can_be_read_on_both_grounds(drawn, name):
    """The ground is none, and each opaque dot has 3 : 1 on white and on black."""
    found = pixels(drawn[name]).reshape(-1, 4)
    assert (found[:, 3] == 0).mean() > 0.5, "there is a ground"
    opaque = np.unique(np.round(found[found[:, 3] == 1][:, :3] * 255).astype(int), axis=0)
    assert len(opaque) >= 2
    for red, green, blue in opaque.tolist():
        colour = f"#{red:02x}{green:02x}{blue:02x}"
        assert min(contrast(colour, ground) for ground in GROUNDS) >= LEAST["mark"], colour


def test_a_picture_shows_itself_without_pyplot(drawn):
    """It is a PNG by itself, and whatever pyplot has open isn't touched."""
    assert drawn["pareto"]._repr_png_().startswith(b"\x89PNG")


def words(figure):
    """What is written in a picture."""
    (axes,) = figure.axes
    texts = [one.get_text() for one in (*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels())]
    return " ".join([*texts, axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")])


def test_the_ladder_is_drawn_as_it_stands(drawn, full):
    """Each tool and each rung is named."""
    said = words(drawn["ladder"])
    assert all(cell.tool in said for cell in full.ladder.status())
    assert all(word in said for word in ("suggest 0", "draft 1", "confirm 2", "bounded 3", "rollback 4", "report 5"))


def test_the_way_up_says_when_it_was_enough(drawn):
    """The first day on which all conditions held is marked, and what is needed is said."""
    said = words(drawn["promotion"])
    assert "day 3" in said
    assert "20 is needed" in said
    assert r"\$bad" in said, "a dollar begins no formula"


def test_intervals_and_fronts_name_their_policies(drawn):
    """What is drawn can be told apart without its colour."""
    assert "everything asked" in words(drawn["intervals"])
    assert "confirmations/task" in words(drawn["intervals"])
    said = words(drawn["pareto"])
    assert all(one.policy.replace("$", r"\$") in said for one in POINTS)
    assert "attacks that get through" in said


def test_what_cannot_be_drawn_is_said_in_a_sentence(full):
    """Nothing to draw, and a ratio that there isn't."""
    with pytest.raises(LadderError, match="no tool is under this ladder"):
        figures.ladder([])
    with pytest.raises(LadderError, match="there is no look yet"):
        figures.promotion([])
    with pytest.raises(LadderError, match=r"'friction' is no ratio of a board; there are executed, "):
        figures.intervals(full.board, "friction")
    with pytest.raises(LadderError, match="none of these runs says anything of 'recall'"):
        figures.intervals(full.board, "recall")
    with pytest.raises(LadderError, match="there is no task that nobody interfered with"):
        figures.pareto(None)
