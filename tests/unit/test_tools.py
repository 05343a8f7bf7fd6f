"""What tools declare of themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


@dataclass
class Keeping:
    """An object that makes artifacts, and can't be hashed."""

    table: str

    def __call__(self, arguments):
        """Keep them."""
        return dict(arguments)


def test_an_undo_is_known_by_what_it_is_made_of():
    """Also where a part of it is an object; the version that is declared is the tool's, and no part of the undo."""
    said = Declaration(prepare=Keeping("orders"), undo=print)
    assert said.undo_edition == replace(said, version="2").undo_edition
    others = [replace(said, undo=str), replace(said, conditional=True)]
    assert len({one.undo_edition for one in (said, *others)}) == 3


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


def keep(arguments):
    """Keep nothing."""


def put_back(kept):
    """Put nothing back."""


@pytest.mark.parametrize(
    ("said", "nature"),
    [
        ({}, "irreversible"),
        ({"undo": put_back}, "irreversible"),
        ({"prepare": keep, "undo": put_back}, "reversible"),
        ({"prepare": keep, "undo": put_back, "kind": "compensable"}, "compensable"),
        ({"prepare": keep, "undo": put_back, "kind": "irreversible"}, "irreversible"),
        ({"idempotent": True}, "idempotent"),
        ({"kind": "idempotent"}, "idempotent"),
        ({"kind": "read"}, "read"),
    ],
)
def test_what_isnt_declared_is_irreversible(said, nature):
    """With an undo it is reversible, unless its author says otherwise."""
    declared = Declaration(**said)
    assert declared.nature == nature
    assert declared.reversible is (nature in {"reversible", "compensable"})
    assert declared.idempotent is (nature == "idempotent")


@pytest.mark.parametrize(("said", "why"), [({"kind": "magic"}, "expected one of"), ({"ttl": "soon"}, "no duration")])
def test_a_declaration_that_says_nonsense_is_refused(said, why):
    """At once, and not when it is needed."""
    with pytest.raises(PolicyError, match=why):
        Declaration(**said)


def test_another_process_must_reach_undo_and_fingerprint():
    """Rung 4 needs both; what stays in this process may be anything."""
    assert Declaration(prepare=lambda _: 1, undo=put_back, fingerprint=put_back, resource=lambda _: "x").portable
    assert Declaration(prepare=keep, undo=lambda kept: None).unportable.startswith("its undo can't be run")
    inside = Declaration(prepare=keep, undo=put_back, fingerprint=lambda kept: "")
    assert inside.unportable.startswith("its fingerprint can't be run by another process: a lambda has no name")
    assert Declaration().unportable == "it declares no undo"


def test_the_parts_of_two_undos_never_mix():
    """A later undo replaces an earlier one whole; a probe beside it stays."""
    first = Declaration(
        prepare=keep, undo=put_back, fingerprint=str, ttl="1h", conditional=True, probe=lambda _, k: "absent"
    )
    found = first.merged(Declaration(prepare=dict, undo=print))
    assert (found.fingerprint, found.ttl, found.conditional) == (None, None, False)
    assert found.probe is first.probe


def test_a_declaration_is_a_decorator():
    """It remembers the module that makes it."""

    @Declaration(prepare=keep, undo=put_back, ttl="24h")
    def act():
        """Do nothing."""

    assert (declaration_of(act).home, declaration_of(act).ttl) == (__name__, 86400.0)
