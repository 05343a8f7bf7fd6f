"""`ladder checkpoint`, `ladder keys`, `ladder verify --anchor`: what the ledger must still contain shows elsewhere."""

# ruff: noqa: S608  # the tamperer's SQL is made of hashes that are computed in this file

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ladder_graph import Ladder
from ladder_graph.ledger.proof import verify_alone
from ladder_graph.ledger.proof.checkpoints_alone import read_note
from ladder_graph.notary import exporting
from tests.cli.notarized import ANCHORS, PRICE, READ, tampered, vouched
from tests.cli.shop import Shop
from tests.cli.test_answering import ME

SCRIPT = Path(__file__).parents[2] / "scripts" / "verify_ledger.py"
OTHER = "a" * 64


@pytest.fixture
def key(shop, ladder):
    """The public key of a shop with one checkpoint in a directory."""
    vouched(shop, ANCHORS)
    shop.run(READ)
    made = ladder("keys", "new").stdout.strip()
    ladder("checkpoint")
    return made


def problems(ladder, key, *more):
    """What the ledger, held against the anchors, is said to have."""
    return ladder("verify", "--anchor", "anchors", "--key", key, "--json", *more, code=None).document["problems"]


def alone(shop, key, anchors="anchors", ledger=None):
    """What the program says that needs only Python: its exit code, and all that it prints."""
    run = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, ledger or shop.file, "--anchor", shop.folder / anchors, "--key", key],
        capture_output=True, text=True, check=False, cwd=shop.folder,
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


def test_a_ledger_that_is_as_it_was(shop, ladder, key):
    """Held against its anchors it is whole, here and by the program that needs only Python, which says so."""
    shop.run(PRICE)
    ladder("checkpoint")
    assert problems(ladder, key) == []
    assert "held against 2 checkpoints" in ladder("verify", "--anchor", "anchors", "--key", key).stdout
    code, said = alone(shop, key)
    assert (code, "held against 2 checkpoints" in said) == (0, True)
    assert "signatures were not checked" in ladder("verify", "--anchor", "anchors").stdout


def test_a_key_says_what_is_wrong_with_it(ladder, key):
    """One that isn't there is an error that names the option and the file."""
    said = ladder("verify", "--anchor", "anchors", "--key", "lost.pub", code=2).stderr
    assert said.startswith("error: --key: lost.pub is no public key")


def test_a_place_without_checkpoints_vouches_for_nothing(shop, ladder, key):
    """An anchor that is empty is refused, also beside one that isn't: nothing was held against it."""
    (shop.folder / "empty").mkdir()
    said = ladder("verify", "--anchor", "anchors", "--anchor", "empty", "--key", key, code=2).stderr
    assert "there is no checkpoint in empty" in said
    code, said = alone(shop, key, "empty")
    assert (code, "there is no checkpoint in" in said) == (2, True)


def test_several_places_with_the_same_checkpoints(shop, ladder, key):
    """Anchors that lie in two places, in one of them only the later ones, are held against it as one."""
    shop.run(PRICE)
    ladder("checkpoint")
    shutil.copytree(shop.folder / "anchors", shop.folder / "later")
    (shop.folder / "later" / f"{1:012}.checkpoint").unlink()
    assert problems(ladder, key, "--anchor", "later") == []
    found = ladder("verify", "--anchor", "later", "--anchor", "anchors", "--key", key, "--json").document
    assert (found["problems"], found["anchors"]) == ([], 2)


def test_a_key_wants_a_checkpoint(shop, ladder, key):
    """Where a key is given, a ledger out of which all checkpoints were taken isn't whole: nothing vouches for it."""
    tampered(shop.file, "DELETE FROM checkpoint", "DELETE FROM anchored")
    found = ladder("verify", "--key", key, "--json", code=1).document["problems"]
    assert any("no checkpoint that a key could have signed" in problem for problem in found)


def test_a_cut_tail(shop, ladder, key):
    """Entries that are cut off, with head, actions and checkpoints made to fit, show, and are named."""
    before = shop.folder / "before.db"
    ladder("backup", before)
    shop.run(PRICE)
    ladder("checkpoint")
    shutil.copy(before, shop.file)
    found = problems(ladder, key)
    assert any("older than its newest checkpoint" in problem for problem in found)
    assert any("the chain was cut" in problem for problem in found)
    code, said = alone(shop, key)
    assert (code, "the chain was cut" in said) == (1, True)


