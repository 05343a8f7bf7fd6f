"""A call that is sent to its rung by what was seen of the ones before it: quicker, and never another outcome."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.facts import Known, Outcome, Seen
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ledger import Journal, Store
from ladder_graph.ledger.actions.questions import Terms, micros
from ladder_graph.ledger.database.dialects import insert_into, table_of
from ladder_graph.ledger.people.filing import Filing
from ladder_graph.ledger.tables.report_rows import AwaitedRow
from ladder_graph.policy.bounds import Charge
from ladder_graph.policy.reading import policy_of
from ladder_graph.policy.reporting import Stream
from ladder_graph.recalling import A_MOMENT, Memory, looked_again
from ladder_graph.states import State
from ladder_graph.steps import Look
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import NOTHING, Declaration
from ladder_graph.trust.cells import CellKey
from ladder_graph.turns.hosting import Alone
from ladder_graph.turns.looking import Looking

TOOLS = {"send": "0" * 64, "note": "0" * 64}
MODEL = Environment("scripted", "m-1", "m-1-2026-01-01", "none", "{}", toolset_component(TOOLS), TOOLS)
RULES = {
    "send": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 6}]},
    "note": {"rung": "report", "read_only": True},
}


AWAIT = insert_into(AwaitedRow)
AWAITED = [column.name for column in table_of(AwaitedRow).columns]


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

    memory.grew([("shop", 5)], 0)
    assert end(2) == 5
    memory.grew([("shop", 6), ("shop", 7)], 0)
    assert end(3) == 5
    memory.grew([("shop", 8)], 0)
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


@pytest.mark.parametrize("late", [False, True])
def test_after_a_moment_the_claim_looks_again(ledger, looks, late):
    """A report may have become late, which nothing but time brings; then the route is found by a look."""
    clock = FrozenClock()
    with contextlib.closing((office := Office(ledger, clock)).ladder) as ladder:
        assert [office.call(n) for n in (1, 2, 3)] == ["done"] * 3
        due = micros(clock()) + (A_MOMENT if late else 3600 * A_MOMENT)
        row = ("d", "shop", "send", "", MODEL.key("send"), due, "another", 0)
        ladder.store.write(lambda cursor: cursor.execute(AWAIT, dict(zip(AWAITED, row, strict=True))))
        before = len(looks)
        clock.advance(2)
        office.call(4)
        assert looks[before : before + 1] == ["call_4"] * late
        assert ladder.verify().ok


def test_a_claim_that_has_looked_again_spares_the_next_one_that(ledger, looks, monkeypatch):
    """What it went by stood right before it, so that for another moment the end of the chain tells enough."""
    went, hope = [], Journal.hope
    monkeypatch.setattr(Journal, "hope", lambda *given: (went.append(given[2].seen), hope(*given))[1])
    clock = FrozenClock()
    with contextlib.closing((office := Office(ledger, clock)).ladder) as ladder:
        for number in range(8):
            assert office.call(number, tool="note") == "done"
            clock.advance(0.4)
        assert looks == ["call_0"]
        first, *_ = seen = [one for one in went if one is not None]
        # The fourth call and the seventh are made when more than a moment has passed.
        assert [round((one.at_us - first.at_us) / A_MOMENT, 1) for one in seen] == [0, 0, 0, 1.2, 1.2, 1.2, 2.4]
        started = [entry.n for entry in ladder.log() if entry.kind == "started"]
        assert [one.end for one in seen] == [n - 1 for n in sorted(started)[1:]]
        assert ladder.verify().ok


def test_a_cell_that_is_never_idle_finds_a_report_late(ledger, looks):
    """Where calls come so often that each goes by the one before, somebody looks at the time all the same."""
    clock = FrozenClock()
    with contextlib.closing((office := Office(ledger, clock)).ladder) as ladder:
        assert office.call(0, "note") == "done"
        row = ("d", "shop", "note", "", MODEL.key("note"), micros(clock()) + 3 * A_MOMENT, "another", 0)
        ladder.store.write(lambda cursor: cursor.execute(AWAIT, dict(zip(AWAITED, row, strict=True))))
        before = len(looks)
        for number in range(1, 9):
            clock.advance(0.6)
            office.call(number, "note")
        # It is late from the fifth call on, which still goes by what the fourth one has looked at a moment ago.
        assert looks[before] == "call_6"


@pytest.mark.parametrize(
    ("since", "n", "looked"),
    [(0, 5, False), (0, 9, False), (0.4, 9, False), (0.6, 5, False), (0.6, 9, True), (1, 5, True), (1, 9, True)],
)
def test_what_a_claim_must_have_looked_at(since, n, looked):
    """The end of the chain is enough for it within a moment, where nothing has come in between."""
    seen = Seen(mark="as it was", end=4, at_us=7)
    assert looked_again(seen, n, 7 + int(since * A_MOMENT)) is looked


def test_what_stood_is_that_of_this_cell_and_of_this_look():
    """Whoever has looked meanwhile knows better, and so does a claim that came later."""
    cell, more = CellKey("shop", "send"), replace(SEND, arguments={"n": 2})
    seen = Seen(mark="as it was", end=3, at_us=5)

    def known(of, went_by, n):
        memory = Memory()
        memory.keep(SEND, cell, seen)
        memory.stood(of, went_by, n, 9)
        found = memory.recalled(more, cell, (), 20)
        return found.end, found.at_us

    assert known(cell, seen, 7) == (7, 9)
    assert known(CellKey("shop", "note"), seen, 7) == (3, 5)
    assert known(cell, replace(seen, mark="as it became"), 7) == (3, 5)
    assert known(cell, seen, 3) == (3, 5)


def test_a_clock_that_was_set_back_makes_somebody_look(ledger, looks):
    """What holds for a while, such as the sampling after a change, may hold again."""
    clock = FrozenClock()
    with contextlib.closing((office := Office(ledger, clock)).ladder):
        assert [office.call(n) for n in (1, 2)] == ["done"] * 2
        before = len(looks)
        clock.advance(-1)
        assert office.call(3) == "done"
        assert looks[before:] == ["call_3"]


def test_a_route_is_told_by_a_look(offices, looks):
    """Whoever asks where a call would go gets what is true now."""
    one, _ = offices
    looks.clear()
    call = Call("shop", "t", "call_9", "send", {"n": 9}, MODEL.key("send"))
    assert one.ladder.route(call, MODEL)[0].rung == 3
    assert looks == ["call_9"]


SEND = Call("shop", "t", "call_1", "send", {"n": 1}, MODEL.key("send"))
KEPT = Seen(mark="as it was")
"""What was seen of another call in the cell."""
CHECKED = {"checks": [{"kind": "python", "function": "shop:healthy"}]}
REVERSIBLE = Declaration(prepare=dict, undo=dict)


@pytest.fixture
def looking():
    """What looks at a call of `send`, in a process that has just seen another one in its cell."""
    with contextlib.closing(Store(":memory:")) as store:

        def made(rule=None, declaration=NOTHING, filing=None, saga="", **policy):
            bounds = [{"kind": "volume", "limit": 6}]
            rules = policy_of(
                {"agent": "shop", "tools": {"send": {"bounds": bounds, **(rule or {})}}, **policy}, "here"
            )
            memory = Memory()
            memory.keep(replace(SEND, id="call_0", arguments={"n": 0}), CellKey("shop", "send", "", SEND.env), KEPT)
            return Looking(
                store=store, policy=rules, clock=FrozenClock(), terms=Terms(rules.rule("send")), filing=filing,
                declaration=declaration, host=Works(), saga=saga, memory=memory,
            )  # fmt: skip

        yield made


FILING = Filing("", Stream(reader=("ana",)))


@pytest.mark.parametrize(
    "how",
    [
        {"rule": {"rung": "bounded", "watch": {"window": 60, "confirm": "required"}}},
        {"rule": {"rung": "rollback", "read_only": True, "watch": {"window": 60, "confirm": "required"}}},
        {"rule": {"rung": "rollback"}, "declaration": REVERSIBLE, "rehearsals": "required"},
        {"rule": {"rung": "report"}, "declaration": REVERSIBLE, "rehearsals": "required"},
        {"rule": {"rung": "bounded", **CHECKED}},
        {"rule": {"rung": "report"}, "filing": FILING},
        {"rule": {"rung": "report", "read_only": True}, "filing": FILING},
        {"rule": {"rung": "bounded"}, "saga": "s1"},
    ],
)
def test_what_no_claim_looks_at_again_is_looked_at(looking, looks, how):
    """A watcher, a rehearsal, an alert, a reader, a scope: whatever a claim doesn't hold its look against."""
    found = looking(**how).look(Look(SEND, (), recall=True))
    assert (found.recalled, looks) == (False, ["call_1"])


