"""`git_tree`: the undo of a tool that changes the work tree of a git repository, or commits to it."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ladder_graph.errors import LadderError, UndoConflict
from ladder_graph.references import registered
from ladder_graph.telling import Change
from ladder_graph.tools import Arguments, Declaration
from ladder_graph.undo import merging, nodes

KEPT = "13d"
"""How long the undo is possible: git removes objects that nothing refers to after two weeks (`gc.pruneExpire`)."""
LINK = "link"
"""In the place of the mode, for symlinks."""
HEAD, INDEX, FILES = "HEAD", "index", "file "
"""The parts of a work tree: where HEAD points, the branch by its name, what is staged, and each file."""


def git_tree(argument: str | None = None, *, path: str | os.PathLike[str] | None = None) -> Declaration:
    """Undo for a tool that changes files of a git work tree, stages them, commits, or switches the branch.

    The before-image is made of git objects: every file but those that git ignores, what is staged, HEAD and its
    branch. The undo puts back what the action changed and nothing else: changes made before it, committed or
    not, stay, and so do those made by others after it elsewhere in the tree. What somebody changed after it in the
    same file, index or branch is a conflict, and then nothing is touched. A branch is moved back only from the very
    commit that the action left. There is no `reset --hard` and no `clean`.

    Limits: files that were ignored before the action, submodules, nested repositories, empty directories, other
    branches, tags, stashes and remotes aren't covered, and no push is undone. Owner and times don't come back. It is
    possible for thirteen days, unless somebody runs `git gc --prune=now`. After a crash between the action and its
    fingerprint it is a conflict where anything has changed, since nobody can tell whose change it was. All files are
    read before and after the action, so large repositories take their time. Both processes must see the same file
    system and have git.

    Args:
        argument: The argument that holds a path in the work tree.
        path: Or a path that is always the same.

    Raises:
        ValueError: Neither or both are given.

    Example:
        >>> git_tree(path=".").nature
        'reversible'
    """
    if (argument is None) == (path is None):
        raise ValueError("give either the argument that holds the path, or path=")

    def top_of(arguments: Arguments) -> Path:
        place = os.fspath(path) if path is not None else arguments.get(argument or "")
        if not isinstance(place, str) or not Path(place).exists():
            raise LadderError(f"{place!r} is no path in a git work tree")
        inside = Path(place) if Path(place).is_dir() else Path(place).parent
        return Path(os.fsdecode(_git(inside.absolute(), "rev-parse", "--show-toplevel")[:-1]))

    def foresee(arguments: Arguments) -> list[Change]:
        return [_stands(top_of(arguments))]

    def prepare(arguments: Arguments) -> dict[str, Any]:
        top = top_of(arguments)
        _at_rest(top)
        scope = {"top": os.fspath(top), "ignored": _ignored(top), "directories": _directories(top)}
        return {**scope, "parts": _parts(scope, keep=True), "index": _keep(top, _index(top))}

    return Declaration(
        prepare=prepare, undo=put_back, fingerprint=present, conditional=True, ttl=KEPT,  # type: ignore[arg-type]  # it is read
        resource=_resource, foresee=foresee,
    )  # fmt: skip


def _stands(top: Path) -> Change:
    """Where a work tree stands at this moment."""
    branch = os.fsdecode(_git(top, "branch", "--show-current").strip()) or "no branch"
    # A repository may have no commit yet, which `rev-parse HEAD` takes for an error.
    commit = os.fsdecode(_git(top, "for-each-ref", "--format=%(objectname:short)", f"refs/heads/{branch}").strip())
    changed = len(_git(top, "status", "--porcelain", "-z").split(b"\0")) - 1
    files = f"{changed} changed {'file' if changed == 1 else 'files'}"
    return Change(f"work tree {top}", f"{branch}{f' at {commit}' if commit else ''}, {files}")


def _resource(state: Any) -> str:
    return f"git:{state['top']}"


def _git(top: Path, *words: str, data: bytes = b"", env: dict[str, str] | None = None) -> bytes:
    """What git says.

    Raises:
        LadderError: It failed.
    """
    # No hooks, no watcher of the file system: nothing but git itself runs.
    command = ["git", "-C", os.fspath(top), "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *words]
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603  # git, with words of ours
            command, input=data, capture_output=True, check=False, env={**foreign, "LC_ALL": "C", **(env or {})}
        )
    except OSError as wrong:
        raise LadderError(f"git can't be run: {wrong}") from wrong
    if done.returncode:
        raise LadderError(f"git {words[0]}: {done.stderr.decode(errors='replace').strip() or done.returncode}")
    return done.stdout


def _at_rest(top: Path) -> None:
    """No merge or rebase is under way, whose parts a before-image would tear apart."""
    directory = _directory(top)
    for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "index.lock"):
        if (directory / name).exists():
            raise LadderError(f"{top} has something under way ({name}); finish it first")


def _directory(top: Path) -> Path:
    return Path(os.fsdecode(_git(top, "rev-parse", "--absolute-git-dir")[:-1]))


def _index(top: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return (_directory(top) / "index").read_bytes()
    return b""


def _keep(top: Path, data: bytes) -> str:
    return _git(top, "hash-object", "-w", "--no-filters", "--stdin", data=data).decode().strip()


def _ignored(top: Path) -> list[str]:
    """What git ignores before the action; a directory of which everything is ignored ends in a slash."""
    listed = _git(top, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    return sorted(os.fsdecode(name) for name in listed.split(b"\0") if name)


def _parts(scope: dict[str, Any], *, keep: bool = False) -> dict[str, str]:
    """Every part of a work tree with a digest of its content; where asked to, git keeps the contents."""
    top = Path(scope["top"])
    head, branch = _head(top)
    staged = _git(top, "ls-files", "--stage", "-z")
    parts = {HEAD: head, INDEX: _git(top, "hash-object", "--stdin", data=staged).decode().strip()}
    if branch:
        parts[f"branch {head}"] = branch
    return parts | {FILES + name: found for name, found in _files(scope, keep=keep).items()}


def _head(top: Path) -> tuple[str, str]:
    """Where HEAD points, `refs/heads/…` or empty where it is detached, and the commit there."""
    with contextlib.suppress(LadderError):
        name = _git(top, "symbolic-ref", "-q", "HEAD").decode().strip()
        return name, _commit(top, name)
    return "", _commit(top, "HEAD")


def _commit(top: Path, name: str) -> str:
    with contextlib.suppress(LadderError):
        return _git(top, "rev-parse", "-q", "--verify", f"{name}^{{commit}}").decode().strip()
    return ""


def _walk(top: Path, ignored: frozenset[str] = frozenset()) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each directory with the names of what is in it: nothing of git itself, of other repositories, or ignored."""
    for place, directories, files in os.walk(top):
        inside = os.path.relpath(place, top)
        prefix = "" if inside == "." else f"{inside}/"
        links = [name for name in directories if os.path.islink(os.path.join(place, name))]  # noqa: PTH114, PTH118
        directories[:] = [
            name for name in directories
            if name != ".git" and name not in links and f"{prefix}{name}/" not in ignored
            and not os.path.lexists(os.path.join(place, name, ".git"))  # noqa: PTH118
        ]  # fmt: skip
        yield prefix, directories, [
            name for name in (*files, *links) if name != ".git" and prefix + name not in ignored
        ]  # fmt: skip


