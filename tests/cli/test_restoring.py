"""`ladder backup`, `ladder restore`: a copy is whole, and what it lacks makes no effect happen twice."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from ladder_graph import Ladder
from ladder_graph.errors import LedgerError
from ladder_graph.ledger.moves import copies
from tests.cli.notarized import ANCHORS, PRICE, READ, vouched
from tests.cli.shop import Shop
from tests.unit.ledger.audited import SCRIPT
from tests.unit.ledger.test_checkpoints_alone import Signer

MAIL = ("send_mail", {"to": "bo@example.com"})
LETTER = ("write_letter", {"to": "cy", "text": "Dear Cy,\nthe tea is here.\n"})
TICKET = ("close_ticket", {"number": 7})
WENT = ("--reason", "went through the outbox")


def stands(ladder, tool):
    """Where a tool stands, and why."""
    return next(
        (one["effective"], one["reasons"]) for one in ladder("status", "--json").document if one["tool"] == tool
    )


def waiting(shop):
    """What is asked, each tool with the reason that people are shown."""
    with shop.ladder() as ladder:
        return {question.call.tool: question.reasons for question in ladder.pending()}


def entries(shop):
    """All entries of the shop's chain."""
    with shop.ladder() as ladder:
        return ladder.log()


def test_a_copy_is_of_one_moment_while_agents_write(shop, ladder):
    """A copy that is taken while an agent writes is whole, in one file, for its owner alone."""
    shop.run(READ)
    over = threading.Event()

    def write():
        with shop.ladder() as one:
            while not over.is_set():
                one.demote("send_mail", "suggest", reason="a test")
                one.demote("send_mail", "draft", reason="a test")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            ladder("backup", f"copy-{number}.db")
    finally:
        over.set()
        writer.join()
    for number in range(5):
        file = shop.folder / f"copy-{number}.db"
        assert copies.check(file).ok
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list(shop.folder.glob(".copy*")) + list(shop.folder.glob("copy*-wal"))
    assert "never written over" in ladder("backup", "copy-1.db", code=2).stderr


def test_nothing_happens_twice_after_a_restore(shop, ladder):
    """An agent goes on from an older ledger: what it did since asks, until somebody went through it."""
    vouched(shop, ANCHORS)
    shop.run(READ)
    ladder("keys", "new")
    ladder("backup", "copy.db")
    shop.run(MAIL, PRICE)
    ladder("checkpoint")
    effects = list(shop.ran)
    ladder("restore", "copy.db", "--yes")
    # The limit of one mail for ever counts without the one that was sent, and the conversation begins anew.
    shop.run(MAIL, PRICE, READ)
    assert [one for one in shop.ran[len(effects) :] if not one.startswith("read_stock")] == []
    assert shop.ran[-1] == "read_stock tea"  # what only reads goes on
    asked = waiting(shop)
    assert set(asked) == {"send_mail", "set_price"}
    assert stands(ladder, "send_mail")[0] == "confirm"
    assert "restored" in str(stands(ladder, "send_mail")[1])
    assert "is older than what happened" in ladder("doctor", code=1).stdout
    assert "put back from a copy" in ladder("checkpoint", code=2).stderr
    ladder("restore", "--acknowledge", *WENT)
    assert stands(ladder, "send_mail")[0] == "bounded"
    ladder("doctor")


def test_a_thread_that_was_under_way_asks_again(shop, ladder):
    """An approval that was used after the copy was made isn't good a second time, nor is a question that waited."""
    shop.run(TICKET)
    with shop.ladder() as one:
        question = one.pending()[0].id
        one.approve(question, by="ana")
    ladder("backup", "copy.db")
    assert shop.resume("close_ticket") == "closed"
    ladder("restore", "copy.db", "--yes")
    (said,) = (entry.body["text"] for entry in entries(shop) if entry.kind == "expired")
    assert said.startswith("NOT RUN: the ledger was put back from a copy")
    assert "may have been done already" in said
    shop.saver = type(shop.saver)()  # the same conversation, from where its server had it: begun anew
    shop.threads.clear()
    shop.run(TICKET)
    assert shop.ran == ["close_ticket 7"]
    with shop.ladder() as one:
        assert said in one.actions()[0].text


