"""The points of the crash matrix, which of them a process comes by, and what a recovery must come to."""

from __future__ import annotations

import itertools
import runpy
from pathlib import Path

from ladder_graph.states import State
from tests.faults.crashing import Point

ALONE = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "verify_ledger.py"), run_name="alone")["ALONE"]
check_file = runpy.run_path(str(ALONE))["check"]
"""The stand-alone verifier, as an auditor would run it."""

STATEMENTS = {"pose": 10, "answer": 13, "hear": 10, "claim": 7, "record": 6, "takeover": 5}
"""How many statements each transaction has, the COMMIT not counted."""
APPENDS = {"pose": 2, "answer": 1, "hear": 1, "claim": 1, "record": 1, "takeover": 1}
"""How many entries each writes. On a server that is one statement each, and in a file three."""
SHORT = {"claim": 5, "record": 4}
"""The same where what is held of a quota stays so."""
AT_ONCE = 1
"""Statements of the record of an everyday call, which is hoped for."""
OPENS = 2
"""More statements of a claim that opens the window of a quota: it finds none, and tidies up behind it."""
TELLS = 1
"""One more statement of a claim that was asked about: its thread knows the answer."""
ARMS, PAUSES, CLOSES = 1, 2, 2
"""Statements about the watch of an action that can be undone: of its claim, and of the record that lets it wait or ends
it."""

FOLLOWS = 1
"""A look at whether it is the part or the rest of a call, where what became of it is found out later."""


def around(what):
    """Before and after a step that is no transaction."""
    return [Point("before", what), Point("after", what)]


def coarse(what, backend="sqlite"):
    """Before, at the COMMIT of, and after a transaction."""
    del backend
    return [Point("before", what), Point("in", what), Point("after", what)]


def fine(what, statements=None, backend="sqlite"):
    """All of that, and each statement of the transaction."""
    count = (statements or STATEMENTS[what]) - 2 * APPENDS[what] * (backend == "postgres")
    each = [Point("in", what, n + 1) for n in range(count)]
    return [Point("before", what), *each, Point("in", what), Point("after", what)]


EFFECT = [Point("before", "effect"), Point("in", "effect"), Point("after", "effect")]
ASKING = {"unasked": (), "at the ledger": ("pose", "answer"), "in band": ("pose", "hear")}
"""The transactions that come before the claim."""


def recorded(kind, backend):
    """Every point of the record of a call that took effect."""
    return fine("record", AT_ONCE) if kind != "undoable" else fine("record", backend=backend)


def on_the_way(way, grain, kind="undoable", backend="sqlite"):
    """Every point that a first way through comes by. The first claim of a window hopes in vain."""
    asking = [point for what in ASKING[way] for point in grain(what, backend=backend)]
    more = OPENS if way == "unasked" else TELLS
    claim = fine("claim", STATEMENTS["claim"] + more, backend) if grain is fine else grain("claim")
    return [*asking, *claim, *EFFECT, *(recorded(kind, backend) if grain is fine else grain("record"))]


def in_recovery(kind, first, backend="sqlite"):
    """Every point that one comes by who recovers, unasked, from a crash at the first."""
    if nothing_known(first):
        return on_the_way("unasked", fine, kind, backend)
    if first == Point("after", "record"):
        return []
    found = [*fine("takeover", backend=backend), *around("probe")]
    match kind:
        case "undoable" if happened(first):  # Its health checks are good, so it stays.
            return [*found, *fine("record", STATEMENTS["record"] + CLOSES + FOLLOWS, backend)]
        case "undoable":
            paused = fine("record", SHORT["record"] + PAUSES, backend)
            return [*found, *paused, *fine("claim", SHORT["claim"] + ARMS, backend), *EFFECT]
        case "neither":
            return [*found, *fine("record", SHORT["record"], backend)]
        case "probe" if happened(first):
            return [*found, *recorded(kind, backend)]
        case _:  # It didn't happen, or may happen again: paused, and started over.
            effect = EFFECT[::2] if happened(first) else EFFECT  # A key that is known changes nothing a second time.
            paused = fine("record", SHORT["record"], backend)
            return [*found, *paused, *fine("claim", SHORT["claim"], backend), *effect]


def nothing_known(here):
    """Whether the ledger holds no claim after a crash at this point."""
    return here.what in {"pose", "answer", "hear"} or (here.what == "claim" and here.when != "after")


def happened(here):
    """Whether the effect has taken place at this point, at least by half."""
    return here.what == "record" or (here.what == "effect" and here.when != "before")


def recovered(kind, here):
    """What one recovery must come to after one crash: the state, and how many effects there are at last."""
    if nothing_known(here) or here == Point("after", "record"):
        return State.DONE, 1
    if kind == "neither":
        return State.UNKNOWN, int(happened(here))
    return State.DONE, 1


def check(place):
    """What must hold after any number of crashes, once somebody has recovered.

    Returns:
        The state of the one action, and how many effects there are.
    """
    ladder = place.ladder()
    try:
        assert place.world.effects() <= 1
        assert ladder.verify().problems == ()
        (action,) = ladder.actions()
        unknown = action.state is State.UNKNOWN
        assert [one.key for one in ladder.in_doubt()] == [action.key] * unknown
        quotas, holds, questions = ladder.store.read(_rows)
        unasked = place.way == "unasked"
        assert quotas == [(0, 1) if unknown else (1, 0)] * unasked
        assert holds == [(1,)] * (unasked and unknown)
        # An approval was given once, and used once: by the claim that came of it, however often it was recovered.
        assert questions == [("used",)] * (not unasked)
        kinds = [entry.kind for entry in ladder.log()]
        assert kinds.count("approved") == kinds.count("question") == len(questions)
    finally:
        ladder.close()
    if "://" not in place.ledger:
        found, _ = check_file(Path(place.ledger).resolve(), ())
        assert found.problems == ()
    return action.state, place.world.effects()


def _rows(cursor):
    looks = ("SELECT used, reserved FROM quota", "SELECT amount FROM hold", "SELECT state FROM question")
    return [[tuple(row) for row in cursor.execute(look).fetchall()] for look in looks]


def ids(cases):
    """Readable ids of cases of the matrix."""
    return ["-".join(str(part).replace(" ", "-") for part in case) for case in cases]


def product(*parts):
    """All combinations, as a list."""
    return list(itertools.product(*parts))
