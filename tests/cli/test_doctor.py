"""doctor: what is claimed against what is in place, and what to do about it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.cli.shop import NOBODY

READ = ("read_stock", {"item": "tea"})


def findings(ladder, code=0):
    """What the doctor found, by what it is about."""
    return {one["about"]: one for one in ladder("doctor", "--json", code=code).document}


def edit(shop, old, new):
    """Change the shop's policy."""
    text = shop.policy.read_text(encoding="utf-8")
    assert old in text
    shop.policy.write_text(text.replace(old, new), encoding="utf-8")


def test_a_shop_in_order_is_in_order(folder, ladder):
    """Where every tool stands where the policy puts it, nothing is wrong, and what waits for people is noted."""
    found = findings(ladder)
    assert {one["verdict"] for one in found.values()} == {"good", "note"}
    assert found["set_price"]["text"] == "stands on rollback: 1 bound, an undo, 1 health check"
    assert (found["questions"]["verdict"], found["questions"]["text"]) == ("note", "2 waiting")
    assert found["lock"]["points"] == [{"text": "", "advice": "`ladder lock` pins it in your name"}]
    assert "All in order." in ladder("doctor").stdout


def test_what_is_missing_is_said_with_what_to_do(shop, ladder):
    """A tool that claims more than is in place is wrong, with each reason and each remedy, and the exit code is 1."""
    edit(shop, "checks = [", "# checks = [")
    edit(shop, 'bounds = [{ kind = "volume", limit = 1, per = "ever" }]', "")
    edit(shop, 'reader = "ana"', "")
    shop.run(READ)
    found = findings(ladder, code=1)
    assert found["set_price"]["text"] == "stands on bounded, the policy says rollback"
    assert found["set_price"]["points"][0]["advice"] == "add checks = [...] to the tool"
    assert found["send_mail"]["points"][0]["advice"].startswith("add bounds")
    assert found["reports"]["verdict"] == "wrong"
    assert "read_stock" in found["reports"]["text"]
    assert found["read_stock"]["verdict"] == "wrong"
    assert "4 of 13 not in order." in ladder("doctor", code=1).stdout


def test_a_changed_model_is_wrong(shop, ladder):
    """After the model changed, the doctor names the change and how the rungs can be granted to what runs now."""
    shop.run(READ)
    shop.model.reported = "scripted-2"
    shop.run(READ)
    (point,) = findings(ladder, code=1)["read_stock"]["points"]
    assert point["text"] == "the model changed from scripted-1 to scripted-2"
    assert "ladder lock" in point["advice"]


def test_not_having_looked_is_no_fault(shop, ladder):
    """Before any graph was mounted, what isn't known yet is noted, and nothing is made."""
    before = sorted(shop.folder.iterdir())
    found = findings(ladder)
    assert found["ledger"]["text"] == "there is no ledger at ladder.db yet; the first run makes it"
    assert found["set_price"]["verdict"] == "note"
    assert "no graph with it was mounted yet" in found["set_price"]["points"][0]["text"]
    assert sorted(shop.folder.iterdir()) == before


def test_names_that_do_not_meet_are_noted(shop, ladder):
    """A tool that the policy doesn't name, and a name without a tool, are noted with the nearest other one."""
    edit(shop, "[tools.restart]", "[tools.restrat]")
    shop.run(READ)
    found = findings(ladder)
    assert found["restart"]["points"] == [
        {"text": "the policy doesn't name it, so it only suggests", "advice": "did you mean restrat?"}
    ]
    assert found["restrat"]["points"] == [{"text": "no graph has such a tool", "advice": "did you mean restart?"}]


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ('{ kind = "python", function = "shop_health:missing" }', "shop_health:missing can't be loaded"),
        ('{ kind = "http", url = "http://127.0.0.1:9/health", timeout = 0.2 }', "could not be reached"),
    ],
)
def test_a_health_check_that_cannot_be_healthy_is_wrong(shop, ladder, check, words):
    """A check that can't be loaded or reached would undo every action, and is said now."""
    edit(shop, '{ kind = "python", function = "shop_health:fine" }', check)
    shop.run(READ)
    (point,) = findings(ladder, code=1)["set_price"]["points"]
    assert words in point["text"]


