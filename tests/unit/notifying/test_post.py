"""The outbox: no message that can't be sent, and no receiver that hangs, keeps anything else from being done."""

from __future__ import annotations

import datetime as dt
import http.server
import threading
from functools import partial

import pytest

from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.people import outgoing
from ladder_graph.notifying import Post, post
from ladder_graph.notifying.sending import Busy, NotSent
from ladder_graph.resuming import InProcess
from tests.hosts.stage import approve, until
from tests.unit import test_messaging
from tests.unit.test_messaging import PEOPLE, office_of

lasting = test_messaging.lasting


class Receiver:
    """A webhook's receiver on this machine that answers once it may; the ids of what came."""

    def __init__(self):
        self.got, self.may = [], threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(self.headers["X-Ladder-Id"])
                receiver.may.wait(60)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args):
                """Quietly."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{self.server.server_port}/x"
        way = {"kind": "webhook", "url": url, "secret_env": "HOOK_KEY", "allow": ["127.0.0.1"], "timeout": "60s"}
        self.questions = {"notify": [{**way, "on": ["asked"]}]}


@pytest.fixture
def receiver(monkeypatch):
    """One that hangs until it may answer."""
    monkeypatch.setenv("HOOK_KEY", "a key that both of them know")
    made = Receiver()
    yield made
    made.may.set()
    made.server.shutdown()
    made.server.server_close()


def test_a_message_that_fails_unexpectedly_keeps_no_other(tmp_path):
    """It is tried again later, each time later, and only the error's name is kept, since its text may hold a secret."""

    def fails(policy, question):
        raise RuntimeError("Bearer s3cret")

    tools = {"pay": {"rung": "confirm", "confirm": {"via": ["slack"]}}}
    slack = {"slack": {"webhook_env": "HOOK", "signing_secret_env": "SECRET"}}
    people = {**PEOPLE, "cy": {"slack": "U0CY"}}
    with office_of(tmp_path, tools=tools, people=people, **slack) as office:
        for value in "12":
            office.ask(value=value)
        post = Post(office.ladder.store, office.clock, office.ladder.refresh, fails)
        assert (post.release(), office.kinds()) == (2, ["asked", "asked"])
        said = {(one.channel, one.tries, one.error) for one in office.ladder.untold()}
        assert said == {("slack", 1, "it can't be sent: RuntimeError")}
        for pause in (30, 60, 120):
            office.clock.advance(pause - 1)
            assert post.release() == 0
            before = {one.tries for one in office.ladder.untold()}
            office.clock.advance(1)
            assert post.release() == 0
            assert {one.tries for one in office.ladder.untold()} == {tries + 1 for tries in before}


def test_a_receiver_that_hangs_keeps_no_thread_from_its_answer(tmp_path, receiver):
    """Whoever goes on with threads sends beside that, and is seen to live."""
    with office_of(tmp_path, tmp_path / "ladder.db", questions=receiver.questions) as office:
        graph, config = office.ask()
        office.ladder.attach(InProcess(graph), poll=0.01)
        until(lambda: receiver.got)
        approve(office.ladder, office.ladder.pending()[0])
        until(lambda: not graph.get_state(config).next)
        office.clock.advance(20)
        until(office.ladder.resumers)
        assert (len(receiver.got), office.tools.ran) == (1, [("pay", "s3cret")])
        receiver.may.set()


@pytest.mark.parametrize("who", ["worker", "watcher", "messenger"])
def test_who_is_stopped_sends_what_it_is_sending_and_no_more(tmp_path, receiver, who):
    """Whatever else was taken is left to others at once, as if it hadn't been."""
    with office_of(tmp_path, tmp_path / "ladder.db", questions=receiver.questions) as office:
        ladder, (graph, _) = office.ladder, (office.ask(), office.ask(), office.ask())[0]
        if who == "worker":
            stopping = ladder.attach(InProcess(graph), poll=0.01)._messenger._stopping
        elif who == "watcher":
            ladder.watcher.start()
            stopping = ladder.watcher._stopping
        else:
            ladder.keep_telling()
            stopping = ladder.messenger._stopping

        def got():
            office.clock.advance(1)
            return receiver.got

        until(got)
        closing = threading.Thread(target=ladder.close)
        closing.start()
        until(stopping.is_set)
        receiver.may.set()
        closing.join(20)
        assert (closing.is_alive(), len(receiver.got)) == (False, 1)
        office.ladder = office.opened()
        assert [one.tries for one in office.ladder.untold()] == [0, 0]
        assert office.ladder.send_messages() == 2
        assert len(set(receiver.got)) == 3


