"""What is erased whole: results, reasons and scopes, also where no entry says anything; on either database."""

from __future__ import annotations

import contextlib
import datetime as dt
import json

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from sqlmodel import SQLModel

from ladder_graph import Ladder, reversible
from ladder_graph.ledger.database.dialects import insert_into
from ladder_graph.ledger.tables.resumption_rows import ResumptionRow
from ladder_graph.ledger.upkeep import portions
from ladder_graph.ledger.upkeep.spellings import Wanted, plain
from ladder_graph.testing import ScriptedModel, calls

WHO = "Jürgen Vogt"
POLICY = """
agent = "desk"
rehearsals = "advised"

[tools.newest]
rung = "bounded"
bounds = [{ kind = "volume", limit = 100, per = "day" }]

[tools.book]
rung = "rollback"
checks = [{ kind = "python", function = "desk_health:fine" }]
bounds = [{ kind = "volume", limit = 100, per = "day" }]

[tools.look_up]
rung = "bounded"
bounds = [{ kind = "volume", limit = 100, per = "day" }]
"""


@tool
def newest() -> str:
    """Tell who came last."""
    return f"{WHO}, Hauptstr. 1"


@tool
def look_up(number: int) -> str:
    """Tell who has a number."""
    return json.dumps({"name": WHO, "number": number})


def cancelled(name):
    """Undo a booking; some can't be."""
    if "no way back" in name:
        raise ValueError(f"{name} has left already")


@tool
@reversible(prepare=lambda said: said["name"], undo=cancelled)
def book(name: str) -> str:
    """Book for somebody."""
    return f"booked for {name}"


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request, tmp_path):
    """Where the ledger lies, on either database."""
    return str(tmp_path / "ladder.db") if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def policy(tmp_path, ledger, monkeypatch):
    """The file of a policy that names the ledger."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "desk_health.py").write_text("def fine(arguments):\n    return True\n", encoding="utf-8")
    file = tmp_path / "ladder.toml"
    file.write_text(f'ledger = "{ledger}"\n{POLICY}', encoding="utf-8")
    return file


def opened(policy, days=0.0):
    """The ladder so many days later."""
    return contextlib.closing(
        Ladder(policy=policy, clock=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=days))
    )  # fmt: skip


def kept_for(policy, age, days):
    """The ladder so many days later, under a policy that keeps payloads for a time."""
    policy.write_text(f'{policy.read_text(encoding="utf-8")}\n[retention]\npayloads = "{age}"\n', encoding="utf-8")
    return opened(policy, days)


def ran(ladder, *wants):
    """Let the agent make these calls, each in a thread of its own."""
    hands = [newest, look_up, book]
    model = ScriptedModel(answers=[answer for want in wants for answer in (calls(*want), "Done.")])
    bound = model.bind_tools(hands)
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(hands))
    graph.set_entry_point("model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    under = ladder.wrap(graph, checkpointer=InMemorySaver())
    for number in range(len(wants)):
        under.invoke({"messages": [("user", "Go on.")]}, {"configurable": {"thread_id": f"t{number}"}})


def naming(ladder, name=WHO):
    """The tables, with the rows in them that name somebody, however they spell it."""
    wanted = Wanted(None, (plain(name),))
    found = []
    for table in sorted(SQLModel.metadata.tables):
        sql = f'SELECT * FROM "{table}"'  # noqa: S608  # our own tables
        every = ladder.store.read(lambda cursor, sql=sql: cursor.execute(sql).fetchall())
        found += [(table, tuple(row)) for row in every if wanted.named(tuple(row))]
    return found


def test_a_result_that_is_json_names_somebody(policy):
    """`json.dumps` spells a name with escapes, and it is found all the same, whatever code points are asked for."""
    with opened(policy) as ladder:
        ran(ladder, ("look_up", {"number": 7}))
        assert {table for table, _ in naming(ladder)} == {"action"}
        found = ladder.erasable(person=["ju\u0308rgen vogt"])
        assert len(found.actions) == 1
        ladder.erase(found, by="ana", reason="he asked")
        assert naming(ladder) == []
        assert ladder.verify().ok


def test_what_was_undone_can_be_erased(policy):
    """An undo that is over is waited for by nobody: it goes by whom it names, and by age."""
    with opened(policy) as ladder:
        ran(ladder, ("book", {"name": WHO}), ("book", {"name": "Cy Nowak"}))
        for action in ladder.actions():
            assert ladder.undo(action.key, by="ana") == "undone"
        found = ladder.erasable(person=[WHO])
        assert found.waiting == ()
        ladder.erase(found, by="ana", reason="he asked")
        assert naming(ladder) == []
        assert len(naming(ladder, "Cy Nowak")) > 1
    with kept_for(policy, "30d", days=31) as ladder:
        assert ladder.sweep_retention()
        assert naming(ladder, "Cy Nowak") == []
        assert ladder.verify().ok


def test_what_a_failed_undo_left_goes_once_somebody_keeps_it(policy):
    """As long as a person must look, what there is to look at stays; afterwards nobody waits for it."""
    who = f"{WHO}, no way back"
    with opened(policy) as ladder:
        ran(ladder, ("book", {"name": who}), ("book", {"name": f"{who} either"}))
        first, second = ladder.actions()
        for action in (first, second):
            assert ladder.undo(action.key, by="ana") == "undo_failed"
        ladder.keep(first.key, by="ana", reason="it is as it should be")
        found = ladder.erasable(person=[WHO])
        assert (found.actions, found.waiting) == ((first.key,), (second.key,))
    with kept_for(policy, "30d", days=31) as ladder:
        assert ladder.sweep_retention()
        assert [bool(action.arguments) for action in ladder.actions()] == [False, True]
        ladder.keep(second.key, by="ana", reason="this one too")
        ladder.erase(ladder.erasable(person=[WHO]), by="ana", reason="he asked")
        assert naming(ladder) == []
        assert ladder.verify().ok


def test_a_result_goes_though_no_entry_says_anything(policy):
    """Entries say nothing more of a call without arguments; what it came back with is erased all the same."""
    with opened(policy) as ladder:
        ran(ladder, ("newest", {}), ("look_up", {"number": 7}))
        bare = next(action for action in ladder.actions() if action.tool == "newest")
        found = ladder.erasable(person=[WHO])
        assert [key for _, key in found.bare] == [bare.key]
        ladder.erase(found, by="ana", reason="he asked")
        assert naming(ladder) == []
        assert ladder.erasable(person=[WHO]).actions == ()
        assert ladder.verify().ok
        assert [entry.body["actions"] for entry in ladder.log() if entry.kind == "erased"] == [2]


def test_a_result_goes_by_age_though_no_entry_says_anything(policy):
    """So does retention take it, once."""
    with opened(policy) as ladder:
        ran(ladder, ("newest", {}))
    with kept_for(policy, "30d", days=31) as ladder:
        ladder.sweep_retention()
        assert naming(ladder) == []
        ladder.sweep_retention()
        assert sum(entry.kind == "erased" for entry in ladder.log()) == 1
        assert ladder.verify().ok


def test_what_no_entry_says_is_divided_too(policy, monkeypatch):
    """However many results there are, no transaction is long."""
    monkeypatch.setattr(portions, "PORTION", 2)
    with opened(policy) as ladder:
        ran(ladder, *[("newest", {})] * 5, ("look_up", {"number": 7}))
        ladder.erase(ladder.erasable(older_than=dt.timedelta(0)), by="ana", reason="all of it")
        said = [entry.body["actions"] for entry in ladder.log() if entry.kind == "erased"]
        assert (sum(said), max(said)) == (6, 2)
        assert naming(ladder) == []


def test_the_command_erases_a_result_alone(policy, ladder, monkeypatch):
    """`ladder erase` doesn't stop at finding no entry, and says where it stands."""
    monkeypatch.chdir(policy.parent)
    with opened(policy) as one:
        ran(one, ("newest", {}))
    told = ladder("erase", "--person", WHO, "--reason", "he asked", "--yes").stdout
    assert "0 entries about 1 actions say what would be erased." in told
    assert "Of 1 of the actions no entry does" in told
    assert "every chain is whole" in told
    with opened(policy) as one:
        assert naming(one) == []


