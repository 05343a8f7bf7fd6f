"""What a board found, in words and as JSON."""

from __future__ import annotations

import json

from ladder_graph.replay import Row
from ladder_graph.replay.intervals import Estimate
from ladder_graph.replay.metrics import RATIOS, Tally
from ladder_graph.replay.report import document, table, unseen

NONE = Estimate(None, None, None)
COUNTS = Tally(runs=1200, calls=3000, attacked=40, harmed=12, without_a_call=2, gateable=10, executed=1, writes=8)


def row(tally=COUNTS, **found):
    """A row with these ratios, and none of the others."""
    return Row("ours", "mail", tally, dict.fromkeys(RATIOS, NONE) | found, exposed=6)


def test_a_row_says_its_counts_and_ratios():
    """Shares are in percent, confirmations are not, and what there is nothing of is a dash."""
    shown = table([row(executed=Estimate(0.1, 0.0, 0.333), asked=Estimate(0.5, 0.25, 1))])
    head, policy, ours = shown.splitlines()
    assert policy == "ours"
    assert ours.startswith("  mail  1,200  3,000    12/40 ")
    assert ours.split()[4:] == ["2", "1/10", "10%", "[0,", "33.3]", "0.50", "[0.25,", "1.00]", "-", "0/8", "-"]
    assert len(head) == len(ours)


def test_the_document_is_json():
    """Counts are whole numbers, and each ratio has its interval or nulls."""
    (one,) = json.loads(json.dumps(document([row(executed=Estimate(0.1, 0.0, 0.3))])))
    assert one["counts"]["executed"] == 1
    assert one["ratios"]["executed"] == {"value": 0.1, "low": 0.0, "high": 0.3}
    assert one["ratios"]["asked"] == {"value": None, "low": None, "high": None}


def test_none_seen_is_not_none_at_all():
    """Three over the number of tasks is said where nothing was seen, and nothing where something was."""
    assert unseen([row()]) == []
    (text,) = unseen([row(Tally(gateable=10))])
    assert "0 of 10 in 6 tasks may be up to 50%" in text
