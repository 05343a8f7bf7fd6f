"""Reading results of τ-bench and τ²-bench."""

from __future__ import annotations

import json

import pytest

from ladder_graph.replay import read

INFO = {
    "git_commit": "8d005b0",
    "agent_info": {"implementation": "llm_agent", "llm": "claude-sonnet-4-5"},
    "environment_info": {"domain_name": "retail", "policy": "# Retail agent policy"},
}


@pytest.fixture
def reading(tmp_path):
    """Reads a document: its runs, and what was told."""

    def _reading(value, indent=2):
        path = tmp_path / "results.json"
        path.write_text(json.dumps(value, indent=indent))
        told = []
        return list(read(str(path), told.append)), [text.removeprefix(str(path)) for text in told]

    return _reading


def proposing(id, name, **arguments):  # noqa: A002
    """A message of τ-bench that proposes a call."""
    call = {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def trial(*messages, **other):
    """A conversation of τ-bench."""
    whole = {"task_id": 7, "reward": 1.0, "info": {"source": "user"}, "traj": list(messages), "trial": 2}
    return whole | other


TRAJECTORY = (
    {"role": "system", "content": "# Policy"},
    {"role": "user", "content": "I am mia_li_3668."},
    proposing("c1", "get_user_details", user_id="mia_li_3668"),
    {"role": "tool", "tool_call_id": "c1", "name": "get_user_details", "content": '{"name": "Mia"}'},
    {"role": "assistant", "content": "Hello Mia."},
    {"role": "user", "content": "Cancel ABC123."},
    proposing("c1", "cancel_reservation", reservation_id="ABC123"),
    {"role": "tool", "tool_call_id": "c1", "name": "cancel_reservation", "content": "Error: reservation not found"},
)


def test_a_trial_is_a_run(reading):
    """Each call has heard what the user had said by then; an answer that begins with Error is one."""
    (run,), told = reading([trial(*TRAJECTORY)])
    assert (run.id, run.task, run.kind, run.solved, run.apart) == ("7/2", "7", "task", True, True)
    assert run.said == ("I am mia_li_3668.", "Cancel ABC123.")
    assert [(call.tool, call.arguments, call.turn, call.heard, call.fate, call.labels) for call in run.calls] == [
        ("get_user_details", {"user_id": "mia_li_3668"}, 0, 1, "done", None),
        ("cancel_reservation", {"reservation_id": "ABC123"}, 2, 2, "failed", None),
    ]
    assert told == [":[0]: the id 'c1' stands for 2 calls"]


@pytest.mark.parametrize("indent", [None, 2])
def test_documents_on_one_line_and_on_many_are_read_alike(reading, indent):
    """How it was laid out says nothing."""
    runs, _ = reading([trial(*TRAJECTORY), trial(*TRAJECTORY, trial=3, reward=0.0)], indent=indent)
    assert [(run.id, run.solved) for run in runs] == [("7/2", True), ("7/3", False)]


def test_a_trial_that_broke_off_is_not_judged(reading):
    """τ-bench writes the reward 0 there; the conversation before is lost."""
    (run,), told = reading([trial(reward=0.0, info={"error": "timed out", "traceback": "…"})])
    assert (run.solved, run.calls, told) == (None, (), [])


def test_calls_that_are_written_as_text_are_calls(reading):
    """What comes back stands there as the user's, and isn't: no origin may be found in it."""
    runs, _ = reading([
        trial(
            {"role": "system", "content": "# Policy"},
            {"role": "user", "content": "Refund me."},
            {"role": "assistant", "content": 'Thought:\nWho?\nAction: {"name": "find", "arguments": {"zip": "19122"}}'},
            {"role": "user", "content": "API output: yusuf_rossi_9620"},
            {"role": "assistant", "content": 'Action:\n{"name": "respond", "arguments": {"content": "Sure?"}}'},
            {"role": "user", "content": "Yes."},
            {"role": "assistant", "content": "Action: no JSON"},
        )
    ])  # fmt: skip
    (run,) = runs
    assert run.said == ("Refund me.", "Yes.")
    assert [(call.tool, call.arguments, call.output, call.matched) for call in run.calls] == [
        ("find", {"zip": "19122"}, "yusuf_rossi_9620", "order"),
    ]


def simulation(**other):
    """A conversation of τ²-bench, in which the simulated user has a tool of its own."""
    messages = [
        {"role": "assistant", "content": "Hi! How can I help?", "tool_calls": None, "turn_idx": 0},
        {"role": "user", "content": "My laptop in #W3730488.", "tool_calls": None},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "t1", "name": "get_order", "arguments": {"id": "#W3730488"}, "requestor": "assistant"},
                {"id": "t2", "name": "get_user", "arguments": {"name": "yara"}, "requestor": "assistant"},
            ],
            "timestamp": "2025-10-31T07:28:10.723438",
            "usage": {"completion_tokens": 260, "prompt_tokens": 12313},
            "raw_data": {"model": "claude-sonnet-4-5-20250929"},
        },
        {
            "role": "tool",
            "tool_messages": [
                {"id": "t2", "role": "tool", "content": "Error: no such user", "requestor": "assistant", "error": True},
                {"id": "t1", "role": "tool", "content": "pending", "requestor": "assistant", "error": False},
            ],
        },
        {"role": "assistant", "content": "Look at your phone.", "tool_calls": None},
        {
            "role": "user",
            "content": None,
            "tool_calls": [{"id": "u1", "name": "toggle", "arguments": {}, "requestor": "user"}],
        },
        {"id": "u1", "role": "tool", "content": "ok", "requestor": "user", "error": False},
        {"role": "user", "content": "Done.", "tool_calls": None},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "t3", "name": "refund", "arguments": {"amount": 5}, "requestor": "assistant"}],
            "timestamp": "2025-10-31T07:28:12+00:00",
        },
    ]
    whole = {
        "id": "s1",
        "task_id": "0",
        "trial": 0,
        "termination_reason": "user_stop",
        "reward_info": {"reward": 1.0},
        "messages": messages,
    }
    return whole | other


