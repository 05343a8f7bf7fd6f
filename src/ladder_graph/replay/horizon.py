"""How far a replay is exact.

A recorded run is what happened under whatever decided then. Held against another policy it is exact up to the first
call whose fate would have been another one: rejected, edited, undone or held here and not there, or the other way
round. From there on the model would have seen something else, and what it would have done isn't recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ladder_graph.replay.decider import Judged
from ladder_graph.replay.traces import CRITICAL, TracedCall
from ladder_graph.scale import Rung

Parting = Literal["rejected", "edited", "held", "asked", "undone", "undecidable"]
"""Why a replay isn't exact any further. `rejected`: one of the two says no, or would; `edited`: other arguments were
put in, and nobody would be asked; `held`: it is only suggested or drafted in one of the two; `asked`: a question where
the record has none that was waited for; `undone`: it was undone, and here nothing would; `undecidable`: nobody
knows."""


def parting(judged: Judged, traced: TracedCall) -> Parting | None:
    """Why a call would have another fate than the recorded one; None where it would have the same.

    It is taken that whoever is asked answers as was answered then, approves what nobody was asked about, and says no
    to what is labelled critical.

    Args:
        judged: What the policy makes of it.
        traced: The call.
    """
    fate = traced.fate
    match judged.verdict:
        case "undecidable":
            return "undecidable"
        case "held":
            return None if fate == "held" else "held"
        case "free":
            if fate == "undone":
                return None if judged.route is not None and judged.route.rung >= Rung.ROLLBACK else "undone"
            return _INSTEAD.get(fate) if fate is not None else None
        case "asked":
            if fate in {"declined", "edited"}:
                return None
            if fate == "held":
                return "asked"
            return "rejected" if traced.labels and CRITICAL in traced.labels else None


_INSTEAD: dict[str, Parting] = {"declined": "rejected", "edited": "edited", "held": "held"}
"""What is missing where a call would have run that did not."""


def horizon(judged: Sequence[Judged], calls: Sequence[TracedCall]) -> int | None:
    """The place of the first call that would have another fate; None where the replay is exact to the end.

    Args:
        judged: What the policy makes of each call of a run.
        calls: The calls.
    """
    for place, (one, traced) in enumerate(zip(judged, calls, strict=True)):
        if parting(one, traced) is not None:
            return place
    return None
