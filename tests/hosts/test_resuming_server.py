"""Going on with a LangGraph server's threads: through its API, and only where it says that they wait."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import LadderError
from ladder_graph.resuming import Server, Worker
from ladder_graph.testing import FrozenClock, calls
from tests.hosts.graphs import GO, World, agent_of, ladder_of, on, told


class Api:
    """What the API of a server says and does, around a real graph; each request is noted."""

    def __init__(self, graph):
        self.graph, self.busy, self.broken, self.noted, self.runs = graph, False, False, [], {}
        self.queued, self.gone = "", False
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(*api.get(self.path))

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                api.noted.append((self.path, body, dict(self.headers)))
                self.answer(*api.post(self.path, body))

            def answer(self, status, document):
                data = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                """Quietly."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def get(self, path):
        """Threads, their states, and runs."""
        _, _kind, thread, *more = path.partition("?")[0].split("/")
        if more[:1] == ["runs"]:
            if self.runs[more[1]] == "unknown":
                return 502, {"detail": "bad gateway"}
            return 200, {"run_id": more[1], "status": self.runs[more[1]]}
        state = self.graph.get_state(on(thread))
        if state.created_at is None or self.gone:
            return 404, {"detail": "Thread not found"}
        if more == ["state"]:
            tasks = [
                {"id": t.id, "interrupts": [{"id": i.id, "value": i.value} for i in t.interrupts]} for t in state.tasks
            ]
            return 200, {
                "values": {}, "next": list(state.next), "tasks": tasks, "checkpoint": state.config["configurable"],
            }  # fmt: skip
        return 200, {"thread_id": thread, "status": "busy" if self.busy else "interrupted"}

    def post(self, path, body):
        """A run, which is over at once."""
        thread = path.split("/")[2]
        if self.queued:
            self.busy = not self.gone
            self.runs["r1"] = self.queued
        elif self.broken:
            self.runs["r1"] = "error"
        else:
            assert body.get("input") is None
            self.graph.invoke(None, on(thread))
            self.runs["r1"] = "success"
        return 200, {"run_id": "r1", "status": "pending"}


class Stage:
    """An agent on a server, a question that was answered, and a worker."""

    def __init__(self, **options):
        self.world, self.clock = World(), FrozenClock()
        self.ladder = ladder_of({"a": "confirm"}, clock=self.clock)
        self.graph = self.ladder.wrap(
            agent_of([calls("a", {"x": "1"}), "Done."], [self.world.tool("a")]), checkpointer=InMemorySaver()
        )
        self.api = Api(self.graph)
        self.graph.invoke(GO, on("t1"))
        self.clock.advance(1)
        (self.question,) = self.ladder.pending()
        self.ladder.approve(self.question.id, by="ana")
        self.worker = Worker(
            self.ladder.store, self.ladder.clock, self.ladder.refresh, Server(self.api.url, "agent", **options)
        )


@pytest.fixture
def stage():
    """Closed afterwards."""
    made = Stage()
    yield made
    made.worker.stop()
    made.api.server.shutdown()
    made.api.server.server_close()
    made.ladder.close()


def test_the_server_runs_the_thread(stage):
    """It is asked once, for no second run beside another, and nothing but to go on."""
    stage.worker.settle()
    ((path, body, _),) = stage.api.noted
    assert path == "/threads/t1/runs"
    assert (body["assistant_id"], body.get("input"), body["multitask_strategy"]) == ("agent", None, "reject")
    assert "command" not in body
    assert [text for _, text in told(stage.graph.get_state(on("t1")).values)] == ["a 1"]
    assert stage.ladder.resumption(stage.question.id).state == "over"


def test_a_busy_thread_waits(stage):
    """A run of it goes on; it is looked at again."""
    stage.api.busy = True
    stage.worker.settle()
    assert stage.api.noted == []
    assert stage.ladder.resumption(stage.question.id).problem == "a run of it is going on"
    stage.api.busy = False
    stage.clock.advance(5)
    stage.worker.settle()
    assert stage.world.ran == [("a", "1")]


