"""What can go wrong, as one tree.

Everything fails closed: where one of these is raised, nothing ran, unless the docstring says otherwise.
The message of an error says what is wrong, where, and what to do about it.

    LadderError
    ├── PolicyError            a policy that can't be read; all its problems at once
    ├── MountError             a graph that can't be put under the ladder
    │   └── NoCheckpointer     a rung that must ask, and nowhere to wait for the answer
    ├── LedgerError            the ledger can't be used
    │   ├── NotALedger         the file is something else
    │   ├── LedgerUnwritable   the disk, or its rights, refuse a write
    │   ├── LedgerNewer        written by a later release
    │   ├── LedgerOlder        written by an earlier release; `ladder migrate` brings it up
    │   └── LedgerMoved        it is being moved, or has gone elsewhere
    ├── UnknownPage            the mark of a page that is none of the list's
    ├── ArgumentsError         arguments that have no canonical form
    ├── AnswerError            an answer that can't be taken
    │   ├── UnknownQuestion    no such question
    │   └── AnswerRefused      not this answer, not by this person, or not any more
    │       └── DraftMoved     the draft isn't what was shown any more; look again
    ├── DraftRefused           a draft that can't be drawn from these arguments, or can't be cut like this
    ├── ForkRefused            a conversation that can't be taken back to before a call
    ├── SignalRefused          an alert from outside that can't be read
    ├── NotPermitted           a tool was about to run what nobody had allowed
    ├── ProviderToolsRefused   a request with tools that the provider runs by itself
    ├── NotRegistered          an undo artifact names a function that nobody said may be run
    ├── UndoConflict           raised by an undo: "somebody else changed it, I kept my hands off"
    └── DefiniteFailure        raised by a tool: "I failed, and nothing happened"
"""

from __future__ import annotations

from collections.abc import Sequence


class LadderError(Exception):
    """The parent of every error of this package."""


class PolicyError(LadderError):
    """A policy has problems; all of them are listed, and nothing of it was taken over.

    Args:
        problems: One line each: where, what is wrong, what was expected.
        source: The file or object that was read, for the first line of the message.
    """

    def __init__(self, problems: Sequence[str], source: str = "policy") -> None:
        self.problems = tuple(problems)
        self.source = source
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        super().__init__("\n".join([f"{source}: {count} {noun}, nothing was loaded", *self.problems]))


class MountError(LadderError):
    """This graph can't be put under the ladder as it is; the message names the node and the way out."""


class NoCheckpointer(MountError):
    """A tool stands on a rung that must ask, and the graph has no checkpointer to wait with.

    Pass `checkpointer=` to `wrap`, compile the graph with one, or say `checkpointer="host"` where a
    LangGraph server or a parent graph brings its own.
    """


class LedgerError(LadderError):
    """The ledger can't be used; no tool is started without it. Where one was started before, the message says so."""


class NotALedger(LedgerError):
    """The file is there, and it isn't a ladder ledger. It was not touched."""


class LedgerUnwritable(LedgerError):
    """The ledger can't be written (read-only disk, full disk, missing rights). Nothing was recorded by this."""


class LedgerNewer(LedgerError):
    """The ledger was written by a later release of ladder-graph than this one."""


class LedgerOlder(LedgerError):
    """A ledger on a server was written by an earlier release. It was not touched; `ladder migrate` brings it up."""


class LedgerMoved(LedgerError):
    """The ledger is being moved, or has gone elsewhere; the message says where. Nothing can be written here."""


class UnknownPage(LadderError):
    """The mark of a page is none of this list. Begin at the first page."""


class ArgumentsError(LadderError):
    """Arguments without a canonical JSON form (a lone surrogate, NaN, a key that is no string), or that fit no tool."""


class AnswerError(LadderError):
    """An answer that can't be taken. The question stays open."""


class UnknownQuestion(AnswerError):
    """There is no question with this id. `ladder pending` lists the open ones."""


class AnswerRefused(AnswerError):
    """The answer is for other arguments, by somebody who may not, too late, or already given."""


class DraftMoved(AnswerRefused):
    """The draft isn't the one that was shown: it was drawn anew, or what it starts from has changed. Look again."""


class DraftRefused(LadderError):
    """A draft can't be drawn from these arguments, or can't be taken apart like this. The message says why.

    A drafter raises it where arguments lead out of its root or into a header; the call is refused then.
    """


class ForkRefused(LadderError):
    """A thread can't be taken back to before a call: its checkpoints are gone, or the graph is another one.

    Nothing of the conversation was changed. `ladder rollback` without a graph undoes the effects alone.
    """


class SignalRefused(LadderError):
    """An alert from outside can't be read whole. Nothing of its delivery was taken."""


class NotPermitted(LadderError):
    """A sealed tool was about to run what no rung had allowed: other arguments, a second time, or past the gate.

    Inside a gated call it becomes the call's outcome, and the model reads it. It reaches you where a guarded tool is
    called by hand.
    """


class ProviderToolsRefused(LadderError):
    """A request to a model carries tools that the provider runs by itself, past every gate. It was not sent.

    Take them off the model, or say `provider_tools = "report"` in the policy to let them pass and have them reported.
    """


class NotRegistered(LadderError):
    """An undo artifact names a function that can't be imported, or that no `Declaration` was made with. It was not run.

    Make the `Declaration` in the function's own module or in the tool's, or mark the function with `@registered`.
    """


class UndoConflict(LadderError):
    """Raise this in an undo to say: somebody else changed the same thing, I changed nothing, a person must look."""


class DefiniteFailure(LadderError):
    """Raise this in a tool to say: I failed, and nothing happened in the world.

    Any other exception leaves it open whether the effect took place, so the ladder records the call as
    `unknown` and doesn't let it run again blindly.
    """
