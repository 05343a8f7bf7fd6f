"""Data frames of what ladders and replays give."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ladder_graph.errors import LadderError
from ladder_graph.notebook import frame
from ladder_graph.replay import Run
from ladder_graph.replay.metrics import RATIOS
from tests.replay.recorded import run_of

WITHOUT = {"life", "briefing", "verification", "explanation", "certificate"}
"""What is no row of anything."""


def test_there_is_a_frame_of_every_list(full):
    """Each thing is a row, and a single one is a frame with one row."""
    for name, thing in full.everything().items():
        if name not in WITHOUT:
            made = frame(thing)
            assert len(made) >= 1, name
            assert not made.columns.duplicated().any(), name


def test_rungs_are_ordered(full):
    """A frame can be asked for everything that stands at bounded or above."""
    made = frame(full.ladder)
    assert set(made[made.stands >= "bounded"].tool) == {"pay", "read_it"}
    assert list(made[made.stands < made.claimed].tool) == ["pay"]
    assert made.mistake.dropna().tolist() == [4.0]


def test_moments_are_moments(full):
    """Times are in UTC, also those that haven't come."""
    actions, digests = frame(full.ladder.actions()), frame(full.ladder.digests())
    assert str(actions["at"].dtype.tz) == "UTC"
    assert str(digests["read"].dtype.tz) == "UTC"
    assert digests["read"].isna().all()
    assert str(frame(full.asked)["expires_at"].dtype.tz) == "UTC"


def test_a_board_has_each_ratio_with_its_interval(full):
    """Value, low and high, the counts beside them, and what the other readings say."""
    made = frame(full.board)
    assert list(made.policy)[1:] == ["nothing gated", "everything asked"]
    assert {f"{name}{end}" for name in RATIOS for end in ("", "_low", "_high")} <= set(made.columns)
    assert made["recall"].dtype == float, "what can't be said is no number, and not nothing"
    asked = made.set_index("policy").loc["everything asked"]
    assert (asked["asked"], asked["asked_low"], asked["n_asked"], asked["worst_asked"]) == (3.5, 2.5, 14, 14)


def test_recorded_runs_are_a_row_for_each_call():
    """So that one can look at the calls with all that pandas can do."""
    made = frame([run_of("read", "send", critical={1}), run_of("read")])
    assert list(made.tool) == ["read", "send", "read"]
    assert list(made.labels) == [(), ("critical",), ()]


def test_nothing_makes_an_empty_frame():
    """An agent that did nothing has no actions, which is no mistake."""
    assert frame([]).empty
    assert frame([Run("r", ())]).empty


def test_what_has_no_frame_is_said_in_a_sentence(full):
    """As for a picture."""
    with pytest.raises(LadderError, match=r"a str can't become a frame; give one of"):
        frame("actions")
    with pytest.raises(LadderError, match=r"a list of Action, Cell can't become a frame"):
        frame([*full.ladder.status(), *full.ladder.actions()])


def test_without_the_extra_pictures_of_pages_stay_and_the_rest_names_it():
    """Pandas and matplotlib are asked for only by what needs them; the sentence names the extra."""
    code = """
import sys
sys.modules["pandas"] = sys.modules["matplotlib"] = sys.modules["IPython"] = None
from ladder_graph import Ladder, LadderError
from ladder_graph.notebook import figures, frame, html
ladder = Ladder(agent="ops", rungs={"send": "confirm"}, ledger=":memory:")
assert "send" in html(ladder)
for make in (frame, figures.ladder):
    try:
        make(ladder.status())
    except LadderError as wrong:
        print(wrong)
ladder.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "a frame needs pandas, and it is missing: pip install 'ladder-graph[notebooks]'",
        "a picture needs matplotlib, and it is missing: pip install 'ladder-graph[notebooks]'",
    ]
