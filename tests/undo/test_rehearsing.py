"""Trying an undo out: good ones pass, and every broken promise is found."""

from __future__ import annotations

import subprocess
from functools import partial

import pytest
from langchain_core.tools import tool

from ladder_graph.testing import assert_reversible
from ladder_graph.undo import Outbox, files, flag, git_tree, http_resource, outbox, rehearse, sql_rows
from tests.undo import tools
from tests.undo.services import deliver, get_flag, set_flag
from tests.undo.shelf import serving


@pytest.fixture
def page(tmp_path):
    """A file to write."""
    (tmp_path / "page").write_text("old")
    return tmp_path / "page"


def rehearsed(page, function, **said):
    """A rehearsal of writing the page."""
    arguments = {"path": str(page), "text": "new"}
    return rehearse(function, arguments, foreign=lambda: page.write_text("me"), **said)


def test_a_good_undo_passes(page):
    """Every promise is tried, and things are as before."""
    found = rehearsed(page, tool(description="write")(tools.write))
    assert found.passed, found
    assert (found.tool, len(found.steps), found.untried) == ("write", 11, ())
    assert page.read_text() == "old"


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ({"prepare": lambda args: object()}, "the artifact is made and survives JSON"),
        ({"fingerprint": None}, "it has a fingerprint"),
        ({"prepare": tools.touching}, "making it changes nothing"),
        ({"fingerprint": tools.blind}, "the call changes what the fingerprint sees"),
        ({"undo": tools.append}, "an undo after the call puts everything back"),
        # One that only this process has, so that no other is killed over it.
        ({"undo": partial(tools.overwriting), "conditional": True}, "an undo before the call is a no-op"),
    ],
)
def test_a_broken_promise_is_found(page, said, step):
    """The first step that fails is the one that was broken."""
    found = rehearsed(page, tools.changed(**said))
    assert next(tried.name for tried in found.steps if not tried.ok) == step


def test_hands_that_are_not_kept_off_are_found(page):
    """An undo that overwrites what somebody else wrote."""
    found = rehearsed(page, tools.changed(undo=partial(tools.overwriting), conditional=True))
    assert "somebody else's change is a conflict and is left alone" in {s.name for s in found.steps if not s.ok}


def test_what_could_not_be_tried_is_said(page):
    """An undo that only this process has, and nobody else to change anything."""
    found = rehearse(tools.changed(undo=lambda kept: kept and tools.put_back(kept)), {"path": str(page), "text": "new"})
    assert found.passed
    assert [left.partition(":")[0] for left in found.untried] == [
        "somebody else's change is left alone", "a kill loses nothing",
    ]  # fmt: skip


def test_a_tool_that_raises_fails_its_rehearsal(page):
    """It says what the tool said."""
    found = rehearsed(page, tools.write, act=lambda: 1 / 0)
    assert found.steps[-1].text == "ZeroDivisionError: division by zero"


def test_the_assertion_lists_every_step(page):
    """For the suite of a tool's author."""
    with pytest.raises(AssertionError, match="FAIL it has a fingerprint: it declares none"):
        assert_reversible(tools.changed(fingerprint=None), {"path": str(page), "text": "new"})


ADAPTERS = [
    "files", "outbox", *(pytest.param(one, marks=pytest.mark.faults) for one in ("sql", "git", "http", "flag")),
]  # fmt: skip
"""What is rehearsed in each run, and with the long tests: each rehearsal starts four processes."""


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_adapter_keeps_its_promises(adapter, page, tmp_path, monkeypatch):
    """Each with what it is made for, killed between its steps."""
    monkeypatch.setenv("TEST_FLAGS", str(tmp_path / "flags"))
    monkeypatch.setenv("TEST_SENT", str(tmp_path / "sent"))
    monkeypatch.setenv("TEST_DATABASE", f"sqlite:///{tmp_path}/shop.db")
    if adapter == "outbox":
        box = Outbox(tmp_path / "outbox", send=deliver, hold=60)
        posted = assert_reversible(lambda to: box.post(to=to), {"to": "ana"}, declaration=outbox(box))
        assert len(posted.steps) == 9
        return
    with serving() as (shelf, url):
        declaration, arguments, write = _case(adapter, tmp_path, page, shelf, url)
        found = rehearse(declaration, arguments, declaration=declaration, act=lambda: write("it"),
                         foreign=lambda: write("me"))  # fmt: skip
        assert found.passed, found
        assert len(found.steps) == 10


def _case(adapter, folder, page, shelf, url):
    match adapter:
        case "files":
            return files("path", root=folder, store=folder / "s"), {"path": str(page)}, page.write_text
        case "git":
            subprocess.run(["git", "init", "-q", folder / "tree"], check=True)
            return git_tree(path=folder / "tree"), {}, (folder / "tree" / "page").write_text
        case "sql":
            return sql_rows("env:TEST_DATABASE", "orders", key="id"), {"id": 1}, _database(folder)
        case "http":
            return http_resource(f"{url}/x"), {}, lambda text: shelf.set("/x", text.encode())
        case "flag":
            return flag("flag", get=get_flag, set=set_flag), {"flag": "f"}, lambda text: set_flag("f", text)


def _database(folder):
    from tests.undo.services import engine

    def write(text):
        with engine().begin() as connection:
            connection.exec_driver_sql("UPDATE orders SET customer = ?", (text,))

    with engine().begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT)")
        connection.exec_driver_sql("INSERT INTO orders VALUES (1, 'ana')")
    return write
