"""What every adapter must hold: an undo leaves what would be there without the action, or says that it can't."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, reject, settings

from ladder_graph.calls import Call
from ladder_graph.steps import Unprepared
from ladder_graph.undo import prepare, touched, undo_from
from ladder_graph.undo.running import word_of

SEQUENCES = pytest.mark.parametrize("sequences", [8, pytest.param(500, marks=pytest.mark.faults)])
"""How many sequences are tried: some in each run, the rest with the long tests."""


def tried(sequences):
    """The settings of a test over so many sequences."""
    return settings(
        max_examples=sequences,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


def made(declaration, arguments):
    """The undo artifact of a call."""
    artifact = prepare(Call("ops", "t", "1", "tool", arguments), declaration)
    assert not isinstance(artifact, Unprepared), artifact.text
    return artifact


def refused(declaration, arguments):
    """Why there is no undo artifact of a call."""
    unprepared = prepare(Call("ops", "t", "1", "tool", arguments), declaration)
    assert isinstance(unprepared, Unprepared)
    return unprepared.text


def came(declaration, artifact, action, *meanwhile, known=True):
    """Act, let others act, undo from the artifact alone; what came of it, in one word."""
    action()
    after = touched(declaration, artifact) if known else None
    for change in meanwhile:
        change()
    return word_of(undo_from(artifact, after))


def hold(build, declaration, arguments, action, foreign, look):
    """Compare the world after action, foreign changes and undo with one where the action never happened.

    Args:
        build: Makes one fresh world; called twice.
        declaration: World to declaration.
        arguments: World to the call's arguments.
        action: Acts on a world.
        foreign: Each one acts on a world, after the action; False says that it was impossible.
        look: World to everything that can be seen of it.
    """
    world, other = build(), build()
    possible = [change(other) is not False for change in foreign]
    artifact = made(declaration(world), arguments(world))
    action(world)
    after = touched(declaration(world), artifact)
    assert after is not None
    seen = [after]
    for change, was_possible in zip(foreign, possible, strict=True):
        if (change(world) is not False) != was_possible:
            reject()  # the action was in somebody's way, who did something else then
        seen.append(touched(declaration(world), artifact))
    if returned([parts_of(fingerprint) for fingerprint in seen]):
        reject()  # what is exactly as the action left it can't be told from that, as every adapter says
    left = look(world)
    outcome = undo_from(artifact, after)
    match word_of(outcome):
        case "undone" | "no-op":
            assert look(world) == look(other)
            assert word_of(undo_from(artifact, after)) == "no-op"
        case "conflict":
            assert foreign, "nobody else changed anything"
            assert look(world) == left, "a conflict leaves everything alone"
        case _:
            pytest.fail(outcome.text)
    return word_of(outcome)


def parts_of(fingerprint):
    """The parts that a fingerprint tells apart."""
    read = json.loads(fingerprint)
    return read if isinstance(read, dict) and all(isinstance(v, str) for v in read.values()) else {"": read}


def returned(seen):
    """Whether somebody changed a part and made it again what the action had left."""
    names = {name for parts in seen for name in parts}
    histories = ([parts.get(name) for parts in seen] for name in names)
    return any(history[-1] == history[0] and set(map(str, history)) != {str(history[0])} for history in histories)
