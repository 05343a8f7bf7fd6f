"""Whatever goes wrong with a shadow, the agent goes on as if there were none; it is counted, and said once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ladder_graph import Ladder
from ladder_graph.hosts import shadowing
from ladder_graph.hosts.shadowing import Shadowing
from ladder_graph.ledger.evidence import shadows
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on, texts

TURNS = [calls("a", {"x": str(n)}) for n in range(5)]
RAISES = {"rung": "bounded", "bounds": [{"kind": "predicate", "function": "tests.hosts.test_shadow_failures:raises"}]}


def raises(*_):
    """A predicate that raises."""
    raise RuntimeError("a predicate of ours")


def held_up(shadow):
    """What lets a shadow write on, which is busy until then."""
    busy, free = threading.Event(), threading.Event()

    def hold():
        busy.set()
        free.wait()

    shadow._put(hold)
    busy.wait()
    return free


def went_on(way, ladder, turns=TURNS, *, thread="1"):
    """An agent with a shadow runs to its end, with each call once."""
    world = World()
    graph = ladder.shadow(agent_of([*turns, "Done."], [world.tool("a")]))
    out = way.invoke(graph, GO, on(thread))
    assert texts(out)[-1] == "Done."
    assert world.ran == [("a", str(n)) for n in range(len(turns))]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_ledger_that_is_closed(way, caplog):
    """Every call is lost and counted, one line is logged with what was wrong, and the agent runs to its end."""
    ladder = ladder_of({"a": "confirm"})
    shadow = ladder.shadowing
    ladder.store.close()
    with caplog.at_level(logging.WARNING, "ladder_graph"):
        went_on(way, ladder)
    assert shadow.flush()
    assert shadow.failures >= len(TURNS)
    assert shadow.lost >= len(TURNS)
    assert [one.message for one in caplog.records if "a shadow could not" in one.message] == [
        "a shadow could not take a call down; the agent goes on, and this is said once"
    ]


def test_a_ledger_that_another_process_has_locked(tmp_path):
    """The agent is done while the ledger is still locked; once it is free, all of the calls are taken down."""
    where = tmp_path / "ladder.db"
    with contextlib.closing(ladder_of({"a": "confirm"}, ledger=str(where))) as ladder:
        ladder.shadowing.flush()
        with contextlib.closing(sqlite3.connect(where, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            went_on(WAYS[0], ladder)
            assert ladder.shadowing.lost == 0
            other.execute("ROLLBACK")
        assert ladder.shadowing.flush(30)
        assert ladder.shadowed().came_to("asked") == len(TURNS)


def test_a_queue_that_is_full(caplog):
    """Of what doesn't fit the calls are lost, said once, and the ledger says how many it doesn't hold."""
    with contextlib.closing(ladder_of({"a": "confirm"})) as ladder:
        ladder._shadowing = shadow = Shadowing(ladder, most=2)
        free = held_up(shadow)
        with caplog.at_level(logging.WARNING, "ladder_graph"):
            went_on(WAYS[0], ladder)
        lost = shadow.lost
        assert lost == len(TURNS) - 1
        free.set()
        assert shadow.flush()
        went_on(WAYS[0], ladder, [TURNS[0]], thread="2")
        assert shadow.flush()
        found = ladder.shadowed()
        assert found.lost == lost
        assert found.came_to("asked") == 2
    assert len([one for one in caplog.records if "falls behind" in one.message]) == 1


def test_a_predicate_that_raises():
    """A bound that raises asks, as it does under the gate; nothing comes to the agent."""
    with contextlib.closing(ladder_of({"a": RAISES})) as ladder:
        went_on(WAYS[0], ladder)
        assert ladder.shadowing.flush()
        assert (ladder.shadowing.failures, ladder.shadowed().came_to("asked")) == (0, len(TURNS))


@pytest.mark.parametrize("where", ["take_down", "journal"])
def test_a_mistake_of_ours(monkeypatch, where):
    """A bug where decisions are made costs the decision, and nothing else; later calls are taken down again."""
    with contextlib.closing(ladder_of({"a": "confirm"})) as ladder:
        shadow = ladder.shadowing
        with monkeypatch.context() as patch:
            patch.setattr(shadow._foreseeing, where, raises)
            went_on(WAYS[0], ladder)
            assert shadow.flush()
        assert shadow.failures >= len(TURNS)
        went_on(WAYS[0], ladder, [TURNS[0]], thread="2")
        assert shadow.flush()
        assert ladder.shadowed().came_to("asked") == 1


@pytest.mark.parametrize("name", ["messages_in", "facts", "requesting"])
def test_a_mistake_of_ours_in_the_agents_own_thread(monkeypatch, name):
    """The same where a call is looked at, before its tool runs."""
    with contextlib.closing(ladder_of({"a": "confirm"})) as ladder:
        monkeypatch.setattr(shadowing, name, raises)
        went_on(WAYS[0], ladder)
        assert (ladder.shadowing.failures, ladder.shadowing.lost) == (len(TURNS), len(TURNS))


def test_a_clock_that_raises():
    """The same for a clock that somebody else has made."""
    with contextlib.closing(ladder_of({"a": "confirm"})) as ladder:
        ladder.clock = raises
        went_on(WAYS[0], ladder)
        assert ladder.shadowing.lost == len(TURNS)


def test_a_capture_that_raises(monkeypatch, caplog):
    """A request to a model that can't be read is sent all the same; its calls are proposed by nobody known."""
    with contextlib.closing(ladder_of({"a": {"rung": "bounded", "read_only": True}})) as ladder:
        monkeypatch.setattr("ladder_graph.hosts.capture.read", raises)
        with caplog.at_level(logging.WARNING):
            went_on(WAYS[0], ladder)
        assert ladder.shadowing.flush()
        assert ladder.shadowed().came_to("asked") == len(TURNS)
    # A guard of an earlier test in this process may listen, too, and LangChain says that it raised.
    assert len([record for record in caplog.records if record.name == "ladder_graph"]) == 1


