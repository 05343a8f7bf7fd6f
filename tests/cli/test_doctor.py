"""doctor: what is claimed against what is in place, and what to do about it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
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
    assert "4 of 14 not in order." in ladder("doctor", code=1).stdout


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
    # Python itself may keep what it made of a module that was looked for.
    assert sorted(path for path in shop.folder.iterdir() if path.name != "__pycache__") == before


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
    point, *_ = findings(ladder, code=1)["set_price"]["points"]
    assert words in point["text"]


def test_what_is_in_doubt_is_noted(shop, ladder):
    """An action of which nobody knows what became is noted with how to resolve it."""
    shop.run(("send_mail", {"to": NOBODY}))
    doubt = findings(ladder)["doubt"]
    assert doubt["verdict"] == "note"
    assert doubt["points"][0]["text"].startswith("send_mail (")
    assert "ladder resolve" in doubt["points"][0]["advice"]


def test_a_draft_whose_process_died_is_no_threads(shop, ladder):
    """No thread finds out about it: a worker does, or whoever looks."""
    shop.run(("write_letter", {"to": "cy", "text": "The tea is here.\n"}))
    with contextlib.closing(sqlite3.connect(shop.file)) as ledger, ledger:
        ledger.execute("UPDATE action SET state = 'started', owner = 'gone'")
    (point,) = findings(ladder)["doubt"]["points"]
    assert "ladder resume-worker" in point["advice"]
    assert "thread" not in point["advice"]


def test_an_overdue_report_is_wrong(shop, ladder):
    """Reports that nobody read in time stop rung 5, and the doctor says who must do what."""
    edit(shop, 'sla = "24h"', 'sla = "1ms"\ndigest = "action"')
    shop.run(READ)
    found = findings(ladder, code=1)
    assert found["reports"]["text"] == "1 of 1 unread is overdue, so what acted in them went down a rung"
    assert found["read_stock"]["verdict"] == "wrong"


def test_a_broken_chain_is_wrong(folder, ladder):
    """A ledger whose last entry was changed, or whose end was cut, is wrong."""
    with sqlite3.connect(folder / "ladder.db") as database:
        database.execute("DROP TRIGGER entry_delete")
        database.execute("DELETE FROM entry WHERE n = (SELECT max(n) FROM entry)")
    database.close()
    ledger = findings(ladder, code=1)["ledger"]
    assert ledger["verdict"] == "wrong"
    last, head = map(
        int, re.search(r"the chain ends at (\d+), its head says (\d+)", ledger["points"][0]["text"]).groups()
    )
    assert head == last + 1


def test_a_file_with_a_second_name_is_wrong(folder, ladder):
    """Who opens a ledger by another hard link sees neither the locks nor the log of the others."""
    os.link("ladder.db", "other.db")
    found = findings(ladder, code=1)["ledger"]
    assert (found["verdict"], "2 names" in found["text"]) == ("wrong", True)


def test_a_disk_without_room_is_wrong(folder, ladder):
    """Where the ledger can be opened and read and takes no more, that is said, and the rest is examined."""
    # The pipes aren't files. The log begins anew, with room for what opening writes and not for a call.
    command = f"ulimit -f 64; {Path(sys.executable).parent}/ladder doctor --json"
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    found = {one["about"]: one for one in json.loads(done.stdout)}
    assert found["ledger"]["verdict"] == "wrong"
    assert "ladder.db can't be written" in found["ledger"]["text"]
    assert found["questions"]["text"] == "2 waiting"
    assert findings(ladder)["ledger"]["verdict"] == "good"


def test_trying_to_write_leaves_nothing(folder, ladder):
    """No entry, no row and no worker."""

    def kept():
        with contextlib.closing(sqlite3.connect("ladder.db")) as connection:
            return list(connection.iterdump())

    before = kept()
    assert findings(ladder)["ledger"]["text"].endswith("it can be written, and the chains end where they should")
    assert kept() == before


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


def test_a_bound_that_lets_a_tool_write_its_own_policy_is_wrong(shop, ladder):
    """Whoever may write ladder.toml or the ledger gives itself any rung; a link to their folder is seen through."""
    Path("work").mkdir()
    Path("way").symlink_to(".")
    under = '[tools.{}]\nrung = "{}"\nbounds = [{{ kind = "under", argument = "path", directory = "{}" }}]\n'
    tools = under.format("read_file", "bounded", ".") + "read_only = true\n"
    tools += under.format("write_file", "bounded", "way") + under.format("write_note", "bounded", "work")
    edit(shop, "[tools.read_stock]", f"{tools}\n[tools.read_stock]")
    shop.run(READ)
    found = findings(ladder, code=1)["reach"]
    assert (found["verdict"], found["text"]) == ("wrong", "write_file can change what it is held by")
    named = [point["text"] for point in found["points"]]
    assert [text.partition(" write ")[2].partition(",")[0].rpartition("/")[2] for text in named] == [
        "ladder.toml", "ladder.lock", "ladder.db",
    ]  # fmt: skip


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


# --- what a rule claims ----------------------------------------------------------------------------------------------

RULES = """
import functools
rate = 3
def small(arguments): return True
async def slow(arguments): return True
class Slow:
    async def __call__(self, arguments): return True
