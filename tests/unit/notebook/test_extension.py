"""What `%load_ext ladder_graph` does, in a real IPython."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import ladder_graph
from ladder_graph import AnswerRefused


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A shell of our own, which keeps no history."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    made = InteractiveShell(config=config)
    made.display_formatter.active_types = ["text/plain", "text/html"]
    made.run_line_magic("load_ext", "ladder_graph")
    return made


def shown(shell, thing):
    """What a notebook would show of something."""
    bundle, _ = shell.display_formatter.format(thing)
    return bundle


def test_what_a_ladder_gives_shows_itself(shell, full):
    """Single things and lists have a picture and stay text where there is no page."""
    for name, thing in full.everything().items():
        bundle = shown(shell, thing)
        assert "ladder-graph" in bundle["text/html"], name
        assert bundle["text/plain"], name


@pytest.mark.parametrize("thing", [[], [1, 2], ("a",), {"a": 1}, "text", [None]], ids=repr)
def test_everything_else_is_shown_as_before(shell, thing):
    """A list of something else gets no picture."""
    assert shown(shell, thing).keys() == {"text/plain"}


def test_an_error_of_a_ladder_says_its_sentence_alone(shell, full, capsys):
    """No page of frames; any other error is shown as ever."""
    shell.push({"ladder": full.ladder, "question": full.asked[0]})
    done = shell.run_cell("ladder.approve(question, by='ana')")
    assert type(done.error_in_exec).__name__ == "UnknownQuestion"
    said = capsys.readouterr().out
    assert (
        "UnknownQuestion: questions are named by their ids; what was given is of the type Question: write its .id"
        in said
    )
    assert "acts.py" not in said
    shell.run_cell("%tb")
    assert "acts.py" in capsys.readouterr().out, "the frames can be had"
    shell.run_cell("1 / 0")
    assert "Traceback" in capsys.readouterr().out


def test_it_can_be_taken_back(shell, full, capsys):
    """After `%unload_ext` only a ladder shows itself, and errors have their frames again."""
    shell.push({"ladder": full.ladder})
    shell.run_line_magic("unload_ext", "ladder_graph")
    assert shown(shell, full.ladder.status()).keys() == {"text/plain"}
    assert "text/html" in shown(shell, full.ladder)
    shell.run_cell("ladder.approve('0000', by='ana')")
    assert "Traceback" in capsys.readouterr().out


def test_the_package_itself_stays_light():
    """The two functions that IPython calls are no public names, and load nothing before they are called."""
    assert callable(ladder_graph.load_ipython_extension)
    assert "load_ipython_extension" not in ladder_graph.__all__
    assert issubclass(AnswerRefused, ladder_graph.LadderError)
