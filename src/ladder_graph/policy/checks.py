"""Health checks, as a policy writes them. What they measure is read by `ladder_graph.watch`.

A check is taken in two places. Before the reply it must be good as often as `count` says. After the reply, where the
rule has a watch (`ladder_graph.policy.watching`), it is measured again and again until the window ends.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from ladder_graph.policy.fields import ImportPath, Many, Name, Number, Scalar, Some, Strict, Target, WebUrl
from ladder_graph.policy.units import Seconds, SomeSeconds


class Watched(Strict):
    """What every check has: how it is measured while the action is watched."""

    delay: Seconds = 0.0
    """Seconds before the first measurement."""
    every: SomeSeconds = 30.0
    """Seconds between two measurements while the action is watched."""
    failure_limit: Annotated[int, Field(ge=0)] = 0
    """Bad measurements that a watch forgives; one more undoes the action."""
    inconclusive_limit: Annotated[int, Field(ge=0)] | None = 3
    """Measurements without a result that a watch forgives, from one good one to the next."""
    dry_run: bool = False
    """Measured and shown while the action is watched, with no power over it."""

    @property
    def before_the_reply(self) -> int:
        """How many good answers are needed before the model gets its reply."""
        return 0

    @property
    def vouches(self) -> bool:
        """Whether it can say that all is well; one that can't is not waited for at the end of a watch."""
        return True


class Looked(Watched):
    """What a check has that is taken before the reply as well."""

    count: Annotated[int, Field(ge=0)] = 1
    """How many good answers are needed before the reply; 0 measures only while the action is watched."""
    interval: Seconds = 0.2
    """Seconds between two measurements before the reply."""

    @property
    def before_the_reply(self) -> int:
        """How many good answers are needed before the model gets its reply."""
        return 0 if self.dry_run else self.count


class Http(Looked):
    """A URL that must answer with this status. The URL comes from the policy, never from a call."""

    kind: Literal["http"] = "http"
    url: WebUrl
    """What is asked with GET. No redirect is followed and no proxy is used."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The status of good health."""
    count: Annotated[int, Field(ge=0)] = 3
    """How many good answers are needed before the reply; 0 measures only while the action is watched."""
    timeout: SomeSeconds = 2.0
    """Seconds until no answer is a bad answer."""
    allow: Many[Target] = ()
    """Internal targets that a name in the URL may lead to: networks, as `"10.0.0.0/8"`, addresses, or the name itself.
    An internal address that stands in the URL is meant as it is written."""

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return self.url


class Python(Looked):
    """A function that must return True, by import path. False is bad; anything else, and an exception, is no result."""

    kind: Literal["python"] = "python"
    function: ImportPath
    """`module:function`, called with the call's arguments as a dict."""
    timeout: SomeSeconds = 10.0
    """Seconds until no answer is no result."""

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return self.function


