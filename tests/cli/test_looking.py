"""status, log, show, verify: what they show is what the ledger holds."""

from __future__ import annotations

import re
import sqlite3

from tests.cli.shop import NASTY
from tests.cli.test_doctor import edit


def test_status_shows_each_tool_on_its_rung(folder, ladder):
    """The matrix has a row for each tool, in which what it stands on is filled in."""
    text = ladder("status").stdout
    assert "read_stock     ● ● ● ● ● ●    report" in text
    assert "send_mail      ● ● ● ● · ·    bounded" in text
    assert "restart        ● · · · · ·    suggest" in text
    assert "refund         ● ● ●          confirm" in text  # nothing above its ceiling


def test_status_tells_why_not_higher(shop, ladder):
    """After the model changed, each tool that fell is shown with where the policy wants it and the reason."""
    shop.run(("read_stock", {"item": "tea"}))
    shop.model.reported = "scripted-2"
    shop.run(("read_stock", {"item": "milk"}))
    text = ladder("status").stdout
    assert "read_stock     ● ● ● ○ ○ ○    confirm     report" in text
    assert "the model changed from scripted-1 to scripted-2" in text
    cell = next(one for one in ladder("status", "--json").document if one["tool"] == "read_stock")
    assert (cell["claimed"], cell["effective"], cell["ceiling"]) == ("report", "confirm", "report")
    assert [reason["code"] for reason in cell["reasons"]] == ["model_changed"]


def test_an_agent_inside_another_is_seen(shop, ladder):
    """Questions, entries and standings of an agent inside the policy's agent are listed with those of the outer one."""
    shop.run(("close_ticket", {"number": 1}))
    shop.run(("close_ticket", {"number": 2}), agent="shop/night")
    assert [one["agent"] for one in ladder("pending", "--json").document] == ["shop", "shop/night"]
    assert {one["agent"] for one in ladder("log", "--json").document} == {"shop", "shop/night"}
    assert {one["agent"] for one in ladder("status", "--json").document} == {"shop", "shop/night"}
    assert len(ladder("log", "--limit", "2", "--json").document) == 2


def test_an_agent_with_a_longer_name_is_another_one(shop, ladder):
    """An agent whose name only begins like the policy's agent's isn't inside it."""
    shop.run(("close_ticket", {"number": 2}), agent="shopping")
    shop.run(("close_ticket", {"number": 2}), agent="SHOP/night")
    assert ladder("pending", "--json").document == []


def test_log_can_be_filtered(folder, ladder, action):
    """The log's filters leave exactly the entries of that tool, thread or action, newest last."""
    assert [one["kind"] for one in ladder("log", "--tool", "refund", "--json").document] == ["asked", "question"]
    assert {one["tool"] for one in ladder("log", "--thread", "send_mail", "--json").document} == {"send_mail"}
    key = action("set_price")
    found = ladder("log", "--action", key[:9], "--json").document
    assert [(one["action"], one["kind"]) for one in found] == [(key, "started"), (key, "done")]
    latest = ladder("log", "--limit", "3", "--json").document
    assert [one["n"] for one in latest] == sorted(one["n"] for one in ladder("log", "--json").document)[-3:]


def test_log_is_one_line_an_entry(folder, ladder):
    """A person sees time, kind, tool, action and what it says."""
    text = ladder("log").stdout
    assert "started    send_mail     " in text
    assert 'to="bo@example.com"' in text


def test_show_tells_one_life(folder, ladder, action):
    """`ladder show` has the whole arguments, every entry of the action, and what the model was told."""
    key = action("write_letter")
    text = ladder("show", key[:10]).stdout
    assert key in text
    assert '"Dear Cy,\\nthe tea is here.\\n"' in text
    assert "DRAFTED, NOT RUN" in text
    life = ladder("show", key, "--json").document
    assert [entry["kind"] for entry in life["entries"]] == ["drafted", "draft"]
    assert life["state"] == "drafted"


def test_a_prefix_must_name_one_action(folder, ladder):
    """A prefix of several actions, or of none, or a pattern, is refused."""
    for wrong in ("", "%", "zz"):
        assert "error: there is no action" in ladder("show", wrong, code=2).stderr


