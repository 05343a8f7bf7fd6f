"""What a policy says of Slack: where questions are sent, and what a genuine answer is signed with."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from ladder_graph.policy.fields import Name, Strict

_MEMBER = re.compile(r"[UW][A-Z0-9]{2,20}")


def _member(value: str) -> str:
    if not _MEMBER.fullmatch(value):
        raise ValueError(f"{value!r} is no member's id of Slack, such as U0123ABCD; a profile's menu copies it")
    return value


Member = Annotated[str, AfterValidator(_member)]
"""A member's id in Slack."""


class Slack(Strict):
    """The Slack app of this agent. Secrets stay in variables of the environment, and only their names stand here."""

    webhook_env: Name | None = None
    """The variable that holds the address of an incoming webhook, which questions are sent to."""
    token_env: Name | None = None
    """The variable that holds a bot token (`chat:write`), where questions are sent with one, to `channel`."""
    channel: Name | None = None
    """The channel's id, such as `C0123456789`, for `token_env`."""
    signing_secret_env: Name | None = None
    """The variable that holds the app's signing secret. Answers are taken with its signature only."""

    @property
    def sends(self) -> bool:
        """Whether there is anywhere to send a question to."""
        return self.webhook_env is not None or (self.token_env is not None and self.channel is not None)