def test_what_is_in_doubt_is_noted(shop, ladder):
    """An action of which nobody knows what became is noted with how to resolve it."""
    shop.run(("send_mail", {"to": NOBODY}))
    doubt = findings(ladder)["doubt"]
    assert doubt["verdict"] == "note"
    assert doubt["points"][0]["text"].startswith("send_mail (")
    assert "ladder resolve" in doubt["points"][0]["advice"]


def test_an_overdue_report_is_wrong(shop, ladder):
    """Reports that nobody read in time stop rung 5, and the doctor says who must do what."""
    edit(shop, 'sla = "24h"', 'sla = "1ms"')
    shop.run(READ)
    found = findings(ladder, code=1)
    assert found["reports"]["text"] == "1 of 1 unread is overdue, so nothing stands on rung report"
    assert found["read_stock"]["verdict"] == "wrong"


def test_a_broken_chain_is_wrong(folder, ladder):
    """A ledger whose last entry was changed, or whose end was cut, is wrong."""
    with sqlite3.connect(folder / "ladder.db") as database:
        database.execute("DROP TRIGGER entry_delete")
        database.execute("DELETE FROM entry WHERE n = (SELECT max(n) FROM entry)")
    database.close()
    ledger = findings(ladder, code=1)["ledger"]
    assert ledger["verdict"] == "wrong"
    assert "the chain ends at 12, its head says 13" in ledger["points"][0]["text"]


def test_a_policy_with_mistakes_is_a_finding(shop, ladder):
    """Mistakes in the policy are listed as what is wrong, and nothing else is looked at."""
    shop.policy.write_text('agnet = "shop"\n', encoding="utf-8")
    found = findings(ladder, code=1)
    assert list(found) == ["policy"]
    assert "did you mean 'agent'?" in found["policy"]["points"][0]["text"]


def test_what_is_no_ledger_is_a_finding(shop, ladder):
    """A ledger file that is something else is wrong, and everything else is still looked at."""
    Path("ladder.db").write_text("This is a shopping list, and a long one at that. " * 20, encoding="utf-8")
    found = findings(ladder, code=1)
    assert "is no ledger" in found["ledger"]["text"]
    assert found["refund"]["verdict"] == "good"


def test_drafts_that_cannot_be_written_are_wrong(shop, ladder):
    """A drafts place that is a file, or lies in one, stops rung 1."""
    Path("drafts").write_text("in the way", encoding="utf-8")
    assert findings(ladder, code=1)["drafts"]["verdict"] == "wrong"


def test_a_glob_is_shown_where_it_decides(shop, ladder):
    """A tool that a glob is for says so, the policy counts both, and a glob for nothing is noted."""
    edit(shop, "[tools.read_stock]", '[tools."reed_*"]\n[tools."read_*"]')
    shop.run(READ)
    found = findings(ladder)
    assert found["policy"]["text"].endswith("6 tools and 2 globs of shop")
    assert found["read_stock"]["text"] == "stands on report: it only reads; by the entry read_*"
    assert (found["reed_*"]["verdict"], "read_*" in found) == ("note", False)


def test_an_edit_that_a_running_agent_could_not_take_up_is_shown(shop, ladder):
    """The doctor names what the agent kept and why, until an agent acts under what the file holds."""
    with shop.ladder() as running:
        edit(shop, 'agent = "shop"', 'agent = "shop"\nask = "one"')
        os.utime(shop.policy, (1, 1))
        running.refresh()
        found = findings(ladder, code=1)["revision"]
    assert (found["verdict"], running.policy.revision in found["text"]) == ("wrong", True)
    assert found["points"][0]["text"] == "ask can't change while the agent runs; restart it"
    shop.run(READ)
    assert "revision" not in findings(ladder)


def test_an_edit_that_was_taken_up_is_shown(shop, ladder):
    """The doctor says that the revision of the file is in force."""
    with shop.ladder() as running:
        edit(shop, 'impact = "high"', 'impact = "medium"')
        os.utime(shop.policy, (1, 1))
        running.refresh()
        assert findings(ladder)["revision"]["text"] == f"{running.policy.revision}: taken up by a running agent"