def test_verify_finds_a_changed_entry(folder, ladder):
    """A ledger in which somebody changed an entry isn't whole: exit code 1, and the place is named."""
    assert ladder("verify", "--json").document["ok"]
    with sqlite3.connect(folder / "ladder.db") as database:
        database.execute("DROP TRIGGER entry_update")
        database.execute("UPDATE entry SET at_us = at_us + 1 WHERE n = 3")
    database.close()
    assert "shop: entry 3 was changed" in ladder("verify", code=1).stdout
    assert ladder("verify", "--json", code=1).document["problems"] == ["shop: entry 3 was changed"]


def test_heads_that_were_kept_elsewhere_show_a_cut(folder, ladder):
    """A chain cut with everything that speaks of its end is whole by itself, and not beside an exported head."""
    kept = folder / "kept.jsonl"
    kept.write_text(ladder("verify", "--export-heads").stdout, encoding="utf-8")
    assert ladder("verify", "--head", str(kept), "--json").document["ok"]
    with sqlite3.connect(folder / "ladder.db") as database:
        (last,) = database.execute("SELECT max(n) FROM entry").fetchone()
        for statement in (
            "DROP TRIGGER entry_delete",
            "DELETE FROM payload WHERE hash IN (SELECT payload FROM entry WHERE n > 1)",
            "DELETE FROM entry WHERE n > 1",
            "DELETE FROM action",
            "UPDATE head SET n = 1, hash = (SELECT hash FROM entry WHERE n = 1)",
        ):
            database.execute(statement)
    database.close()
    assert ladder("verify", "--json").document["ok"]
    found = ladder("verify", "--head", str(kept), "--json", code=1).document
    assert found["problems"] == [f"shop: entry {last} was exported as a head, and is gone: the chain was cut"]
    kept.write_text("no heads", encoding="utf-8")
    assert "holds no heads" in ladder("verify", "--head", str(kept), code=2).stderr
    assert "can't be read" in ladder("verify", "--head", "nowhere", code=2).stderr


def test_what_models_write_does_nothing_on_the_screen(shop, ladder, question, action):
    """Escape sequences, bidi and invisible characters and markup in arguments are printed as what they are."""
    shop.run(("refund", {"order": NASTY, "cents": 1}))
    key = action("refund")
    for command in (
        ["pending"],
        ["log"],
        ["show", key],
        ["status"],
        ["approve", question("refund")[:6], "--yes", "--typed", "x"],
    ):
        text = ladder(*command, code=2 if command[0] == "approve" else 0)
        assert all(c.isprintable() or c == "\n" for c in text.output)
        assert "\ufe0f" not in text.output
    assert '"4711\\u{202E} [bold red]free[/bold red]\\u001b[2J\\u{FE0F}"' in ladder("show", key).stdout


def test_hostile_names_do_nothing_on_the_screen(shop, ladder):
    """The name of a thread, which a caller chose, is escaped as well."""
    shop.run(("restart", {"reason": "x"}), thread="a\x1b[31m\nb")
    assert "a\\u{1B}[31m\\u{A}b" in ladder("show", ladder("log", "--json").document[-1]["action"]).stdout


def test_status_shows_by_which_entry_a_tool_stands(shop, ladder):
    """A tool that a glob is for has its row, with the glob; the glob itself has none."""
    edit(shop, "[tools.read_stock]", '[tools."read_*"]')
    shop.run(("read_stock", {"item": "tea"}))
    cells = {cell["tool"]: cell for cell in ladder("status", "--json").document}
    assert "read_*" not in cells
    assert (cells["read_stock"]["entry"], cells["read_stock"]["effective"]) == ("read_*", "report")
    assert (cells["refund"]["entry"], cells["refund"]["named"]) == ("refund", True)
    text = ladder("status").stdout
    assert re.search(r"read_stock +● ● ● ● ● ● +report +read_\*", text)
    assert "report, by the entry read_*" in ladder("explain", "read_stock").stdout


def test_status_counts_what_was_approved_beyond_its_bounds(folder, ladder, monkeypatch):
    """On the screen and in the JSON, with what a mistake costs; nothing is said where there was none."""
    from ladder_graph.ledger import Reading

    assert "beyond" not in ladder("status").stdout
    (tool, *_) = [one["tool"] for one in ladder("status", "--json").document]
    monkeypatch.setattr(Reading, "beyond", lambda self, agent, since: {tool: 3})
    assert f"{tool}: 3 calls beyond its bounds approved today (UTC)" in ladder("status").stdout
    assert [one["beyond_today"] for one in ladder("status", "--json").document if one["tool"] == tool] == [3]
