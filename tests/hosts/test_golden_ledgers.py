"""The ledger of each release is opened, verified and gone on with by this one; on a server too, once it has moved."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import pytest

from ladder_graph import Ladder
from ladder_graph.ledger.moves.moving import move
from ladder_graph.ledger.moves.upgrades import plan
from tests.hosts import golden
from tests.hosts.test_resuming_apart import END

RELEASES = sorted(folder.name for folder in golden.WHERE.iterdir() if folder.is_dir())


def test_each_release_has_left_one():
    """Whoever makes a release makes its golden ledger."""
    assert RELEASES[0] == "0.1.0"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("server", [False, True], ids=["where it is", "moved to a server"])
def test_a_thread_that_waits_goes_on(release, server, tmp_path, request):
    """It was asked under that release; it is answered and comes to its end under this one, on the same checkpoints."""
    golden.unpacked(release, tmp_path)
    file, ledger = str(tmp_path / "ladder.db"), "ladder.db"
    with closing(Ladder(agent="ops", ledger=file)) as ladder:  # A file is brought up by whoever opens it.
        assert ladder.verify().ok
        heads = ladder.heads()
        waiting = {question.id for question in ladder.pending()}
    assert plan(file).statements == ()
    if server:
        ledger = request.getfixturevalue("postgres")
        move(file, ledger, by="ana", clock=lambda: dt.datetime.now(dt.UTC))
    apart = golden.at(tmp_path, ledger)
    with closing(Ladder(policy=tmp_path / "ladder.toml")) as ladder:
        assert ladder.heads() == heads
        assert {question.id for question in ladder.pending()} == waiting
        assert len(waiting) == 2
    threads = ("done", "waits", "waits too")
    assert apart.step("look", *threads) == {"done": [[], END], **{key: [["confirm"], [""]] for key in threads[1:]}}
    apart.step("approve")
    said = apart.worker("--once").said()
    assert said.count("went on: thread waits") == 2, said
    assert apart.step("look", *threads) == {key: [[], END] for key in threads}
    assert apart.lines("effects") == ["ben", "ben"]
    with closing(Ladder(policy=tmp_path / "ladder.toml")) as ladder:
        assert ladder.verify().ok
