"""Each kind of draft: what it starts from, what it would become, and how a taken part goes back into arguments."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from email import message_from_string
from email.message import EmailMessage

import pytest

from ladder_graph.drafting import applied, changes_of, config, email, http, patch, pull_request, sql, text
from ladder_graph.drafting.mapping import mapped
from ladder_graph.errors import DraftRefused


def part(drafter, arguments, *taken):
    """The arguments with which a call makes what was taken."""
    drawn = drafter.draw(arguments)
    return mapped(drawn, arguments, applied(drawn.pieces, taken))


def headings(drawn):
    """The headings of a draft's changes."""
    return [one.heading for one in changes_of(drawn.pieces)]


# --- e-mail ----------------------------------------------------------------------------------------------------------

ASKED = EmailMessage()
ASKED["From"], ASKED["To"], ASKED["Subject"], ASKED["Message-ID"] = "dana@x.example", "us@y.example", "4471", "<1@x>"
REPLY = email(cc="cc", template="Hello,\nbye\n", original=lambda _: ASKED)
MAIL = {"to": ["dana@x.example"], "subject": "Re: 4471", "body": "Hello Dana,\nbye\n"}


def test_a_reply_starts_from_what_it_replies_to():
    """Recipient and subject are the original's, and its id goes along; nothing of that is a change."""
    drawn = REPLY.draw(MAIL)
    assert headings(drawn) == ["Text"]
    message = message_from_string(drawn.artifact.replace("\r\n", "\n"))
    assert (message["To"], message["In-Reply-To"], message["X-Unsent"]) == ("dana@x.example", "<1@x>", "1")
    assert message.get_payload() == "Hello Dana,\nbye\n"


def test_another_recipient_is_a_change():
    """Also one in copy; left out, the list is what it was."""
    more = {**MAIL, "to": ["eve@z.example"], "cc": ["mallory@z.example"]}
    assert headings(REPLY.draw(more)) == ["To", "Cc", "Text"]
    assert part(REPLY, more, 3) == {**more, "to": ["dana@x.example"], "cc": []}
    assert part(REPLY, more, 1, 2, 3) == more


@pytest.mark.parametrize("name", ["to", "subject", "cc"])
@pytest.mark.parametrize("value", ["a\r\nBcc: eve@x.example", "a\nb", "a\0", "a\x85b", "a\u2028b"])
def test_a_header_stays_one_header(name, value):
    """No line end gets into it."""
    with pytest.raises(DraftRefused, match="would end it"):
        REPLY.draw({**MAIL, name: value})
    with pytest.raises(DraftRefused, match="would end it"):
        REPLY.draw({**MAIL, name: [value]})


def test_a_body_of_any_length_is_a_message():
    """Long lines are encoded, others stand as they are."""
    for body in ("ü" * 1_000_000, "short ü\n", "From x\n.\n"):
        message = message_from_string(email().draw({**MAIL, "body": body}).artifact.replace("\r\n", "\n"))
        raw = message.get_payload(decode=True)
        assert raw is not None
        assert email().draw({**MAIL, "body": body}).pieces[1].text == body


# --- text, HTTP ------------------------------------------------------------------------------------------------------


def test_a_text_against_what_is_there():
    """What is read anew each time is a base like any other."""
    drafter = text("body", base=lambda arguments: f"for {arguments['to']}\n", title="A note", labels=("hr",))
    drawn = drafter.draw({"to": "ana", "body": "for Ana\n"})
    assert (drawn.title, drawn.labels, drawn.pieces[0].base) == ("A note", ("hr",), "for ana\n")
    assert part(drafter, {"to": "ana", "body": "x\n"}) == {"to": "ana", "body": "for ana\n"}
    with pytest.raises(DraftRefused, match="is a int"):
        drafter.draw({"to": "ana", "body": 3})
    with pytest.raises(DraftRefused, match="at most"):
        drafter.draw({"to": "ana", "body": "x" * 6_000_000})


def test_a_request_shows_no_secret():
    """Not in headers, not in the address."""
    drafter = http(headers="h", body="b", fixed={"X-Api-Key": "k1"}, secrets=["x-shop"])
    drawn = drafter.draw({
        "url": "https://me:k2@x.example/a?access_token=k3&q=1", "b": {"a": 1},
        "h": {"Authorization": "k4", "Cookie": "k5", "X-Shop": "k6", "Accept": "text/plain"},
    })  # fmt: skip
    assert not any(f"k{n}" in json.dumps(drawn.to_json()) for n in range(1, 7))
    assert drawn.artifact.startswith("POST https://***@x.example/a?access_token=***&q=1 HTTP/1.1\nX-Api-Key: ***\n")
    assert drawn.whole
    assert "Accept: text/plain" in drawn.artifact