def _directories(top: Path) -> list[str]:
    return sorted(prefix.rstrip("/") for prefix, _, _ in _walk(top))


def _files(scope: dict[str, Any], *, keep: bool) -> dict[str, str]:
    """Files and symlinks: mode and object id, by path. What was ignored before the action isn't among them.

    Git's own list won't do: it changes with the rules in `.gitignore`, which the action may change.
    """
    top, ignored = Path(scope["top"]), frozenset(scope["ignored"])
    found: dict[str, str] = {}
    for prefix, _, files in _walk(top, ignored):
        for name in files:
            mode = (top / prefix / name).lstat().st_mode
            if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                found[prefix + name] = LINK if stat.S_ISLNK(mode) else f"{stat.S_IMODE(mode):o}"
    ids = _hashed(top, found, keep=keep)
    return {name: f"{mode} {ids[name]}" for name, mode in sorted(found.items())}


def _hashed(top: Path, found: dict[str, str], *, keep: bool) -> dict[str, str]:
    """The object ids of files, exactly as they are, whatever filters the repository has."""
    words = ["hash-object", "--no-filters", *(["-w"] if keep else [])]
    # Git takes a list of paths, one a line.
    plain = [name for name, mode in found.items() if mode != LINK and "\n" not in name]
    listed = b"".join(os.fsencode(top / name) + b"\n" for name in plain)
    ids = dict(zip(plain, _git(top, *words, "--stdin-paths", data=listed).decode().split(), strict=True))
    for name in found.keys() - ids.keys():
        place = top / name
        data = os.fsencode(place.readlink()) if found[name] == LINK else place.read_bytes()
        ids[name] = _git(top, *words, "--stdin", data=data).decode().strip()
    return ids


