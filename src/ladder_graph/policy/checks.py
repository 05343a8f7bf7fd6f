"""Health checks, as a policy writes them. What they measure is read by `ladder_graph.watch`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ladder_graph.policy.fields import ImportPath, Strict, WebUrl
from ladder_graph.policy.units import Seconds, SomeSeconds


class Http(Strict):
    """A URL that must answer with this status. The URL comes from the policy, never from a call."""

    kind: Literal["http"] = "http"
    url: WebUrl
    """What is asked with GET."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The status of good health."""
    count: Annotated[int, Field(ge=1)] = 3
    """How many good answers make it healthy."""
    interval: Seconds = 0.2
    """Seconds between two measurements."""
    delay: Seconds = 0.0
    """Seconds before the first one."""
    timeout: SomeSeconds = 2.0
    """Seconds until no answer is a bad answer."""


class Python(Strict):
    """A function that must return True, by import path."""

    kind: Literal["python"] = "python"
    function: ImportPath
    """`module:function`, called with the call's arguments as a dict."""
    count: Annotated[int, Field(ge=1)] = 1
    """How many good answers make it healthy."""
    interval: Seconds = 0.2
    """Seconds between two measurements."""
    delay: Seconds = 0.0
    """Seconds before the first one."""


Check = Annotated[Http | Python, Field(discriminator="kind")]
"""Any health check; `kind` tells which."""