def test_a_policy_file_with_mistakes(tmp_path):
    """An edit that is no policy leaves the one before in force, and the agent alone."""
    file = tmp_path / "ladder.toml"
    file.write_text('agent = "ops"\n[tools.a]\nrung = "confirm"\n')
    with contextlib.closing(Ladder(policy=file, ledger=str(tmp_path / "ladder.db"))) as ladder:
        file.write_text("no policy")
        time.sleep(0.15)  # An edit counts a tenth of a second after it was written.
        went_on(WAYS[0], ladder)
        assert ladder.shadowing.flush()
        assert ladder.shadowed().came_to("asked") == len(TURNS)


def test_nothing_waits_on_the_event_loop(tmp_path):
    """While the ledger takes nothing, the event loop of an async agent is never held up by it."""
    where = tmp_path / "ladder.db"

    async def main(ladder):
        graph = ladder.shadow(agent_of([*TURNS, "Done."], [World().tool("a")]))
        out = await asyncio.wait_for(graph.ainvoke(GO, on()), 30)
        return texts(out)

    with contextlib.closing(ladder_of({"a": "confirm"}, ledger=str(where))) as ladder:
        free = held_up(ladder.shadowing)
        assert asyncio.run(main(ladder))[-1] == "Done."
        free.set()
        assert ladder.shadowing.flush()
        assert ladder.shadowed().came_to("asked") == len(TURNS)


SCRIPT = """
import sys
from tests.hosts.graphs import GO, World, agent_of, ladder_of, on
from ladder_graph.testing import calls

ladder = ladder_of({"a": "confirm"}, ledger=sys.argv[1])
ladder.shadow(agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")])).invoke(GO, on())
"""


def test_a_process_that_ends_at_once(tmp_path):
    """What a short program's agent did is written before the program ends, without its asking for that."""
    where = str(tmp_path / "ladder.db")
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", SCRIPT, where], cwd=root, check=True)
    with contextlib.closing(ladder_of({"a": "confirm"}, ledger=where)) as ladder:
        assert [(one.calls, one.unended) for one in ladder.shadowed().tools] == [(1, 0)]


def test_a_ladder_that_is_closed_writes_first(tmp_path):
    """Closing the ladder waits for what its shadow has seen."""
    where = str(tmp_path / "ladder.db")
    with contextlib.closing(ladder_of({"a": "confirm"}, ledger=where)) as ladder:
        went_on(WAYS[0], ladder)
    with contextlib.closing(ladder_of({"a": "confirm"}, ledger=where)) as ladder:
        assert [entry.kind for entry in ladder.log(shadow=True)].count(shadows.ENDED) == len(TURNS)


def test_the_readiness_of_now():
    """What keeps the gate from a rung keeps the shadow from it: no reader, no undo, a demotion."""
    rule = {"rung": "report", "bounds": [{"kind": "volume", "limit": 100}]}
    with contextlib.closing(ladder_of({"a": rule}, reader=None)) as ladder:
        went_on(WAYS[0], ladder)
        assert ladder.shadowing.flush()
        entry = next(one for one in ladder.log(shadow=True) if one.kind == shadows.DECIDED)
        assert entry.body["rung"] == 3
        assert {code for code, _ in entry.body["reasons"]} >= {"no_undo", "no_reader"}
