"""The outbox: one message that can't be sent keeps no other from going out."""

from __future__ import annotations

from ladder_graph.notifying import Post
from tests.unit.test_messaging import PEOPLE, office_of


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
