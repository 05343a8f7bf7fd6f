"""report, reports, ack: reading what ran unasked, and what it costs where nobody does."""

from __future__ import annotations

import pytest

from tests.cli.test_answering import ME, Terminal

READ = ("read_stock", {"item": "tea"})
OLD = 'reader = "ana"\nsla = "24h"'


def each_by_itself(shop, reader=ME, sla="24h", more=""):
    """A shop whose reports are over with each action."""
    text = shop.policy.read_text(encoding="utf-8")
    assert OLD in text
    new = f'reader = "{reader}"\nsla = "{sla}"\ndigest = "action"\n{more}'
    shop.policy.write_text(text.replace(OLD, new), encoding="utf-8")


def stands(ladder):
    """The rung of the tool that is reported on."""
    return next(one for one in ladder("status", "--json").document if one["tool"] == "read_stock")["effective"]


def test_what_ran_is_on_the_stream_at_once(folder, ladder):
    """It is listed with who must read it and until when, before its report is made."""
    (filed,) = ladder("reports", "--json").document
    assert (filed["tool"], filed["reader"], filed["overdue"], filed["read_at"]) == ("read_stock", "ana", False, None)
    (open_,) = ladder("report", "--json").document
    assert (open_["report"], open_["report_state"], open_["calls"]) == (filed["report"], "gathering", 1)
    shown = ladder("report", filed["report"][:8]).stdout
    assert "It is open until" in shown
    assert "read_stock down from report to rollback" in " ".join(shown.split())


def test_a_report_is_read_by_a_verdict_for_each(shop, ladder):
    """One action at a time on the command line, too; to see it is not to read it."""
    each_by_itself(shop)
    shop.run(READ, READ)
    first, second = (one["report"] for one in ladder("report", "--json").document)
    key = ladder("report", first, "--json").document["items"][0]["action"]
    assert ladder("report", first, "--json").document["report_state"] == "unread"
    text = ladder("report", first, "--verdict", f"{key[:10]}=fine", "--note", "as ever").stdout
    assert f"read by {ME}" in " ".join(text.split())
    assert "first action of read_stock" in text or "picked at random" in text
    assert [one["report"] for one in ladder("report", "--json").document] == [second]
    (done,) = (one for one in ladder("report", "--all", "--json").document if one["report"] == first)
    assert (done["by"], done["note"], done["given"]) == (ME, "as ever", 1)
    assert "was read before" in ladder("report", first, "--verdict", f"{key}=look", code=2).stderr


def test_a_verdict_must_be_one_and_come_from_a_reader(shop, ladder):
    """Nothing is taken for a yes, and nobody reads for somebody else."""
    each_by_itself(shop, reader="ana")
    shop.run(READ)
    (one,) = ladder("report", "--json").document
    key = ladder("report", one["report"], "--json").document["items"][0]["action"]
    for said in (key, f"{key}=ok", "=fine"):
        assert "write ACTION=fine" in ladder("report", one["report"], "--verdict", said, code=2).stderr
    assert "the policy names ana" in ladder("report", one["report"], "--verdict", f"{key}=fine", code=2).stderr
    assert "say which report" in ladder("report", "--verdict", f"{key}=fine", code=2).stderr
    assert "there is no report" in ladder("report", "0123", code=2).stderr


def test_the_verdicts_are_typed_one_by_one(shop, ladder):
    """There is no default: another word is asked again."""
    each_by_itself(shop)
    shop.run(READ)
    (one,) = ladder("report", "--json").document
    terminal = Terminal("report", one["report"])
    for times, said in enumerate(("yes", "FINE", "look"), 1):
        terminal.until("type fine, look or undo: ", times)
        terminal.type(f"{said}\n")
    assert terminal.end() == 0
    assert "✓ read by" in terminal.text
    (incident,) = (entry for entry in ladder("log", "--json").document if entry["kind"] == "incident")
    assert (incident["body"]["class"], incident["body"]["severity"]) == ("look", 0)
    assert ladder("report", "--json").document == []


def test_an_overdue_report_costs_what_acted_in_it(shop, ladder):
    """It is said wherever the tool is shown, and reading it late gives nothing back by itself."""
    each_by_itself(shop, sla="1ms")
    shop.run(READ)
    (one,) = ladder("report", "--json").document
    assert one["overdue"]
    assert one["fell"] == [{"tool": "read_stock", "scope": ""}]
    assert "by " + ME + ", overdue since" in ladder("reports").stdout
    assert stands(ladder) == "rollback"
    key = ladder("report", one["report"], "--json").document["items"][0]["action"]
    ladder("report", one["report"], "--verdict", f"{key}=fine")
    assert "too late" in ladder("report", "--all").stdout
    assert stands(ladder) == "rollback"
    assert "D8" in ladder("why", "read_stock").stdout


def test_ack_is_for_what_waits_by_itself(folder, ladder, action):
    """What is in a report is read there."""
    assert "no unread report" in ladder("ack", action("refund"), code=2).stderr
    assert "`ladder report` shows the digests" in ladder("ack", action("read_stock"), code=2).stderr
    assert len(ladder("reports", "--json").document) == 1


@pytest.mark.parametrize("arguments", [["report"], ["report", "--all"], ["reports"]])
def test_where_nothing_ran_nothing_is_to_be_read(shop, ladder, arguments):
    """Without a ledger, too."""
    assert "Every report is read." in ladder(*arguments).stdout


def test_a_sweep_tells_people(shop, ladder):
    """It goes into the file that the policy names, once, with no argument of the call; a failure is said."""
    ways = '{ kind = "file", path = "told.jsonl" }, { kind = "apprise", env = "NOT_SET" }'
    each_by_itself(shop, more=f"notify = [{ways}]")
    shop.run(READ)
    assert "not told: filed of shop: the environment variable NOT_SET isn't set here" in " ".join(
        ladder("sweep").stdout.split()
    )
    ladder("sweep")
    (line,) = (shop.folder / "told.jsonl").read_text(encoding="utf-8").splitlines()
    assert '"event": "filed"' in line
    assert "tea" not in line
