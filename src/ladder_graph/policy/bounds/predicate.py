"""Bounds in Python, for what no other bound can say."""

from __future__ import annotations

import copy
import inspect
from importlib import import_module
from operator import attrgetter
from typing import Any, Literal

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import Breach, shorten
from ladder_graph.policy.fields import ImportPath, Strict


class Predicate(Strict):
    """A function must say that the call is inside: True and nothing else.

    It is called wherever a call is routed, in an async graph off the event loop, and sometimes twice for one call; it
    must be quick, change nothing and not be async. What it raises asks, and so does a function that isn't there.
    """

    kind: Literal["predicate"] = "predicate"
    function: ImportPath
    """`module:function`, called with a copy of the call's arguments as a dict."""

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
        try:
            answer = self._loaded()(copy.deepcopy(call.arguments))
        except Exception as wrong:  # noqa: BLE001  # whatever it is, nobody said that the call is inside
            return Breach(self.kind, f"{self.function} raised {type(wrong).__name__}: {shorten(str(wrong))}")
        if inspect.iscoroutine(answer):
            answer.close()
            return Breach(self.kind, f"{self.function} is async, so nobody waits for what it says")
        return None if answer is True else Breach(self.kind, f"{self.function} says {answer!r:.80} and not True")

    def _loaded(self) -> Any:
        module, _, name = self.function.partition(":")
        return attrgetter(name)(import_module(module))
