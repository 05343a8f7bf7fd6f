"""`ladder migrate` and `ladder move`, by what they print and how they end."""

from __future__ import annotations

import pytest

from ladder_graph.ledger.database import migrations


def test_a_day_moves_to_a_server_and_back(folder, ladder, postgres):
    """Both are asked where they stand, the questions are open over there, and one answered there stays there."""
    before = [one["question"] for one in ladder("pending", "--json").document]
    told = ladder("move", "ladder.db", postgres)
    assert "moved to postgresql://" in told.stdout
    assert "every row of every table is there" in told.stderr
    assert "copied entry, " in told.stderr
    assert ", 0 rows" not in told.stderr
    assert "this ledger was moved to postgresql://" in " ".join(ladder("status", code=2).stderr.split())
    on_server = ("--ledger", postgres)
    assert [one["question"] for one in ladder(*on_server, "pending", "--json").document] == before
    assert ladder(*on_server, "verify", "--json").document["ok"]
    assert "is open again" in ladder("move", "ladder.db", postgres, "--undo").stdout
    assert [one["question"] for one in ladder("pending", "--json").document] == before
    ladder(*on_server, "pending", code=2)
    assert "the ledger is there already" in ladder("move", "ladder.db", "ladder.db", code=2).stderr
    again = ladder("move", "ladder.db", postgres, code=2).stderr
    assert "holds a ledger already" in again
    assert len(ladder("pending", "--json").document) == len(before)


def test_what_is_lost_is_said_twice(folder, ladder, tmp_path):
    """`--lost` asks, unless it is told not to, and belongs to `--undo`."""
    other = str(tmp_path / "other.db")
    ladder("move", "ladder.db", other)
    assert "--lost belongs to --undo" in ladder("move", "ladder.db", other, "--lost", code=2).stderr
    assert "no terminal" in ladder("move", "ladder.db", other, "--undo", "--lost", code=2).stderr
    ladder("move", "ladder.db", other, "--undo", "--lost", "--yes")
    assert ladder("status", "--json").document


def test_migrating_is_told_before_it_is_done(folder, ladder, monkeypatch):
    """The exit code says whether something is to be done, and the statements are there to be read."""
    assert "has schema 1, as it should be" in ladder("migrate", "--check").stdout
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, lambda _: ["CREATE TABLE weather (a int)"]))
    for _ in range(2):
        told = ladder("migrate", "--check", code=1).stdout
        assert "would go from schema 1 to 2" in told
        assert "CREATE TABLE weather (a int)" in told
    assert "went from schema 1 to 2" in ladder("migrate").stdout
    assert "has schema 2, as it should be" in ladder("migrate", "--check").stdout


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_a_ledger_that_is_not_there(ladder, tmp_path, check):
    """It is made, or said to be made; `--check` makes nothing."""
    file = tmp_path / "new.db"
    told = ladder("migrate", file, *check, code=len(check)).stdout
    assert ("isn't there yet" if check else "was made, with schema 1") in " ".join(told.split())
    assert file.exists() != bool(check)
