"""What an agent was given as an argument, followed through everything that the ladder writes."""

from __future__ import annotations

import json

import pytest

from tests.cli.shop import DAY, Shop

CANARY = "cnry-5d21-0f7e"
ERASABLE = {
    "payload.body", "action.text", "action.why", "action.reply", "action.artifact", "question.reason", "vote.reason",
    "draft.reason",
}  # fmt: skip
"""Where what was said may stand: each of them `ladder erase` empties."""
LOOKS = [
    ("status", "--json"), ("doctor",), ("watched", "--json"), ("verify", "--json"), ("verify", "--export-heads"),
    ("sweep",), ("trust", "--json"), ("fingerprint",), ("resumptions", "--json"),
]  # fmt: skip
"""Looks at a ledger that tell of no call's arguments."""


def marked(arguments):
    """The same arguments with the canary in each text."""
    return {name: f"{value} {CANARY}" if isinstance(value, str) else value for name, value in arguments.items()}


@pytest.fixture
def shop(tmp_path, monkeypatch, caplog):
    """A shop through whose day the canary went: on each rung, outside of bounds, in refusals, answers and errors."""
    caplog.set_level("DEBUG", logger="ladder_graph")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    shop = Shop(tmp_path)
    told = '\n[[questions.notify]]\nkind = "file"\npath = "told.jsonl"\n'
    shop.policy.write_text(shop.policy.read_text(encoding="utf-8") + told, encoding="utf-8")
    shop.run(*[(tool, marked(arguments)) for tool, arguments in DAY])
    shop.run(
        ("send_mail", {"to": CANARY}), ("set_price", {"item": CANARY, "cents": 10**9}), (CANARY[:4], {"x": CANARY})
    )
    with shop.ladder() as ladder:
        refund, ticket, *_ = ladder.pending()
        ladder.decline(refund.id, by="ana", reason="not ours")
        ladder.approve(ticket.id, by="ana")
    return shop


def columns(ladder):
    """Every column of every table, with all that stands in it."""

    def read(cursor):
        names = [name for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
        for name in names:
            rows = cursor.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608  # names of our own tables
            for column in rows[0].keys() if rows else ():  # a row isn't a mapping
                yield f"{name}.{column}", " ".join(str(row[column]) for row in rows)

    return ladder.store.read(lambda cursor: list(read(cursor)))


def test_an_argument_stands_where_it_can_be_erased_and_nowhere_else(shop):
    """No counter, no look-up and no key holds what the call was given; what holds it is listed."""
    with shop.ladder() as ladder:
        found = {name for name, held in columns(ladder) if CANARY in held}
    assert "payload.body" in found
    assert found <= ERASABLE
    others = [path.name for path in shop.folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert {name.partition("-")[0].partition("_")[0] for name in others} <= {"ladder.db", "write"}  # the draft's file
    assert not [path for path in shop.folder.rglob("*") if CANARY in path.name]


def test_an_argument_is_in_no_log_no_message_and_no_list(shop, ladder, caplog):
    """Logs go to other people, messages over other wires, and heads are kept elsewhere."""
    with shop.ladder() as desk:
        desk.sweep_reports()
        desk.send_messages()
    told = (shop.folder / "told.jsonl").read_text(encoding="utf-8")
    assert json.loads(told.splitlines()[0])
    assert CANARY not in told
    assert CANARY not in caplog.text
    for look in LOOKS:
        assert CANARY not in ladder(*look, code=None).output, look
    assert CANARY in ladder("log").output  # the canary would be seen
