"""What a call really cost: settled where it was held, and an overrun is written down and demotes."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Declaration, DefiniteFailure, Ladder, Rung, spent
from ladder_graph.testing import ScriptedModel, calls
from ladder_graph.trust.held import Held

BOUNDS = [
    {"kind": "cost", "limit": "$1", "each": "$0.20"},
    {"kind": "cost", "limit": "$9", "argument": "dollars", "within": "24h"},
    {"kind": "volume", "limit": 5},
]
FREE = {"micro_usd/each/day/UTC": (0, 0), "micro_usd/of:dollars/within:1d": (0, 0), "calls/day/UTC": (0, 0)}


@tool
def pay(dollars: float, spends: list[str], ends: str = "well") -> str:
    """Pay."""
    for amount in spends:
        spent(amount)
    if ends == "definitely":
        raise DefiniteFailure("nothing was sent")
    if ends == "badly":
        raise RuntimeError("the line is dead")
    return "paid"


def paid(folder, way="sync", ledger=None, **arguments):
    """One call in an agent: what each counter used and holds, the kinds of its entries, and the ladder's standing."""
    rungs = {"pay": {"rung": "bounded", "bounds": BOUNDS}}
    with closing(Ladder(agent="payer", rungs=rungs, ledger=ledger or folder / "l.db")) as ladder:
        model = ScriptedModel(answers=[calls("pay", {"dollars": 0.5, **arguments}), "Done."])
        graph = ladder.wrap(create_agent(model, [pay], checkpointer=InMemorySaver()))
        config = {"configurable": {"thread_id": "t"}}
        if way == "sync":
            graph.invoke({"messages": "go"}, config)
        else:
            asyncio.run(graph.ainvoke({"messages": "go"}, config))
        assert ladder.verify().ok

        def work(cursor):
            counters = cursor.execute("SELECT quota, used, reserved FROM quota").fetchall()
            kinds = cursor.execute("SELECT kind FROM entry WHERE action <> '' ORDER BY n").fetchall()
            standing = cursor.execute("SELECT held FROM standing").fetchall()
            held = cursor.execute("SELECT count(*) FROM hold").fetchone()[0]
            return (
                {quota.removeprefix("payer/pay/"): (used, reserved) for quota, used, reserved in counters},
                " ".join(kind for (kind,) in kinds),
                [(Held.read(row[0]).cap, Held.read(row[0]).reason) for row in standing],
                held,
            )

        return ladder.store.read(work)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_it_settles_at_what_it_cost(tmp_path, way):
    """The sums that the tool tells are added up, and count in place of what was held; a call stays a call."""
    counters, kinds, standing, held = paid(tmp_path, way, spends=["$0.01", "$0.002"])
    assert counters == {
        "micro_usd/each/day/UTC": (12_000, 0),
        "micro_usd/of:dollars/within:1d": (12_000, 0),
        "calls/day/UTC": (1, 0),
    }
    assert (kinds, standing, held) == ("started done", [], 0)


def test_it_settles_on_a_server(tmp_path, postgres):
    """The same in PostgreSQL, with an overrun of one of two sums."""
    counters, kinds, standing, held = paid(tmp_path, ledger=postgres, spends=["$0.30"])
    assert counters == {**dict.fromkeys(FREE, (300_000, 0)), "calls/day/UTC": (1, 0)}
    assert (kinds, len(standing), held) == ("started done overrun demoted", 1, 0)


def test_nothing_said_settles_at_what_was_held(tmp_path):
    """The declared sum, and the one that the argument says; nothing spent is another thing than nothing said."""
    counters, *_ = paid(tmp_path, spends=[])
    assert sorted(used for used, _ in counters.values()) == [1, 200_000, 500_000]
    (tmp_path / "free").mkdir()
    counters, *_ = paid(tmp_path / "free", spends=["$0"])
    assert counters == {**FREE, "calls/day/UTC": (1, 0)}


def test_an_overrun_is_written_down_and_demotes(tmp_path):
    """All of it counts, beyond the limit too, and the tool asks from its next call on."""
    counters, kinds, ((rung, reason),), held = paid(tmp_path, spends=["$1.50"])
    assert counters["micro_usd/each/day/UTC"] == (1_500_000, 0)
    assert kinds == "started done overrun demoted"
    assert rung == Rung.CONFIRM
    assert reason.endswith(" cost $1.50, and $0.20 was held for it")
    assert held == 0


def test_a_failure_that_cost_something_settles_at_it(tmp_path):
    """What certainly had no effect gives its calls back, and of the money what it didn't spend."""
    counters, kinds, *_ = paid(tmp_path, spends=["$0.05"], ends="definitely")
    assert kinds == "started failed"
    assert counters == {**dict.fromkeys(FREE, (50_000, 0)), "calls/day/UTC": (0, 0)}


def test_a_call_in_doubt_keeps_what_it_holds(tmp_path):
    """Nobody knows yet what it came to, whatever it said before it broke."""
    counters, kinds, _, held = paid(tmp_path, spends=["$0.05"], ends="badly")
    assert kinds == "started unknown"
    assert [counter for counter in counters.values() if counter[0]] == []
    assert held == 3


def test_outside_of_a_call_it_does_nothing():
    """A tool can be tried without a ladder; what is no amount is refused there too."""
    assert pay.invoke({"dollars": 1, "spends": ["$0.05"]}) == "paid"
    with pytest.raises(ValueError, match="is no amount"):
        spent("0.05")


def unwell(arguments):
    """A health check that is never well."""
    return False


@pytest.mark.parametrize(
    ("spends", "ends", "used"),
    [(["$0.05"], "well", 50_000), ([], "well", 200_000), (["$0.05"], "badly", 50_000), (["$0.70"], "well", 700_000)],
)
def test_an_undone_call_has_cost_what_it_cost(tmp_path, spends, ends, used):
    """An undo brings no money back: what was spent is settled, or what was held where the tool doesn't say."""
    rule = {
        "rung": "rollback",
        "bounds": [BOUNDS[0], BOUNDS[2]],
        "checks": [{"kind": "python", "function": f"{__name__}:unwell"}],
    }
    with closing(Ladder(agent="payer", rungs={"pay": rule}, ledger=tmp_path / "l.db")) as ladder:
        ladder.declare("pay", Declaration(prepare=lambda _: {}, undo=lambda _: None))
        model = ScriptedModel(answers=[calls("pay", {"dollars": 0.5, "spends": spends, "ends": ends}), "Done."])
        graph = ladder.wrap(create_agent(model, [pay], checkpointer=InMemorySaver()))
        graph.invoke({"messages": "go"}, {"configurable": {"thread_id": "t"}})
        rows = ladder.store.read(lambda cursor: cursor.execute("SELECT used, reserved FROM quota").fetchall())
        assert sorted(tuple(row) for row in rows) == [(1, 0), (used, 0)]
        assert ladder.store.read(lambda cursor: cursor.execute("SELECT count(*) FROM hold").fetchone()[0]) == 0
        kinds = [entry.kind for entry in ladder.log()]
        assert kinds.index("undoing") < kinds.index("undone")
        assert ("overrun" in kinds) is (used > 200_000)
        assert ladder.verify().ok