@pytest.mark.parametrize(
    "how",
    [
        {"rule": {"rung": "bounded"}},
        {"rule": {"rung": "bounded"}, "filing": FILING},
        {"rule": {"rung": "bounded", "read_only": True, **CHECKED}},
        {"rule": {"rung": "report"}},
        {"rule": {"rung": "rollback"}, "declaration": REVERSIBLE, "rehearsals": "advised"},
        {"rule": {"rung": "rollback"}, "rehearsals": "required"},
        {"rule": {"rung": "rollback", "read_only": True}, "declaration": REVERSIBLE, "rehearsals": "required"},
        {"rule": {"rung": "bounded"}, "declaration": REVERSIBLE, "rehearsals": "required"},
    ],
)
def test_what_the_claim_looks_at_again_is_not_looked_at_before(looking, looks, how):
    """Where none of these bears on the call, what was seen of another one in its cell will do."""
    found = looking(**how).look(Look(SEND, (), recall=True))
    assert (found.recalled, looks) == (True, [])


def test_whoever_asks_for_a_look_gets_one(looking, looks):
    """And so does everybody in a process that remembers nothing."""
    one, other = looking(), looking()
    other.memory = None
    assert not one.look(Look(SEND)).recalled
    assert not other.look(Look(SEND, (), recall=True)).recalled
    assert looks == ["call_1", "call_1"]


