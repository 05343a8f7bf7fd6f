"""The commands under their headings, the global options, and how an error is said."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ladder_graph.cli import (
    UNREAD,
    aftermath,
    answering,
    assessments,
    consoling,
    copying,
    demo,
    digested,
    doctor,
    documents,
    drafts,
    erasing,
    explaining,
    fingerprints,
    inbox,
    incidents,
    keeping,
    looking,
    moving,
    notarizing,
    policies,
    reading,
    rehearsing,
    replayed,
    replaying,
    reports,
    resuming,
    rollbacks,
    sagas,
    shadows,
    starting,
    suggestions,
    telling,
    trusting,
    watching,
)
from ladder_graph.cli.place import Place
from ladder_graph.errors import LadderError

HEADINGS = {
    "Starting": ("init", "schema", "policy", "doctor", "demo"),
    "Trying out": ("replay",),
    "Looking": ("status", "explain", "log", "show", "shadow", "verify"),
    "Answering": (
        "console", "inbox", "pending", "approve", "decline", "edit", "respond", "revoke", "drafts", "suggestions",
        "report", "reports", "ack", "resolve", "resumptions", "resume-worker",
    ),
    "Trust": ("trust", "why", "promote", "demote", "incident", "attest", "sweep"),
    "Watching": ("watch", "watched", "keep", "undo", "extend", "saga", "rollback", "rehearse"),
    "Keeping": (
        "fingerprint", "lock", "erase", "checkpoint", "keys", "backup", "restore", "migrate", "move",
    ),
}  # fmt: skip
"""The commands, in the order of their use."""


@contextmanager
def _in_words() -> Iterator[None]:
    """End an error of ours or of the file system with a sentence and code 2."""
    try:
        yield
    except LadderError as wrong:
        text = str(wrong)
    except OSError as wrong:
        if wrong.errno == errno.EPIPE:
            raise typer.Exit(UNREAD) from None  # Whoever read us has stopped, as in `ladder log | head`.
        text = f"{wrong.filename}: {wrong.strerror}" if wrong.filename else str(wrong)
    else:
        return
    _say(text)
    raise typer.Exit(2)


class Commands(TyperGroup):
    """Commands under headings, whose errors are sentences and no tracebacks."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            Exit: With code 2, where one of them holds bytes that are no text, or the help can't be printed.
        """
        for one in args:
            if (shown := one.encode("utf-8", "backslashreplace").decode()) != one:
                _say(f"an argument holds bytes that are no text here: {shown}")
                raise typer.Exit(2)
        with _in_words():
            found: list[str] = super().parse_args(ctx, args)  # the help and the version are printed here
        return found

    def invoke(self, ctx: Any) -> Any:
        """Run a command.

        Raises:
            Exit: With code 2, once an error of ours or of the file system was printed.
        """
        with _in_words():
            return super().invoke(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under their headings."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        widest = max(map(len, found))
        for heading, names in HEADINGS.items():
            said = [(name, command) for name in names if (command := found.get(name)) is not None]
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(widest), command.get_short_help_str(100)) for name, command in said])


def _say(error: str) -> None:
    from ladder_graph.cli.screen import Screen

    Screen(stderr=True).error(error)


program = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    # Plain help: it needs no rich, and is calmer.
    rich_markup_mode=None,
    epilog="Exit codes: 0 for done, 1 for a check that found something wrong or a person who said no, 2 for an error.",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001  # typer's callback
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"ladder-graph {version('ladder-graph')}\n")
        raise typer.Exit


@program.callback()
def options(
    ctx: typer.Context,
    policy: Annotated[Path, typer.Option(envvar="LADDER_POLICY", help="The policy file.")] = Path("ladder.toml"),
    ledger: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|URL",
            help="The ledger: a file or postgresql://…, where it isn't the policy's.",
            show_default=False,
        ),
    ] = None,
    *,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The release.")] = False,
) -> None:
    """A ladder of autonomy for LangGraph agents.

    Every tool of an agent stands on one of six rungs: suggest, draft, confirm, bounded, rollback, report.
    """
    del version
    ctx.obj = Place(policy, ledger)


JSON = {
    "status": documents.keys(documents.CellDocument),
    "doctor": documents.keys(documents.FindingDocument),
    "explain": documents.keys(documents.ExplanationDocument, many=False),
    "log": documents.keys(documents.EntryDocument),
    "show": documents.keys(documents.LifeDocument, many=False),
    "shadow": documents.keys(shadows.ShadowDocument, many=False),
    "verify": documents.keys(documents.VerificationDocument, many=False),
    "pending": documents.keys(documents.QuestionDocument),
    "report": documents.keys(digested.DigestDocument),
    "reports": documents.keys(digested.ReportDocument),
    "trust": documents.keys(assessments.AssessmentDocument),
    "why": documents.keys(assessments.WhyDocument),
    "promote": documents.keys(assessments.PromotionDocument, many=False),
    "incident": documents.keys(assessments.IncidentDocument, many=False),
    "sweep": documents.keys(assessments.SweepDocument),
    "watched": documents.keys(aftermath.WatchedDocument),
    "resumptions": documents.keys(aftermath.ResumptionDocument),
    "replay": documents.keys(replayed.ReplayDocument, many=False),
    "rehearse": documents.keys(aftermath.RehearsalDocument, many=False),
}
"""What the help of a command says about its JSON."""

for _command in (
    starting.init, starting.schema, doctor.doctor, demo.demo, replaying.replay,
    looking.status, explaining.explain, looking.log, telling.show, shadows.shadow, looking.verify,
    inbox.inbox, answering.pending, answering.approve, answering.decline, answering.edit, answering.respond,
    answering.revoke,
    reading.report, reports.reports, reports.ack, keeping.resolve, resuming.resumptions, resuming.resume_worker,
    trusting.trust, trusting.why, trusting.promote, keeping.demote, incidents.incident, incidents.attest,
    incidents.sweep,
    watching.watch, watching.watched, watching.keep, watching.undo, watching.extend, rollbacks.rollback,
    rehearsing.rehearse,
    keeping.lock, erasing.erase, notarizing.checkpoint, copying.backup, copying.restore, moving.migrate, moving.move,
):  # fmt: skip
    program.command(epilog=JSON.get(_command.__name__))(_command)
program.add_typer(policies.commands, name="policy")
program.add_typer(consoling.commands, name="console")
program.add_typer(drafts.commands, name="drafts")
program.add_typer(suggestions.commands, name="suggestions")
program.add_typer(fingerprints.commands, name="fingerprint")
program.add_typer(sagas.commands, name="saga")
program.add_typer(notarizing.commands, name="keys")
