"""`ladder erase`: what calls were about goes, in the file too, and everything that counts stays and stays whole."""

from __future__ import annotations

import contextlib
import datetime as dt
import html
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ladder_graph import Ladder
from ladder_graph.errors import AnswerRefused
from ladder_graph.ledger.upkeep import erasing, portions
from tests.cli.shop import DAY, NOBODY, Shop
from tests.cli.test_answering import ME
from tests.console.conftest import Console

WHO = "Ana-Maria Vogt"
MAIL = "vogt@post.example"
SCRIPT = Path(__file__).parents[2] / "scripts" / "verify_ledger.py"
WHY = ("--reason", "she asked for it", "--yes")


def about(arguments):
    """The same arguments, about her."""
    return {name: f"{value} {WHO}" if isinstance(value, str) else value for name, value in arguments.items()}


def days(number):
    """So many days."""
    return dt.timedelta(days=number)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A shop through whose day she went, and somebody else too; what waited for a person is answered."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return filled(Shop(tmp_path))


def filled(shop):
    """The shop after the day."""
    shop.run(*[(tool, about(arguments)) for tool, arguments in DAY], ("send_mail", {"to": f"X <{MAIL.upper()}>"}))
    shop.run(*[(tool, {**arguments, **_other(arguments)}) for tool, arguments in DAY[:3]])
    shop.run(("no_such_tool", {"x": WHO}))
    with shop.ladder() as ladder:
        for question in ladder.pending():
            ladder.decline(question.id, by="ana", reason=f"{WHO} called")
        (draft,) = ladder.drafts()
        ladder.reject(draft.action.key, by="ana", reason=f"not to {WHO}")
        for window in ladder.watched():
            ladder.keep(window.action, by="ana")
        first = next(action for action in ladder.actions() if WHO in str(action.arguments))
        ladder.incident(first.key, "S1", by="ana", text="the price was wrong")
    with contextlib.closing(Ladder(policy=shop.policy, clock=lambda: dt.datetime.now(dt.UTC) + days(1))) as ladder:
        ladder.sweep_reports()
        (report,) = ladder.digests()
        ladder.read(
            report.id, dict.fromkeys((item.action.key for item in ladder.digest(report.id).items), "fine"), by="ana"
        )
        hers = next(one.action for one in ladder.digest(report.id).items if WHO in str(one.action.arguments))
        ladder.store.write(lambda cursor: named_before(cursor, hers.key))
    return shop


def named_before(cursor, action):
    """Write down what an earlier release kept of the key of a table: in a report's words and in what is usual."""
    flags = json.dumps([["larger", f"shares.{WHO} is larger than in any of the 30 calls before"]])
    body = json.dumps({"acts": 30, "values": {}, "most": {f"shares.{WHO}": [30, 7]}, "hours": [0] * 24})
    cursor.execute(f"UPDATE report SET flags = '{flags}' WHERE action = '{action}'")  # noqa: S608  # for each database
    cursor.execute(f"UPDATE habit SET body = '{body}'")  # noqa: S608  # as above
    assert cursor.rowcount


def left(ladder):
    """What reports and habits say."""
    return str([
        [tuple(row) for row in ladder.store.read(lambda cursor, sql=sql: cursor.execute(sql).fetchall())]
        for sql in ("SELECT flags FROM report", "SELECT body FROM habit")
    ])  # fmt: skip


def _other(arguments):
    return {name: f"{value} tea" for name, value in arguments.items() if isinstance(value, str)}


def held(ladder):
    """Everything that the ledger holds, as one text."""
    return "\n".join(ladder.store.read(lambda cursor: list(cursor.connection.iterdump())))


def test_what_names_a_person_goes(shop, ladder):
    """No row, no file and no byte of the ledger names her any more; what names somebody else is as it was."""
    text = ladder("erase", "--person", WHO, "--person", MAIL, *WHY).stdout
    assert "every chain is whole" in text
    with shop.ladder() as one:
        assert [line for line in held(one).splitlines() if WHO in line or MAIL in line.lower()] == []
        assert [action for action in one.actions() if "tea" in str(action.arguments)]  # somebody else's stays
    assert [path for path in shop.folder.rglob("*") if path.is_file() and WHO.encode() in path.read_bytes()] == []
    assert not list((shop.folder / "drafts").glob("*"))
    assert "0 entries about 0 actions" in ladder("erase", "--person", WHO, "--dry-run").stdout


