"""resolve, demote, lock: what keeps an agent where it belongs."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.shop import NOBODY
from tests.cli.test_answering import ME

READ = ("read_stock", {"item": "tea"})


@pytest.mark.parametrize(("found", "state"), [("--happened", "done"), ("--absent", "failed")])
def test_a_doubt_is_resolved_by_who_looked(shop, ladder, action, found, state):
    """An action in doubt stays so until somebody says what they found; then it is recorded who."""
    shop.run(("send_mail", {"to": NOBODY}))
    key = action("send_mail")
    assert ladder("show", key, "--json").document["state"] == "unknown"
    assert "say what you found" in ladder("resolve", key, code=2).stderr
    assert f"{ME} found out" in ladder("resolve", key, found, "--reason", "I asked them").stdout
    life = ladder("show", key, "--json").document
    assert life["state"] == state
    assert life["entries"][-1]["body"]["by"] == ME
    assert "isn't in doubt" in ladder("resolve", key, found, code=2).stderr


def test_a_tool_is_demoted_by_a_person(folder, ladder):
    """A demotion holds from then on, is on record with its reason and its author, and never raises."""
    assert (
        "send_mail went from bounded to draft" in ladder("demote", "send_mail", "draft", "--reason", "too many").stdout
    )
    cell = next(one for one in ladder("status", "--json").document if one["tool"] == "send_mail")
    assert (cell["effective"], cell["reasons"][0]) == ("draft", {"code": "demoted", "text": "too many"})
    assert "demoted: too many" in ladder("status").stdout
    entry = ladder("log", "--tool", "send_mail", "--json").document[-1]
    assert (entry["kind"], entry["body"]["by"], entry["body"]["auth"]) == ("demoted", ME, "os-user")
    assert "nothing changed" in ladder("demote", "send_mail", "4", "--reason", "again").stdout


def test_a_limit_above_where_a_tool_stands(folder, ladder):
    """What is said is the limit that was set, and not the rung that the tool happens to stand on."""
    said = ladder("demote", "close_ticket", "rollback", "--reason", "never above").stdout
    stands = next(one for one in ladder("status", "--json").document if one["tool"] == "close_ticket")["effective"]
    assert f"close_ticket stays on {stands}; it may not stand above rollback from now on." in said
    assert stands != "rollback"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("send_mial", "draft"), "did you mean send_mail?"),
        (("qqq", "draft"), "its tools are close_ticket"),
        (("send_mail", "drft"), "'drft' is no rung"),
        (("send_mail", "6"), "6 is no rung"),
    ],
)
def test_a_demotion_of_nothing_is_refused(folder, ladder, arguments, words):
    """A tool or a rung that isn't there is an error, and nothing is written down."""
    assert words in ladder("demote", *arguments, "--reason", "x", code=2).stderr
    assert not [one for one in ladder("log", "--json").document if one["kind"] == "demoted"]


def test_the_environment_is_pinned(folder, ladder):
    """`lock` writes what proposed the last call beside the policy, and records whose grant it is."""
    text = ladder("lock").stdout
    assert "scripted-1" in text
    assert f"pinned by {ME}, in ladder.lock" in text
    locked = json.loads((folder / "ladder.lock").read_text(encoding="utf-8"))
    assert locked["agents"]["shop"]["reported"] == "scripted-1"
    assert ladder("log", "--json").document[-1]["body"]["by"] == ME
    assert "lock           ladder.lock: the rungs are granted to scripted-1" in ladder("doctor").stdout


def test_a_change_is_shown_before_it_is_granted(shop, ladder):
    """Where the agent changed since the grant, `lock` shows what changed and asks; with --yes the rungs are its own."""
    shop.run(READ)
    shop.model.reported = "scripted-2"
    shop.run(READ)
    result = ladder("lock", code=2)
    assert "the model changed from scripted-1 to scripted-2" in result.stdout
    assert "no terminal to ask on" in result.stderr
    assert not (shop.folder / "ladder.lock").exists()
    ladder("lock", "--yes")
    cell = next(one for one in ladder("status", "--json").document if one["tool"] == "read_stock")
    assert (cell["effective"], cell["reasons"]) == ("report", [])


def test_what_is_not_known_any_more_is_shown_before_it_is_granted(shop, ladder):
    """That nothing is known to have changed is no reason to grant it unasked."""
    shop.run(READ)
    shop.model.reported = ""
    shop.run(READ)
    result = ladder("lock", code=2)
    assert "nothing that is known on both sides has changed" in result.stdout
    assert "scripted-1 is a name for several models" in " ".join(result.stdout.split())
    assert "no terminal to ask on" in result.stderr
    assert not (shop.folder / "ladder.lock").exists()


def test_there_is_nothing_to_pin_before_the_first_call(shop, ladder):
    """Before any call was seen there is nothing to pin, and no file is written."""
    shop.run()
    assert "no call of shop was seen yet" in ladder("lock", code=2).stderr
    assert not (shop.folder / "ladder.lock").exists()


def test_the_screen_is_wide_enough_at_eighty_columns(folder, ladder, action):
    """No line of any list is longer than the terminal, and none ends in spaces."""
    key = action("refund")
    for command in (["status"], ["doctor"], ["pending"], ["log"], ["drafts"], ["reports"], ["show", key], ["lock"]):
        lines = ladder(*command, columns=80).stdout.splitlines()
        assert max(map(len, lines)) <= 80
        assert not [line for line in lines if re.search(r" $", line)]
