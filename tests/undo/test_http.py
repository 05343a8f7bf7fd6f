"""Undoing what a tool did to a resource of an HTTP API."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.errors import LadderError
from ladder_graph.undo import http_resource, touched_from, undo_apart, undo_from
from tests.undo.sequences import SEQUENCES, came, hold, made, refused, tried
from tests.undo.shelf import serving

PAGE = {"id": "home page"}
AT = "/pages/home%20page"


@pytest.fixture
def served():
    """A shelf with one page, and the declaration of a tool that changes pages."""
    with serving() as (shelf, url):
        shelf.set(AT, b'{"text": "old"}')
        yield shelf, lambda **said: http_resource(f"{url}/pages/{{id}}", **said)


def putting(text):
    """Put a page; None takes it away."""
    return lambda shelf: shelf.take(AT) if text is None else shelf.set(AT, text)


@SEQUENCES
def test_it_leaves_what_would_be_there_without_the_action(sequences, served):
    """Whatever was there, and whatever the action and others did to it."""
    shelf, declared = served
    texts = st.sampled_from([None, b"it", b"old", b"{}"])

    @tried(sequences)
    @given(texts, st.lists(texts, min_size=1, max_size=2), st.lists(st.sampled_from([b"me", None]), max_size=2))
    def run(before, action, foreign):
        class World:
            def __init__(self):
                self.things = {} if before is None else {AT: (before, '"0"')}

        def at(world):
            shelf.things = world.things
            return shelf

        def act(world):
            for text in action:
                putting(text)(at(world))

        changes = [lambda world, text=text: putting(text)(at(world)) for text in foreign]
        hold(World, lambda world: at(world) and declared(), lambda _: PAGE, act, changes, lambda world: at(world) and
             {path: body for path, (body, _) in world.things.items()})  # fmt: skip

    run()


@pytest.mark.parametrize(("before", "text"), [(b"old", b"it"), (b"old", None), (None, b"it")])
def test_it_is_as_it_was(served, before, text):
    """Replaced, deleted or created, and undone by another process."""
    shelf, declared = served
    putting(before)(shelf)
    artifact = made(declared(), PAGE)
    putting(text)(shelf)
    assert undo_apart(artifact, touched_from(artifact)).text == ""
    assert shelf.things.get(AT, (None,))[0] == before


def test_somebody_elses_change_stays(served):
    """Even where it says the same as the action's: the ETag is another one."""
    shelf, declared = served
    for text in (b"me", b"it"):
        artifact = made(declared(), PAGE)
        assert came(declared(), artifact, lambda: shelf.set(AT, b"it"), lambda text=text: shelf.set(AT, text)) == (
            "conflict"
        )
        assert shelf.things[AT][0] == text


@pytest.mark.parametrize("text", [b"it", None])
def test_the_server_refuses_what_came_too_late(served, text):
    """A change between the look and the write is a conflict, since the server compares the ETag."""
    shelf, declared = served
    artifact = made(declared(), PAGE)
    putting(text)(shelf)
    shelf.just_before_writing = lambda: shelf.set(AT, b"me")
    outcome = undo_from(artifact, touched_from(artifact))
    assert outcome.text.endswith("at this very moment")
    assert shelf.things[AT][0] == b"me"


def test_secrets_stay_in_the_environment(served, monkeypatch):
    """The header is sent, and the artifact names only where it is."""
    shelf, declared = served
    monkeypatch.setenv("SHELF_TOKEN", "Bearer s3cret")
    secret = declared(headers={"Authorization": "env:SHELF_TOKEN"})
    artifact = made(secret, PAGE)
    assert "s3cret" not in json.dumps(artifact)
    assert came(secret, artifact, lambda: shelf.set(AT, b"it")) == "undone"
    assert {header for _, _, header in shelf.asked} == {"Bearer s3cret"}
    monkeypatch.delenv("SHELF_TOKEN")
    assert "SHELF_TOKEN isn't set" in refused(secret, PAGE)


def test_fields_of_the_server_are_not_compared(served):
    """What it sets by itself makes no difference."""
    shelf, declared = served
    shelf.set(AT, b'{"text": "old", "seen": 1}')
    artifact = made(declared(ignore=["seen"]), PAGE)
    shelf.set(AT, b'{"seen": 2, "text": "old"}')
    assert came(declared(ignore=["seen"]), artifact, lambda: None) == "no-op"


def test_a_server_that_only_says_so_has_failed(served):
    """It is looked at again after the write."""
    shelf, declared = served
    artifact = made(declared(), PAGE)
    shelf.set(AT, b"it")
    shelf.deaf = True
    assert "still not as it was" in undo_from(artifact, None).text


def test_without_a_strong_etag_there_is_no_undo(served):
    """A weak one can't be compared."""
    shelf, declared = served
    shelf.weak = True
    assert "no strong ETag" in refused(declared(), PAGE)


@pytest.mark.parametrize("value", [None, "", "..", ".", True, 1.5, ["a"]])
def test_an_argument_that_leads_elsewhere(served, value):
    """What names no resource gets no undo."""
    assert "names no resource" in refused(served[1](), {"id": value})


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://api.example.com/x", {}), ("https://{host}/x", {}), ("https://u:p@a.example/x", {}), ("ftp://a/x", {}),
        ("https://a.example/x?q={id}", {}), ("https://a.example/{a b}", {}), ("https://a.example/x", {"A": "secret"}),
    ],
)  # fmt: skip
def test_what_the_author_must_not_write(url, headers):
    """Plain HTTP to elsewhere, a host by argument, a password, a secret as it is."""
    with pytest.raises(LadderError):
        http_resource(url, headers=headers)
