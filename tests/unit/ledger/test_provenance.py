"""What stands behind calls: prompts' texts, what answers bore, who gave which answer; on both databases."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

from ladder_graph.fingerprint import Environment
from ladder_graph.ledger.evidence import provenance
from ladder_graph.ledger.gate import acts
from ladder_graph.prompts import render
from ladder_graph.scale import Rung
from tests.unit.ledger.desk import at

ENV = Environment("openai", "gpt-5", "gpt-5-2025-08-07", "none", "{}")


def tell(desk, text):
    """Write a prompt down."""
    seen = render(text)
    return desk.write(lambda journal, cursor: provenance.prompt(journal, cursor, "ops", seen.component, seen))


def test_a_prompt_is_kept_as_it_was_first_sent(desk):
    """Later renders of it leave the first text, and each change behind a mask is an entry with both values."""
    tell(desk, "Until 2026-01-01,\nbe careful.")
    after = tell(desk, "Until 2026-02-01,\nbe careful.")
    tell(desk, "Until 2026-02-01,\nbe careful.")
    component = after.render.component
    assert after.changes == (1,)
    assert desk.kinds() == "prompt prompt"
    text, told = desk.store.read(
        lambda cursor: (
            provenance.first_text(cursor, "ops", component), provenance.told_of(cursor, "ops", component),
        )
    )  # fmt: skip
    assert text == "Until 2026-01-01,\nbe careful."
    assert [said for _, said in told] == ["in the system prompt, Until …,: 2026-01-01 became 2026-02-01"]


def test_an_erased_prompt_is_written_down_anew(desk):
    """Without its payload nothing is left to compare with, and nothing breaks."""
    first = tell(desk, "Until 2026-01-01.")
    desk.write(lambda journal, cursor: cursor.execute("DELETE FROM payload"))
    component = first.render.component
    assert desk.store.read(lambda cursor: provenance.first_text(cursor, "ops", component)) is None
    assert tell(desk, "Until 2026-03-01.").changes == (0,)
    assert desk.store.read(lambda cursor: provenance.first_text(cursor, "ops", component)) == "Until 2026-03-01."


def test_what_comes_beside_is_kept_with_its_times_and_in_bounds(desk):
    """Each value with when it was first and last seen; of very many the first ones."""
    desk.write(lambda journal, cursor: acts.observe(journal, cursor, "ops", ENV, None, lambda _: Rung.SUGGEST))
    for nth in range(provenance.MANY + 5):
        seen = {"system_fingerprint": f"fp_{nth}"}
        desk.write(lambda journal, cursor, seen=seen: provenance.beside(journal, cursor, "ops", ENV, seen))
    desk.later(seconds=9)
    again = {"system_fingerprint": "fp_0"}
    desk.write(lambda journal, cursor: provenance.beside(journal, cursor, "ops", ENV, again))
    other = replace(ENV, reported="other")
    desk.write(lambda journal, cursor: provenance.beside(journal, cursor, "ops", other, again))
    ((text,),) = desk.rows("SELECT beside FROM environment")
    found = json.loads(text)["system_fingerprint"]
    first, last = found["fp_0"]
    assert (len(found), last - first) == (provenance.MANY, 9_000_000)


def test_who_gave_an_answer_is_kept_for_thirty_days(desk):
    """By the message's id, for just the calls that it made."""
    desk.write(lambda journal, cursor: provenance.keep(journal, cursor, "m1", ["c1"], ENV))

    def found(message, call):
        return desk.store.read(lambda cursor: provenance.kept(cursor, message, call))

    assert found("m1", "c1") == ENV
    assert found("m1", "c2") is found("m2", "c1") is None
    desk.later(days=31)
    desk.write(lambda journal, cursor: provenance.keep(journal, cursor, "m2", ["c1"], ENV))
    assert found("m1", "c1") is None
    assert found("m2", "c1") == ENV


def test_answers_that_are_forgotten_are_found_by_an_index(path):
    """However many there are, only the old ones are read."""
    with at(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        plan = [
            row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {provenance.FORGET_PROPOSALS}", {"before": 1})
        ]
    assert plan == ["SEARCH proposal USING INDEX ix_proposal_at_us (at_us<?)"]
