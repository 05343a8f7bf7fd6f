"""Graphs of every kind under every mount: whoever calls, the same holds for each call."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from langgraph.checkpoint.postgres import PostgresSaver

from tests import postgres
from tests.hosts.kinds import CALLS, DECISIONS, KINDS, savers, step
from tests.programs import Program

ROOT = Path(__file__).parents[2]
SOLE = {"agent", "raw", "send"}
"""The kinds with one agent."""
NOT = {("raw", "middleware"), ("send", "middleware"), ("raw", "guard")}
"""Middleware belongs to `create_agent`; and a guard refuses calls that share a task, as with `tools_condition`."""
EVERY = [(kind, mount) for kind in KINDS for mount in ("wrap", "middleware", "guard") if (kind, mount) not in NOT]
SAMPLE = [
    ("agent", "middleware"), ("send", "guard"), ("raw", "wrap"), ("deep", "wrap"), ("tools", "middleware"),
    ("supervisor", "wrap"), ("swarm", "wrap"), ("by_hand", "middleware"), ("parallel", "guard"),
]  # fmt: skip
"""Each kind once, under one of its mounts; `make faults` runs all."""
STATES = {"read": ["done"], "send": ["declined", "done"], "put": ["undone"], "note": ["drafted"]}


def agents_of(kind):
    """Who acts, by the names in the ledger, and what their tools write down."""
    if kind in SOLE:
        return {"ops": "ops"}
    before = "ops/ask_" if kind == "tools" else "ops/"
    return {f"{before}{name}": name for name in ("alpha", "beta")}


def hold_to_it(folder, kind, mount, go):
    """Run a thread to its end, each step with all made anew, answering every question by its id, the last one first."""
    effects = folder / "effects"
    told, answered = go(None), 0
    while told["asked"]:
        assert len(told["pending"]) == len(told["asked"])
        ran = effects.read_text().splitlines()
        assert sum(" send " in line for line in ran) == answered  # nothing before its yes
        (chosen, x) = list(told["asked"].items())[-1]
        answered += x == "yes"
        told = go({chosen: DECISIONS[x]})
    who = agents_of(kind)
    wanted = Counter(f"{name} {tool} {x}" for name in who.values() for tool, x in CALLS if (tool, x) in RUN)
    wanted += Counter(f"{name} undo 1" for name in who.values())
    assert Counter(effects.read_text().splitlines()) == wanted
    actions = [tuple(action) for action in told["actions"]]
    if mount == "guard" and kind == "tools":  # A guard knows the agent, and not which tool ran it.
        who = {f"ops/{name}": name for name in who.values()}
    chains = [(agent, tool, state) for agent in who for tool, states in STATES.items() for state in states]
    assert sorted(action for action in actions if action[1] in STATES) == sorted(chains)
    over = [action for action in actions if action[1] not in STATES]
    assert all(state == "done" for _, _, state in over)
    assert bool(over) == (
        kind not in SOLE | {"parallel"} and mount != "guard" and (kind, mount) != ("supervisor", "middleware")
    )
    assert told["ok"]
    return told


RUN = {("read", "1"), ("send", "yes"), ("put", "1")}


@pytest.mark.parametrize(("kind", "mount"), SAMPLE)
def test_the_same_holds_for_each_call(tmp_path, kind, mount):
    """One chain for each call under its agent's name; none before its yes; each answer for its own call."""
    way = "sqlite async" if (len(kind) + len(mount)) % 2 else "sqlite sync"
    saver = dict(savers(tmp_path))[way]
    hold_to_it(tmp_path, kind, mount, lambda answers: step(tmp_path, kind, mount, saver=saver, resume=answers))


@pytest.mark.faults
@pytest.mark.parametrize(
    "way", ["memory sync", "memory async", "sqlite sync", "sqlite async", "postgres sync", "postgres async"]
)
@pytest.mark.parametrize(("kind", "mount"), EVERY)
def test_with_every_checkpointer(tmp_path, kind, mount, way):
    """The same with each checkpointer, in sync and in async; what outlives a process is answered in another one."""
    here = way.startswith("memory")
    uri, ledger = (_threads(), postgres.new_ledger()) if way.startswith("postgres") else ("", "")
    saver, calls = dict(savers(tmp_path, uri))[way], []

    def go(answers):
        calls.append(answers)
        if here or len(calls) != 2:
            return step(tmp_path, kind, mount, saver=saver, ledger=ledger, resume=answers)
        done = Program(["-m", "tests.hosts.kinds", tmp_path, kind, mount, way, uri, ledger, json.dumps(answers)], ROOT)
        said = done.said()
        assert done.returncode == 0, said
        return json.loads(said.splitlines()[-1])

    hold_to_it(tmp_path, kind, mount, go)


def _threads():
    """The address of a database of its own for the threads."""
    uri = postgres.new_database()
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
    return uri