@pytest.mark.parametrize("how", ["whole", "edited"])
def test_an_accepted_draft_waits_again(shop, ladder, how):
    """A draft that was accepted in the copy may have run since: a person decides anew, and its agent reads why."""
    shop.run(LETTER)
    with shop.ladder() as one:
        (draft,) = one.drafts()
        one.accept(
            draft.action.key, by="ana", digest=draft.digest,
            **({} if how == "whole" else {"arguments": {**LETTER[1], "to": "di"}}),
        )  # fmt: skip
    ladder("backup", "copy.db")
    shop.run_accepted()
    effects = list(shop.ran)
    assert len(effects) == 1
    ladder("restore", "copy.db", "--yes")
    assert shop.run_accepted() == []
    assert shop.ran == effects
    with shop.ladder() as one:
        states = {action.tool: action.state for action in one.actions()}
        entries = [(entry.kind, str(entry.body)) for entry in one.log()]
        if how == "whole":
            (draft,) = one.drafts()
            assert (draft.state, draft.by, states["write_letter"]) == ("waiting", "", "drafted")
        else:
            assert states["write_letter"] == "refused"
    assert any(kind in {"drafted", "refused"} and "put back from a copy" in body for kind, body in entries)
    if how == "whole":
        ladder("drafts", "accept", draft.action.short, "--yes")
        shop.run_accepted()
        assert len(shop.ran) == 2


def test_an_accepted_draft_waits_where_the_copy_was_put_back_by_hand(shop, ladder):
    """Whoever runs what was accepted looks first whether the ledger is an older copy."""
    vouched(shop, ANCHORS)
    shop.run(LETTER)
    ladder("keys", "new")
    with shop.ladder() as one:
        one.accept(one.drafts()[0].action.key, by="ana")
    ladder("backup", "copy.db")
    shop.run_accepted()
    ladder("checkpoint")
    ladder("checkpoint")
    shutil.copy("copy.db", shop.file)
    assert shop.run_accepted() == []
    assert len(shop.ran) == 1


def test_what_was_watched_is_left_to_a_person(shop, ladder):
    """A window that was open in the copy is held: it may have been kept since, and isn't undone for being late."""
    said = shop.policy.read_text(encoding="utf-8").replace(
        'checks = [{ kind = "python", function = "shop_health:fine" }]',
        'checks = [{ kind = "python", function = "shop_health:fine" }]\nwatch = { window = "1h" }',
    )
    shop.policy.write_text(said, encoding="utf-8")
    shop.run(PRICE)
    ladder("backup", "copy.db")
    ladder("restore", "copy.db", "--yes")
    (one,) = ladder("watched", "--json").document
    assert one["phase"] == "held"
    assert "put back from a copy" in one["why"]


def test_a_copy_that_was_put_back_by_hand_is_found(shop, ladder):
    """Where exported checkpoints are newer than the ledger, tools ask, though nobody has said anything."""
    vouched(shop, ANCHORS)
    shop.run(READ)
    ladder("keys", "new")
    ladder("backup", "copy.db")
    shop.run(PRICE)
    ladder("checkpoint")
    ladder("checkpoint")
    effects = len(shop.ran)
    shutil.copy("copy.db", shop.file)
    shop.run(PRICE)
    assert len(shop.ran) == effects
    assert "an older copy" in " ".join(str(waiting(shop)).split()) or "put back" in str(waiting(shop))