class Quick:
    def __call__(self, arguments): return True
waits, quick, partial = Slow(), Quick(), functools.partial(small)
"""


@pytest.fixture
def rules(shop, monkeypatch):
    """A module of the shop with functions for its policy."""
    (shop.folder / "shop_rules.py").write_text(RULES, encoding="utf-8")
    (shop.folder / "shop_broken.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "shop_rules", raising=False)
    return shop


@pytest.fixture
def app(shop, monkeypatch):
    """The shop's graph in a module, with a tool of an MCP server beside it."""
    (shop.folder / "the_app.py").write_text(THE_APP, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "the_app", raising=False)
    return "the_app:tools"


THE_APP = """
from langchain_core.tools import StructuredTool
from tests.cli import shop as world
def hinted(name, **hints):
    schema = {"type": "object", "properties": {"path": {"type": "string"}}}
    return StructuredTool(name=name, description="x", args_schema=schema, func=lambda: "", metadata=hints)
tools = [*world.tools(), hinted("wipe", destructiveHint=True), hinted("fetch", readOnlyHint=True, openWorldHint=True),
         hinted("push", readOnlyHint=False)]
"""


def points(finding):
    """What a finding says, in one text."""
    return " | ".join(f"{point['text']} -> {point['advice']}" for point in finding["points"])


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        ("shop_rules:small", None),
        ("shop_rules:quick", None),
        ("shop_rules:partial", None),
        ("shop_rules:missing", "can't be loaded: AttributeError"),
        ("no_such_rules:small", "can't be loaded: ModuleNotFoundError"),
        ("shop_broken:small", "can't be loaded: SystemExit: 3"),
        ("shop_rules:rate", "is no function, but 'int'"),
        ("shop_rules:slow", "is async, and nobody waits for what it says"),
        ("shop_rules:waits", "is async, and nobody waits for what it says"),
    ],
)
def test_a_function_that_the_gate_cannot_use_is_wrong(rules, ladder, function, problem):
    """A predicate or a check must load, be callable and not be async; it is said before a call comes, on any rung."""
    predicate = f'{{ kind = "predicate", function = "{function}" }}'
    edit(
        rules,
        '[tools.close_ticket]\nrung = "confirm"',
        f'[tools.close_ticket]\nrung = "confirm"\nbounds = [{predicate}]',
    )
    edit(rules, 'function = "shop_health:fine"', f'function = "{function}"')
    rules.run(READ)
    found = findings(ladder, code=0 if problem is None else 1)
    assert found["close_ticket"]["verdict"] == ("good" if problem is None else "wrong")
    if problem is not None:
        assert f"the predicate {function} {problem}" in points(found["close_ticket"])
        assert f"the health check {function} {problem}" in points(found["set_price"])


