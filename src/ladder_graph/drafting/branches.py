"""`pull_request`: the draft of a tool that proposes changes to a git repository, as a commit on a branch of its own.

The commit is made with an index of its own. Nothing that is checked out, staged or pointed at by HEAD is touched.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ladder_graph.drafting import roots, unified
from ladder_graph.drafting.drawn import Drawn, Piece, argument
from ladder_graph.drafting.patches import Shape, titled
from ladder_graph.errors import DraftRefused, LadderError

_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_WHO = "ladder-graph <ladder@localhost>"
SECONDS = 60
"""How long git may take for one step."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """See `pull_request`."""

    root: str
    base: str
    shape: Shape
    title: str
    prefix: str
    will: str
    labels: tuple[str, ...]

    def draw(self, arguments: Mapping[str, Any]) -> Drawn:
        """The files at the base, what they become, and a branch with the commit."""
        start = _git(self.root, "rev-parse", "--verify", "--end-of-options", f"{self.base}^{{commit}}").decode().strip()
        modes: dict[str, str] = {}
        pieces = self.shape.pieces(arguments, self.root, lambda name: _at(self.root, start, name, modes))
        said = " ".join(argument(arguments, self.title).split())[:200] or titled([one.name for one in pieces])
        branch, commit = _committed(self.root, start, pieces, modes, said, self.prefix)
        return Drawn(
            "pull request", pieces, unified.diff(pieces), ".patch", title=said,
            source=f"{self.base} of {self.root}", target=f"{self.root}\n{said}",
            facts=(("branch", branch), ("commit", commit), ("base", f"{self.base} at {start[:12]}")),
            across=True, labels=self.labels, will=self.will, recipe=self.shape.recipe,
        )  # fmt: skip


def pull_request(
    diff: str | None = None,
    *,
    root: str | os.PathLike[str],
    base: str = "HEAD",
    files: str | None = None,
    path: str | None = None,
    text: str | None = None,
    title: str = "title",
    prefix: str = "ladder/",
    will: str = "",
    labels: tuple[str, ...] = (),
) -> PullRequest:
    """The draft of a tool that proposes changes to a git repository.

    The draft is a commit on a new branch, which a person may check out or compare; its name is made from what is in
    it, so that the same draft makes the same branch. Work tree, index and HEAD stay as they are, and no hook runs.
    Accepting is the tool's own call: it may push, open a pull request, or merge. The branch stays until somebody
    deletes it.

    Args:
        diff: The argument that holds a unified diff.
        root: The repository.
        base: The commit or branch that it starts from. What the branch points to by the time somebody accepts is
            compared with what was captured.
        files: Or the argument that maps paths to whole texts; null removes a file.
        path: Or the argument that holds one path,
        text: with the one that holds its whole text.
        title: The argument that holds the title, which is the commit's message.
        prefix: What the branch's name begins with.
        will: What accepting does, in words.
        labels: Access labels of these drafts, beside those of the rule.

    Raises:
        ValueError: Not exactly one of the three is given, or the prefix is none of a branch.
    """
    if not _PREFIX.fullmatch(prefix) or ".." in prefix or "//" in prefix:
        raise ValueError(f"{prefix!r} can't begin the name of a branch")
    shape = Shape(diff, files, path, text)
    return PullRequest(os.path.abspath(root), base, shape, title, prefix, will, labels)  # noqa: PTH100  # it may be a link


def _at(root: str, commit: str, name: str, modes: dict[str, str]) -> str | None:
    """A file as it is in a commit; None where there is none."""
    parts, mode = name.split("/"), ""
    for depth in range(1, len(parts) + 1):
        part = "/".join(parts[:depth])
        listed = _git(root, "ls-tree", "-z", "--full-tree", commit, "--", f":(literal,top){part}")
        if not listed:
            return None
        mode = listed.split(b" ", 1)[0].decode()
        expected = ("040000",) if depth < len(parts) else ("100644", "100755")
        if mode not in expected:
            raise DraftRefused(f"{part!r} is a link, a submodule or a directory in the repository, and no file's text")
    modes[name] = mode
    return roots.text_of(_git(root, "cat-file", "blob", f"{commit}:{name}"), name)


def _committed(
    root: str, start: str, pieces: Sequence[Piece], modes: Mapping[str, str], title: str, prefix: str
) -> tuple[str, str]:
    """Make the commit and its branch.

    Returns:
        The branch's name and the commit.
    """
    with tempfile.TemporaryDirectory(prefix="ladder-index-") as directory:
        own = {"GIT_INDEX_FILE": str(Path(directory) / "index")}
        _git(root, "read-tree", start, env=own)
        listed = b""
        for one in pieces:
            if one.text is None:
                listed += b"0 " + b"0" * len(start) + b"\t" + one.name.encode() + b"\0"
                continue
            blob = _git(root, "hash-object", "-w", "--no-filters", "--stdin", data=one.text.encode()).strip()
            mode = modes.get(one.name, "100644").encode()
            listed += mode + b" " + blob + b"\t" + one.name.encode() + b"\0"
        _git(root, "update-index", "-z", "--add", "--index-info", data=listed, env=own)
        tree = _git(root, "write-tree", env=own).decode().strip()
    when = _git(root, "show", "-s", "--format=%ct", start).decode().strip()
    name, _, mail = _WHO.partition(" <")
    people = {f"GIT_{who}_{what}": said for who in ("AUTHOR", "COMMITTER")
              for what, said in (("NAME", name), ("EMAIL", mail.rstrip(">")), ("DATE", f"{when} +0000"))}  # fmt: skip
    made = _git(root, "commit-tree", "--no-gpg-sign", tree, "-p", start, data=f"{title}\n".encode(), env=people)
    commit = made.decode().strip()
    branch = f"{prefix}{hashlib.sha256(commit.encode()).hexdigest()[:12]}"
    _git(root, "update-ref", "-m", "ladder: a draft", f"refs/heads/{branch}", commit)
    return branch, commit


def _git(root: str, *words: str, data: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    """What git says, with none of the repository's own programs run.

    Raises:
        LadderError: It failed.
    """
    command = ["git", "-C", root, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *words]
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603  # git, with words of ours; paths come on standard input or after --
            command, input=data, capture_output=True, check=False, timeout=SECONDS,
            env={**foreign, "LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "0", **(env or {})},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise LadderError(f"git can't be run: {wrong}") from wrong
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise LadderError(f"git {words[0]}: {said or done.returncode}")
    return done.stdout
