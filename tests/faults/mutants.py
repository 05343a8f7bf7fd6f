"""Mutants of the protocol: the product with one of its rules left out, as a patch that any process can put on."""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import pytest

from ladder_graph.calls import Call
from ladder_graph.hosts import toolhost
from ladder_graph.ledger.actions import questions, quotas
from ladder_graph.ledger.database import statements
from ladder_graph.ledger.database.dialects import AtOnce, Sql
from ladder_graph.ledger.database.liveness import Owner
from ladder_graph.ledger.database.store import Store
from ladder_graph.ledger.gate import at_once, journal
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.states import State
from ladder_graph.steps import Claim, Claimed
from ladder_graph.turns.turn import Turn


def rewritten(patch, name, pattern, text):
    """Put another text into a statement, for both databases."""
    old = getattr(statements, name)
    new = Sql(re.sub(pattern, text, old, flags=re.DOTALL))
    new.postgres = re.sub(pattern, text, old.postgres, flags=re.DOTALL)
    assert (new, new.postgres) != (old, old.postgres), f"{name} has no {pattern}"
    patch.setattr(statements, name, new)


def no_fence(patch):
    """A record is taken under any fence."""
    step = Journal.step

    def under_any(self, cursor, call, before, under, after, **new):
        return step(self, cursor, call, before, self.place(cursor, call)["fence"], after, **new)

    patch.setattr(Journal, "step", under_any)


def no_claim(patch):
    """What runs isn't written down before."""
    patch.setattr(Journal, "claim", lambda *_: Claimed(1))


def lazy_claim(patch):
    """No commit waits for the disk."""
    write, awrite = Store.write, Store.awrite
    patch.setattr(Store, "write", lambda self, work, **_: write(self, work, durable=False))
    patch.setattr(Store, "awrite", lambda self, work, **_: awrite(self, work, durable=False))


def liveness_by_time(patch):
    """Who hasn't been heard of for a while is dead, whatever lock it holds."""
    alive = Owner.alive
    patch.setattr(Owner, "alive", lambda self, owner, *key: owner == self.id and alive(self, owner, *key))


def blind_rerun(patch):
    """What nobody knows about is run again."""
    patch.setattr(Turn, "_probe", lambda *_: "absent")


def no_limit(patch):
    """A quota is counted and not checked."""
    rewritten(patch, "RESERVE", r" WHERE .* RETURNING", " RETURNING")
    rewritten(patch, "DRAW", r" AND quota\.used .*? AND NOT", " AND NOT")


def hold_forgotten(patch):
    """What a call takes is never held."""
    patch.setattr(quotas, "hold", lambda *_: None)


def settle_forgotten(patch):
    """What was held stays held."""
    patch.setattr(quotas, "settle", lambda *_, **__: None)
    done = copy.copy(at_once._recording().sqlite)
    done.making = tuple(re.sub(r"UPDATE quota .*?;", "", making) for making in done.making)
    assert done.making != at_once._recording().sqlite.making
    patch.setattr(at_once, "_recording", lambda: AtOnce("", done))


def doubt_settles(patch):
    """A call in doubt gives its hold up."""
    patch.setattr(journal, "_SETTLES", journal._SETTLES | {State.UNKNOWN})


def head_not_updated(patch):
    """The head of a chain keeps its first hash."""
    *others, head = statements.APPEND_EACH
    kept = Sql(re.sub(r",? hash = excluded.hash", "", head))
    assert kept != head
    patch.setattr(statements, "APPEND_EACH", (*others, kept))
    rewritten(patch, "APPEND", r",? hash = excluded.hash", "")


def approval_not_consumed(patch):
    """A yes is looked at, and stays good."""
    patch.setattr(Journal, "_consume", lambda *_: None)


def digest_not_compared(patch):
    """Whatever was approved, it runs under the rule of now."""
    for module in (journal, questions):
        patch.setattr(module, "question_digest", lambda *_: "0" * 64)


def arguments_left_out_of_the_key(patch):
    """An action is known by its thread and id alone."""
    made = Call.__post_init__

    def known_by_id(self):
        made(self)
        object.__setattr__(self, "key", f"{hash((self.thread, self.id)):x}".strip("-").zfill(64))

    patch.setattr(Call, "__post_init__", known_by_id)


def two_commits(patch):
    """The quota is held in one commit, and the action started in another."""
    reserve = Journal._reserve

    def in_two(self, cursor, step):
        refusal = reserve(self, cursor, step)
        cursor.execute("COMMIT")
        cursor.execute("BEGIN IMMEDIATE")
        return refusal

    patch.setattr(Journal, "_reserve", in_two)


def no_artifact(patch):
    """The undo isn't kept with the claim."""
    transaction = Turn.transaction

    def without(self, step):
        return transaction(self, replace(step, artifact=None) if isinstance(step, Claim) else step)

    patch.setattr(Turn, "transaction", without)


def twins_not_seen(patch):
    """The same call under another id is another call."""
    patch.setattr(Journal, "_twins", lambda *_: (None, None))


def conversation_not_looked_at(patch):
    """A call that is done may be repeated, whether or not the conversation knows of it."""
    patch.setattr(toolhost.Interrupting, "recalls", lambda *_: True)


def silence_is_no_answer(patch):
    """Questions stay open for ever."""
    patch.setattr(Journal, "_expire", lambda _, __, question, **___: question)


def nothing_recorded(patch):
    """What came of a call isn't written down."""
    patch.setattr(Journal, "record", lambda *_: True)
    patch.setattr(Journal, "hope_for", lambda *_: None)


MUTANTS = {
    mutant.__name__: mutant
    for mutant in (
        no_fence, no_claim, lazy_claim, liveness_by_time, blind_rerun, no_limit, hold_forgotten, settle_forgotten,
        doubt_settles, head_not_updated, approval_not_consumed, digest_not_compared, arguments_left_out_of_the_key,
        two_commits, no_artifact, twins_not_seen, conversation_not_looked_at, silence_is_no_answer, nothing_recorded,
    )
}  # fmt: skip
"""Each mutant by its name; its docstring says what is wrong with it."""


def under(name, act, *args):
    """Do something in this process with a mutant for the product."""
    with pytest.MonkeyPatch.context() as patch:
        MUTANTS[name](patch)
        return act(*args)