def test_checkpoints_go_on_behind_the_newest(shop, ladder):
    """Once somebody has gone through it, the next checkpoint says what is lost, and the anchors fit again."""
    vouched(shop, ANCHORS)
    shop.run(READ)
    key = ladder("keys", "new").stdout.strip()
    ladder("backup", "copy.db")
    shop.run(PRICE)
    ladder("keys", "rotate")
    shop.run(PRICE)
    ladder("checkpoint")
    ladder("restore", "copy.db", "--yes")
    assert ladder("verify", "--anchor", "anchors", "--key", key, code=1)
    assert "say what was gone through, as the reason (--reason)" in ladder("restore", "--acknowledge", code=2).stderr
    ladder("restore", "--acknowledge", *WENT)
    shop.run(READ)
    ladder("checkpoint")
    found = ladder("verify", "--anchor", "anchors", "--key", key, "--json").document
    assert found["problems"] == []
    assert "nobody has put a copy" in ladder("restore", "--acknowledge", *WENT, code=2).stderr


@pytest.mark.parametrize("end", ["rotate", "retire"])
def test_who_trusts_the_newest_key_finds_nothing_forged_after_a_restore(shop, ladder, end):
    """What the old key signed lies elsewhere too, where a later checkpoint that counts goes back to it."""
    vouched(shop, ANCHORS)
    shop.run(READ)
    ladder("keys", "new")
    ladder("checkpoint")
    ladder("backup", "copy.db")
    shop.run(PRICE)
    ladder("checkpoint")
    key = ladder("keys", end, *(("--reason", "leaked", "--yes") if end == "retire" else ())).stdout.strip()
    shop.run(PRICE)
    ladder("checkpoint")
    whole = ("verify", "--anchor", "anchors", "--key", key)
    ladder(*whole)
    ladder("restore", "copy.db", "--yes")
    ladder("restore", "--acknowledge", *WENT)
    assert ladder(*whole, "--json").document["problems"] == []
    assert {"retire": "retired", "rotate": "handed on"}[end] in ladder("keys", "list").stdout
    shop.run(READ)
    ladder("checkpoint")
    ladder(*whole)
    command = [sys.executable, str(SCRIPT), str(shop.file), "--anchor", "anchors", "--key", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=shop.folder)
    assert (done.returncode, "every chain is whole" in done.stdout) == (0, True)


def test_what_is_put_back_can_be_read_by_no_more_people(shop, ladder):
    """A ledger that was closed to others stays so, with the rights that it had; a new one has those of its copy."""
    shop.run(READ)
    ladder("backup", "copy.db")
    for mode in (0o600, 0o640):
        shop.file.chmod(mode)
        ladder("restore", "copy.db", "--yes")
        assert stat.S_IMODE(shop.file.stat().st_mode) == mode
    shop.file.unlink()
    ladder("restore", "copy.db", "--yes")
    assert stat.S_IMODE(shop.file.stat().st_mode) == 0o600


def test_a_link_to_the_ledger_stays_a_link(shop, ladder):
    """The file that it leads to is put back and marked, for whoever opens that by another path, too."""
    (shop.folder / "data").mkdir()
    shop.run(READ)
    real = shop.file.rename(shop.folder / "data" / "ladder.db")
    shop.file.symlink_to("data/ladder.db")
    ladder("backup", "copy.db")
    ladder("restore", "copy.db", "--yes")
    assert shop.file.is_symlink()
    assert list(real.parent.glob("ladder.db.before-*"))
    with contextlib.closing(Ladder(policy=shop.policy, ledger=str(real))) as one:
        assert one.restoration() is not None


def test_the_log_of_a_ledger_that_is_gone_is_not_the_copys(shop, ladder):
    """What lies beside a lost file belongs to it: it is put aside, and the ledger is what was copied."""
    shop.run(READ)
    ladder("backup", "copy.db")
    with shop.ladder() as one:
        one.demote("send_mail", "suggest", reason="after the copy")
        left = (shop.folder / "ladder.db-wal").read_bytes()
    assert left
    shop.file.unlink()
    (shop.folder / "ladder.db-wal").write_bytes(left)
    ladder("restore", "copy.db", "--yes")
    assert [entry.kind for entry in entries(shop)][-1] == "restored"
    assert "demoted" not in [entry.kind for entry in entries(shop)]
    assert ladder("verify", "--json").document["ok"]


