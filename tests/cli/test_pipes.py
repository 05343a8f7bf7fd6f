"""What is printed goes to somebody who stops reading, or to a disk that is full: neither looks like a failed check."""

from __future__ import annotations

import subprocess
import sys

import pytest

COMMANDS = [("status",), ("log",), ("log", "--json"), ("verify",), ("--help",), ("--version",)]


def run(*arguments, reader):
    """Run `ladder` into a pipe with this reader: its exit code, and its standard error."""
    line = f'"$0" -m ladder_graph.cli {" ".join(arguments)} {reader}; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", line, sys.executable], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nobody_reads(shop, command):
    """It ends as shells tell of a program that a closed pipe has ended, without a word."""
    shop.run(("close_ticket", {"number": 7}))
    assert run(*command, reader="| true") == (141, "")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_arrives(shop, command):
    """It is an error, told once."""
    shop.run(("close_ticket", {"number": 7}))
    code, said = run(*command, reader="> /dev/full")
    assert (code, said.count("error:"), "No space left" in said) == (2, 1, True)


@pytest.mark.parametrize("command", [("log",), ("verify", "--json"), ("--version",)], ids=" ".join)
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_nothing_is_open(shop, command, closed):
    """What was to be printed is lost, and nothing else: it ends as if it had arrived."""
    shop.run(("close_ticket", {"number": 7}))
    assert run(*command, reader=closed) == (0, "")


def test_an_error_is_one_where_nothing_is_open(shop):
    """Its code is all that is left of it."""
    assert run("show", "nothing", reader=">&- 2>&-") == (2, "")


@pytest.mark.parametrize("command", [("inbox",), ("approve",), ("erase", "--person bo --reason gone")], ids="".join)
def test_a_closed_input_is_no_terminal(folder, question, command):
    """Nobody can be asked there, which is said as where it is another file."""
    name, *rest = command
    asks = [name, *(rest or [question("close_ticket")] * (name == "approve"))]
    code, said = run(*asks, reader="<&-")
    assert (code, said) == run(*asks, reader="< /dev/null")
    assert (code, said.count("\n"), said.startswith("error: ")) == (2, 1, True)
