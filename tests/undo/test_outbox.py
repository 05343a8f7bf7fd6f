"""Taking messages back before they are sent, and sending them once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.errors import LadderError
from ladder_graph.undo import Outbox, outbox, release_due, touched_from, undo_apart, undo_from
from tests.undo.sequences import SEQUENCES, came, hold, made, refused, tried
from tests.undo.services import deliver

LETTER = {"to": "ana", "subject": "hello"}
HOUR = 3600


@pytest.fixture
def sent(tmp_path, monkeypatch):
    """What was sent so far, oldest first."""
    path = tmp_path / "sent.jsonl"
    monkeypatch.setenv("TEST_SENT", str(path))
    return lambda: [json.loads(line)[1] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def box(tmp_path, sent):
    """An outbox that holds messages for an hour."""
    return Outbox(tmp_path / "outbox", send=deliver, hold=HOUR)


def release(box):
    """Send everything, as if the hour had passed."""
    return release_due(box.directory, now=time.time() + HOUR + 1)


def payloads(box):
    """What waits."""
    return sorted(path.read_text() and json.dumps(json.loads(path.read_text())["payload"])
                  for path in (box.directory / "held").glob("*.json"))  # fmt: skip


def test_it_is_taken_back(box, sent):
    """By another process too, and then it is never sent."""
    artifact = made(outbox(box), LETTER)
    box.post(**LETTER, body="…")
    assert undo_apart(artifact, touched_from(artifact)).text == ""
    assert release(box).sent == sent() == []


def test_it_is_sent_once_when_it_is_due(box, sent):
    """Not before, and not again."""
    name = box.post(**LETTER)
    assert release_due(box.directory).sent == []
    assert release(box).sent == [name]
    assert release(box).sent == []
    assert sent() == [LETTER]


@pytest.mark.parametrize("text", ["", "[]", "{}"])
def test_a_file_that_is_no_message_holds_no_other_up(box, sent, text):
    """Whatever spoilt it: it isn't sent, and is told each time."""
    first = box.post(**LETTER)
    second = box.post(**LETTER, body="…")
    (box.directory / "held" / f"{first}.json").write_text(text)
    released = release(box)
    assert (released.sent, released.failed) == ([second], [first])
    assert sent() == [{**LETTER, "body": "…"}]


def test_what_was_sent_is_a_conflict(box, sent):
    """Nothing brings it back."""
    artifact = made(outbox(box), LETTER)
    assert came(outbox(box), artifact, lambda: box.post(**LETTER), lambda: release(box)) == "conflict"
    assert sent() == [LETTER]


def test_messages_of_others_stay(box):
    """Other ones, and equal ones from before and after the action."""
    box.post(**LETTER)
    artifact = made(outbox(box), LETTER)
    others = [lambda: box.post(to="bo", subject="hello"), lambda: box.post(**LETTER)]
    assert came(outbox(box), artifact, lambda: box.post(**LETTER), *others) == "undone"
    assert len(payloads(box)) == 3


def test_equal_ones_at_the_same_moment_are_a_conflict(box):
    """After a crash nobody can tell which one is the action's."""
    artifact = made(outbox(box), LETTER)
    assert came(outbox(box), artifact, lambda: box.post(**LETTER), lambda: box.post(**LETTER), known=False) == (
        "conflict"
    )
    assert len(payloads(box)) == 2


def test_a_sent_one_of_last_week_is_not_the_actions(box, sent):
    """Equal messages that were sent before the action don't count."""
    box.post(**LETTER)
    release(box)
    artifact = made(outbox(box), LETTER)
    assert came(outbox(box), artifact, lambda: None, known=False) == "no-op"


@SEQUENCES
def test_it_leaves_what_would_be_there_without_the_action(sequences, tmp_path, sent):
    """Whatever waited before, and whatever others posted and sent after the action."""
    worlds = iter(range(10**9))
    letters = st.fixed_dictionaries({"to": st.sampled_from(["ana", "bo"]), "subject": st.sampled_from(["a", "b"])})

    @tried(sequences)
    @given(st.lists(letters, max_size=2), letters, st.booleans(), st.lists(letters | st.none(), max_size=3))
    def run(before, letter, raises, foreign):
        def build():
            box = Outbox(tmp_path / str(next(worlds)), send=deliver, hold=HOUR)
            for one in before:
                box.post(**one)
            return box

        def act(box):
            if not raises:
                box.post(**letter)

        changes = [release if one is None else lambda box, one=one: box.post(**one) for one in foreign]

        def look(box):
            return payloads(box), sorted(
                json.loads(path.read_text())["payload"]["to"] for path in (box.directory / "sent").glob("*.json")
            )

        hold(build, outbox, lambda _: letter, act, changes, look)

    run()


def test_what_definitely_failed_is_tried_again(box, sent):
    """It goes back to the others, and can still be taken back."""
    name = box.post(to="ana", subject="refuse")
    assert release(box).failed == [name]
    assert release(box).failed == [name]


def test_what_broke_is_in_doubt(box):
    """It may have been sent, so it isn't sent again."""
    name = box.post(to="ana", subject="break")
    assert release(box).in_doubt == [name]
    assert release(box).in_doubt == []


def test_a_killed_sender_leaves_it_in_doubt(box, sent, tmp_path):
    """It was sent once, and is not sent a second time."""
    box = Outbox(box.directory, send=deliver, hold=0)
    name = box.post(to="ana", subject="die")
    program = "import sys; from ladder_graph.undo import release_due; release_due(sys.argv[1])"
    assert subprocess.run([sys.executable, "-c", program, box.directory], check=False).returncode == -9
    assert release(box).in_doubt == [name]
    assert len(sent()) == 1


def test_many_at_once_send_it_once(box, sent):
    """Whoever renames it first sends it."""
    names = [box.post(to="ana", subject=str(nth)) for nth in range(20)]
    found = []
    threads = [threading.Thread(target=lambda: found.extend(release(box).sent)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == names
    assert len(sent()) == 20


def test_one_that_is_being_sent_is_left_to_its_sender(box, monkeypatch):
    """A live sender's message is neither in doubt nor taken back."""
    artifact = made(outbox(box), LETTER)
    box.post(**LETTER)
    after = touched_from(artifact)
    found = []

    def meanwhile(use, named):
        found.append((release(box), undo_from(artifact, after).text))
        return deliver

    monkeypatch.setattr("ladder_graph.undo.outboxes.resolve", meanwhile)
    assert len(release(box).sent) == 1
    other, text = found[0]
    assert (other.sent, other.in_doubt) == ([], [])
    assert text == "the message is sending"


def test_it_holds_for_its_ttl(box):
    """A watch that lasts longer than messages are held is no watch."""
    assert outbox(box).ttl == HOUR
    assert "too late" in undo_from(made(outbox(box), LETTER), None, age=HOUR + 1).text


def test_what_it_cannot_work_with(box):
    """A sender that no other process could call, and a call that can't be recognised."""
    with pytest.raises(LadderError, match="lambda"):
        Outbox("x", send=lambda payload, name: None, hold=1)
    assert "without arguments" in refused(outbox(box), {})
