"""What tools declare of themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.errors import PolicyError
from ladder_graph.ladder import Ladder
from ladder_graph.policy import Policy
from ladder_graph.tools import Declaration, declaration_of, declared_at, drafted_by, probed_by, reversible

PUT_BACK = Declaration(prepare=dict, undo=lambda kept: None)
"""What a policy may name."""
ONLY_DRAFTS = Declaration(drafter=str)


@drafted_by(str, suffix=".eml")
@probed_by(idempotent=True)
@reversible(prepare=dict, undo=lambda kept: None)
def send():
    """Do nothing."""


def test_declarations_add_up():
    """Each decorator adds to what the ones below it said."""
    said = declaration_of(send)
    assert said.reversible
    assert said.idempotent
    assert (said.drafter, said.suffix) == (str, ".eml")


def test_a_policy_names_a_declaration():
    """`undo = "module:name"` makes a tool reversible that declares nothing itself."""
    policy = Policy(agent="ops", tools={"put": {"rung": "rollback", "undo": f"{__name__}:PUT_BACK"}})
    ladder = Ladder(policy=policy, ledger=":memory:")
    ladder.seat("put", Declaration(), agent="ops", can_ask=True)
    assert ladder.seats["put"].declaration == replace(PUT_BACK, home=__name__)
    ladder.close()


@pytest.mark.parametrize("path", ["no.such.module:undo", f"{__name__}:missing", f"{__name__}:ONLY_DRAFTS"])
def test_a_wrong_name_is_said(path):
    """A name that leads nowhere, or to what declares no undo, is an error of the policy."""
    with pytest.raises(PolicyError, match="undo = "):
        declared_at(path)