def document(*simulations):
    """Results of τ²-bench."""
    return {
        "timestamp": "2025-10-31T07:16:27.854362",
        "info": INFO,
        "tasks": [{"id": "0"}],
        "simulations": list(simulations),
    }


@pytest.mark.parametrize("indent", [None, 4])
def test_a_simulation_is_a_run(reading, indent):
    """The simulated user's own calls are none of the agent's; the model is the one that was reported, if any."""
    (run,), told = reading(document(simulation()), indent=indent)
    assert (run.id, run.suite, run.task, run.solved) == ("s1", "retail", "0", True)
    assert run.said == ("My laptop in #W3730488.", "Done.")
    assert [(call.tool, call.output, call.fate, call.heard, call.model, call.tokens) for call in run.calls] == [
        ("get_order", "pending", "done", 1, "claude-sonnet-4-5-20250929", (12313, 260)),
        ("get_user", "Error: no such user", "failed", 1, "claude-sonnet-4-5-20250929", (12313, 260)),
        ("refund", None, None, 2, "claude-sonnet-4-5", None),
    ]
    assert [text.rpartition("]: ")[2] for text in told] == ["1 call (refund) has no result"]


def test_a_time_without_a_zone_is_none(reading):
    """Nobody knows where it was; one with a zone counts."""
    (run,), _ = reading(document(simulation()))
    assert [call.at is not None for call in run.calls] == [False, False, True]


@pytest.mark.parametrize(
    ("other", "solved"),
    [
        ({"reward_info": None}, None),
        ({"reward_info": {"reward": 0.5}}, False),
        ({"termination_reason": "infrastructure_error", "reward_info": {"reward": 0.0}}, None),
        ({"termination_reason": "too_many_errors", "reward_info": {"reward": 0.0}}, False),
    ],
)
def test_only_a_judged_end_says_whether_it_is_solved(reading, other, solved):
    """A simulation that the machinery ended says nothing of the agent."""
    (run,), _ = reading(document(simulation(**other)))
    assert run.solved is solved


def test_a_simulation_in_a_file_of_its_own_is_read(reading):
    """So newer versions keep them; its domain stands elsewhere."""
    (run,), _ = reading(simulation())
    assert (run.id, run.suite, len(run.calls)) == ("s1", "", 3)


def test_what_cannot_be_used_is_told_and_the_rest_goes_on(reading):
    """A conversation by voice has no messages; a broken one is told with its place."""
    runs, told = reading(document(simulation(messages=None), {"id": 3}, simulation(id="s3")))
    assert [run.id for run in runs] == ["s3"]
    assert told[0] == ":[0]: the simulation s1 has no messages, and is left out"
    assert told[1].startswith(":[1]: id: Input should be a valid string; task_id: Field required")