def test_a_rewritten_history(shop, ladder, key):
    """A chain that is computed anew from some entry on, all of it right in itself, shows against the anchors."""
    shop.run(PRICE)
    ladder("checkpoint")
    with contextlib.closing(sqlite3.connect(shop.file)) as there:
        rows = there.execute("SELECT * FROM entry ORDER BY n").fetchall()
    prev, statements = rows[2][7], []
    for stream, n, at, kind, action, payload, _, _ in rows[3:]:
        digest = verify_alone.entry_hash(prev, stream, n, at + 1, kind, action, payload)
        statements.append(f"UPDATE entry SET at_us = {at + 1}, prev = '{prev}', hash = '{digest}' WHERE n = {n}")
        prev = digest
    tampered(shop.file, *statements, f"UPDATE head SET hash = '{prev}'")
    # Each end once, though its checkpoint lies in the ledger and elsewhere.
    notes = [read_note(file.read_text(encoding="utf-8")) for file in (shop.folder / "anchors").iterdir()]
    ends = sum(n > rows[2][1] for note in notes for _, n, _ in note.heads)
    for as_what in ("signed", "exported"):
        told = [problem for problem in problems(ladder, key) if "was rewritten" in problem]
        assert len(told) == ends > 0
        assert all(f"was {as_what} as a head" in problem for problem in told)
        tampered(shop.file, "DELETE FROM checkpoint")
    assert alone(shop, key)[0] == 1


def test_a_ledger_that_was_replaced(shop, ladder, key, tmp_path_factory):
    """Another ledger of the same agent, with checkpoints of its own, is named as one."""
    other = vouched(Shop(tmp_path_factory.mktemp("other")), ANCHORS)
    other.run(PRICE)
    with other.ladder() as there:
        there.new_signing_key(by="thief")
        there.checkpoint()
    shutil.copy(other.file, shop.file)
    found = problems(ladder, key)
    assert any("it was replaced by another ledger" in problem for problem in found)
    assert any("isn't signed by a key that is trusted" in problem for problem in found)


def test_a_forged_anchor(shop, ladder, key):
    """A checkpoint that somebody made without the key is named; and so is one that was changed."""
    file = shop.folder / "anchors" / f"{1:012}.checkpoint"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("number 1", "number 2"), encoding="utf-8")
    assert any("was changed" in problem for problem in problems(ladder, key))
    file.write_text(text, encoding="utf-8")
    tampered(shop.file, f"UPDATE checkpoint SET note = replace(note, 'head', 'hEad'), hash = '{OTHER}'")
    assert any("in the ledger can't be read, or was changed" in problem for problem in problems(ladder, key))


def test_erasing_leaves_the_anchors_good(shop, ladder, key):
    """What calls were about goes, and the ledger still fits what was exported before."""
    shop.run(PRICE)
    ladder("checkpoint")
    ladder("erase", "--older-than", "0s", "--reason", "retention", "--yes")
    found = ladder("verify", "--anchor", "anchors", "--key", key, "--json").document
    assert found["ok"]
    assert found["erased"]
    assert alone(shop, key)[0] == 0


@pytest.fixture
def receiver():
    """A server on this machine: its address, and what it was sent, with the token."""
    got = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.headers["Authorization"], self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(503 if len(got) == 1 else 204)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/ladder", got
        server.shutdown()


def test_a_url_takes_each(shop, ladder, receiver, monkeypatch):
    """It is sent each checkpoint as text, with the token, and again where it didn't take one."""
    url, got = receiver
    monkeypatch.setenv("ANCHOR_TOKEN", "a token of many letters")
    vouched(shop, f'{{ kind = "post", url = "{url}", token_env = "ANCHOR_TOKEN" }}')
    shop.run(READ)
    ladder("keys", "new")
    assert "answered 503" in " ".join(ladder("checkpoint", code=1).stdout.split())
    shop.run(READ)
    ladder("checkpoint")
    assert [read_note(text).number for _, text in got] == [1, 1, 2]
    assert {token for token, _ in got} == {"Bearer a token of many letters"}