def test_two_processes_send_nothing_twice_to_a_slow_receiver(lasting, monkeypatch):
    """What one has in hand is leased anew before it is sent, and what another has taken meanwhile is left to them."""
    for _ in range(8):
        lasting.ask()
    other, send, sent, by_other = lasting.opened(), post.send, [], []

    def slowly(target, message, now):
        sent.append(message.id)
        send(target, message, now)
        if not by_other:
            lasting.clock.advance(45)
            by_other.append(0)
            by_other[:] = filter(None, [other.send_messages()])

    monkeypatch.setattr(post, "send", slowly)
    lasting.ladder.send_messages()
    assert (len(sent), len(set(sent)), lasting.ladder.untold()) == (8, 8, [])
    assert (by_other, len(lasting.kinds())) == ([5], 8)
    other.close()


def test_a_lease_is_lost_to_whoever_took_it_and_to_nobody_else(lasting):
    """It can be renewed until then, also after its end, and nobody takes what was renewed."""
    lasting.ask()
    store, at = lasting.ladder.store, [0]

    def written(what):
        return store.write(what, durable=False)

    def take():
        return written(lambda cursor: outgoing.take(cursor, at[0]))

    at[0] = micros(lasting.clock())
    (first,) = take()
    at[0] += outgoing.LEASED
    assert written(lambda cursor: outgoing.renew(cursor, first, at[0]))
    assert take() == []
    at[0] += outgoing.LEASED
    (second,) = take()
    assert not written(lambda cursor: outgoing.renew(cursor, first, at[0]))
    assert written(lambda cursor: outgoing.renew(cursor, second, at[0]))
    written(lambda cursor: outgoing.put_back(cursor, [first, second]))
    assert [one.tries for one in take()] == [2]


HOOK = {"kind": "webhook", "url": "https://hooks.example/x", "secret_env": "HOOK_KEY"}


def hooked(lasting, monkeypatch, answers):
    """People are told by a file and by a webhook that answers as told; the questions' ids, as it gets them."""
    got, send = [], post.send

    def sends(target, message, now):
        if target.kind != "webhook":
            return send(target, message, now)
        got.append(message.subject)
        if (wrong := answers(message)) is not None:
            raise wrong
        return None

    monkeypatch.setattr(post, "send", sends)
    lasting.data["questions"] = {"notify": [HOOK, *lasting.data["questions"]["notify"]]}
    lasting.ladder.close()
    lasting.ladder = lasting.opened()
    return got


def test_a_receiver_that_is_busy_is_left_alone_until_it_takes_more(lasting, monkeypatch):
    """Whatever waits for it does so then, as if it hadn't been tried; others are told meanwhile."""
    busy = []
    got = hooked(lasting, monkeypatch, lambda _: Busy("hooks answered 429", 600) if busy else None)
    for number in range(52):
        lasting.ask(value=str(number))
        lasting.clock.advance(0.001)
    busy.append(1)
    asked = [one.id for one in lasting.ladder.pending()]
    assert (lasting.ladder.send_messages(), len(got), len(lasting.told())) == (52, 1, 52)
    assert {(one.tries, one.error) for one in lasting.ladder.untold()} == {(0, "hooks answered 429")}
    lasting.clock.advance(599)
    assert (lasting.ladder.send_messages(), len(got)) == (0, 1)
    lasting.clock.advance(1.001)
    busy.clear()
    assert (lasting.ladder.send_messages(), lasting.ladder.untold()) == (52, [])
    assert got[1:] == [*(one for one in asked if one != got[0]), got[0]]


@pytest.mark.parametrize("when", ["meanwhile", "afterwards"])
def test_a_busy_receiver_is_left_alone_though_nobody_need_be_told_of_what_it_refused(lasting, monkeypatch, when):
    """Whether the one question that it was tried with is answered while it is tried, or later."""
    busy = [1]

    def answer(subject):
        lasting.ladder.store.write(lambda cursor: outgoing.settled(cursor, subject), durable=False)

    def said(message):
        if busy and when == "meanwhile":
            answer(message.subject)
        return Busy("hooks answered 429", 600) if busy else None

    got = hooked(lasting, monkeypatch, said)
    for number in range(3):
        lasting.ask(value=str(number))
        lasting.clock.advance(0.001)
    lasting.ladder.send_messages()
    if when == "afterwards":
        answer(got[0])
    lasting.clock.advance(599)
    lasting.ladder.send_messages()
    assert len(got) == 1
    busy.clear()
    lasting.clock.advance(1.001)
    lasting.ladder.send_messages()
    assert (len(got), lasting.ladder.untold()) == (3, [])


