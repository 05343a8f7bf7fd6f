"""Splitting a call: what its author gives is checked, and part and rest have keys that nobody else can have."""

from __future__ import annotations

from dataclasses import replace

from ladder_graph.calls import Call
from ladder_graph.splitting import Split, child, split
from ladder_graph.turns.deciding import unchecked

CALL = Call("ops", "t1", "call_1", "scale", {"by": 10, "when": 2**60})
HALF = {"by": 5, "when": 2**60}


def test_part_and_rest_are_other_actions_than_any_call():
    """Their keys come from the whole's: the same arguments under the same id make another key, and so does the role."""
    both = split(CALL, lambda arguments: (HALF, HALF), unchecked)
    proposed = replace(CALL, arguments=HALF)
    assert len({CALL.key, proposed.key, both.part.key, both.rest.key}) == 4
    assert both.part.digest == both.rest.digest == proposed.digest
    assert {both.part.id, both.rest.id} == {CALL.id}
    assert child(replace(CALL, id="call_2"), "part", HALF).key != both.part.key


def test_it_survives_being_written_down():
    """What is read again has the same keys, large integers included."""
    both = split(CALL, lambda arguments: (HALF, {"by": 5, "when": 3}), unchecked)
    assert Split.read(CALL, both.to_json()) == both


def test_the_author_sees_a_copy():
    """Whatever the function does to the arguments, what was decided about stays as it is."""

    def greedy(arguments):
        arguments.clear()

    assert split(CALL, greedy, unchecked) is None
    assert CALL.arguments == {"by": 10, "when": 2**60}
