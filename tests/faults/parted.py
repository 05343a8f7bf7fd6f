"""A call that goes by a part first in a world of files, and processes that leave it at any step of its life."""

from __future__ import annotations

import logging
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from ladder_graph.calls import Call
from ladder_graph.facts import Outcome
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ladder import Ladder
from ladder_graph.policy import Policy
from ladder_graph.tools import Declaration
from ladder_graph.turns import driving
from tests.faults.crashing import CONTEXT, Host

BOUNDS = [{"kind": "volume", "limit": 10**6}]
CHECK = {"kind": "python", "function": "tests.faults.parted:healthy"}
_TOOLS = {"put": "s1"}
MODEL = Environment("openai", "gpt-5", "gpt-5", "none", "{}", toolset_component(_TOOLS), _TOOLS)


# --- the tool, as any process knows it ---------------------------------------------------------------------------


def text(folder):
    """What the tool changes."""
    file = Path(folder) / "value"
    return file.read_text() if file.exists() else ""


def before(arguments):
    """The before-image."""
    return {"folder": arguments["folder"], "text": text(arguments["folder"])}


def put_back(kept):
    """Put it back, and leave a line behind that says from what to what."""
    folder = Path(kept["folder"])
    with (folder / "undos").open("a") as undos:
        undos.write(f"{text(folder)!r} -> {kept['text']!r}\n")
    (folder / "value").write_text(kept["text"])


def present(kept):
    """The fingerprint."""
    return text(kept["folder"])


def healthy(arguments):
    """The health check: all is well, unless a file says otherwise of one of the lines."""
    return not any((Path(arguments["folder"]) / f"ill-{line}").exists() for line in arguments["lines"])


def one_first(arguments):
    """The first line goes first."""
    folder, lines = arguments["folder"], arguments["lines"]
    return {"folder": folder, "lines": lines[:1]}, {"folder": folder, "lines": lines[1:]}


TOOL = Declaration(
    prepare=before, undo=put_back, fingerprint=present, resource=lambda kept: kept["folder"], canary=one_first,
    home="tests.faults.parted",
)  # fmt: skip


class Acting(Host):
    """Runs the tool."""

    def __init__(self):
        super().__init__(None)

    def execute(self, call, *, again=False):
        """A few lines more."""
        folder, lines = Path(call.arguments["folder"]), call.arguments["lines"]
        (folder / "value").write_text(text(folder) + "".join(f"{line}\n" for line in lines))
        with (folder / "effects").open("a") as effects:
            effects.write("".join(f"{line}\n" for line in lines))
        return Outcome("done", f"put {', '.join(lines)}")

    def joined(self, split, first, last):
        """Both."""
        return f"{_read(first)}; {_read(last)}"


def _read(reply):
    return reply.decode() if isinstance(reply, bytes) else reply


# --- a place -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parted:
    """One ledger and one world of files.

    Args:
        folder: Where the world is.
        ledger: The ledger's file or URL.
        rung: On which the tool stands.
        watch: As the rule says it.
        check: What is said of the health check beside its function.
        watcher: As the policy says it.
    """

    folder: Path
    ledger: str
    rung: str = "rollback"
    watch: tuple[tuple[str, object], ...] = ()
    check: tuple[tuple[str, object], ...] = ()
    watcher: str = "process"

    @property
    def call(self):
        """The call."""
        return self.under("call_1")

    def under(self, name):
        """The same call under an id."""
        return Call("ops", "t1", name, "put", {"folder": str(self.folder), "lines": ["one", "two", "three"]})

    def ladder(self):
        """A ladder with the one tool, mounted."""
        logging.disable(logging.WARNING)
        rule = {
            "rung": self.rung,
            "bounds": BOUNDS,
            "checks": [{**CHECK, **dict(self.check)}],
            "watch": dict(self.watch),
        }
        policy = Policy.from_rungs("ops", {"put": rule}).model_copy(update={"watcher": self.watcher})
        ladder = Ladder(policy=policy, ledger=self.ledger)
        ladder.seat("put", TOOL, agent="ops", can_ask=True)
        return ladder

    def ill(self, *lines):
        """From now on the health check of whatever touches one of these lines is bad."""
        for line in lines:
            (self.folder / f"ill-{line}").touch()

    def lines(self, what):
        """The lines of a file."""
        file = self.folder / what
        return file.read_text().splitlines() if file.exists() else []


class Gone(BaseException):
    """The process is gone; nothing of it goes on."""


def leaving(at, leave):
    """A driver that leaves at a step, counted from 0, before it is performed; and the names of those it came by."""
    perform, passed = driving._perform, []

    def performed(step, turn):
        passed.append(type(step).__name__)
        if len(passed) - 1 == at:
            leave()
        return perform(step, turn)

    return performed, passed


def gone():
    """Leave by an exception that nobody takes."""
    raise Gone


def act(place, at=None, name="call_1", leave=gone):
    """Make the call in this process; leave before a step, or do something else there.

    Returns:
        The reply, or None where it left; and the steps that it came by.
    """
    ladder, perform = place.ladder(), driving._perform
    driving._perform, passed = leaving(at, leave)
    try:
        return ladder.run(place.under(name), MODEL, Acting()), passed
    except Gone:
        return None, passed
    finally:
        driving._perform = perform
        ladder.close()


def dying(place, at):
    """Make the call in a process of its own, which is killed before a step."""
    driving._perform, _ = leaving(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
    ladder = place.ladder()
    ladder.run(place.call, MODEL, Acting())
    ladder.close()


def killed(place, at):
    """Whether a process that makes the call was killed before a step, rather than end."""
    process = CONTEXT.Process(target=dying, args=(place, at))
    process.start()
    process.join(60)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode != 0
