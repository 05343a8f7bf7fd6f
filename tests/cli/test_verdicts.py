"""edit, respond, revoke: other answers than yes and no, each in the name of who is signed in."""

from __future__ import annotations

import os
import pwd

import pytest

from ladder_graph.facts import Asking, Person
from tests.cli.shop import POLICY

ME = pwd.getpwuid(os.getuid()).pw_name


def with_rule(shop, confirm, more=""):
    """The shop under a policy in which closing a ticket is asked about in this way."""
    old = '[tools.close_ticket]\nrung = "confirm"\n'
    assert old in POLICY
    shop.policy.write_text(POLICY.replace(old, f"{old}confirm = {confirm}\n") + more, encoding="utf-8")


def test_an_edit_runs_instead(shop, ladder, question):
    """What --set names is changed, the rest stays; the edited call runs once, and the agent is told."""
    shop.run(("refund", {"order": "4711", "cents": 900}))
    text = ladder("edit", question("refund"), "--set", "cents=100", "--typed", "4711", "--yes").stdout
    assert "becomes 100" in text
    assert f"edited by {ME}" in text
    told = shop.resume("refund")
    assert told.startswith(f"EDITED by {ME}: refund was called with these arguments instead of yours:")
    assert told.endswith("refunded")
    with shop.ladder() as desk:
        edited, ran = desk.actions()
    assert (edited.state, ran.state, ran.arguments) == ("edited", "done", {"order": "4711", "cents": 100})


def test_text_stays_text(shop, ladder, question):
    """A new value for a text is one, even if it looks like a number; what must be typed is the new one."""
    shop.run(("refund", {"order": "4711", "cents": 900}))
    asked = question("refund")
    wrong = ladder("edit", asked, "--set", "order=4712", "--typed", "4711", "--yes", code=2)
    assert "type the order exactly: 4712" in wrong.stderr
    ladder("edit", asked, "--set", "order=4712", "--typed", "4712", "--yes")
    shop.resume("refund")
    assert shop.ran == ["refund 4712"]


@pytest.mark.parametrize("change", ["cents", "=3"])
def test_a_change_must_name_an_argument(shop, ladder, question, change):
    """What isn't NAME=VALUE changes nothing."""
    shop.run(("close_ticket", {"number": 7}))
    assert "names no argument" in ladder("edit", question("close_ticket"), "--set", change, "--yes", code=2).stderr
    assert ladder("pending", "--json").document[0]["question"]


def test_an_edit_that_does_not_fit_never_runs(shop, ladder, question):
    """The command line knows what a tool's arguments are, and spends no answer on what it would refuse."""
    shop.run(("close_ticket", {"number": 7}))
    done = ladder("edit", question("close_ticket"), "--set", "number=red", "--yes", code=2)
    assert "number: it takes a whole number" in done.stderr
    assert shop.ran == []
    with shop.ladder() as desk:
        assert [action.state for action in desk.actions()] == ["asked"]
        assert desk.verify().ok


def test_an_edit_that_is_not_allowed_is_refused_at_once(shop, ladder, question):
    """Where a call may only be approved or declined, nobody is asked to look at an edit first."""
    with_rule(shop, '{ decisions = ["approve", "decline"] }')
    shop.run(("close_ticket", {"number": 7}))
    asked = question("close_ticket")
    for command in (("edit", asked, "--set", "number=8", "--yes"), ("respond", asked, "--text", "No need.")):
        assert "not allowed here, only approve or decline" in ladder(*command, code=2).stderr
    assert "approve or decline" in ladder("pending").stdout


def test_a_response_reaches_the_agent(shop, ladder, question):
    """The text stands in place of the tool's answer, and nothing runs."""
    shop.run(("close_ticket", {"number": 7}))
    assert f"answered by {ME}" in ladder("respond", question("close_ticket"), "--text", "It is closed.").stdout
    assert shop.resume("close_ticket") == f"ANSWERED by {ME}, and close_ticket did not run: It is closed."
    assert shop.ran == []


def test_an_approval_is_taken_back(shop, ladder, question):
    """Before the run; the agent reads who did and why."""
    shop.run(("close_ticket", {"number": 7}))
    asked = question("close_ticket")
    assert "no approval" in ladder("revoke", asked, "--reason", "wait", code=2).stderr
    ladder("approve", asked, "--yes")
    assert f"taken back by {ME}" in ladder("revoke", asked, "--reason", "wait").stdout
    assert shop.resume("close_ticket").startswith(f"DECLINED by {ME}: wait")
    assert shop.ran == []


def test_a_quorum_shows_how_far_it_is(shop, ladder, question):
    """Who approved and how many must, in the list, in its JSON, and after each approval."""
    with_rule(shop, "{ quorum = 2 }")
    shop.run(("close_ticket", {"number": 7}))
    assert "nobody yet (0 of 2)" in ladder("pending").stdout
    asked = question("close_ticket")
    with shop.ladder() as desk:
        desk.approve(asked, by=Person("ana", "code"))
    assert "ana (1 of 2)" in ladder("pending").stdout
    (document,) = ladder("pending", "--json").document
    assert (document["quorum"], document["approved_by"]) == (2, ["ana"])
    assert "goes on when a worker runs" in ladder("approve", asked, "--yes").stdout
    assert shop.resume("close_ticket") == "closed"


def test_the_first_of_two_is_told_that_another_must(shop, ladder, question):
    """One's own approval is said to be one of two, and a second one by the same person is refused."""
    with_rule(shop, "{ quorum = 2 }")
    shop.run(("close_ticket", {"number": 7}))
    asked = question("close_ticket")
    assert "1 more person must approve" in ladder("approve", asked, "--yes").stdout
    assert "has approved already" in ladder("approve", asked, "--yes", code=2).stderr
    ladder("revoke", asked, "--reason", "wait")
    assert ladder("pending", "--json").document[0]["approved_by"] == []


def test_roles_and_requesters_show(shop, ladder, monkeypatch):
    """Who may answer, as the rule says it, and whose run it was."""
    rule = '{ by = ["role:desk"], not_requester = true }'
    with_rule(shop, rule, f'\n[people."{ME}"]\nroles = ["desk"]\n')
    shop.run(("close_ticket", {"number": 7}))
    text = ladder("pending").stdout
    assert "role:desk" in text
    assert "a run of somebody unknown, so nobody can approve it" in text
    monkeypatch.setattr(
        "ladder_graph.hosts.toolhost.Interrupting.asking", lambda host: Asking(Person("bo", "server"), host.seed)
    )
    shop.run(("close_ticket", {"number": 8}))
    assert "a run of bo, who may not approve it" in ladder("pending").stdout
    *_, document = ladder("pending", "--json").document
    assert (document["requester"], document["not_requester"], document["may_answer"]) == ("bo", True, ["role:desk"])
    ladder("approve", document["question"], "--yes")
    shop.resume("close_ticket-2")
    assert shop.ran == ["close_ticket 8"]
