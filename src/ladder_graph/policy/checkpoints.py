"""Checkpoints of the ledger and how long payloads are kept, as a policy writes them."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from ladder_graph.policy.fields import Many, Name, Place, Some, Strict, Target, WebUrl, placed
from ladder_graph.policy.units import SomeSeconds


def _origin(text: str) -> str:
    if not text or not text.isprintable() or any(mark.isspace() or mark == "+" for mark in text):
        raise ValueError(f'{text!r} names no ledger; write it without spaces and "+", as "shop.example/ladder"')
    return text


Origin = Annotated[str, AfterValidator(_origin)]
"""The name of a ledger in its checkpoints and of its keys."""


class ToFile(Strict):
    """A directory, where each checkpoint is a file that is never written again; or a file that only grows."""

    kind: Literal["file"] = "file"
    path: Place
    """The directory, with a slash at its end, or the file; relative to the policy file. Whoever may write the ledger
    shouldn't be able to change what lies there."""

    @property
    def title(self) -> str:
        """What it is called in messages, figures and the ledger."""
        return f"file {self.path}"


class ToCommand(Strict):
    """A program that gets the checkpoint on its standard input, and must end with exit code 0."""

    kind: Literal["exec"] = "exec"
    argv: Some[str]
    """The program, by its whole path or as a name in /usr/bin or /bin, and its arguments. No shell is between."""
    env: Many[Name] = ()
    """The environment variables that it gets; it inherits no others, not even PATH."""
    timeout: SomeSeconds = 30.0
    """Seconds until it is killed, and tried again later."""

    @model_validator(mode="after")
    def _found_from_anywhere(self) -> Self:
        program = self.argv[0]
        if not program or any("\0" in word for word in self.argv):
            raise ValueError("argv: must name a program, without NUL characters")
        if "/" in program and not PurePath(program).is_absolute():
            raise ValueError(f"argv: {program!r} depends on the folder one stands in; write its whole path")
        return self

    @property
    def title(self) -> str:
        """What it is called in messages, figures and the ledger."""
        return f"exec {' '.join(self.argv)}"


class ToUrl(Strict):
    """A POST of the checkpoint as text; any answer from 200 to 299 takes it. No redirect is followed."""

    kind: Literal["post"] = "post"
    url: WebUrl
    """Where it is sent. It comes from the policy, never from an agent."""
    token_env: Name | None = None
    """The variable that holds a bearer token, where one must be shown."""
    timeout: SomeSeconds = 10.0
    """Seconds until no answer is a failure, and it is tried again later."""
    allow: Many[Target] = ()
    """Internal targets that a name in the URL may lead to, as in checks of the kind `http`."""

    @property
    def title(self) -> str:
        """What it is called in messages, figures and the ledger."""
        return f"post {self.url}"


class ToLog(Strict):
    """The log of whichever process exports it."""

    kind: Literal["log"] = "log"

    @property
    def title(self) -> str:
        """What it is called in messages, figures and the ledger."""
        return self.kind


class ToStdout(Strict):
    """The standard output of whichever process exports it."""

    kind: Literal["stdout"] = "stdout"

    @property
    def title(self) -> str:
        """What it is called in messages, figures and the ledger."""
        return self.kind


class ToSpan(Strict):
    """A span `ladder checkpoint` of OpenTelemetry, of whichever process exports it."""

    kind: Literal["otel"] = "otel"

    @property
    def title(self) -> str:
        """What it is called in messages, figures and the ledger."""
        return self.kind


Export: TypeAlias = Annotated[ToFile | ToCommand | ToUrl | ToLog | ToStdout | ToSpan, Field(discriminator="kind")]
"""One place that checkpoints are exported to; `kind` says which."""


class Checkpoints(Strict):
    """Signed checkpoints: what the ledger must still contain, kept where whoever may write the ledger may not."""

    key: Place | None = None
    """The file with the private key, relative to the policy file, as `ladder keys new` makes it. Unsaid, there are no
    checkpoints. Only `ladder watch` and the command line sign; agents need not be able to read it."""
    every: SomeSeconds = 600.0
    """Seconds after the last checkpoint at which there is a new one, as `"10m"`, if anything was written since."""
    entries: Annotated[int, Field(ge=1)] = 1000
    """Entries after the last checkpoint at which there is a new one, however soon."""
    origin: Origin | None = None
    """What the ledger is called in its checkpoints; unsaid, the agent's name. It stays as it is once there are any."""
    to: Many[Export] = ()
    """Where they are exported to. Each gets every checkpoint, in order; what fails is tried again."""

    def anchored(self, folder: Path) -> Self:
        """These with their files taken from a folder."""
        there = tuple(
            one.model_copy(update={"path": _placed(one.path, folder)}) if isinstance(one, ToFile) else one
            for one in self.to
        )
        return self.model_copy(update={"key": self.key and placed(self.key, folder), "to": there})


def _placed(path: str, folder: Path) -> str:
    """The path from a folder; a slash at its end, which says that it is a directory, stays."""
    return placed(path, folder).rstrip("/") + "/" * path.endswith("/")


class Retention(Strict):
    """How long the ledger says what calls were about. Codes, numbers, keys and verdicts stay."""

    payloads: SomeSeconds | None = None
    """Seconds after which an action that is over is erased, as `"400d"`; unsaid, nothing is erased by itself."""
    tools: dict[Name, SomeSeconds] = Field(default_factory=dict)
    """Another time for the actions of a tool, by its exact name; it may be longer."""
    labels: dict[Name, SomeSeconds] = Field(default_factory=dict)
    """A time for the tools whose rules carry a label; where several hold, the shortest does."""