def watched(policy):
    """Let each booking be watched for a day."""
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace("[tools.look_up]", 'watch = { window = "1d" }\n[tools.look_up]'), encoding="utf-8")


def test_what_people_said_of_a_watch_goes(policy):
    """A reason for keeping or extending stands where watchers read it; that somebody said so stays."""
    watched(policy)
    with opened(policy) as ladder:
        ran(ladder, ("book", {"name": "tea"}), ("book", {"name": "milk"}))
        first, second = ladder.actions()
        for action in (first, second):
            ladder.extend(action.key, seconds=90_000, by="ana", reason=f"{WHO} isn't sure")
        ladder.keep(first.key, by="ana", reason=f"{WHO} likes it")
        found = ladder.erasable(person=[WHO])
        assert (found.actions, found.waiting) == ((first.key,), (second.key,))
        ladder.erase(found, by="ana", reason="he asked")
        assert {row[3] for table, row in naming(ladder) if table == "signal"} == {second.key}
        (window,) = ladder.watched()
        ladder.keep(second.key, by="ana")
        ladder.erase(ladder.erasable(person=[WHO]), by="ana", reason="he asked")
        assert naming(ladder) == []
        said = ladder.store.read(lambda cursor: [json.loads(row["body"]) for row in cursor.execute(SIGNALS).fetchall()])
        assert {(one["by"], one["reason"]) for one in said} == {("ana", "")}
        assert window.until.timestamp() > dt.datetime.now(dt.UTC).timestamp() + 86_400


