"""fingerprint, fingerprint diff: what an agent is made of, what changed, and what that means for its tools."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

import pytest

READ = ("read_stock", {"item": "tea"})


@pytest.fixture
def moved(shop, ladder):
    """A shop whose model moved once."""
    shop.run(READ)
    shop.model.reported = "scripted-2"
    shop.run(READ)
    return shop


def test_the_present_and_every_earlier_environment_are_shown(moved, ladder):
    """Each with its components and their classes, when it was seen, and where its tools stand."""
    text = ladder("fingerprint").stdout
    assert "A model" in text
    assert "scripted-2" in text
    assert "the model changed from scripted-1 to scripted-2" in text
    assert "Others that were seen" in text
    present, granted = ladder("fingerprint", "--json").document
    assert [one["components"]["reported"] for one in (present, granted)] == ["scripted-2", "scripted-1"]
    assert [one["granted"] for one in (present, granted)] == [False, True]
    assert [one["stands"]["read_stock"]["rung"] for one in (present, granted)] == ["confirm", "report"]
    assert [one["klass"] for one in present["changes"]] == ["A"]
    assert present["seen"]["first"] <= present["seen"]["last"]
    assert present["key"] != granted["key"]


def test_a_difference_says_what_it_means(moved, ladder):
    """From the granted environment to the present one, tool by tool."""
    text = ladder("fingerprint", "diff").stdout
    assert "A the model changed from scripted-1 to scripted-2" in text
    assert "report → confirm" in text
    found = ladder("fingerprint", "diff", "--json").document
    tools = {one["tool"]: one for one in found["tools"]}
    assert tools["read_stock"]["stands"]["reasons"][0]["code"] == "model_changed"
    assert tools["restart"]["stands"]["rung"] == "suggest"
    assert found["prompt"] == found["hidden"] == []


def test_an_agent_that_is_not_there_is_refused(moved, ladder):
    """A name that is spelt wrong has no environment to be granted, and it is said which there are."""
    for command in (["fingerprint", "shpo"], ["fingerprint", "shpo", "diff"]):
        assert "there is no agent shpo; did you mean shop?" in ladder(*command, code=2).stderr


def test_two_keys_are_compared_either_way_round(moved, ladder):
    """The beginnings of two keys are enough, and one goes against the granted environment."""
    present, granted = (one["key"] for one in ladder("fingerprint", "--json").document)
    there = ladder("fingerprint", "diff", granted[:12], present[:12], "--json").document
    back = ladder("fingerprint", "diff", present[:12], granted[:12], "--json").document
    assert (there["before"]["key"], there["after"]["key"]) == (granted, present)
    assert back["tools"][0]["changes"] != there["tools"][0]["changes"]
    assert ladder("fingerprint", "diff", present[:12].upper(), "--json").document["after"]["key"] == present
    assert "nothing that is known" in ladder("fingerprint", "diff", granted, granted).stdout


def test_an_unknown_or_ambiguous_key_is_refused(moved, ladder):
    """What names no environment, or several, is an error that says what to do."""
    assert "shop has no environment 'xyz'; `ladder fingerprint`" in ladder("fingerprint", "diff", "xyz", code=2).stderr
    assert "shop has no environment ''" in ladder("fingerprint", "diff", "", code=2).stderr
    keys = [one["key"] for one in ladder("fingerprint", "--json").document]
    for nth in range(2, 40):
        if len({key[0] for key in keys}) < len(keys):
            break
        moved.model.reported = f"scripted-{nth + 1}"
        moved.run(READ)
        keys = [one["key"] for one in ladder("fingerprint", "--json").document]
    first = next(key[0] for key in keys if sum(other[0] == key[0] for other in keys) > 1)
    assert f"begin with '{first}'; write more" in ladder("fingerprint", "diff", first, code=2).stderr


def test_another_agent_is_named_by_its_first_word(moved, ladder):
    """`ladder fingerprint AGENT` is that agent's; one that never called has none."""
    assert ladder("fingerprint", "shop", "--json").document == ladder("fingerprint", "--json").document
    assert "no call of shop/nobody was seen yet" in ladder("fingerprint", "shop/nobody").stdout
    assert ladder("fingerprint", "shop/nobody", "--json").document == []
    assert "run the agent once" in ladder("fingerprint", "diff", "--agent", "shop/nobody", code=2).stderr
    assert "run the agent once" in ladder("fingerprint", "shop/nobody", "diff", code=2).stderr


def test_what_is_locked_is_shown_before_it_was_seen(moved, ladder, tmp_path):
    """A lock file from elsewhere names an environment that no call came from here."""
    ladder("lock", "--yes")
    (moved.folder / "ladder.db").unlink()
    (known,) = ladder("fingerprint", "--json").document
    assert (known["granted"], known["seen"]) == (True, None)
    assert "which the rungs are granted to" in ladder("fingerprint").stdout


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda agent: agent.update(reported="scripted-3"), "is not what was seen; the file was edited by hand"),
        (lambda agent: agent.pop("sha256"), "has no digest; the file was edited by hand"),
        (lambda agent: agent.pop("prompt"), "prompt: is missing"),
        (lambda agent: agent.update(tools={}), "toolset: is not the hash of these tools"),
        (lambda agent: agent.update(tools={}, middleware="x"), "middleware: must be a list of names"),
        (lambda agent: agent.update(data={"*": 3}), "data: must map each tool's name to the version of its data"),
    ],
)
def test_a_lock_file_that_was_edited_by_hand_is_refused(moved, ladder, edit, words):
    """A grant is for what proposed calls, and not for a text; the error says where and what to do."""
    ladder("lock", "--yes")
    path = moved.folder / "ladder.lock"
    value = json.loads(path.read_text(encoding="utf-8"))
    edit(value["agents"]["shop"])
    path.write_text(json.dumps(value), encoding="utf-8")
    assert words in ladder("fingerprint", code=2).stderr


def test_the_screen_is_wide_enough_at_eighty_columns(moved, ladder):
    """No line is longer than the terminal, and none ends in spaces."""
    for arguments in (["fingerprint"], ["fingerprint", "diff"]):
        for line in ladder(*arguments, columns=80).stdout.splitlines():
            assert len(line) <= 80
            assert line == line.rstrip(" ")


def test_what_a_changed_agent_keeps_is_decided_in_ones_name(moved, ladder):
    """By somebody who may promote, for a reason; it stands in the log, and the tool stands where it stood."""
    said = ("fingerprint", "carry", "--keep", "all", "--reason", "the same under a new name", "--yes")
    assert "may not sign" in ladder(*said, code=None).stderr
    me = pwd.getpwuid(os.getuid()).pw_name
    with Path("ladder.toml").open("a", encoding="utf-8") as policy:
        policy.write(f'\n[trust]\npromoters = ["{me}"]\n')
    carried = {one["tool"]: one for one in ladder(*said, "--json").document}
    assert (carried["read_stock"]["stood"], carried["read_stock"]["stands"]) == ("report", "report")
    assert ladder("trust", "--recompute", "--json").document["ok"]
    told = ladder("why", "read_stock", "--json").document
    assert told[0]["history"][-1]["reason"] == "the same under a new name"