def test_a_request_is_taken_key_by_key_where_it_is_known_what_is_there():
    """Against what a reading of it gave."""
    drafter = http(method="PUT", body="b", now=lambda _: {"price": 1, "name": "x"})
    arguments = {"url": "https://x.example/1", "b": {"price": 2, "name": "y"}}
    assert headings(drafter.draw(arguments)) == ["name", "price"]
    assert part(drafter, arguments, 2)["b"] == {"price": 2, "name": "x"}


@pytest.mark.parametrize(
    "arguments",
    [{"url": "FILE:/etc/passwd"}, {"url": "https://x/\r\nHost: y"}, {"url": "https://"}, {"url": "https://x:99999/"},
     {"url": "https://x/", "h": {"A\r\nB": "c"}}, {"url": "https://x/", "h": {"A": "b\r\nC: d"}},
     {"url": "https://x/", "h": [1]}],
)  # fmt: skip
def test_a_request_that_is_another_is_refused(arguments):
    """Schemes, line ends, ports and headers that would make more of it."""
    with pytest.raises(DraftRefused):
        http(headers="h").draw(arguments)


# --- files, repositories, settings -----------------------------------------------------------------------------------


def test_files_are_taken_one_by_one(tmp_path):
    """In each of the three forms of arguments."""
    (tmp_path / "a").write_text("1\n")
    (tmp_path / "b").write_text("1\n")
    files = {"files": {"a": "2\n", "b": None, "c": "3\n"}}
    drafter = patch(root=tmp_path, files="files")
    assert headings(drafter.draw(files)) == ["a", "b (removed)", "c (new)"]
    assert part(drafter, files, 1, 3) == {"files": {"a": "2\n", "c": "3\n"}}
    diff = {"d": drafter.draw(files).artifact}
    assert part(patch("d", root=tmp_path), diff, 2)["d"].startswith("--- a/b\n+++ /dev/null\n")
    for wrong in ({"files": {"a": 1}}, {"files": {"./a": "2"}}, {"files": {"a": "2", "x/../a": "3"}}, {"files": 3}):
        with pytest.raises(DraftRefused):
            drafter.draw(wrong)
    with pytest.raises(ValueError, match="name either"):
        patch("d", root=tmp_path, files="files")


@pytest.fixture
def repository(tmp_path):
    """A repository with a commit, something staged, and something not."""

    def git(*words):
        return subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True, text=True).stdout

    git("init", "-q", "-b", "main")
    (tmp_path / "a").write_text("1\n")
    (tmp_path / "link").symlink_to("a")
    git("add", "-A")
    git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "-m", "first")
    (tmp_path / "a").write_text("dirty\n")
    (tmp_path / "staged").write_text("s\n")
    git("add", "staged")
    (tmp_path / ".git/hooks/post-commit").write_text("#!/bin/sh\ntouch ran\n")
    return tmp_path, git


def test_a_branch_is_made_beside_what_is_checked_out(repository):
    """Work tree, index and HEAD stay; the same draft makes the same branch; the base is the commit's."""
    root, git = repository
    before = git("status", "--porcelain"), git("rev-parse", "HEAD"), (root / ".git/index").read_bytes()
    drafter = pull_request(root=root, files="files", base="main")
    arguments = {"title": "Make it\r\ntwo", "files": {"a": "2\n", "d/b": "new\n"}}
    drawn = drafter.draw(arguments)
    assert (git("status", "--porcelain"), git("rev-parse", "HEAD"), (root / ".git/index").read_bytes()) == before
    assert drawn.pieces[0].base == "1\n"
    facts = dict(drawn.facts)
    assert git("show", f"{facts['branch']}:d/b") == "new\n"
    assert git("log", "-1", "--format=%s%n%P", facts["commit"]) == f"Make it two\n{before[1]}"
    assert dict(drafter.draw(arguments).facts) == facts
    assert len(git("branch", "--list", "ladder/*").splitlines()) == 1
    assert part(drafter, arguments, 2)["files"] == {"d/b": "new\n"}
    for path in ("link", "../x", ".git/config", "a/b", "link/x"):
        with pytest.raises(DraftRefused):
            drafter.draw({"title": "x", "files": {path: "x"}})


