"""`docs/trust.md`: what it says about demotions, conditions and alphas is what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from ladder_graph.policy.reading import policy_of
from ladder_graph.policy.trusting import Scope, Stake, Trust
from ladder_graph.scale import Rung
from ladder_graph.trust import demotion, gates

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")


def rows(text):
    """The lines of a table."""
    return [line for line in text.splitlines() if line.startswith("|")]


def test_the_table_of_demotions_is_that_of_the_code():
    """Row by row."""
    shown = PAGE.partition("<!-- demotions -->")[2].partition("<!-- end -->")[0]
    assert rows(shown) == rows(demotion.__doc__)


def test_every_condition_is_explained():
    """Each code that a gate can have stands in the table, and no other does."""
    source = Path(gates.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'(?:Gate|_done|_reached)\(\s*"([a-z_]+)"', source))
    table = PAGE.partition("## All of the conditions")[2].partition("\n## ")[0]
    told = {code for row in rows(table) for code in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    assert told == codes


def test_the_chances_are_those_of_the_code():
    """Alpha to each rung, as in the table."""
    trust = Trust()
    for words, alpha in re.findall(r"^\| ([a-z, ]+) \| (0\.\d\d) \|$", PAGE, re.MULTILINE):
        assert {f"{trust.alpha_to(Rung.parse(word)):.2f}" for word in words.split(", ")} == {alpha}


def test_the_assumed_minutes_are_those_of_the_code():
    """What is assumed on each rung is said."""
    told = dict(re.findall(r"\b(suggest|draft|bounded|rollback|report) (\d[\d.]*)", PAGE.partition("## The money")[2]))
    trust = Trust()
    assert {word: float(minutes.rstrip(".")) for word, minutes in told.items()} == {
        rung.word: trust.minutes_on(rung)[0] for rung in Rung if rung is not Rung.CONFIRM
    }


def test_the_policy_of_the_page_is_one():
    """Its block is read by the strict model, and every key of the three tables is named in the section."""
    section = PAGE.partition("\n## The policy\n")[2].partition("\n## ")[0]
    block = section.partition("```toml\n")[2].partition("```")[0]
    policy = policy_of(tomllib.loads(f'agent = "ops"\n{block}'), "the page")
    assert policy.able(policy.trust.promoters) == {"ana"}
    for model in (Trust, Stake, Scope):
        assert [name for name in model.model_fields if not re.search(rf"\b{name}\b", section)] == []
