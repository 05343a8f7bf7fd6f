"""What an adapter's undo can tell of now, and of what is proposed, for whoever is asked. It changes nothing."""

from __future__ import annotations

import sqlite3

from ladder_graph.telling import Change
from ladder_graph.tools import Declaration, presented_by
from ladder_graph.undo import files, flag, git_tree, sql_rows
from tests.undo.services import get_flag, set_flag
from tests.undo.test_git import repository


def test_files_of_now_and_proposed(tmp_path):
    """A short text stands there itself, anything else by what it is; the new text where the tool's argument has it."""
    foresee = files("path", content="text").foresee
    page = tmp_path / "page.html"
    assert foresee({"path": str(page), "text": "new"}) == [Change(str(page), "nothing", "new")]
    page.write_text("old")
    assert foresee({"path": str(page), "text": "x" * 5000}) == [Change(str(page), "old", "a file of 5000 bytes")]
    page.write_bytes(b"\xff" * 9)
    assert foresee({"path": str(page)}) == [Change(str(page), "a file of 9 bytes", None)]
    (tmp_path / "link").symlink_to("page.html")
    assert foresee({"path": [str(tmp_path), str(tmp_path / "link")]}) == [
        Change(str(tmp_path), "a directory with 2 entries"), Change(str(tmp_path / "link"), "a link to page.html"),
        Change(str(page), "a file of 9 bytes"),
    ]  # fmt: skip


def test_a_flag_of_now_and_proposed(tmp_path, monkeypatch):
    """The value of now, and the one of the argument that holds the new one."""
    monkeypatch.setenv("TEST_FLAGS", str(tmp_path / "flags.json"))
    said = flag("flag", get=get_flag, set=set_flag, value="on")
    assert said.foresee({"flag": "new", "on": True}) == [Change("flag new", "not set", "true")]
    set_flag("new", {"share": 0.5})
    assert flag("flag", get=get_flag, set=set_flag).foresee({"flag": "new"}) == [
        Change("flag new", '{"share": 0.5}', None)
    ]


def test_rows_of_now(tmp_path, monkeypatch):
    """Each row that the arguments name, as it stands; and that there is none."""
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT)")
        database.executemany("INSERT INTO orders VALUES (?, ?)", [(at, "open") for at in range(30)])
    database.close()
    monkeypatch.setenv("SHOP_URL", f"sqlite:///{file}")
    foresee = sql_rows("env:SHOP_URL", "orders", key="id").foresee
    assert foresee({"id": 7}) == [Change("orders [7]", '{"id": 7, "state": "open"}')]
    assert foresee({"id": 99}) == [Change("rows of orders", "none that the arguments name")]
    many = foresee({"id": list(range(30))})
    assert (len(many), many[-1]) == (21, Change("10 more rows of orders"))


def test_a_work_tree_of_now(tmp_path):
    """Its branch, its commit, and how much in it isn't committed."""
    top = repository(tmp_path / "tree")
    (told,) = git_tree(path=top).foresee({})
    assert told.thing == f"work tree {top}"
    assert told.before.startswith("main at ")
    assert told.before.endswith(", 1 changed file")
    assert told.after is None


def test_the_tools_own_preview_goes_first():
    """Whichever stands above the other, what the tool says itself is what is shown; the undo brings its own along."""

    def mine(given):
        return [Change("mine")]

    for order in (0, 1):

        def write(path: str) -> str:
            return path

        for put in (presented_by(preview=mine), files("path"))[:: 1 if order else -1]:
            put(write)
        said = write.__ladder__
        assert said.preview is mine
        assert said.foresee is not None
    assert Declaration(preview=mine).merged(files("path")).preview is mine