@pytest.mark.parametrize(
    ("name", "now", "text", "taken"),
    [
        ("c.toml", '# why\nport = 1\n[tls]\nmin = "1.2"\n', 'port = 2\n[tls]\nmin = "1.3"\n',
         'port = 2\n\n[tls]\nmin = "1.2"\n'),
        ("c.yaml", "port: 1\ntls:\n  min: '1.2'\n", "tls: {min: '1.3'}\nport: 2\n", "port: 2\ntls:\n  min: '1.2'\n"),
        ("c.json", '{"port":1,"tls":{"min":"1.2"}}', '{"tls":{"min":"1.3"},"port":2}',
         '{\n  "port": 2,\n  "tls": {\n    "min": "1.2"\n  }\n}\n'),
    ],
)  # fmt: skip
def test_settings_are_taken_key_by_key(tmp_path, name, now, text, taken):
    """Order and layout are no changes; what is taken in part is written anew."""
    (tmp_path / name).write_text(now)
    drafter = config("path", root=tmp_path, text="text")
    drawn = drafter.draw({"path": name, "text": text})
    assert headings(drawn) == ["port", "tls.min"]
    assert part(drafter, {"path": name, "text": text}, 1)["text"] == taken
    assert ("comments" in " ".join(drawn.notes)) is (name == "c.toml")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.toml", "a = "), ("c.toml", "a = 1\na = 2"), ("c.json", '{"a":1,"a":2}'), ("c.json", "[1]"),
        ("c.json", '{"a":NaN}'), ("c.json", "[" * 100_000), ("c.yaml", "a: &x [1]\nb: *x"), ("c.yaml", "a: 1\na: 2"),
        ("c.yaml", "!!python/object/apply:os.system [id]"), ("c.yaml", "a: b: c"), ("c.yaml", "x: 1\n" * 100_000),
        ("c.ini", "a=1"), ("../c.toml", "a = 1"),
    ],
)  # fmt: skip
def test_settings_that_can_be_read_in_two_ways_are_refused(tmp_path, name, text):
    """Or not at all, or into something that grows without end."""
    with pytest.raises(DraftRefused):
        config("path", root=tmp_path, text="text").draw({"path": name, "text": text})


def test_a_merge_is_taken_key_by_key(tmp_path):
    """What it leaves alone is no change, and null takes a key away."""
    (tmp_path / "c.json").write_text('{"a": 1, "b": {"c": 2}}')
    drafter = config(file="c.json", root=tmp_path, merge="m")
    arguments = {"m": {"a": None, "b": {"c": 3}}}
    assert headings(drafter.draw(arguments)) == ["a", "b.c"]
    assert part(drafter, arguments, 2) == {"m": {"b": {"c": 3}}}


# --- SQL -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path):
    """Orders in a file."""
    file = tmp_path / "orders.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT)")
        connection.executemany("INSERT INTO orders VALUES (?, ?)", [(n, "open") for n in range(5)])
    connection.close()
    return file


@pytest.mark.parametrize("level", ["", None])
def test_rows_before_and_after_and_nothing_stays(database, level):
    """The statement runs in a transaction that is rolled back, also on a connection that commits by itself."""
    drafter = sql(
        "q", connect=lambda: sqlite3.connect(database, isolation_level=level), rows="SELECT id, state FROM orders",
        key="id", dialect="sqlite", tables=["orders"],
    )  # fmt: skip
    drawn = drafter.draw({"q": "UPDATE orders SET state = 'paid' WHERE id < 2"})
    rows = [one for one in changes_of(drawn.pieces) if one.piece == "rows"]
    assert [one.heading for one in rows] == ['"id 0".state', '"id 1".state']
    assert rows[0].new == '"id 0".state = "paid"\n'
    assert drawn.whole
    assert "2 rows are touched" in drawn.notes[0]
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM orders WHERE state = 'open'").fetchone() == (5,)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE orders SET state = 'x' WHERE id = 1; COMMIT", "COMMIT", "DROP TABLE orders", "PRAGMA user_version = 3",
     "ATTACH 'x.db' AS x", "UPDATE secrets SET a = 1 WHERE id = 1", "SELECT load_extension('x')", "", "VACUUM"],
)  # fmt: skip
def test_what_a_rollback_would_not_take_back_is_refused(database, statement):
    """Before anything runs."""
    drafter = sql(
        "q", connect=lambda: pytest.fail("it was connected"), rows="SELECT id FROM orders", dialect="sqlite",
        tables=["orders"],
    )  # fmt: skip
    with pytest.raises(DraftRefused):
        drafter.draw({"q": statement})


def test_what_shows_the_rows_is_a_select():
    """It may hold what a model wrote."""
    for rows in ("DELETE FROM orders WHERE id = 1", "SELECT 1; DELETE FROM orders"):
        drafter = sql("q", connect=lambda: None, rows=lambda _, rows=rows: rows, dialect="sqlite")
        with pytest.raises(DraftRefused):
            drafter.draw({"q": "UPDATE orders SET state = 'x' WHERE id = 1"})
