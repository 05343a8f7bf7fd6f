"""A call that is sent to its rung by what was seen of the ones before it: quicker, and never another outcome."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.facts import Outcome, Seen
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ledger import Journal
from ladder_graph.recalling import Memory
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import NOTHING
from ladder_graph.trust.cells import CellKey
from ladder_graph.turns.hosting import Alone

TOOLS = {"send": "0" * 64, "note": "0" * 64}
MODEL = Environment("scripted", "m-1", "m-1-2026-01-01", "none", "{}", toolset_component(TOOLS), TOOLS)
RULES = {
    "send": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 6}]},
    "note": {"rung": "report", "read_only": True},
}


class Asks(BaseException):
    """Somebody must answer."""


class Works(Alone):
    """Runs what it is told to, and says what came of it."""

    def __init__(self):
        self.ran, self.comes_to = [], "done"

    def ring(self, question, complaint):
        """Nobody answers here."""
        raise Asks

    def execute(self, call, *, again=False):
        """The effect."""
        self.ran.append(call.id)
        return Outcome(self.comes_to, "sent", text="" if self.comes_to == "done" else "it broke")


class Office:
    """One process with a ladder of its own on a ledger that others may share."""

    def __init__(self, ledger, clock, agent="shop"):
        self.ladder = Ladder(agent=agent, rungs=RULES, ledger=ledger, clock=clock)
        for tool in RULES:
            self.ladder.seat(tool, NOTHING, agent=agent, can_ask=True)
        self.agent, self.works = agent, Works()

    def call(self, number, tool="send", thread="t"):
        """What a call comes to: its state, or `asked`."""
        call = Call(self.agent, thread, f"call_{number}", tool, {"n": number}, MODEL.key(tool))
        try:
            return str(self.ladder.run(call, MODEL, self.works).state)
        except Asks:
            return "asked"


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request, tmp_path):
    """A new ledger on each kind of database."""
    return request.getfixturevalue("postgres") if request.param == "postgres" else tmp_path / "ladder.db"


@pytest.fixture
def offices(ledger):
    """Two processes, as far as the ledger can tell, that have made their first calls."""
    clock = FrozenClock()
    with contextlib.ExitStack() as opened:
        both = [Office(ledger, clock) for _ in range(2)]
        for office, number in zip(both, ("a", "b"), strict=True):
            opened.enter_context(contextlib.closing(office.ladder))
            assert office.call(number) == "done"
        yield both


@pytest.fixture
def looks(monkeypatch):
    """Each look that is taken at a call."""
    taken, look = [], Journal.look
    monkeypatch.setattr(Journal, "look", lambda *given: (taken.append(given[2].id), look(*given))[1])
    return taken


def test_the_next_call_needs_no_look(offices, looks):
    """Nothing was written but by calls of this process, so what it knows still holds."""
    _, two = offices
    assert [two.call(n) for n in (1, 2)] == ["done", "done"]
    assert looks == []
    assert two.ladder.verify().ok


def test_what_is_written_elsewhere_is_seen_by_the_very_next_call(offices):
    """A demotion by another process holds for a call whose route was found without asking the ledger."""
    one, two = offices
    one.ladder.demote("send", "confirm", reason="it went wrong", by="ana")
    assert [office.call(n) for n, office in enumerate((two, one), 1)] == ["asked", "asked"]
    assert two.works.ran == ["call_b"]


def test_what_this_process_writes_besides_is_seen_too(offices):
    """Only the start and the end of a call are known to change nothing for the next one."""
    one, _ = offices
    assert one.call(1) == "done"
    one.ladder.demote("send", "confirm", reason="it went wrong", by="ana")
    assert (one.call(2), one.works.ran) == ("asked", ["call_a", "call_1"])


def test_what_comes_with_the_end_of_a_call_is_looked_at():
    """An outcome that costs the rung has an entry for that, in the same transaction."""
    memory, cell = Memory(), CellKey("shop", "send")
    call = Call("shop", "t", "call_1", "send", {"n": 1})
    memory.keep(call, cell, Seen(end=4, at_us=0))

    def end(number):
        found = memory.recalled(Call("shop", "t", f"call_{number}", "send", {"n": number}), cell, (), 1)
        return found.end

    memory.grew([("shop", 5)])
    assert end(2) == 5
    memory.grew([("shop", 6), ("shop", 7)])
    assert end(3) == 5
    memory.grew([("shop", 8)])
    assert end(4) == 4, "the chain is longer than any look of ours, so the claim looks"


def test_what_others_took_of_a_quota_is_gone(offices):
    """Both go by what was left when they looked, and together they pass no limit."""
    one, two = offices
    came = [office.call(n) for n, office in enumerate((one, two, one, two, one, two))]
    assert came == ["done"] * 4 + ["asked"] * 2
    assert len(one.works.ran) + len(two.works.ran) == 6


def test_the_same_call_again_is_known(offices, looks):
    """Under its own id it says what came of it; it doesn't run a second time."""
    one, _ = offices
    assert (one.call(1), one.call(1)) == ("done", "done")
    assert one.works.ran == ["call_a", "call_1"]
    assert looks


