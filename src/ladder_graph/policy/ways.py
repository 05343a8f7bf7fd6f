"""By what people are told, as a policy writes it. What they are told of stands with that, as `on`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from ladder_graph.policy.fields import Many, Name, Place, Strict, Target, WebUrl, placed
from ladder_graph.policy.units import SomeSeconds

W = TypeVar("W", bound="Notify")


class Notify(Strict):
    """One way of telling people."""


class Apprise(Notify):
    """A message by apprise: Slack, e-mail, Teams, ntfy and many more."""

    kind: Literal["apprise"] = "apprise"
    env: Name
    """The environment variable that holds apprise's URL, in the processes that sweep and watch."""


class Webhook(Notify):
    """A POST of signed JSON."""

    kind: Literal["webhook"] = "webhook"
    url: WebUrl
    """Where it is sent. No redirect is followed and no proxy is used."""
    secret_env: Name
    """The environment variable that holds the key of the signature: HMAC-SHA-256 over time and body."""
    allow: Many[Target] = ()
    """Internal targets that a name in the URL may lead to, as for a check of the kind `http`."""
    timeout: SomeSeconds = 10.0
    """Seconds until no answer is a failure."""


class File(Notify):
    """A line of JSON at the end of a file."""

    kind: Literal["file"] = "file"
    path: Place
    """The file, relative to the policy file."""


class BySlack(Notify):
    """A question in Slack, with its arguments and two buttons where it may be answered there; see `[slack]`."""

    kind: Literal["slack"] = "slack"


Way: TypeAlias = Apprise | Webhook | File | BySlack
"""Any of them."""


def in_folder(notify: W, folder: Path) -> W:
    """A way of telling people with its file taken from a folder."""
    return notify.model_copy(update={"path": placed(notify.path, folder)}) if isinstance(notify, File) else notify


def something(on: tuple[Any, ...]) -> None:
    """Refuse a way by which nothing would be told.

    Raises:
        ValueError: It is one.
    """
    if not on:
        raise ValueError("on is empty, so that it would tell nothing; take it out")


def spelt(notify: Any) -> str:
    """One way of telling people, in a few words that hold no secret.

    Example:
        >>> spelt(Apprise(env="OPS_URL")), spelt(File(path="reports.log"))
        ('apprise by $OPS_URL', 'file reports.log')
    """
    match notify:
        case Apprise():
            return f"apprise by ${notify.env}"
        case Webhook():
            return f"webhook {notify.url}"
        case BySlack():
            return "Slack"
        case _:
            return f"file {notify.path}"
