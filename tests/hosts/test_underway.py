"""Calls on their way from the gate to their rung: what was frozen there is what arrives."""

from __future__ import annotations

import copy

from ladder_graph.calls import Call
from ladder_graph.hosts.proposals import UNDERWAY, Proposal, Underway

CALL = Call("ops", "t1", "call_1", "a", {"x": "1"})


def packet():
    """A packet with the call, as a gate makes it."""
    return Proposal({"name": "a", "args": {"x": "1"}, "id": "call_1"}).packet(None, together=False)


def test_the_frozen_call_arrives():
    """The very packet brings the call that was frozen, once, whatever anybody made of the packet meanwhile."""
    underway, sent = Underway(), packet()
    underway.put(sent, CALL, None)
    sent["call"]["args"]["x"] = "2"
    assert underway.take(sent) == (CALL, None)
    assert underway.take(sent) is None


def test_a_copy_is_another_packet():
    """What was read back from a checkpoint is looked at from the start."""
    underway, sent = Underway(), packet()
    underway.put(sent, CALL, None)
    assert underway.take(copy.deepcopy(sent)) is None
    assert underway.take(sent) == (CALL, None)


def test_what_never_arrives_is_forgotten():
    """Only so many are kept, and the oldest goes first."""
    underway, packets = Underway(), [packet() for _ in range(UNDERWAY + 1)]
    for sent in packets:
        underway.put(sent, CALL, None)
    assert [underway.take(sent) is None for sent in packets] == [True] + [False] * UNDERWAY