def test_what_a_busy_receiver_never_takes_keeps_nothing_else_from_it(lasting, monkeypatch):
    """It goes behind the others each time."""
    never = []
    got = hooked(lasting, monkeypatch, lambda message: Busy("busy", 5) if message.subject in never else None)
    for number in range(4):
        lasting.ask(value=str(number))
        lasting.clock.advance(0.001)
    never.append(lasting.ladder.pending()[0].id)
    lasting.ladder.send_messages()
    lasting.clock.advance(6)
    lasting.ladder.send_messages()
    assert [one.subject for one in lasting.ladder.untold()] == never
    assert got.count(never[0]) <= 2


def test_what_is_asked_meanwhile_leaves_a_busy_receiver_alone_and_comes_in_its_turn(lasting, monkeypatch):
    """Also after earlier failures, and before what was asked after its time; it alone is kept waiting."""
    wrong = [NotSent("hooks answered 500")]
    got = hooked(lasting, monkeypatch, lambda _: wrong[0] if wrong else None)

    def ask():
        lasting.clock.advance(1)
        lasting.ask(value=str(lasting.threads))
        return lasting.ladder.send_messages()

    assert ask() == 1
    lasting.clock.advance(60)
    wrong[:] = [Busy("hooks answered 429", 60)]
    assert (lasting.ladder.send_messages(), len(got)) == (0, 2)
    assert ([ask() for _ in range(3)], len(got)) == ([1, 1, 1], 2)
    wrong.clear()
    assert (ask(), len(got)) == (1, 2)
    lasting.clock.advance(60)
    lasting.ask(value="last")
    assert (lasting.ladder.send_messages(), lasting.ladder.untold()) == (7, [])
    first, *others, last = (one.id for one in lasting.ladder.pending())
    assert got[2:] == [*others, first, last]


def test_what_others_have_in_hand_for_a_busy_receiver_stays_theirs(lasting, monkeypatch):
    """Neither their lease nor a later try is moved."""
    lasting.ask()
    lasting.ask()
    store = lasting.ladder.store
    at = micros(lasting.clock())
    first, second = store.write(lambda cursor: outgoing.take(cursor, at), durable=False)
    other = store.write(lambda cursor: outgoing.take(cursor, at + outgoing.LEASED), durable=False)
    store.write(lambda cursor: outgoing.silence(cursor, first, [second], "busy", at, at + 1), durable=False)
    assert [one.tries for one in other] == [2, 2]
    late = at + 2 * outgoing.LEASED
    assert [store.glance(partial(outgoing.any_due, now_us=now)) for now in (late - 1, late)] == [False, True]


def test_a_message_of_a_machine_whose_clock_is_ahead_goes_out_at_once(lasting):
    """Whoever sends looks at its own clock; what is to be told later, and what failed, still waits."""
    lasting.clock.advance(600)
    lasting.ask()
    lasting.clock.advance(-600)
    store, now = lasting.ladder.store, micros(lasting.clock())
    (taken,) = store.write(lambda cursor: outgoing.take(cursor, now))
    assert store.write(lambda cursor: outgoing.take(cursor, now)) == []
    store.write(lambda cursor: outgoing.failed(cursor, taken, "it is away", now))
    later = now + outgoing.FIRST_PAUSE
    assert [store.glance(partial(outgoing.any_due, now_us=at)) for at in (later - 1, later)] == [False, True]


@pytest.mark.parametrize("wrong", [Busy("hooks answered 429", 5), NotSent("hooks answered 500")])
def test_what_failed_by_a_clock_a_day_ahead_is_tried_again_once_it_is_right(lasting, monkeypatch, wrong):
    """No pause is that long; a reminder may be that far ahead, and waits."""
    failing = [1]
    got = hooked(lasting, monkeypatch, lambda _: wrong if failing else None)
    lasting.clock.advance(86_400)
    lasting.ask()
    lasting.ladder.send_messages()
    lasting.clock.advance(-86_400)
    failing.clear()
    assert (lasting.ladder.send_messages(), len(got)) == (1, 2)
    assert (lasting.ladder.send_messages(), lasting.kinds()) == (0, ["asked"])


def test_what_is_put_back_by_a_clock_ahead_is_left_to_others_at_once(lasting):
    """Whoever is stopped says nothing of when."""
    for number in range(3):
        lasting.ask(value=str(number))
    ladder, stops = lasting.ladder, iter([False, True])
    ahead = Post(ladder.store, lambda: lasting.clock() + dt.timedelta(hours=1), ladder.refresh, lambda *_: None)
    assert ahead.release(lambda: next(stops)) == 1
    assert (ladder.send_messages(), len(lasting.told())) == (2, 3)


def test_a_fast_receiver_costs_no_renewal(lasting, monkeypatch):
    """Leases are taken for many at one go."""
    for _ in range(5):
        lasting.ask()
    monkeypatch.setattr(outgoing, "renew", lambda *_: pytest.fail("it is fresh"))
    assert lasting.ladder.send_messages() == 5