SIGNALS = "SELECT body FROM signal"


def test_what_kept_a_thread_from_going_on_goes(policy):
    """The last error of a thread is in the words of whatever raised it."""
    with opened(policy) as ladder:
        ran(ladder, ("look_up", {"number": 7}))
        (action,) = ladder.actions()
        row = dict.fromkeys(("agent", "thread", "call_id", "tool", "owner", "how"), "")
        row |= {"question": "q", "action": action.key, "why": "approve", "at_us": 1, "state": "lost", "due_us": None}
        row |= {"tries": 1, "problem": f"ValueError: {WHO}"}
        ladder.store.write(lambda cursor: cursor.execute(insert_into(ResumptionRow), row))
        ladder.erase(ladder.erasable(person=[WHO]), by="ana", reason="he asked")
        assert naming(ladder) == []


def in_a_scope(ladder, name, wrong="", reason=""):
    """Book in a scope, which its block may undo or fall out of; its id."""
    with contextlib.suppress(LookupError), ladder.saga(name) as saga:
        ran(ladder, ("book", {"name": "tea"}))
        if reason:
            saga.undo(reason)
        if wrong:
            raise LookupError(wrong)
    return saga.id


@pytest.mark.parametrize(
    "words", [{"name": f"a trip for {WHO}"}, {"name": "trip", "wrong": f"no {WHO}"}, {"name": "trip", "reason": WHO}]
)
def test_what_a_scope_says_goes(policy, words):
    """Its name, the error that its block fell out with, and why somebody undid it: in its row and in its entries."""
    with opened(policy) as ladder:
        scope = in_a_scope(ladder, **words)
        phase = ladder.saga_view(scope).phase
        assert {table for table, _ in naming(ladder)} >= {"saga", "payload"}
        ladder.erase(ladder.erasable(person=[WHO]), by="ana", reason="he asked")
        assert naming(ladder) == []
        assert ladder.saga_view(scope).phase == phase
        found = ladder.erasable(person=[WHO])
        assert (found.entries, found.actions) == ((), ())
        assert ladder.verify().ok


def test_a_scope_that_is_closed_by_hand_forgets_why(policy):
    """It waits as long as it is open, and the command says so; then each reason goes, also one that a later covers."""
    with opened(policy) as ladder:
        with contextlib.suppress(GraphInterrupt), ladder.saga("trip") as saga:
            ran(ladder, ("book", {"name": WHO}))
            raise GraphInterrupt
        found = ladder.erasable(person=[WHO])
        assert (found.actions, len(found.waiting)) == ((), 1)
        ladder.close_saga(saga.id, by="ana", reason=f"{WHO} paid")
        ladder.erase(ladder.erasable(person=[WHO]), by="ana", reason="he asked")
        assert naming(ladder) == []
        erased = [one for entry in ladder.log() if entry.kind == "erased" for one in entry.body["kept"].values()]
        assert (saga.id, "closed", "ana") in [(one.get("saga"), one.get("phase"), one.get("by")) for one in erased]


def test_an_open_scope_that_names_somebody_is_told(policy, ladder, monkeypatch):
    """Nothing of it goes yet, and whoever asks is told that it isn't over."""
    monkeypatch.chdir(policy.parent)
    with opened(policy) as one, one.saga(f"a trip for {WHO}") as saga:
        assert one.erasable(person=[WHO]).scopes == (saga.id,)
        assert one.erasable(person=[WHO]).entries == ()
        assert f"1 scopes aren't over, and stay:\n    {saga.id[:12]}" in ladder("erase", "--person", WHO).stdout


def test_what_a_scope_says_goes_with_the_first_of_its_calls(policy):
    """A scope is undone in the words of a call of it, whomever they name."""
    with opened(policy) as ladder:
        scope = in_a_scope(ladder, "trip", wrong="no such tea")
        ladder.erase(ladder.erasable(person=["tea"]), by="ana", reason="it asked")
        assert (ladder.saga_view(scope).name, ladder.saga_view(scope).why) == ("", "")
        assert naming(ladder, "no such tea") == []


@pytest.mark.parametrize("which", ['payloads = "30d"', 'tools = { book = "30d" }'])
def test_what_a_scope_says_goes_by_age(policy, which):
    """By the time for all, or once a call of it went by its tool's."""
    with opened(policy) as ladder:
        in_a_scope(ladder, f"a trip for {WHO}", wrong=f"{WHO} called it off")
    policy.write_text(f"{policy.read_text(encoding='utf-8')}\n[retention]\n{which}\n", encoding="utf-8")
    with opened(policy, 29) as ladder:
        assert ladder.sweep_retention() == 0
    with opened(policy, 31) as ladder:
        assert ladder.sweep_retention()
        assert naming(ladder) == []
        assert ladder.sweep_retention() == 0
        assert ladder.verify().ok
