"""What must not stand in a committed file: addresses of package registries, and places on one machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = ("src", "tests", "examples", "benchmarks", "scripts", "docs", ".ci", "notebooks")

REGISTRY = re.compile(
    r"(?:pypi|pythonhosted|npmjs|yarnpkg|debian|ubuntu|crates|conda|anaconda|jsr)\.(?:org|com|io|net)\b"
    r"|(?:index-url|find-links|trusted-host)\b[ =]*\S*:/"
    r"|\bfile:///"
)
PLACE = re.compile(r"(?<![\w.$~}/-])/(?:root|work|workspace|home|Users)/[\w.]")


def files():
    """Every file that is committed or would be: what git doesn't ignore, or the known folders without git."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    inside = [path for top in TOP for path in (ROOT / top).rglob("*") if "__pycache__" not in path.parts]
    return [path for path in [*ROOT.iterdir(), *inside] if path.is_file()]


def lines_with(pattern):
    """Each line of a committed text file that the pattern is found in, with its place."""
    for path in files():
        text = path.read_bytes().decode(errors="ignore")
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(pattern, line):
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"


def test_no_file_names_a_package_registry():
    """Where packages come from is the affair of whoever installs; no file says it."""
    assert not list(lines_with(REGISTRY))


def test_no_file_names_a_place_on_one_machine():
    """No file holds an absolute path into somebody's home or checkout."""
    assert not list(lines_with(PLACE))


def test_no_file_names_this_checkout():
    """No file holds the absolute path of the checkout it stands in."""
    if len(ROOT.parts) <= 2:
        pytest.skip("the checkout stands too near the root to tell its name from a word")
    assert not list(lines_with(re.escape(str(ROOT)) + r"(?![\w-])"))


def test_every_pin_is_a_version_and_nothing_else():
    """A line of `constraints.txt` is `name==version`: no address, no hash, no path, nothing editable."""
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"#.*|[\w.-]+==[\w.]+", line), line


def test_the_pins_of_the_servers_agree_with_the_others():
    """`scripts/servers` installs by both lists at once, so where both name a package they name one version of it."""
    ours, theirs = (pins(ROOT / name) for name in ("constraints.txt", "examples/server/constraints.txt"))
    assert {
        name: (ours[name], theirs[name]) for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]
    } == {}
    for name, version in theirs.items():
        kin = [one for one in ours if one.startswith("opentelemetry-") and name.startswith("opentelemetry-")]
        assert not kin or version in {ours[one] for one in kin}, f"{name}=={version} is of another release: {kin}"


def pins(file):
    """The versions of a list of pins, by names as they are compared."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {
        re.sub(r"[-_.]+", "-", name).lower(): version for name, _, version in (line.partition("==") for line in lines)
    }