def test_each_target_gets_each_checkpoint(shop, ladder):
    """A directory, a file, a program, the log, standard output, a span: each gets all of them, in order."""
    vouched(
        shop, ANCHORS, '{ kind = "file", path = "all.log" }', '{ kind = "stdout" }', '{ kind = "log" }',
        '{ kind = "otel" }',
        '{ kind = "exec", argv = ["/usr/bin/tee", "-a", "%s"] }' % (shop.folder / "said"),  # braces
    )  # fmt: skip
    shop.run(READ)
    ladder("keys", "new")
    for _ in range(3):
        shop.run(PRICE)
        ladder("checkpoint")
    text = (shop.folder / "said").read_text(encoding="utf-8")
    assert [read_note(note).number for note in exporting.notes_of(text.replace("\nshop\n", "\n\nshop\n"))] == [1, 2, 3]
    assert [read_note(note).number for note in exporting.notes_of((shop.folder / "all.log").read_text())] == [1, 2, 3]
    assert len(list((shop.folder / "anchors").iterdir())) == 3


def test_what_fails_is_tried_again_and_told(shop, ladder):
    """A target that fails holds nobody else up; it is told, and gets all of them, in order, once it works."""
    broken = shop.folder / "gone" / "anchors"
    broken.parent.write_text("no directory", encoding="utf-8")
    vouched(shop, f'{{ kind = "file", path = "{broken}/" }}', ANCHORS)
    shop.run(READ)
    ladder("keys", "new")
    said = ladder("checkpoint", code=1).stdout
    assert "1 not exported" in " ".join(said.split())
    assert len(list((shop.folder / "anchors").iterdir())) == 1
    assert "lacks 1" in ladder("doctor", code=None).stdout
    assert "checkpoint 1 of" in ladder("status").stdout
    assert f"file {broken}/ lacks 1: " in " ".join(ladder("status").stdout.split())
    shop.run(READ)
    ladder("checkpoint", code=1)
    broken.parent.unlink()
    ladder("checkpoint")
    assert [file.name for file in sorted(broken.iterdir())] == [f"{n:012}.checkpoint" for n in (1, 2)]
    assert "lacks" not in ladder("doctor", code=None).stdout
    assert "lacks" not in ladder("status").stdout


def test_a_target_that_fails_unexpectedly_holds_nobody_up(shop, ladder, monkeypatch):
    """A token that fits into no header: it is told by the error's name, and the next target gets each checkpoint."""
    monkeypatch.setenv("ANCHOR_TOKEN", "s3cret-é")
    vouched(
        shop,
        '{ kind = "post", url = "https://127.0.0.1:9/x", token_env = "ANCHOR_TOKEN", allow = ["127.0.0.1"] }',
        ANCHORS,
    )
    shop.run(READ)
    ladder("keys", "new")
    said = " ".join(ladder("checkpoint", code=1).stdout.split())
    assert "it can't be handed out: TypeError" in said
    assert len(list((shop.folder / "anchors").iterdir())) == 1
    assert "s3cret" not in said + ladder("doctor", code=None).stdout


def test_they_are_written_where_a_person_wants_them(shop, ladder, key):
    """`--to` writes all of them to a directory or a file, as often as one likes, and the newest to standard output."""
    shop.run(READ)
    newest = ladder("checkpoint", "--to", "-").stdout
    assert read_note(newest).number == 2
    for place in ("elsewhere/", "elsewhere.log", "elsewhere/"):
        ladder("checkpoint", "--to", place)
    both = ladder("verify", "--anchor", "elsewhere", "--anchor", "elsewhere.log", "--key", key).stdout
    assert "2 checkpoints" in both
    assert "2 checkpoints" in ladder("verify", "--anchor", "elsewhere.log", "--key", key).stdout


def test_a_key_that_others_can_read_signs_nothing(shop, ladder, key):
    """As ssh does it, and `ladder doctor` sees it too."""
    shop.run(READ)
    (shop.folder / "checkpoint.key").chmod(0o644)
    assert "so it signs nothing" in " ".join(ladder("doctor", code=None).stdout.split())
    assert "chmod 600" in ladder("checkpoint", code=2).stderr
    (shop.folder / "checkpoint.key").chmod(0o600)
    ladder("checkpoint")