def test_a_mistake_is_never_erased(shop, ladder, action):
    """What a tool was put down for stays, and whoever erases is told where it names whom they look for."""
    ladder("incident", action("read_stock"), "--severity", "S2", "--text", f"{WHO} was told nonsense")
    text = ladder("erase", "--person", WHO, *WHY).stdout
    assert "never erased" in text
    assert "(incident)" in text
    with shop.ladder() as one:
        assert any("nonsense" in str(entry.body) for entry in one.log() if entry.kind == "incident")


def test_everything_else_stays_whole(shop, ladder):
    """The chains verify, here and by the program that needs only Python, against heads from before too; it is told."""
    heads = shop.folder / "heads"
    heads.write_text(ladder("verify", "--export-heads").stdout, encoding="utf-8")
    before = ladder("log", "--json").document
    ladder("erase", "--person", WHO, *WHY)
    after = ladder("verify", "--head", heads, "--json").document
    assert after["ok"]
    assert after["erased"] > 5
    run = subprocess.run(
        [sys.executable, SCRIPT, shop.file, "--head", heads], capture_output=True, text=True, check=True
    )
    assert "payloads erased" in run.stdout
    entries = ladder("log", "--json").document
    assert [one["hash"] for one in entries if one["kind"] != "erased"][-20:] == [one["hash"] for one in before][-20:]
    said = next(one for one in entries if one["kind"] == "erased")
    assert (said["body"]["by"], said["body"]["reason"]) == (ME, "she asked for it")
    assert WHO not in str(said)


def test_every_page_says_that_it_is_gone(shop, ladder, action):
    """Lists, a life and a replay show what is gone as erased, and fail at nothing."""
    key = action("refund")
    ladder("erase", "--person", WHO, *WHY)
    assert "erased" in ladder("log").stdout
    assert ladder("show", key, "--json").document["arguments"] == {}
    assert WHO not in ladder("show", key).stdout
    for look in (("status",), ("doctor",), ("drafts", "--all"), ("suggestions",), ("reports", "--all"), ("trust",)):
        assert WHO not in ladder(*look, code=None).output


def test_trust_counts_what_it_counted(shop):
    """A mistake isn't erased away with the call that it was made in, and neither is a good run."""
    with shop.ladder() as one:
        before = trials(one)
        one.erase(one.erasable(person=[WHO]), by="ana", reason="she asked")
    with shop.ladder() as one:
        assert trials(one) == before
        assert any(mistakes for _, _, mistakes in before)


def trials(ladder):
    """What the chain tells of each action: its cell, whether it counts, and what it cost."""
    with ladder.folds.lock:
        deeds = ladder.folds.of("shop", anew=True).fold.deeds
        return sorted((str(deed.cell), deed.counts, deed.loss(frozenset())) for deed in deeds.values())


def test_what_is_old_goes(shop, ladder):
    """By age everything that is over goes; what is younger, or isn't over, as a question that has time, stays."""
    text = shop.policy.read_text(encoding="utf-8")
    ticket = '[tools.close_ticket]\nrung = "confirm"\n'
    assert ticket in text
    shop.policy.write_text(text.replace(ticket, f'{ticket}confirm = {{ expires = "100d" }}\n'), encoding="utf-8")
    shop.run(("send_mail", {"to": NOBODY}), ("close_ticket", {"number": 8}))
    assert "0 entries about 0 actions" in ladder("erase", "--older-than", "90d", *WHY).stdout
    with contextlib.closing(Ladder(policy=shop.policy, clock=lambda: dt.datetime.now(dt.UTC) + days(91))) as later:
        found = later.erasable(older_than=days(90))
        assert [(later.action(key).tool, later.action(key).state) for key in found.waiting] == [
            ("close_ticket", "asked")
        ]
        assert found.actions
        later.erase(found, by="ana", reason="retention")
        assert later.verify().ok
        assert {one.key for one in later.actions() if one.arguments} == set(found.waiting)
        assert later.erasable(older_than=days(90)).entries == ()
        assert later.erasable(older_than=days(90)).actions == ()


def test_both_must_hold(shop):
    """With a person and an age, what is younger stays although it names her."""
    with shop.ladder() as one:
        assert one.erasable(person=[WHO], older_than=days(1)).entries == ()
        assert one.erasable(person=[WHO], older_than=days(0)).entries