def test_a_run_that_fails_there_is_said(stage):
    """The answer stays, and it is tried again."""
    stage.api.broken = True
    stage.worker.settle()
    found = stage.ladder.resumption(stage.question.id)
    assert (found.state, found.tries) == ("waiting", 1)
    assert "run r1 of the server ended: error" in found.problem
    stage.api.broken = False
    stage.clock.advance(5)
    stage.worker.settle()
    assert stage.world.ran == [("a", "1")]


@pytest.mark.parametrize(("status", "said"), [("unknown", "bad gateway"), ("interrupted", "a run of it is going on")])
def test_a_run_that_never_began_is_asked_for_again(stage, status, said):
    """It was queued there, its end couldn't be read or was somebody's who cancelled it, and the thread still waits."""
    stage.api.queued = status
    stage.worker.settle()
    (found,) = stage.ladder.resumptions()
    assert (found.state, found.tries, len(stage.api.noted)) == ("waiting", 1, 1)
    assert said in found.problem
    stage.api.queued, stage.api.busy = "", False
    stage.clock.advance(5)
    stage.worker.settle()
    assert stage.world.ran == [("a", "1")]
    assert (stage.ladder.resumption(stage.question.id).state, stage.ladder.resumptions()) == ("over", [])


def test_a_thread_that_is_not_there_after_its_run_keeps_the_answer(stage):
    """It isn't taken for one that went on: it is looked for ever more seldom, and goes on once it is back."""
    stage.api.queued, post = "success", stage.api.post

    def vanishing(path, body):
        stage.api.gone = True
        return post(path, body)

    stage.api.post = vanishing
    stage.worker.settle()
    found = stage.ladder.resumption(stage.question.id)
    assert (found.state, found.tries, found.problem) == ("waiting", 1, "there is no such thread")
    for _ in range(60):
        stage.clock.advance(60)
        stage.worker.settle()
    assert stage.ladder.resumption(stage.question.id).tries < 20
    stage.api.queued, stage.api.gone = "", False
    stage.api.post = post
    stage.clock.advance(600)
    stage.worker.settle()
    assert stage.world.ran == [("a", "1")]


def test_a_thread_that_the_server_does_not_know(stage):
    """It was deleted there; it is looked for ever more seldom, and given up after a week, which is said."""
    stage.graph.checkpointer.delete_thread("t1")
    stage.worker.settle()
    assert stage.ladder.resumption(stage.question.id).problem == "there is no such thread"
    for _ in range(2):  # After the first week its question is past its time, which is news, too.
        stage.clock.advance(8 * 86_400)
        stage.worker.settle()
    (found,) = stage.ladder.resumptions()
    assert (found.state, found.words) == ("lost", "thread t1 was given up: there is no such thread")


def test_a_thread_that_ended_without_the_answer_needs_it_no_more(stage):
    """Somebody took it to its end from elsewhere; nothing is asked of the server, and nothing waits."""
    stage.graph.update_state(on("t1"), {"messages": [AIMessage("Never mind.")]}, as_node="model")
    stage.worker.settle()
    found = stage.ladder.resumption(stage.question.id)
    assert (found.state, stage.api.noted, stage.ladder.resumptions()) == ("over", [], [])
    assert found.words.startswith("thread t1 needs no answer any more: it was gone on with from another point")


def test_a_server_that_is_away_is_said(stage):
    """Nothing is lost by it."""
    stage.api.server.shutdown()
    stage.api.server.server_close()
    stage.worker.settle()
    assert stage.ladder.resumption(stage.question.id).problem.startswith("it can't be looked at: ")


def test_a_key_comes_from_the_variable_that_is_named(stage, monkeypatch):
    """No key that lies about in the environment goes to a server that nobody named it for."""
    monkeypatch.setenv("LANGGRAPH_API_KEY", "stray")
    monkeypatch.setenv("LANGSMITH_API_KEY", "stray")
    bare = Server(stage.api.url)
    assert "x-api-key" not in bare._client.http.client.headers
    bare.close()
    with pytest.raises(LadderError, match="should be in SERVER_KEY, which isn't set"):
        Server(stage.api.url, key_env="SERVER_KEY")
    monkeypatch.setenv("SERVER_KEY", "ours")
    keyed = Server(stage.api.url, key_env="SERVER_KEY")
    assert keyed._client.http.client.headers["x-api-key"] == "ours"
    keyed.close()
