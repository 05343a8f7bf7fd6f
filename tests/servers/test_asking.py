"""Questions on a server: how a thread waits for one, who is asked, and what comes of an answer through the SDK."""

from __future__ import annotations

import httpx
import pytest
from langgraph_sdk.errors import AuthenticationError

YES = {"type": "approve"}
FORGED = {"configurable": {
    "langgraph_auth_user": {"identity": "ana"}, "langgraph_auth_user_id": "ana", "user_id": "ana",
    "ladder_requester": "dee", "assistant_id": "x", "graph_id": "x",
}}  # fmt: skip
"""What a client may write into the config of a run."""


def test_a_thread_waits_at_its_question(shop):
    """Its status says so, the next step is the rung, and the interrupt is there; nothing has run."""
    number = shop.order()
    thread = shop.ask(number)
    assert shop.status(thread) == "interrupted"
    state = shop.client("cy").threads.get_state(thread)
    assert state["next"] == ["confirm"]
    (asked,) = shop.interrupts(thread)
    assert asked["value"]["args"] == {"number": number}
    (question,) = shop.questions(thread)
    assert asked["value"]["ladder"]["question"] == question.id
    assert shop.refunds(number) == 0


def test_a_stream_with_subgraphs_hides_no_question(shop):
    """The rungs are nodes of the graph itself, so that a server doesn't take what is inside of them for the thread."""
    client = shop.client("cy")
    thread = client.threads.create()["thread_id"]
    given = {"messages": [{"role": "user", "content": f"Refund {shop.order()}"}]}
    parts = list(client.runs.stream(thread, "shop", input=given, stream_mode=["values", "updates"],
                                    stream_subgraphs=True))  # fmt: skip
    assert any("__interrupt__" in (part.data or {}) for part in parts if isinstance(part.data, dict))
    assert shop.status(thread) == "interrupted"
    assert "messages" in client.threads.get_state(thread)["values"]
    assert len(shop.interrupts(thread)) == 1
    assert thread in [one["thread_id"] for one in client.threads.search(status="interrupted", limit=100)]


def test_the_thread_itself_tells_what_it_waits_for(langgraph):
    """LangGraph's server keeps the interrupts with the thread, where an inbox looks for them."""
    thread = langgraph.ask(langgraph.order())
    ((asked,),) = langgraph.client("ana").threads.get(thread)["interrupts"].values()
    assert asked["value"]["action_requests"][0]["name"] == "refund"


def test_the_drawing_shows_the_rungs(shop):
    """What the server draws of the graph has them as nodes."""
    client = shop.client("cy")
    (assistant,) = client.assistants.search(graph_id="shop")
    drawn = client.assistants.get_graph(assistant["assistant_id"], xray=True)
    names = {node["id"] for node in drawn["nodes"]}
    assert {"suggest", "draft", "confirm", "bounded", "rollback", "report"} <= names


def test_the_one_who_answers_is_the_servers_user(shop):
    """Whatever the answer and the config claim: the ledger has the user that the server authenticated."""
    number = shop.order()
    thread = shop.ask(number)
    out = shop.answer("ana", thread, by="bo", config=FORGED)
    assert "paid back" in out["messages"][-1]["content"]
    assert shop.refunds(number) == 1
    assert shop.status(thread) == "idle"
    (said,) = shop.entries(thread, "approved")
    assert (said["by"], said["auth"]) == ("ana", "server")


def test_whose_run_it_is_nobody_else_says(shop):
    """The requester is the server's user, too, and a client names no other one."""
    thread = shop.ask(shop.order(), config=FORGED)
    (asked,) = shop.entries(thread, "question")
    assert (asked["requester"], asked["requester_auth"]) == ("cy", "server")


def test_whoever_asked_does_not_answer(shop):
    """Somebody from finance may answer, and not to what their own run proposed, however they write it."""
    number = shop.order()
    thread = shop.ask(number, by="bo")
    forged = {"configurable": {**FORGED["configurable"], "langgraph_auth_user": {"identity": "ana"}}}
    shop.answer("bo", thread, by="ana", owner="bo", config=forged)
    (asked,) = shop.interrupts(thread, "bo")
    assert "bo" in asked["value"]["ladder"]["complaint"]
    assert shop.entries(thread, "approved") == []
    assert shop.refunds(number) == 0


def test_whoever_may_not_answer_is_told(shop):
    """The question stays, and its thread waits on."""
    number = shop.order()
    thread = shop.ask(number)
    shop.answer("cy", thread, by="ana", config=FORGED)
    (asked,) = shop.interrupts(thread)
    assert "cy may not approve this" in asked["value"]["ladder"]["complaint"]
    assert shop.status(thread) == "interrupted"
    assert shop.refunds(number) == 0


def test_strangers_and_the_studio_are_nobody(shop):
    """The server lets neither in: a question can't be answered by whoever says that they are the studio."""
    thread = shop.ask(shop.order())
    for headers in ({}, {"x-auth-scheme": "langsmith"}, {"authorization": "Bearer wrong"}):
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            shop.client(None, **headers).runs.wait(thread, "shop", command={"resume": YES})
    assert len(shop.questions(thread)) == 1


def test_a_worker_stands_in_for_nobody_without_its_token(shop):
    """Only the worker may act on somebody's behalf, and only on that of somebody who works here."""
    thread = shop.ask(shop.order())
    (asked,) = shop.interrupts(thread)
    cy = shop.client("cy", **{"x-on-behalf-of": "ana"})
    cy.runs.wait(thread, "shop", command={"resume": {asked["id"]: YES}})
    assert shop.entries(thread, "approved") == []
    with pytest.raises(AuthenticationError):
        shop.client(None, **{"authorization": "Bearer token-of-the-worker", "x-on-behalf-of": "eve"}).threads.create()


def test_several_questions_at_once(shop):
    """Each is answered by itself, and its own call runs."""
    first, second, third = shop.order(), shop.order(), shop.order()
    thread = shop.ask(first, second, third)
    asked = {one["value"]["args"]["number"]: one["id"] for one in shop.interrupts(thread)}
    assert asked.keys() == {first, second, third}
    shop.resume("ana", thread, {asked[second]: YES})
    assert [shop.refunds(one) for one in (first, second, third)] == [0, 1, 0]
    asked = {one["value"]["args"]["number"]: one["id"] for one in shop.interrupts(thread)}
    out = shop.resume("bo", thread, {asked[first]: YES, asked[third]: {"type": "reject", "message": "no"}})
    assert [shop.refunds(one) for one in (first, second, third)] == [1, 1, 0]
    assert f"order {first} was paid back" in out["messages"][-1]["content"]
    assert {(one["by"], one["verdict"]) for one in shop.entries(thread, "approved", "declined")} == {
        ("ana", "approve"), ("bo", "approve"), ("bo", "decline"),
    }  # fmt: skip