def test_the_same_call_of_another_process_is_known(offices):
    """The claim finds it, though this process never saw it."""
    one, two = offices
    assert (one.call(1), two.call(1)) == ("done", "done")
    assert one.works.ran + two.works.ran == ["call_a", "call_1", "call_b"]


def test_after_a_moment_somebody_looks_again(tmp_path, looks):
    """A report may have become late, which nothing but time brings."""
    clock = FrozenClock()
    office = Office(tmp_path / "ladder.db", clock)
    with contextlib.closing(office.ladder):
        assert [office.call(n) for n in (1, 2, 3)] == ["done"] * 3
        before = len(looks)
        clock.advance(2)
        assert office.call(4) == "done"
        assert looks[before:] == ["call_4"]


def test_a_route_is_told_by_a_look(offices, looks):
    """Whoever asks where a call would go gets what is true now."""
    one, _ = offices
    looks.clear()
    call = Call("shop", "t", "call_9", "send", {"n": 9}, MODEL.key("send"))
    assert one.ladder.route(call, MODEL)[0].rung == 3
    assert looks == ["call_9"]


def test_it_forgets_rather_than_grows(monkeypatch):
    """However many cells and calls there are, memory stays small."""
    monkeypatch.setattr("ladder_graph.recalling.MOST", 5)
    memory = Memory()
    for number in range(100):
        memory._meet(("t", str(number)))
    assert len(memory._met) <= 5


DOES = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(0, 1), st.sampled_from(["send", "note"]), st.integers(0, 9)),
        st.tuples(st.just("lower"), st.integers(0, 1), st.sampled_from(["send", "note"]), st.integers(1, 3)),
        st.tuples(st.just("wait"), st.sampled_from([0.3, 2, 90000])),
        st.tuples(st.just("break"), st.integers(0, 1), st.sampled_from(["done", "failed", "unknown"])),
    ),
    max_size=24,
)


def outcomes(folder, does):
    """What each call of a story comes to, and what ran."""
    clock = FrozenClock()
    with contextlib.ExitStack() as opened:
        offices = [Office(folder / "ladder.db", clock) for _ in range(2)]
        for office in offices:
            opened.enter_context(contextlib.closing(office.ladder))
        came = []
        for what, *how in does:
            if what == "call":
                which, tool, number = how
                came.append(offices[which].call(number, tool))
            elif what == "lower":
                which, tool, rung = how
                offices[which].ladder.demote(tool, rung, reason="by the story", by="ana")
            elif what == "wait":
                clock.advance(*how)
            else:
                offices[how[0]].works.comes_to = how[1]
        assert offices[0].ladder.verify().ok
        kinds = [(entry.kind, entry.action) for entry in offices[0].ladder.log(limit=500)]
        return came, [office.works.ran for office in offices], kinds


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(does=DOES)
def test_no_story_ends_otherwise(tmp_path_factory, does):
    """Two processes with a memory come to exactly what two without one come to, entry for entry."""
    with_one = outcomes(tmp_path_factory.mktemp("with"), does)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Memory, "recalled", lambda *_: None)
        assert with_one == outcomes(tmp_path_factory.mktemp("without"), does)