def test_a_new_key_is_vouched_for_by_the_old_one(shop, ladder, key):
    """After a rotation who trusts the old public key trusts what the new one signs, and the old private key is gone."""
    old = (shop.folder / "checkpoint.key").read_bytes()
    new = ladder("keys", "rotate").stdout.strip()
    assert new != key
    shop.run(READ)
    ladder("checkpoint")
    assert problems(ladder, key) == []
    assert ladder("verify", "--anchor", "anchors", "--key", new, "--json").document["problems"] == []
    assert alone(shop, key)[0] == 0
    listed = ladder("keys", "list").stdout
    assert ME in listed
    assert listed.index("handed on") < listed.index("active")
    assert not [file for file in shop.folder.iterdir() if file.is_file() and file.read_bytes() == old]
    (shop.folder / "checkpoint.key").write_bytes(old)
    shop.run(READ)
    assert "isn't the key that signs now" in ladder("checkpoint", code=2).stderr


def test_a_leaked_key_is_retired(shop, ladder, key):
    """What it signed before counts, for who trusts both; what the thief signs with it afterwards is named."""
    stolen = (shop.folder / "checkpoint.key").read_bytes()
    thief = shop.folder / "thief"
    shutil.copytree(shop.folder, thief)
    new = ladder("keys", "retire", "--reason", "it lay in a backup", "--yes").stdout.strip()
    shop.run(READ)
    ladder("checkpoint")
    assert problems(ladder, new) == []
    assert problems(ladder, new, "--key", key) == []
    assert any("isn't signed by a key that is trusted" in problem for problem in problems(ladder, key))
    # The thief has a copy of everything, and writes a history of their own.
    (thief / "checkpoint.key").write_bytes(stolen)
    theirs = Shop(thief)
    vouched(theirs, ANCHORS)
    theirs.run(PRICE)
    with theirs.ladder() as there:
        there.checkpoint()
        there.export_checkpoints(hurry=True)
    forged = thief / "anchors" / f"{2:012}.checkpoint"
    shutil.copy(forged, shop.folder / "anchors" / f"{2:012}z.checkpoint")
    assert any("is another one" in problem for problem in problems(ladder, new, "--key", key))
    shutil.copy(thief / "ladder.db", shop.file)
    assert any("isn't the one that was exported" in problem for problem in problems(ladder, new, "--key", key))


def in_an_hour():
    """When the next one is due."""
    return dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)


def test_each_is_made_once(shop, key, postgres):
    """However many processes watch, on either database, one makes what is due, and it goes out once."""
    for ledger in (str(shop.file), postgres):
        said = shop.policy.read_text(encoding="utf-8").partition("\n")[2]
        shop.policy.write_text(f'ledger = "{ledger}"\n{said}', encoding="utf-8")
        (shop.folder / "anchors").rename(shop.folder / f"anchors-{len(ledger)}")
        shop.run(READ)
        with contextlib.ExitStack() as opened:
            watchers = [
                opened.enter_context(contextlib.closing(Ladder(policy=shop.policy, clock=in_an_hour))) for _ in range(3)
            ]
            if not watchers[0].signing_keys():
                watchers[0].new_signing_key(by="ana")
            before = watchers[0].notarized().last.number
            for one in watchers * 2:
                one.sweep_checkpoints()
            assert watchers[1].notarized().last.number == before + 1
            assert watchers[2].verify().ok
            notes = [note for _, note in watchers[0].checkpoints_after()]
            anchors = [("here", note) for note in notes]
            assert watchers[0].verify((), anchors, [watchers[0].signing_keys()[0].key]).ok


def test_it_is_due_by_time_and_by_entries(shop, ladder, key):
    """Nothing is signed again before its time unless many entries came; and never where nothing was written."""
    with contextlib.closing(Ladder(policy=shop.policy)) as one:
        one.sweep_checkpoints()
        assert one.notarized().last.number == 1
    text = shop.policy.read_text(encoding="utf-8")
    shop.policy.write_text(f"{text}\nentries = 3\n", encoding="utf-8")
    shop.run(READ, READ)
    with contextlib.closing(Ladder(policy=shop.policy)) as one:
        one.sweep_checkpoints()
        assert one.notarized().last.number == 2
        one.sweep_checkpoints()
        assert one.notarized().last.number == 2


def test_without_a_key_it_says_what_to_do(shop, ladder):
    """A policy that names no key, and a ledger that knows none, are told apart."""
    shop.run(READ)
    assert "the policy names no signing key" in ladder("checkpoint", code=2).stderr
    vouched(shop)
    assert "ladder keys new" in ladder("checkpoint", code=2).stderr
    assert "no key yet" in ladder("keys", "list").stdout
