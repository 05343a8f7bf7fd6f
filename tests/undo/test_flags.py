"""Undoing what a tool set."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.errors import LadderError
from ladder_graph.undo import flag, touched_from, undo_apart, undo_from
from tests.undo.sequences import SEQUENCES, came, hold, made, refused, tried
from tests.undo.services import flag_version, get_flag, set_flag, set_nothing

FLAG = {"flag": "new-checkout"}
VALUES = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from(["on", {"share": 0.5}]))


@pytest.fixture(autouse=True)
def flags(tmp_path, monkeypatch):
    """A service of flags, in a file."""
    monkeypatch.setenv("TEST_FLAGS", str(tmp_path / "flags.json"))
    return tmp_path / "flags.json"


def declared(**said):
    """The declaration for a tool with an argument `flag`."""
    return flag("flag", get=get_flag, set=set_flag, **said)


def setting(value):
    """Set the flag."""
    return lambda *_: set_flag("new-checkout", value)


@SEQUENCES
def test_it_leaves_what_would_be_there_without_the_action(sequences, flags, monkeypatch):
    """Whatever was set before, by the action and by others; with a version, even the same value."""
    worlds = iter(range(10**9))

    @tried(sequences)
    @given(VALUES, st.lists(VALUES, min_size=1, max_size=2), st.lists(VALUES, max_size=2))
    def run(before, action, foreign):
        def build():
            return flags.with_name(f"{next(worlds)}.json")

        def within(act):
            def acting(world):
                monkeypatch.setenv("TEST_FLAGS", str(world))
                return act()

            return acting

        def first(path):
            within(setting(before))(path)
            return path

        act = within(lambda: [set_flag("new-checkout", value) for value in action])
        look = within(lambda: json.dumps(get_flag("new-checkout")))
        changes = [within(setting(value)) for value in foreign]
        declaration = within(lambda: declared(version=flag_version))
        hold(lambda: first(build()), declaration, lambda _: FLAG, act, changes, look)

    run()


def test_it_is_set_back():
    """By another process, too."""
    set_flag("new-checkout", "on")
    artifact = made(declared(), FLAG)
    set_flag("new-checkout", "off")
    assert undo_apart(artifact, touched_from(artifact)).text == ""
    assert get_flag("new-checkout") == "on"


def test_one_that_was_not_set_is_taken_away():
    """None stands for nothing."""
    assert came(declared(), made(declared(), FLAG), setting(True)) == "undone"
    assert get_flag("new-checkout") is None


def test_true_is_not_one():
    """Values are compared as JSON."""
    set_flag("new-checkout", 1)
    assert came(declared(), made(declared(), FLAG), setting(True)) == "undone"
    assert get_flag("new-checkout") is not True


def test_what_somebody_set_after_it_stays():
    """Another value, or with a version the same one once more."""
    assert came(declared(), made(declared(), FLAG), setting(True), setting("me")) == "conflict"
    counted = declared(version=flag_version)
    assert came(counted, made(counted, FLAG), setting(True), setting(True)) == "conflict"


def test_a_setting_that_does_not_take_has_failed():
    """The service's word isn't taken for it."""
    broken = flag("flag", get=get_flag, set=set_nothing)
    artifact = made(broken, FLAG)
    set_flag("new-checkout", "x")
    assert "still has another value" in undo_from(artifact, None).text


def test_its_functions_must_be_within_reach():
    """A lambda is refused at once, and a name that is none later."""
    with pytest.raises(LadderError, match=r"flag\(get=...\): a lambda has no name"):
        flag("flag", get=lambda name: None, set=set_flag)
    assert "is no name" in refused(declared(), {"flag": 3})