def test_an_undo_that_is_not_there_is_wrong(rules, ladder):
    """An undo that the policy names must load, and be one."""
    edit(rules, "[tools.restart]", '[tools.restart]\nundo = "shop_rules:small"')
    edit(rules, "[tools.close_ticket]", '[tools.close_ticket]\nundo = "shop_broken:undo"')
    found = findings(ladder, code=1)
    assert "undo = 'shop_rules:small': it declares no undo" in points(found["restart"])
    assert "undo = 'shop_broken:undo': SystemExit: 3" in points(found["close_ticket"])


def test_a_time_zone_that_is_not_there_is_wrong(shop, ladder):
    """A policy with a time zone that this machine doesn't know isn't loaded, and the doctor says which one is near."""
    edit(shop, 'limit = 1, per = "ever"', 'limit = 1, timezone = "Europe/Zurch"')
    assert "did you mean 'Europe/Zurich'?" in points(findings(ladder, code=1)["policy"])


def test_arguments_that_a_tool_does_not_have_are_wrong(shop, ladder, app):
    """With the tools at hand, a bound or a typed argument that no call can have is said, with the nearest one."""
    edit(shop, 'argument = "cents"', 'argument = "cent.s"')
    edit(shop, 'type = "order"', 'type = "oder"')
    edit(shop, 'limit = 1, per = "ever"', 'limit = 1, each_value_of = "recipient"')
    assert findings(ladder)["set_price"]["verdict"] == "note"
    found = findings(lambda *args, code: ladder(*args, "--app", app, code=code), code=1)
    assert points(found["set_price"]).startswith(
        "the bound range is about cent.s, which the tool doesn't have, so every call asks -> did you mean cents?"
    )
    assert "confirm.type is about oder, which the tool doesn't have, so nobody can approve a call" in points(
        found["refund"]
    )
    assert "the bound volume is about recipient" in points(found["send_mail"])


def test_what_the_tools_say_is_held_against_the_policy(shop, ladder, app):
    """Read-only against an undo or a destructive hint can't be so; a hint against what runs unasked is noted."""
    edit(shop, "[tools.set_price]", "[tools.set_price]\nread_only = true")
    text = shop.policy.read_text(encoding="utf-8")
    more = '[tools.wipe]\nrung = "bounded"\nread_only = true\n[tools.fetch]\nrung = "bounded"\nread_only = true\n'
    more += "[tools.push]\nread_only = true\n"
    shop.policy.write_text(text + more, encoding="utf-8")
    found = findings(lambda *args, code: ladder(*args, "--app", app, code=code), code=1)
    assert "the policy says read_only, and the tool declares an undo" in points(found["set_price"])
    assert "the policy says read_only, and its server says destructiveHint = true" in points(found["wipe"])
    assert "the policy says read_only, and its server says readOnlyHint = false" in points(found["push"])
    assert (found["fetch"]["verdict"], "openWorldHint" in points(found["fetch"])) == ("note", True)
    edit(
        shop,
        'rung = "bounded"\nread_only = true\n[tools.fetch]',
        'rung = "bounded"\nbounds = [{ kind = "volume", limit = 1 }]\n[tools.fetch]',
    )
    wipe = {one["about"]: one for one in ladder("doctor", "--json", "--app", app, code=1).document}["wipe"]
    assert (wipe["verdict"], "destructiveHint" in points(wipe)) == ("note", True)


