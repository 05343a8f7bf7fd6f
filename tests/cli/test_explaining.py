"""explain: which rung a call would get, with nothing run and nothing written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ladder_graph.cli import documents


def test_what_is_left_is_what_the_ledger_says(folder, ladder):
    """The shop has sent its one mail, so another would ask, and the reason says what is left."""
    told = ladder("explain", "send_mail", "--args", '{"to": "bo@example.com"}', "--json").document
    assert list(told) == list(documents.ExplanationDocument.__annotations__)
    assert (told["claimed"], told["stands"], told["effective"]) == ("bounded", "bounded", "confirm")
    (bound,) = told["bounds"]
    assert (bound["held"], bound["left"]) == (False, 0)
    assert [reason["code"] for reason in told["reasons"]] == ["outside_volume"]


def test_one_argument_at_a_time(folder, ladder):
    """`--set` takes JSON where it is JSON and text where it isn't, over what `--args` said."""
    told = ladder("explain", "set_price", "--args", '{"cents": 1, "item": "tea"}', "--set", "cents=250", "--json")
    assert told.document["arguments"] == {"cents": 250, "item": "tea"}
    assert told.document["effective"] == "rollback"
    told = ladder("explain", "set_price", "--set", "cents=many", "--json").document
    assert (told["arguments"], told["effective"]) == ({"cents": "many"}, "confirm")


def test_a_person_reads_each_bound(folder, ladder):
    """Each bound is there with its sign and its numbers, and the rung above them."""
    text = ladder("explain", "set_price", "--set", "cents=20000").stdout
    assert "this call       confirm" in text
    assert '✗  range  argument = "cents", least = 1, most = 10000' in text
    assert "cents is 20000, and the bound" in text


def test_an_agent_inside_can_be_asked_about(folder, ladder):
    """`--agent` names whose call it is; its quota is another one."""
    told = ladder("explain", "send_mail", "--agent", "shop/night", "--json").document
    assert (told["agent"], told["bounds"][0]["left"]) == ("shop/night", 1)


def test_nothing_is_made_and_nothing_written(folder, ladder):
    """Without a ledger none is made; with one, its chains end where they ended."""
    before = ladder("verify", "--export-heads").stdout
    ladder("explain", "refund", "--set", "order=4711")
    assert ladder("verify", "--export-heads").stdout == before
    Path("ladder.db").unlink()
    there = sorted(Path().iterdir())
    assert "no ledger" in ladder("explain", "refund").stderr
    assert sorted(Path().iterdir()) == there


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--args", "{"), "--args is no JSON"),
        (("--args", "[1]"), "--args is no JSON object"),
        (("--set", "to"), "--set to has no name and value"),
        (("--args", '{"n": NaN}'), "NaN"),
    ],
)
def test_what_cannot_be_read_is_an_error(folder, ladder, arguments, said):
    """Exit code 2, with what to write instead."""
    assert said.lower() in ladder("explain", "refund", *arguments, code=2).stderr.lower()


def test_a_predicate_of_the_project_is_found(folder, ladder, monkeypatch):
    """A bound in Python lies in the folder one stands in, and is asked, as the gate would ask it."""
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one not in {"", str(folder)}])
    Path("odd_rules.py").write_text("def small(call):\n    return True\n", encoding="utf-8")
    text = Path("ladder.toml").read_text(encoding="utf-8")
    rule = '\n[tools.odd]\nrung = "bounded"\nbounds = [{ kind = "predicate", function = "odd_rules:small" }]\n'
    Path("ladder.toml").write_text(text + rule, encoding="utf-8")
    (bound,) = ladder("explain", "odd", "--json").document["bounds"]
    assert (bound["held"], bound["text"]) == (True, "")
    assert "odd_rules:small was called. No tool ran, and nothing was written down." in ladder("explain", "odd").stdout
    assert "called" not in ladder("explain", "refund").stdout
