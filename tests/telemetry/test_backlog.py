"""What waits in a ledger, on both databases, read by index."""

from __future__ import annotations

import contextlib

import pytest

from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.lists import backlog
from ladder_graph.ledger.watching import watchers
from ladder_graph.policy import Policy
from ladder_graph.telemetry import catalog
from ladder_graph.telemetry.levels import Levels
from ladder_graph.testing import FrozenClock, calls
from ladder_graph.turns.hosting import Alone
from tests.hosts.graphs import GO, WAYS, World, agent_of, on

POLICY = {
    "agent": "ops", "watcher": "process",
    "tools": {
        "ask": {"rung": "confirm"}, "act": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 9}]},
        "tell": {"rung": "report", "read_only": True},
    },
    "reports": {"reader": "ana"},
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgres"])
def ladder(request, tmp_path):
    """A ladder over either database, whose clock stands still."""
    source = tmp_path / "ladder.db" if request.param == "sqlite" else request.getfixturevalue("postgres")
    policy = Policy.model_validate(POLICY)
    with contextlib.closing(Ladder(policy=policy, ledger=source, clock=FrozenClock())) as made:
        yield made


class Asking(Alone):
    """Nobody is there."""

    def ring(self, question, complaint):
        """The thread stops."""
        raise InterruptedError


def ask(ladder, number, agent="ops"):
    """A question that waits."""
    ladder.seat("ask", ladder.declared("ask", ladder.seat_of(agent, "ask").declaration), agent=agent, can_ask=True)
    with pytest.raises(InterruptedError):
        ladder.run(Call(agent, "t", str(number), "ask", {"n": number}), None, Asking())


def looked(ladder):
    """What waits now."""
    now = micros(ladder.clock())
    return ladder.store.glance(lambda cursor: backlog.look(cursor, ladder.store.owner, now))


def test_an_empty_ledger_has_nothing_waiting(ladder):
    """There is nothing to tell but that nobody watches."""
    found = looked(ladder)
    assert found == backlog.Backlog([], [], [], [], [], [], [], {"alive": 0, "dead": 0})


def test_open_questions_are_counted_by_agent_and_tool_with_their_age(ladder):
    """Each agent of the ledger has its own, those inside it too; what was answered waits no more."""
    ask(ladder, 1)
    ladder.clock.advance(90)
    ask(ladder, 2)
    ask(ladder, 3, "ops/research")
    levels = {(one.metric.name, one.labels): one.value for one in Levels(ladder).now()}
    assert levels["ladder.questions.open", ("ops", "ask")] == 2
    assert levels["ladder.questions.open", ("ops/research", "ask")] == 1
    assert levels["ladder.questions.oldest", ("ops", "ask")] == 90
    for question in ladder.pending():
        ladder.decline(question.id, by="ana", reason="no")
    assert looked(ladder).questions == []


def test_what_is_in_doubt_is_counted(ladder):
    """An action of which nobody knows whether it took effect is unsettled until somebody says what became of it."""

    def fails(x):
        raise ValueError("bad")

    agent = agent_of([calls("act", {"x": "1"}), "Done."], [World().tool("act", acts=fails)])
    WAYS[0].invoke(ladder.wrap(agent), GO, on())
    assert looked(ladder).unsettled == [("ops", "act", "unknown", 1)]
    (action,) = ladder.actions()
    ladder.resolve(action.key, happened=False, by="ana")
    assert looked(ladder).unsettled == []


def test_demotions_are_counted_for_ever(ladder):
    """By agent, whatever became of the tool afterwards."""
    ladder.demote("act", to="confirm", by="ana", reason="no")
    assert looked(ladder).demotions == [("ops", 1)]


def test_watchers_that_are_silent_count_as_dead(ladder):
    """One that said a moment ago that it works is alive; later it isn't, until its name is taken away."""
    now = micros(ladder.clock())
    ladder.store.write(lambda cursor: watchers.beat(cursor, ladder.store.owner, "here/1", now))
    assert looked(ladder).watchers == {"alive": 1, "dead": 0}
    later = now + watchers.SILENT
    assert ladder.store.glance(lambda cursor: backlog.look(cursor, ladder.store.owner, later)).watchers == {
        "alive": 0, "dead": 1,
    }  # fmt: skip


def test_only_what_is_open_is_read(tmp_path):
    """No look goes through a whole table that grows with what is over."""
    with contextlib.closing(Ladder(policy=Policy.model_validate(POLICY), ledger=tmp_path / "ladder.db")) as ladder:
        for name in ("_QUESTIONS", "_UNSETTLED", "_DEMOTIONS", "_REPORTS", "_DUE", "_WATCHES"):
            sql = getattr(backlog, name)

            def plan(cursor, sql=sql):
                rows = cursor.execute(f"EXPLAIN QUERY PLAN {sql}", {"now": 0} if ":now" in sql else {}).fetchall()
                return [row["detail"] for row in rows]

            for line in ladder.store.glance(plan):
                table = line.split()[1] if line.startswith("SCAN") else ""
                assert table in {"", "head"} or "USING" in line, (name, line)


def test_scopes_of_which_something_stays_are_counted_until_they_are_closed(ladder):
    """A point of no return stops an undo, and only a person ends that."""
    agent = agent_of([calls("act", {"x": "1"}), "Done."], [World().tool("act")])
    with ladder.saga() as saga:
        WAYS[0].invoke(ladder.wrap(agent), GO, on())
        saga.undo("a test")
    levels = {(one.metric.name, one.labels): one.value for one in Levels(ladder).now()}
    assert levels["ladder.scopes.held", ("ops",)] == 1
    ladder.close_saga(saga.id, by="ana")
    assert looked(ladder).scopes == []


def test_many_who_ask_at_once_make_one_look(ladder, monkeypatch):
    """Within a second the ledger is looked at once."""
    levels, looks = Levels(ladder), []
    monkeypatch.setattr("ladder_graph.telemetry.levels.backlog.look", lambda *given: looks.append(1) or looked_empty())
    monkeypatch.setattr("ladder_graph.telemetry.levels.time.monotonic", lambda: 5.0)
    for _ in range(3):
        assert {one.metric for one in levels.now()} == {catalog.WATCHERS}
    assert looks == [1]


def looked_empty():
    """Nothing waits."""
    return backlog.Backlog([], [], [], [], [], [], [], {"alive": 1, "dead": 0})