def test_the_tools_at_hand_are_all_there_are(shop, ladder, app):
    """Before any run, --app tells which entry no tool is for, which tool no entry is for, and what can be undone."""
    edit(shop, "[tools.restart]", '[tools."wi*"]\nrung = "confirm"\n[tools."zz*"]\n[tools.restrat]')
    found = findings(lambda *args, code: ladder(*args, "--app", app, code=code))
    assert points(found["restrat"]) == "no graph has such a tool -> did you mean restart?"
    assert points(found["restart"]) == "the policy doesn't name it, so it only suggests -> did you mean restrat?"
    assert points(found["fetch"]).endswith("-> add [tools.fetch]")
    assert found["wipe"]["text"] == "the policy says confirm; by the entry wi*"
    assert (found["zz*"]["text"], "wi*" in found) == ("no graph has a tool for this entry", False)
    assert found["set_price"]["text"] == "stands on rollback: 1 bound, an undo, 1 health check"
    assert not Path("ladder.db").exists()


def test_keys_that_cannot_be_used_here_are_noted(shop, ladder, monkeypatch):
    """A key's variable must be set and long enough where answers come in; its value is never shown."""
    keys = '\n[keys.one]\nenv = "SHOP_ONE"\n[keys.two]\nenv = "SHOP_TWO"\n[keys.three]\nenv = "SHOP_THREE"\n'
    shop.policy.write_text(shop.policy.read_text(encoding="utf-8") + keys, encoding="utf-8")
    monkeypatch.setenv("SHOP_TWO", "too-short")
    monkeypatch.setenv("SHOP_THREE", "0123456789abcdef")
    result = ladder("doctor", "--json")
    found = {one["about"]: one for one in result.document}["keys"]
    assert (found["verdict"], found["text"]) == ("note", "1 of 3 can be used in this process")
    assert [point["text"] for point in found["points"]] == [
        "one: SHOP_ONE isn't set here", "two: SHOP_TWO has fewer than 16 characters",
    ]  # fmt: skip
    assert "too-short" not in result.stdout


def test_people_that_the_policy_does_not_know_are_noted(shop, ladder):
    """Where people are listed, a name among the approvers that isn't is said with the nearest one."""
    edit(shop, 'expires = "1h"', 'expires = "1h", by = ["ana", "bob"]')
    assert findings(ladder)["refund"]["verdict"] == "good"
    shop.policy.write_text(shop.policy.read_text(encoding="utf-8") + "\n[people.ana]\n[people.bo]\n", encoding="utf-8")
    assert points(findings(ladder)["refund"]) == "confirm.by names bob, who isn't among the people -> did you mean bo?"


def test_a_source_that_no_graph_has_is_noted(shop, ladder, app):
    """A tool whose outputs a bound trusts must be there for anything to come from it."""
    bound = '{ kind = "origin", argument = "number", type = "number", tools = ["read_stok", "read_stock:n"] }'
    edit(shop, "[tools.close_ticket]", f"[tools.close_ticket]\nbounds = [{bound}]")
    assert findings(ladder)["close_ticket"]["verdict"] == "good"
    found = findings(lambda *args, code: ladder(*args, "--app", app, code=code))["close_ticket"]
    assert (
        points(found) == "the bound origin trusts read_stok, and no graph has such a tool -> did you mean read_stock?"
    )


def test_a_tool_that_langchain_asks_about_too_is_noted(shop, ladder, monkeypatch):
    """Its middleware was left in the graph: a person would be asked twice."""
    text = """
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from ladder_graph.testing import ScriptedModel
from tests.cli import shop as world
asking = HumanInTheLoopMiddleware({"send_mail": True, "read_stock": False})
graph = create_agent(ScriptedModel(answers=["x"]), world.tools(), middleware=[asking])
"""
    (shop.folder / "the_graph.py").write_text(text, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "the_graph", raising=False)
    found = findings(lambda *args, code: ladder(*args, "--app", "the_graph:graph", code=code))
    assert "human-in-the-loop middleware asks about it, too" in points(found["send_mail"])
    assert found["send_mail"]["verdict"] == "note"
    assert "human-in-the-loop" not in points(found["read_stock"])