def test_an_anchor_that_is_not_there_acknowledges_nothing(shop, ladder):
    """Where the newest checkpoint can't be found at the place that is named, no number is given a second time."""
    vouched(shop)
    shop.run(READ)
    ladder("keys", "new")
    ladder("backup", "copy.db")
    ladder("restore", "copy.db", "--yes")
    (shop.folder / "empty").mkdir()
    assert "can't be read" in ladder("restore", "--acknowledge", *WENT, "--anchor", "typo", code=2).stderr
    assert "no checkpoint in empty" in ladder("restore", "--acknowledge", *WENT, "--anchor", "empty", code=2).stderr
    assert stands(ladder, "send_mail")[0] == "confirm"


def test_nothing_goes_on_behind_a_forged_checkpoint(shop, ladder):
    """The newest checkpoint must be of the key here: anybody may put a higher number where the anchors lie."""
    vouched(shop, ANCHORS)
    shop.run(READ)
    ladder("keys", "new")
    ladder("checkpoint")
    ladder("backup", "copy.db")
    (shop.folder / "anchors" / f"{9:012}.checkpoint").write_text(Signer("ops").note(9), encoding="utf-8")
    ladder("restore", "copy.db", "--yes")
    assert "didn't sign checkpoint 9" in ladder("restore", "--acknowledge", *WENT, code=2).stderr
    assert stands(ladder, "send_mail")[0] == "confirm"


def test_what_is_no_copy_is_not_put_back(shop, ladder):
    """A file that is no ledger, or a broken one, leaves the ledger as it is; and so does one that is in use."""
    shop.run(READ)
    ladder("backup", "copy.db")
    (shop.folder / "no.db").write_text("no ledger", encoding="utf-8")
    assert "no copy that could be put back" in ladder("restore", "no.db", "--yes", code=2).stderr
    with shop.ladder() as one:
        entries = one.verify().entries
        assert "has" in ladder("restore", "copy.db", "--yes", code=2).stderr
        assert one.verify().entries == entries
    ladder("restore", "copy.db", "--yes")
    assert "say what is meant" in ladder("restore", code=2).stderr


def test_what_is_no_ledger_is_not_copied(shop, ladder):
    """A database of somebody else's, a directory, and a server of another kind each get a sentence."""
    with contextlib.closing(sqlite3.connect("foreign.db")) as foreign:
        foreign.execute("CREATE TABLE t (x)")
    for source, says in (
        ("foreign.db", "not a ladder ledger"), (".", "is a directory"), ("mysql://host/db", "mysql:// isn't known"),
    ):  # fmt: skip
        assert says in " ".join(ladder("--ledger", source, "backup", "copy.db", code=2).stderr.split())
    assert not (shop.folder / "copy.db").exists()


def test_a_copy_on_a_server_is_its_own_matter(postgres, tmp_path, monkeypatch, ladder):
    """On PostgreSQL `backup` says which command does it, and `restore --mark` that one was put back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    shop = Shop(tmp_path, ledger=postgres)
    shop.run(PRICE, TICKET, LETTER)
    with shop.ladder() as one:
        one.approve(one.pending()[0].id, by="ana")
        one.accept(one.drafts()[0].action.key, by="ana")
    assert "pg_dump --format=custom --schema=" in ladder("backup", "copy.db", code=2).stderr
    ladder("restore", "--mark")
    effects = len(shop.ran)
    assert shop.run_accepted() == []
    assert [entry.kind for entry in entries(shop)][-3:] == ["expired", "drafted", "restored"]
    shop.run(PRICE)
    assert len(shop.ran) == effects
    ladder("restore", "--acknowledge", *WENT)
    shop.run(PRICE)
    assert len(shop.ran) == effects + 1


def test_a_full_disk_leaves_no_half_copy(shop, ladder, tmp_path):
    """Where there is no place for a copy, there is none afterwards, and this is said."""
    shop.run(READ)
    assert "no copy can be kept" in ladder("backup", tmp_path / "gone" / "copy.db", code=2).stderr
    with pytest.raises(LedgerError), contextlib.suppress(OSError):
        copies.copy(tmp_path / "nothing.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