def test_a_dry_run_and_a_no_change_nothing(shop, ladder):
    """Nobody erases by the way: it is shown first, takes a reason, and takes a yes."""
    before = shop.file.read_bytes()
    assert "say what would be erased" in ladder("erase", "--person", WHO, "--dry-run").stdout
    assert "say why with --reason" in ladder("erase", "--person", WHO, "--yes", code=2).stderr
    assert "no terminal to ask on" in ladder("erase", "--person", WHO, "--reason", "x", code=2).stderr
    assert shop.file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say what is to be erased"),
        (("--person", "Bo"), "takes 3 characters"),
        (("--person", " \N{EM SPACE} "), "takes 3 characters"),
        (("--older-than", "soon"), "is no age"),
        (("--older-than", "-1"), ""),
    ],
)
def test_what_is_no_selection_erases_nothing(shop, ladder, arguments, words):
    """A name that is in every text, no name at all, and what is no age are refused."""
    before = shop.file.read_bytes()
    assert words in ladder("erase", *arguments, *WHY, code=2).stderr
    assert shop.file.read_bytes() == before


def test_whoever_judged_is_no_reason_to_erase(shop):
    """A reviewer is answerable for what they decided; their own name erases nothing that they judged."""
    shop.run(("close_ticket", {"number": 9}))
    with shop.ladder() as one:
        (question,) = one.pending()
        one.decline(question.id, by="Reviewer Rita", reason="no")
        assert one.erasable(person=["Reviewer Rita"]).entries == ()
        with pytest.raises(AnswerRefused, match="takes a reason"):
            one.erase(one.erasable(person=[WHO]), by="ana", reason=" ")


def test_a_process_that_dies_in_the_middle_is_finished_by_the_next(shop, monkeypatch):
    """Each portion goes with the entry that says so; what was left is found again."""
    monkeypatch.setattr(portions, "PORTION", 4)
    with shop.ladder() as one:
        done, erase = [], erasing.erase

        def dying(*arguments, **more):
            done.append(more["portion"])
            erase(*arguments, **more)
            return 1 / (len(done) < 3)

        monkeypatch.setattr(erasing, "erase", dying)
        with pytest.raises(ZeroDivisionError):
            one.erase(one.erasable(person=[WHO]), by="ana", reason="she asked")
        assert one.verify().ok
        monkeypatch.setattr(erasing, "erase", erase)
        found = one.erasable(person=[WHO])
        assert {said.payload for portion in done[:2] for said in portion.entries}.isdisjoint(
            said.payload for said in found.entries
        )
        one.erase(found, by="ana", reason="she asked")
        assert one.verify().ok
        assert WHO not in held(one)


def test_it_is_the_same_on_postgresql(postgres, tmp_path, monkeypatch):
    """What is found, what stays, and that the chains are whole."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    shop = filled(Shop(tmp_path, ledger=postgres))
    with shop.ladder() as one:
        before = trials(one)
        found = one.erasable(person=[WHO, MAIL])
        assert found.staying == ()
        one.erase(found, by="ana", reason="she asked")
        assert one.verify().ok
        assert one.verify().erased == len(found.entries)
        assert trials(one) == before
        assert one.erasable(person=[WHO, MAIL]).entries == ()
        assert "larger" in left(one)
        assert WHO not in left(one)
        assert WHO not in str([entry.body for entry in one.log(limit=200)])


def test_an_erasure_that_was_made_up_shows(shop, ladder):
    """Whoever deletes a payload in the file without the entry is found out, erasures before or not."""
    ladder("erase", "--person", WHO, *WHY)
    with contextlib.closing(sqlite3.connect(shop.file)) as database, database:
        database.execute("DELETE FROM payload WHERE hash = (SELECT max(hash) FROM payload)")
    assert "has lost its payload" in ladder("verify", code=1).stdout


def test_no_page_of_the_console_fails_at_what_is_gone(shop):
    """Every page that an erased action stands on is shown, says nothing of her, and leads to no error."""
    with shop.ladder() as one:
        one.erase(one.erasable(person=[WHO]), by="ana", reason="she asked")
        visitor = Console(one).visitor("ana")
        seen, todo = set(), ["/"]
        while todo:
            path = todo.pop()
            seen.add(path)
            answer = visitor.get(path)
            assert answer.status_code in {200, 303}, path
            assert WHO not in answer.text, path
            linked = {html.unescape(link).partition("#")[0] for link in re.findall(r'href="(/[^"]*)"', answer.text)}
            todo += sorted(linked - seen - set(todo) - {""})
        assert sum(any(action.key in path for path in seen) for action in one.actions()) > 1, seen
