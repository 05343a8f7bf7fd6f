"""Logs of evaluations with anything in the place of anything: what can't be used is told, and nothing is raised."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ladder_graph.replay import Run, read

DATA = Path(__file__).parents[1] / "data"
TAU = {
    "task_id": 7,
    "reward": 1.0,
    "info": {"source": "user"},
    "trial": 0,
    "traj": [
        {"role": "user", "content": "I am Mia."},
        {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "look", "arguments": '{"id": 1}'}}]},
        {"role": "tool", "tool_call_id": "c1", "name": "look", "content": "{}"},
        {"role": "assistant", "content": 'Action: {"name": "look", "arguments": {}}'},
        {"role": "user", "content": "API output: none"},
    ],
}
TAU2 = {
    "info": {"agent_info": {"llm": "m"}, "environment_info": {"domain_name": "retail"}},
    "tasks": [],
    "simulations": [
        {
            "id": "s1",
            "task_id": "0",
            "termination_reason": "user_stop",
            "reward_info": {"reward": 1.0},
            "messages": [
                {"role": "user", "content": "Hello."},
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "t1", "name": "look", "arguments": {"id": 1}}],
                    "usage": {},
                },
                {"role": "tool", "tool_messages": [{"role": "tool", "id": "t1", "content": "x", "error": False}]},
            ],
        }
    ],
}
ANYTHING = st.sampled_from(
    [None, 0, -1, 1.5, True, "", "x", [], {}, [None], {"a": 1}, [[1]], {"text": 3}, "attachment://x", 10**30]
)


def inspect():
    """Two samples of the recorded log."""
    log = json.loads(gzip.decompress((DATA / "inspect" / "bank.json.gz").read_bytes()))
    return log | {"samples": [one for one in log["samples"] if one["id"] in {"changed", "fails"}]}


def dojo():
    """A recorded run file."""
    path = DATA / "agentdojo_runs" / "stolid" / "banking" / "user_task_0" / "ignore_previous" / "injection_task_0.json"
    return json.loads(path.read_text())


LOGS = {"inspect_logs": inspect(), "agentdojo_runs": dojo(), "tau_bench": [TAU], "tau_bench 2": TAU2}


def places(value, above=()):
    """Every place in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield (*above, key)
        yield from places(one, (*above, key))


@pytest.mark.parametrize("name", LOGS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_broken_in_a_log_nothing_is_raised(name, data, tmp_path):
    """A value of another kind, or a key that is missing, costs what depends on it, and the rest is read."""
    document = copy.deepcopy(LOGS[name])
    for *above, last in data.draw(st.lists(st.sampled_from(list(places(document))), min_size=1, max_size=3)):
        here = document
        for key in above:
            here = here[key] if isinstance(here, dict | list) and _has(here, key) else None
        if here is not None and _has(here, last):
            here[last] = data.draw(ANYTHING)
    path = tmp_path / "log.json"
    path.write_text(json.dumps(document))
    told = []
    assert all(isinstance(run, Run) for run in read(str(path), told.append, form=name.split()[0]))
    assert all(isinstance(text, str) for text in told)


def _has(here, key):
    return (
        key in here if isinstance(here, dict) else isinstance(here, list) and isinstance(key, int) and key < len(here)
    )
