"""Handing one checkpoint out: to a directory, a file, a program, a URL, the log, standard output, a span."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ladder_graph.errors import LadderError
from ladder_graph.ledger.moves.copies import flush
from ladder_graph.ledger.proof.checkpoints_alone import notes_of, read_note
from ladder_graph.policy.checkpoints import Export, ToCommand, ToFile, ToLog, ToSpan, ToStdout, ToUrl

log = logging.getLogger("ladder_graph")

MARGIN = 30.0
"""Seconds beyond a target's own time for which nobody else tries it."""


class NotExported(Exception):
    """A target hasn't taken a checkpoint; it is tried again."""


def lease_of(target: Export) -> float:
    """Seconds for which whoever exports to a target has it alone."""
    return MARGIN + (target.timeout if isinstance(target, ToCommand | ToUrl) else 0.0)


def export(target: Export, number: int, note: str) -> None:
    """Hand a checkpoint to a target. It may be handed out a second time, where a process died in between.

    Args:
        target: Where to.
        number: Its number.
        note: Its text.

    Raises:
        NotExported: The target hasn't taken it.
    """
    match target:
        case ToFile():
            put(target.path, number, note)
        case ToCommand():
            _run(target, note)
        case ToUrl():
            _post(target, note)
        case ToLog():
            log.info("checkpoint %d: %s", number, note)
        case ToStdout():
            sys.stdout.write(f"{note}\n")
            sys.stdout.flush()
        case ToSpan():
            _span(number, note)


# --- files -------------------------------------------------------------------------------------------------------


def is_directory(path: str) -> bool:
    """Whether a path of the policy is a directory of checkpoints, and no file of them."""
    return path.endswith(("/", os.sep)) or Path(path).is_dir()


def put(path: str, number: int, note: str) -> None:
    """Write a checkpoint into a directory or at the end of a file, where it isn't there yet.

    Raises:
        NotExported: It can't be written, or another one is there under its number.
    """
    try:
        if is_directory(path):
            _put_apart(Path(path), number, note)
        else:
            _put_behind(Path(path), number, note)
    except OSError as wrong:
        raise NotExported(f"{path}: {wrong.strerror or wrong}") from wrong


def _put_apart(folder: Path, number: int, note: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{number:012}.checkpoint"
    aside = folder / f".{file.name}.{os.getpid()}"
    aside.write_text(note, encoding="utf-8")
    try:
        flush(aside)
        os.link(aside, file)  # Whole or not at all, and never over another one.
    except FileExistsError:
        if file.read_text(encoding="utf-8") != note:
            raise NotExported(f"{file} holds another checkpoint {number}: this ledger isn't the one it is of") from None
    finally:
        aside.unlink()
    flush(folder)


def _put_behind(file: Path, number: int, note: str) -> None:
    held = _end_of(file) if file.exists() else ""
    newest = newest_of(notes_of(held))
    if newest >= number:
        if note in held:
            return
        raise NotExported(f"{file} ends with checkpoint {newest}, and not this one: it is of another ledger")
    # What was torn off in a crash is left, and ended, so that the file only ever grows.
    torn = "\n\n" if held and not held.endswith("\n\n") else ""
    with file.open("a", encoding="utf-8") as there:
        there.write(f"{torn}{note}\n")
        there.flush()
        os.fsync(there.fileno())


def newest_of(notes: Sequence[str]) -> int:
    """The number of the newest of these checkpoints; 0 where there is none that can be read."""
    newest = 0
    for note in notes:
        try:
            newest = max(newest, read_note(note).number)
        except (ValueError, KeyError):
            continue
    return newest


def newest_in(path: str) -> int:
    """The number of the newest checkpoint that lies in a directory or file of the policy; 0 where none can be read."""
    place = Path(path)
    try:
        if place.is_dir():
            last = max((one for one in place.iterdir() if one.suffix == ".checkpoint"), default=None)
            return 0 if last is None else newest_of(notes_of(last.read_text(encoding="utf-8")))
        return newest_of(notes_of(_end_of(place)))
    except (OSError, UnicodeDecodeError):
        return 0


def _end_of(file: Path) -> str:
    """The end of a file: enough for the newest checkpoints, whatever it has grown to."""
    with file.open("rb") as there:
        size = there.seek(0, os.SEEK_END)
        there.seek(max(0, size - END))
        return there.read().decode("utf-8", "replace")


END = 1_000_000
"""Bytes of a file that are read for the newest checkpoint in it."""

# --- programs, URLs, logs ----------------------------------------------------------------------------------------


def _run(target: ToCommand, note: str) -> None:
    missing = [name for name in target.env if name not in os.environ]
    if missing:
        raise NotExported(f"{target.argv[0]} was not run: there is no {', '.join(missing)}")
    try:
        done = subprocess.run(  # noqa: S603  # argv is the policy's, and no part of it comes from a call
            target.argv, input=note.encode(), timeout=target.timeout, check=False, capture_output=True,
            env={name: os.environ[name] for name in target.env}, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.TimeoutExpired) as wrong:
        raise NotExported(f"{target.argv[0]} could not be run to its end ({type(wrong).__name__})") from wrong
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise NotExported(f"{target.argv[0]} ended with exit code {done.returncode}{': ' + said[-1] if said else ''}")


def _post(target: ToUrl, note: str) -> None:
    try:
        from ladder_graph.watch.asking import NoAnswer, NotAsked, post
    except ImportError as missing:
        raise NotExported("it needs httpx: pip install 'ladder-graph[watch]'") from missing
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if target.token_env is not None:
        if not os.environ.get(target.token_env):
            raise NotExported(f"its token should be in {target.token_env}, which isn't set")
        headers["Authorization"] = f"Bearer {os.environ[target.token_env]}"
    try:
        answer = post(target.url, note.encode(), headers=headers, timeout=target.timeout, allow=target.allow)
    except (NotAsked, NoAnswer) as wrong:
        raise NotExported(f"{target.url}: {wrong}") from wrong
    if not 200 <= answer.status < 300:  # noqa: PLR2004  # HTTP's successes
        raise NotExported(f"{target.url} answered {answer.status}")


def _span(number: int, note: str) -> None:
    try:
        from opentelemetry import trace
    except ImportError as missing:
        raise NotExported("it needs OpenTelemetry: pip install 'ladder-graph[otel]'") from missing
    with trace.get_tracer("ladder_graph").start_as_current_span("ladder checkpoint") as span:
        span.set_attributes({"ladder.checkpoint": number, "ladder.checkpoint.note": note})


def write_all(path: str, notes: Sequence[tuple[int, str]]) -> int:
    """Write checkpoints where a person wants them; how many there were.

    Raises:
        LadderError: They can't be written there.
    """
    try:
        for number, note in notes:
            put(path, number, note)
    except NotExported as wrong:
        raise LadderError(str(wrong)) from wrong
    return len(notes)
