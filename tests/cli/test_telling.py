"""show: an action's whole life, what it counts as, and what can be done about it now."""

from __future__ import annotations

import pytest

from tests.cli.shop import NOBODY


def life(ladder, tool, action):
    """The document of the first action of a tool."""
    return ladder("show", action(tool), "--json").document


def test_an_answer_is_told_with_how_it_was_given(shop, ladder, action):
    """Who, how long they looked, at how much, with what, and the digest of what was shown."""
    shop.run(("close_ticket", {"number": 7}))
    with shop.ladder() as open_ladder:
        (asked,) = open_ladder.pending()
        told = open_ladder.briefing(asked.id)
        open_ladder.pass_on(asked.id, to="bo", by="ana", note="yours")
        open_ladder.approve(asked.id, by="bo", looked=3.25, characters=20, shown=told.shown, input="pointer")
    shop.resume("close_ticket")
    found = life(ladder, "close_ticket", action)
    by_kind = {one["kind"]: one for one in found["steps"]}
    assert [one["kind"] for one in found["steps"]] == ["asked", "question", "passed", "approved", "started", "done"]
    assert by_kind["approved"]["by"] == "bo (code)"
    facts = dict(map(tuple, by_kind["approved"]["facts"]))
    assert facts == {
        "looked for": "3.2 s", "to read": "20 characters", "answered by": "pointer", "was shown": told.shown,
    }  # fmt: skip
    assert dict(map(tuple, by_kind["passed"]["facts"])) == {"to": "bo", "reason": "yours"}
    (question,) = found["questions"]
    assert (question["state"], question["briefing"]["title"]) == ("used", "Run close_ticket?")
    assert question["briefing"]["arguments"][0]["source"] == "written by the agent"
    assert found["proposed_by"] == "scripted-1 by scripted"
    assert found["counted"]["as"] == "clean"
    text = ladder("show", action("close_ticket")).stdout
    for part in ("Asked: Run close_ticket?", "looked for: 3.2 s", "answered by: pointer", "What next"):
        assert part in text


def test_an_edit_leads_both_ways(shop, ladder, action):
    """The action that was asked about names the one in its place, which names where it came from."""
    shop.run(("close_ticket", {"number": 7}))
    with shop.ladder() as open_ladder:
        (asked,) = open_ladder.pending()
        open_ladder.edit(asked.id, {"number": 8}, by="ana", reason="the other one")
    shop.resume("close_ticket")
    before = life(ladder, "close_ticket", action)
    after = ladder("show", before["successor"], "--json").document
    assert after["edited_from"] == before["action"]
    assert before["counted"]["as"] == "a mistake"
    assert after["counted"]["as"] == "nothing"
    assert "a person's" in after["counted"]["why"]
    assert ["instead", "number = 8"] in before["steps"][-1]["facts"]
    assert after["questions"][0]["briefing"]["arguments"][0]["source"] == "put in by ana"


@pytest.mark.parametrize(
    ("want", "command"),
    [
        (("restart", {"reason": "slow"}), "ladder suggestions adopt {}"),
        (("write_letter", {"to": "cy", "text": "x"}), "ladder drafts accept {}"),
        (("close_ticket", {"number": 7}), "ladder inbox"),
        (("read_stock", {"item": "tea"}), "ladder report {report}"),
        (("send_mail", {"to": NOBODY}), "ladder resolve {} --happened --reason HOW"),
        (("send_mail", {"to": "bo@example.com"}), "ladder incident {} --severity S2 --text WHAT"),
    ],
)
def test_what_next_is_a_command(shop, ladder, action, want, command):
    """In each state a person is told what they can do, as a command that is there."""
    shop.run(want)
    found = life(ladder, want[0], action)
    commands = [one["command"] for one in found["next"]]
    with shop.ladder() as open_ladder:
        filed = open_ladder.report_on(found["action"])
    report = "" if filed is None else filed.digest[:12]
    assert command.format(found["action"][:12], report=report) in commands
    for one in commands:
        words = one.split()[1:]
        assert ladder(*words[: 2 if words[0] in {"drafts", "suggestions"} else 1], "--help").exit_code == 0


def test_what_is_not_known_is_told_all_the_same(shop, ladder, action):
    """An entry of a kind that this release doesn't know stands there with what it says, inert."""
    shop.run(("close_ticket", {"number": 7}))
    key = action("close_ticket")
    with shop.ladder() as open_ladder:
        open_ladder._write(
            lambda journal, cursor: journal.append(
                cursor, "shop", "digest_sent", key, {"to": "ana\u202e", "many": list(range(2000)), "by": "mia"}
            )
        )
    last = life(ladder, "close_ticket", action)["steps"][-1]
    assert (last["title"], last["by"]) == ("Digest sent", "mia")
    facts = dict(map(tuple, last["facts"]))
    assert facts["to"] == "ana\\u{202E}"
    assert len(facts["many"]) < 1100


def test_what_was_erased_is_said_to_be(shop, ladder, action):
    """An entry whose payload is gone is still there, without what it said."""
    shop.run(("close_ticket", {"number": 7}))
    key = action("close_ticket")
    with shop.ladder() as open_ladder:
        open_ladder.store.write(lambda cursor: cursor.execute("DELETE FROM payload", {}))
        told = open_ladder.briefing(open_ladder.pending()[0].id)
        assert (told.known, told.words, told.arguments) == (False, "", ())
    found = ladder("show", key, "--json").document
    assert {one["facts"][0][1] for one in found["steps"]} == {"what it said was erased"}
