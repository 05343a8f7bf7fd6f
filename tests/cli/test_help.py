"""`ladder --help`: quick, complete, and true."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import typer

from ladder_graph.cli import digested, documents
from ladder_graph.cli.program import HEADINGS, program

COMMANDS = [name for names in HEADINGS.values() for name in names]
HEAVY = ("langchain", "langgraph", "sqlmodel", "sqlalchemy", "pydantic", "rich", "httpx")
WITHOUT = "import sys; sys.modules[{name!r}] = None; from ladder_graph.cli import main; main(['--help'])"
"""Python's own way to say that a module isn't there."""


def test_help_loads_nothing_heavy():
    """`ladder --help` imports no LangGraph, no database, no pydantic and not even rich."""
    command = [sys.executable, "-X", "importtime", "-m", "ladder_graph.cli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in loaded
    assert not {name for name in loaded if name.startswith(HEAVY)}


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_the_way_to_install_it_is_said(missing):
    """Where typer or rich is missing, one line says what to install, and there is no traceback."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(name=missing)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: the command line needs typer and rich; install them with: pip install 'ladder-graph[cli]'\n"
    )


def test_every_command_stands_under_a_heading(ladder):
    """The help names each command once, under its heading, and cuts no sentence at 80 columns."""
    text = ladder("--help", columns=80).stdout
    found = re.findall(r"^  ([a-z][a-z-]*)  +[A-Z].*$", text, re.MULTILINE)
    assert found == COMMANDS
    assert "..." not in text.partition("\n")[2]
    assert all(f"\n{heading}:\n" in text for heading in HEADINGS)


@pytest.mark.parametrize("group", [group.name for group in program.registered_groups])
def test_no_sentence_is_cut_in_a_group(group):
    """The help of a command with commands below it ends each line where its sentence ends, on 80 columns."""
    command = typer.main.get_command(program).commands[group]
    # Two columns stay free on a terminal, and none under typer's own runner of tests.
    text = command.get_help(command.context_class(command, info_name=group, terminal_width=78))
    assert "..." not in text.partition("\n")[2]


def test_the_help_tells_the_exit_codes(ladder):
    """Whoever calls it from a script reads what 0, 1 and 2 mean."""
    assert "0 for done, 1 for a check that found something wrong" in " ".join(ladder("--help").stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(ladder, command):
    """Each command has a help, and doesn't need a policy to show it."""
    assert f"ladder {command}" in ladder(command, "--help").stdout


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("status", documents.CellDocument),
        ("doctor", documents.FindingDocument),
        ("log", documents.EntryDocument),
        ("pending", documents.QuestionDocument),
        ("drafts", documents.DraftDocument),
        ("suggestions", documents.ActionDocument),
        ("reports", digested.ReportDocument),
        ("verify", documents.VerificationDocument),
    ],
)
def test_the_keys_of_the_json_are_those_that_the_help_names(folder, ladder, command, kind):
    """`--json` prints one document, whose objects have exactly the documented keys, in ASCII."""
    result = ladder(command, "--json")
    objects = result.document if isinstance(result.document, list) else [result.document]
    assert objects
    assert all(list(one) == list(kind.__annotations__) for one in objects)
    named = re.search(r"with the keys (.*?)\.", " ".join(ladder(command, "--help").stdout.split()))
    assert named[1].split(", ") == list(kind.__annotations__)
    assert result.stdout.isascii()


def test_the_release_is_said(ladder):
    """`ladder --version` names the installed release."""
    assert re.fullmatch(r"ladder-graph \d+\.\d+\.\d+\n", ladder("--version").stdout)


def test_an_unknown_command_is_a_usage_error(ladder):
    """A command that isn't there ends with code 2."""
    assert "No such command" in ladder("aprove", code=2).stderr