@registered("fingerprint")
def present(state: Any) -> str:
    """Every part of the work tree at this moment, and the branch of before where HEAD has left it."""
    top = Path(state["top"])
    parts = _parts(state)
    before = str(state["parts"][HEAD])
    if before and before != parts[HEAD] and (commit := _commit(top, before)):
        parts[f"branch {before}"] = commit
    return merging.spell(parts)


@registered("undo")
def put_back(state: Any, after: str | None) -> bool:
    """Put back what the action changed.

    Returns:
        Whether there was anything to put back.

    Raises:
        UndoConflict: Somebody changed the same parts after the action.
    """
    top, before, now = Path(state["top"]), state["parts"], merging.read(present(state))
    left = now if after is None else merging.read(after)
    parts = merging.to_restore(before, left, now)
    # A branch that the action switched to, or made, stays as it is; only HEAD leaves it.
    parts = [part for part in parts if not part.startswith("branch ") or part == f"branch {before[HEAD]}"]
    if parts and after is None:
        raise UndoConflict("nobody knows what the action left, and the work tree isn't as it was before")
    _fits(top, [part.removeprefix(FILES) for part in parts if part.startswith(FILES) and part in before])
    _put_files_back(top, state, [part for part in parts if part.startswith(FILES)])
    if INDEX in parts:
        _put_index_back(top, state["index"], now[INDEX])
    _put_head_back(top, before, now, parts)
    return bool(parts)


def _fits(top: Path, names: list[str]) -> None:
    """No directory on the way became a file or a symlink that somebody else put there, or leads out of the tree."""
    for name in names:
        for above in Path(name).parents:
            place = top / above
            if place.is_symlink() or (place.exists() and not place.is_dir()):
                raise UndoConflict(f"{above} is in the way of {name}")
        if (top / name).is_dir() and not (top / name).is_symlink() and any((top / name).iterdir()):
            raise UndoConflict(f"{name} is a directory now")


def _put_files_back(top: Path, state: dict[str, Any], parts: list[str]) -> None:
    for part in parts:
        place = top / part.removeprefix(FILES)
        if part not in state["parts"]:
            place.unlink(missing_ok=True)
            _remove_left_over(top, place, state["directories"])
    for part in parts:
        place = top / part.removeprefix(FILES)
        if part in state["parts"]:
            mode, oid = state["parts"][part].split()
            data = _git(top, "cat-file", "blob", oid)
            place.parent.mkdir(parents=True, exist_ok=True)
            if mode == LINK:
                nodes.link(place, os.fsdecode(data))
            else:
                nodes.write(place, data, int(mode, 8))


def _remove_left_over(top: Path, place: Path, stay: list[str]) -> None:
    """Git knows no directories: one that wasn't there before, and is empty now, goes as git itself does it."""
    for above in list(place.relative_to(top).parents)[:-1]:
        try:
            if os.fspath(above) in stay:
                return
            (top / above).rmdir()
        except OSError:
            return


def _put_index_back(top: Path, kept: str, expected: str) -> None:
    """Under git's own lock, so that nobody stages anything in between."""
    directory = _directory(top)
    lock = directory / "index.lock"
    data = _git(top, "cat-file", "blob", kept)
    try:
        file = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError as held:
        raise LadderError(f"{lock} is there: somebody else works on the index") from held
    try:
        with os.fdopen(file, "wb") as writing:
            writing.write(data)
            writing.flush()
            os.fsync(writing.fileno())
        staged = _git(top, "ls-files", "--stage", "-z")
        merging.refuse([INDEX] if _git(top, "hash-object", "--stdin", data=staged).decode().strip() != expected else [])
        if data:
            lock.replace(directory / "index")
        else:
            (directory / "index").unlink(missing_ok=True)
    finally:
        lock.unlink(missing_ok=True)


def _put_head_back(top: Path, before: dict[str, str], now: dict[str, str], parts: list[str]) -> None:
    """The branch of before goes back only from the commit that was just seen, which git compares itself."""
    name = before[HEAD]
    branch = f"branch {name}"
    was, found = before.get(branch, ""), now.get(branch, "")
    if branch in parts:
        target = name or "HEAD"
        words = ["update-ref", "--no-deref", "-m", "undo"]
        # HEAD that was detached and is on a branch now has no commit of its own to compare.
        old = [found or "0" * len(was)] if name or HEAD not in parts else []
        try:
            _git(top, *words, target, was, *old) if was else _git(top, *words, "-d", target, *old)
        except LadderError as moved:
            raise UndoConflict(f"{target} was moved by somebody else: {moved}") from moved
    if HEAD in parts and name:
        _git(top, "symbolic-ref", "-m", "undo", "HEAD", name)
