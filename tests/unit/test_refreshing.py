"""An edited policy file: taken up whole by a process that runs, or not at all, and said once."""

from __future__ import annotations

import logging
import os
import threading
import time

import pytest

from ladder_graph import Ladder, Rung
from ladder_graph.calls import Call
from ladder_graph.fingerprint import Environment
from ladder_graph.ladder import refreshing
from ladder_graph.ladder.refreshing import SETTLED
from ladder_graph.tools import NOTHING

FIRST = 'agent = "ops"\n[tools.send]\nrung = "confirm"\n[tools.read]\nrung = "confirm"\n'
LOOSER = FIRST.replace('[tools.send]\nrung = "confirm"', '[tools.send]\nrung = "bounded"\nread_only = true')
CALL = Call("ops", "t", "c", "send", {})
MODEL = Environment("openai", "gpt-5", "gpt-5-2025-08-07", "none", "{}")


class Desk:
    """A policy file, and a ladder made from it."""

    def __init__(self, folder):
        self.file = folder / "ladder.toml"
        self.saved = 0
        self.save(FIRST)
        self.ladder = Ladder(policy=self.file)
        for tool in ("send", "read"):
            self.ladder.seat(tool, NOTHING, agent="ops", can_ask=True)

    def save(self, text):
        """Write the file, a while ago."""
        self.file.write_text(text, encoding="utf-8")
        self.saved += 1
        os.utime(self.file, (self.saved, self.saved))

    def rung(self):
        """Where the gate sends the call now."""
        return self.ladder.route(CALL, MODEL)[0].rung

    def entries(self):
        """What the ledger says of the policy."""
        return [entry.body for entry in self.ladder.log() if entry.kind == "policy"]


@pytest.fixture
def desk(tmp_path):
    """A desk whose ladder is closed afterwards."""
    made = Desk(tmp_path)
    yield made
    made.ladder.close()


def test_an_edit_counts_from_the_next_call(desk, caplog):
    """The gate decides by the new rule, and the change is said once, with both revisions."""
    before = desk.ladder.policy.revision
    assert desk.rung() is Rung.CONFIRM
    desk.save(LOOSER)
    with caplog.at_level(logging.WARNING):
        assert [desk.rung(), desk.rung()] == [Rung.BOUNDED, Rung.BOUNDED]
    after = desk.ladder.policy.revision
    assert [(body["was"], body["policy"], body["problems"]) for body in desk.entries()] == [(before, after, [])]
    assert before != after
    assert caplog.text.count("was changed, and revision") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LOOSER + "rugn = 3", "ladder.toml:7: tools.read.rugn: unknown key"),
        (LOOSER + "[", "not valid TOML"),
        (LOOSER + "bounds = [{ kind = ['volume'] }]", "ladder.toml:7: tools.read.bounds[0].kind: expected text"),
        (LOOSER.replace("ops", "eve"), "agent can't change while the agent runs; restart it"),
        ('ledger = "other.db"\n' + LOOSER, "ledger can't change while the agent runs"),
        ('drafts = "other"\n' + LOOSER, "drafts can't change while the agent runs"),
        ('ask = "one"\n' + LOOSER, "ask can't change while the agent runs"),
        (LOOSER + 'undo = "shop:undo"', "tools.read.undo can't change while the agent runs"),
    ],
)
def test_what_cannot_be_taken_up_leaves_all_as_it_is(desk, caplog, text, said):
    """Not one rule of it is in force, and that is said once, until the file is mended."""
    before = desk.ladder.policy
    desk.save(text)
    with caplog.at_level(logging.WARNING):
        assert [desk.rung() for _ in range(3)] == [Rung.CONFIRM] * 3
    assert desk.ladder.policy is before
    (body,) = desk.entries()
    assert said in body["problems"][0]
    assert (body["was"], body["policy"]) == (before.revision, before.revision)
    assert caplog.text.count("the policy stays as it was") == 1
    desk.save(LOOSER)
    assert desk.rung() is Rung.BOUNDED