class Command(Looked):
    """A program that must end with exit code 0. 75 is no result, any other code is bad.

    It is started without a shell, and reads the call's arguments as JSON from its standard input.
    """

    kind: Literal["command"] = "command"
    argv: Some[str]
    """The program, by its whole path or as a name in /usr/bin or /bin, and its arguments."""
    env: Many[Name] = ()
    """The environment variables that it gets; it inherits no others, not even PATH."""
    timeout: SomeSeconds = 10.0
    """Seconds until it is killed, which is no result."""

    @field_validator("argv")
    @classmethod
    def _found_from_anywhere(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        program = argv[0]
        if not program or any("\0" in word for word in argv):
            raise ValueError("must name a program, without NUL characters")
        if "/" in program and not PurePath(program).is_absolute():
            raise ValueError(f"{program!r} depends on the folder one stands in; write the whole path of the program")
        return argv

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return self.argv[0]


class Sql(Looked):
    """A query whose single value must be as said. No row, several, NULL and an error are no result."""

    kind: Literal["sql"] = "sql"
    env: Name
    """The environment variable that holds the database's URL, as SQLAlchemy reads it. The policy never holds it."""
    query: Annotated[str, Field(min_length=1)]
    """One SELECT. `:name` stands for the call's argument of that name, bound and never pasted in."""
    equals: Scalar | None = None
    """The value of good health, compared with its type."""
    at_least: Number | None = None
    """The least good value."""
    at_most: Number | None = None
    """The greatest good value."""
    timeout: SomeSeconds = 5.0
    """Seconds until no answer is no result."""

    @model_validator(mode="after")
    def _says_what_is_good(self) -> Self:
        _one_measure(self.equals, self.at_least, self.at_most)
        return self

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return f"sql ${self.env}"


class Prometheus(Looked):
    """A PromQL query, every value of whose answer must be as said. An empty answer and NaN are no result."""

    kind: Literal["prometheus"] = "prometheus"
    url: WebUrl
    """The server's base URL, in front of `/api/v1/query`."""
    query: Annotated[str, Field(min_length=1)]
    """PromQL whose answer is a scalar or an instant vector."""
    equals: Number | None = None
    """The value of good health."""
    at_least: Number | None = None
    """The least good value."""
    at_most: Number | None = None
    """The greatest good value."""
    count: Annotated[int, Field(ge=0)] = 0
    """How many good answers are needed before the reply; 0 measures only while the action is watched."""
    timeout: SomeSeconds = 5.0
    """Seconds until no answer is no result."""
    allow: Many[Target] = ()
    """Internal targets that a name in the URL may lead to, as for `http`."""

    @model_validator(mode="after")
    def _says_what_is_good(self) -> Self:
        _one_measure(self.equals, self.at_least, self.at_most)
        if set(self.url) & {"?", "#"}:
            raise ValueError(f'{self.url!r} is no base URL, as in "http://10.0.0.7:9090"; the query has its own key')
        return self

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return f"prometheus {self.query}"


class ErrorRate(Watched):
    """The share of the same agent's later calls that failed. Too few calls are no result."""

    kind: Literal["error_rate"] = "error_rate"
    at_most: Annotated[float, Field(ge=0, lt=1)]
    """The greatest good share, as 0.2."""
    least: Annotated[int, Field(ge=1)] = 5
    """The fewest calls that say anything."""
    inconclusive_limit: Annotated[int, Field(ge=0)] | None = None
    """Measurements without a result that a watch forgives; none said forgives all, since calls may be far between."""

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return "error_rate"


class Alert(Watched):
    """An alert that must not fire, as Alertmanager or Grafana delivers it. Silence is no result.

    One that fires undoes when it is delivered; `delay` and `every` are for the one that shows that alerts get through.
    """

    kind: Literal["alert"] = "alert"
    labels: Annotated[dict[Name, str], Field(min_length=1)]
    """The labels of the alerts that mean this action, each with its exact value."""
    alive: dict[Name, str] | None = None
    """The labels of an alert that always fires, such as `{ alertname = "Watchdog" }`. It shows that alerts get
    through; without it this check can undo, and never say that all is well."""
    alive_within: SomeSeconds = 300.0
    """Seconds for which the last delivery of that alert speaks."""
    inconclusive_limit: Annotated[int, Field(ge=0)] | None = None
    """Measurements without a result that a watch forgives; none said forgives all."""

    @field_validator("alive")
    @classmethod
    def _some(cls, alive: dict[str, str] | None) -> dict[str, str] | None:
        if alive == {}:
            raise ValueError("must hold at least one label, else any alert shows that alerts get through")
        return alive

    @model_validator(mode="after")
    def _can_do_as_it_says(self) -> Self:
        if self.failure_limit:
            raise ValueError("failure_limit: an alert that fires undoes at once; say where it is made what it forgives")
        if self.alive is None and self.inconclusive_limit is not None:
            raise ValueError("inconclusive_limit: without alive = {...} it sees nothing, so nothing would be kept")
        return self

    @property
    def vouches(self) -> bool:
        """Whether it can say that all is well."""
        return self.alive is not None

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return "alert " + ", ".join(f"{name}={value}" for name, value in self.labels.items())


def _one_measure(equals: object, at_least: float | None, at_most: float | None) -> None:
    if (equals is not None) is (at_least is not None or at_most is not None):
        raise ValueError("say what is good: either equals, or at_least, at_most or both")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise ValueError(f"at_least is {at_least}, above at_most, which is {at_most}; nothing would be good")


Check = Annotated[
    Http | Python | Command | Sql | Prometheus | ErrorRate | Alert,
    Field(discriminator="kind"),
]
"""Any health check; `kind` tells which."""