def keeping(seen, number=1):
    """What is remembered for the next call in its cell, right after that was seen of one."""
    memory, cell = Memory(), CellKey("shop", "send")
    memory.keep(replace(SEND, id="call_0", arguments={"n": 0}), cell, KEPT)
    memory.keep(replace(SEND, id=f"call_{number}", arguments={"n": number}), cell, seen)
    return memory.recalled(replace(SEND, id="call_9", arguments={"n": 9}), cell, (), 0)


@pytest.mark.parametrize(
    "seen",
    [
        Seen(watched=False), Seen(rehearsed=False), Seen(firing="the queue is full"), Seen(mute="nobody hears"),
        Seen(scoped=True), Seen(pivot="it can't be undone"), Seen(overdue=1), Seen(mark=""),
    ],
)  # fmt: skip
def test_whatever_is_amiss_in_a_cell_is_forgotten_with_all_before(seen):
    """Each call that comes after it is looked at."""
    assert keeping(replace(seen, mark="" if seen == Seen(mark="") else "as it was")) is None


@pytest.mark.parametrize("name", ["known", "twin", "before"])
def test_what_is_true_of_one_call_alone_is_no_news_of_its_cell(name):
    """What was seen of the calls before it stays."""
    found = keeping(Seen(**{name: Known(SEND, State.DONE), "pinned": MODEL}))
    assert (found.mark, found.pinned) == ("as it was", None)


def test_a_word_of_the_ledger_holds_for_ever_and_a_length_for_a_moment():
    """The claim compares the word; that no report has become late nobody but time tells."""
    cell, other = CellKey("shop", "send"), replace(SEND, arguments={"n": 2})
    for seen, now, there in (
        (Seen(mark="as it was"), 9_999_999_999, True),
        (Seen(end=3, at_us=5), 5, True),
        (Seen(end=3, at_us=5), 5 + A_MOMENT - 1, True),
        (Seen(end=3, at_us=5), 5 + A_MOMENT, False),
        (Seen(end=3, at_us=5), 4, False),
        (Seen(end=0, at_us=5), 5, True),
    ):
        memory = Memory()
        memory.keep(SEND, cell, seen)
        assert (memory.recalled(other, cell, (), now) is not None) is there