def test_a_reader_that_fails_leaves_all_as_it_is(desk, monkeypatch):
    """Whatever it fails at, a running agent's calls go on under the policy in force."""
    desk.save(LOOSER)
    monkeypatch.setattr(refreshing, "load_policy", lambda path: {}[path])
    assert [desk.rung(), desk.rung()] == [Rung.CONFIRM] * 2
    (body,) = desk.entries()
    assert "can't be read: KeyError" in body["problems"][0]


def test_a_file_that_is_gone_leaves_all_as_it_is(desk):
    """The policy in force stays, which is said once; a file that comes back counts."""
    desk.file.unlink()
    assert desk.rung() is Rung.CONFIRM
    time.sleep(SETTLED)
    assert [desk.rung(), desk.rung()] == [Rung.CONFIRM] * 2
    (body,) = desk.entries()
    assert "there is no such file" in body["problems"][0]
    desk.save(LOOSER)
    assert desk.rung() is Rung.BOUNDED


def test_half_an_edit_is_never_in_force(desk):
    """While the file is being written the old policy decides; a tenth of a second after that, the new one."""
    desk.file.write_text(LOOSER, encoding="utf-8")
    assert desk.rung() is Rung.CONFIRM
    assert desk.entries() == []
    deadline = time.monotonic() + 5
    while desk.rung() is Rung.CONFIRM and time.monotonic() < deadline:
        time.sleep(SETTLED / 4)
    assert desk.rung() is Rung.BOUNDED


def test_a_file_from_the_future_counts_too(desk):
    """Where the clocks of two machines differ, the file counts once it was seen unchanged for a tenth of a second."""
    desk.save(LOOSER)
    os.utime(desk.file, (2**33, 2**33))
    assert desk.rung() is Rung.CONFIRM
    time.sleep(SETTLED)
    assert desk.rung() is Rung.BOUNDED


def test_a_comment_changes_nothing_and_says_nothing(desk):
    """An edit under which every rule is the same has no entry."""
    desk.save(FIRST + "# a comment\n")
    desk.rung()
    assert desk.entries() == []


def test_a_replaced_file_is_another_one(desk):
    """An editor that writes a new file and renames it is seen, with size and time as before."""
    other = desk.file.with_name("other")
    other.write_text(FIRST.replace('"confirm"', '"suggest"'), encoding="utf-8")
    os.utime(other, (1, 1))
    other.replace(desk.file)
    assert desk.rung() is Rung.SUGGEST


def test_a_look_is_one_stat(desk, monkeypatch):
    """A gate that finds the file as it was asks the file system once, and opens nothing."""
    desk.rung()
    asked, real = [], os.stat
    with monkeypatch.context() as patch:
        patch.setattr("ladder_graph.ladder.refreshing.os.stat", lambda path: asked.append(path) or real(path))
        desk.ladder.gate(CALL, MODEL)
    assert asked == [desk.file]


def test_an_approval_stands_while_its_own_rule_does(desk):
    """An edit elsewhere leaves the terms of a question as they are; one of its own rule makes them others."""
    ladder = desk.ladder
    before = ladder.terms(CALL, ladder.refresh()).digest(CALL)
    desk.save(FIRST.replace("[tools.read]", '[tools."rea*"]\nrung = "draft"\n[tools.read]\nimpact = "high"'))
    assert ladder.terms(CALL, ladder.refresh()).digest(CALL) == before
    assert len(desk.entries()) == 1
    desk.save(FIRST.replace("[tools.send]", '[tools.send]\nimpact = "high"'))
    assert ladder.terms(CALL, ladder.refresh()).digest(CALL) != before


def test_many_threads_take_it_up_once(desk):
    """However many calls come at once after an edit, it is said once, and each is decided by the one or the other."""
    desk.save(LOOSER)
    start, found = threading.Barrier(8), []

    def call():
        start.wait()
        found.append(desk.rung())

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) <= {Rung.CONFIRM, Rung.BOUNDED}
    assert (desk.rung(), len(found), len(desk.entries())) == (Rung.BOUNDED, 8, 1)


def test_a_policy_made_in_python_never_changes(tmp_path):
    """Only a ladder made from a file looks at one."""
    ladder = Ladder(agent="ops", rungs={"send": "confirm"}, ledger=":memory:")
    assert ladder.refresh() is ladder.policy
    ladder.close()
