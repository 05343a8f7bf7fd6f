"""Random bytes that nobody else has, whoever draws them."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor

from ladder_graph.entropy import SIZE, draw


def test_no_two_draws_are_alike_in_any_thread():
    """More of them than one page holds."""
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: draw(), range(2000)))
    assert {len(one) for one in drawn} == {SIZE}
    assert len(set(drawn)) == len(drawn)


def test_a_forked_child_draws_others():
    """It doesn't go on with the parent's page."""
    draw()
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Threads of the suite's own are no reason not to fork.
        child = os.fork()
    if not child:
        os.write(writing, b"".join(draw() for _ in range(300)))
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        theirs = pipe.read()
    ours = {draw() for _ in range(300)}
    assert len(theirs) == 300 * SIZE
    assert ours.isdisjoint(theirs[at : at + SIZE] for at in range(0, len(theirs), SIZE))