def test_what_was_left_is_told_of_each_quota_that_was_seen():
    """A quota that nobody has looked at is looked at."""
    cell, memory = CellKey("shop", "send"), Memory()
    one, two = (Charge(f"shop/send/{name}", "it", 1, 3, "calls") for name in ("calls", "others"))
    memory.keep(SEND, cell, Seen(mark="as it was", left=((one, 2),)))
    assert memory.recalled(SEND, cell, (one,), 0) is None, "it was made before"
    assert memory.recalled(replace(SEND, arguments={"n": 2}), cell, (one, two), 0) is None
    assert memory.recalled(replace(SEND, arguments={"n": 2}), cell, (one,), 0).left == ((one, 2),)
    assert memory.recalled(replace(SEND, arguments={"n": 2}), cell, (one,), 0) is None, "it was made before"
    assert memory.recalled(replace(SEND, arguments={"n": 2}, thread="u"), cell, (one,), 0) is not None


@pytest.mark.parametrize(
    ("written", "end"),
    [
        ([], 4),
        ([("shop", 5)], 5),
        ([("shop", 5), ("shop", 6)], 6),
        ([("shop", 6)], 4),
        ([("other", 5)], 4),
        ([("shop", 4)], 4),
        ([("shop", 3), ("shop", 4)], 4),
        ([("shop", 3), ("shop", 4), ("shop", 5)], 5),
        ([("shop", 5), ("shop", 7)], 4),
    ],
)
def test_a_chain_that_grew_by_calls_of_this_process_has_grown_by_nothing_else(written, end):
    """Only where each entry since the look is one of them."""
    memory, cell = Memory(), CellKey("shop", "send")
    memory.keep(SEND, cell, Seen(end=4, at_us=0))
    for entry in written:
        memory.grew([entry], 0)
    assert memory.recalled(replace(SEND, arguments={"n": 2}), cell, (), 1).end == end


def test_it_forgets_rather_than_grows(monkeypatch):
    """However many cells and calls there are, memory stays small."""
    monkeypatch.setattr("ladder_graph.recalling.MOST", 5)
    memory = Memory()
    for number in range(100):
        memory.keep(replace(SEND, arguments={"n": number}), CellKey("shop", "send", str(number)), KEPT)
        assert len(memory._met) <= 5
        assert len(memory._cells) <= 5


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


# --- what an agent has to hear -----------------------------------------------------------------------------------


def quiet(run=1, thread="t", now=A_MOMENT - 1, grown=((4, 5, 0),), end=4):
    """Whether a run may take it that there is nothing to hear, after a look and so much growth of its chain."""
    memory = Memory()
    memory.hear_nothing("shop", "t", 1, end)
    for first, last, at_us in grown:
        for n in range(first, last):
            memory.grew([("shop", n + 1)], at_us)
    return memory.heard_all("shop", thread, run, now)


def test_nothing_new_can_have_come_of_a_draft():
    """Since the run looked, its agent's chain has grown by calls of this process alone, a moment ago."""
    assert quiet()
    assert quiet(grown=[(4, 9, 0)])
    assert quiet(end=5), "it was as long already when somebody looked"


@pytest.mark.parametrize(
    "what",
    [
        {"run": 2},
        {"run": None},
        {"thread": "other"},
        {"now": A_MOMENT},
        {"now": -1},
        {"grown": ()},
        {"grown": [(5, 6, 0)]},
        {"grown": [(4, 5, 0), (6, 7, 0)]},
        {"end": 3},
        {"end": 6},
    ],
    ids=str,
)
def test_where_something_may_have_come_of_it_somebody_looks(what):
    """Another run, another thread, a while ago, or an entry that isn't known to be one of this process's calls."""
    assert not quiet(**what)


def test_a_run_that_nobody_counted_always_looks():
    """As in a graph that isn't wrapped."""
    memory = Memory()
    memory.hear_nothing("shop", "t", None, 4)
    memory.grew([("shop", 5)], 0)
    assert not memory.heard_all("shop", "t", None, 1)


def test_it_forgets_threads_too(monkeypatch):
    """A process that serves many threads keeps a few."""
    monkeypatch.setattr("ladder_graph.recalling.MOST", 5)
    memory = Memory()
    for number in range(100):
        memory.hear_nothing("shop", str(number), 1, 0)
        assert len(memory._silent) <= 5
