"""The README and the pages of `docs/`: code runs as it stands there, prints what is said, and links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from ladder_graph.policy.cases import Cases
from ladder_graph.policy.reading import policy_of

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

BLOCK = re.compile(
    r"(?P<skip><!-- not run: (?P<reason>[^>]*?) ?-->[ \t]*\n\s*)?"
    r"^(?P<indent>[ \t]*)```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^(?P=indent)```[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
"""A block with its language, and the comment before it that takes it out of the run."""

PRINTED = re.compile(r"^ *print\(.*\n((?:# .*\n)+)", re.MULTILINE)
"""A call of `print`, and the comment right below that says what it printed."""

RUN = """
import json, sys
namespace = {"__name__": "readme"}
page = sys.argv[1]
for block in json.load(sys.stdin):
    code = "\\n" * (block["line"] - 1) + block["code"]
    exec(compile(code, page, "exec"), namespace)
"""
"""Runs the blocks in one namespace; a traceback names the line of the page."""

SAMPLE = """\
```python
x = 1
```
<!-- not run: it needs a key -->
```python
raise SystemExit(3)
```
- in a list

  ```python
  assert x == 2
  ```
"""


@dataclass(frozen=True)
class Block:
    """One block of a page, with the line its code starts on."""

    code: str
    line: int
    reason: str | None


def blocks(text, language="python"):
    """Every block of a Markdown text in a language, in order."""
    for found in BLOCK.finditer(text):
        if found["language"] == language:
            code = "".join(line.removeprefix(found["indent"]) for line in found["code"].splitlines(keepends=True))
            yield Block(code, text.count("\n", 0, found.start("code")) + 1, found["reason"])


def write_files(text, folder):
    """Write each block of TOML that begins with the comment `# NAME.toml` into a file of that name."""
    for block in blocks(text, "toml"):
        if file := re.match(r"# ([\w-]+\.toml)\n", block.code):
            (folder / file[1]).write_text(block.code, encoding="utf-8")


def run(text, folder, name="README.md"):
    """Run the blocks of a Markdown text in order, in one namespace, in a process and a folder of their own."""
    write_files(text, folder)
    chosen = [asdict(block) for block in blocks(text) if block.reason is None]
    assert chosen, "the page has no block that can be run"
    return subprocess.run(
        [sys.executable, "-c", RUN, name],
        input=json.dumps(chosen),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def unsaid(text, printed):
    """The lines that comments below a `print` promise and that weren't printed in that order; `…` is anything."""
    lines = iter(printed.splitlines())
    promised = [
        line.removeprefix("# ").replace("[", "[[]").replace("…", "*")
        for block in blocks(text)
        if block.reason is None
        for found in PRINTED.finditer(block.code)
        for line in found[1].splitlines()
    ]
    return [line for line in promised if not any(fnmatchcase(one, line) for one in lines)]


def with_code():
    """The pages that have code."""
    return [page for page in PAGES if any(blocks(page.read_text(encoding="utf-8")))]


@pytest.mark.parametrize("page", with_code(), ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page, tmp_path):
    """Every Python block of a page runs, in order and in one namespace, in an empty folder, and prints what it says."""
    text = page.read_text(encoding="utf-8")
    done = run(text, tmp_path, page.name)
    assert done.returncode == 0, done.stderr
    assert unsaid(text, done.stdout) == []


def test_the_quickstart_runs_again_in_the_same_folder(tmp_path):
    """Where its ledger is still there: it asks again, and nothing is answered from before."""
    text = README.read_text(encoding="utf-8").partition("## Quickstart")[2].partition("\n## ")[0]
    for _ in range(2):
        done = run(text, tmp_path)
        assert done.returncode == 0, done.stderr
        assert unsaid(text, done.stdout) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_policy_on_a_page_is_one(page):
    """Each TOML block is read by the strict model as a policy, or as a table of cases."""
    for block in blocks(page.read_text(encoding="utf-8"), "toml"):
        table = tomllib.loads(block.code)
        if "cases" in table:
            Cases.model_validate(table)
        elif block.reason is None:
            policy_of({"agent": "ops", **table}, f"{page.name}, line {block.line}")


def said_by_ladder(page, folder, *command):
    """What a command prints in a folder that holds the policy of a page."""
    write_files(page.read_text(encoding="utf-8"), folder)
    environment = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
    done = subprocess.run(
        [sys.executable, "-m", "ladder_graph.cli", *command],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_cases_of_the_page_on_policies_hold(tmp_path):
    """`ladder policy test` finds that its policy decides its cases as they say."""
    assert said_by_ladder(ROOT / "docs" / "policy.md", tmp_path, "policy", "test", "cases.toml")


def test_where_the_tools_of_the_readme_stand(tmp_path):
    """The README shows what `ladder status` prints under its policy."""
    shown = README.read_text(encoding="utf-8").partition("```text\n$ ladder status\n")[2].partition("```")[0]
    assert shown
    assert shown in said_by_ladder(README, tmp_path, "status")


def test_each_block_that_is_not_run_says_why():
    """A block is left out of the run only with a reason."""
    for page in PAGES:
        for language in ("python", "toml"):
            found = blocks(page.read_text(encoding="utf-8"), language)
            assert all(block.reason is None or block.reason.strip() for block in found)


def test_a_failing_block_is_found_with_its_line(tmp_path):
    """The check itself works: blocks share names, skipped ones don't run, and a failure names its line."""
    done = run(SAMPLE, tmp_path)
    assert done.returncode == 1
    assert 'File "README.md", line 11' in done.stderr


def test_what_was_not_printed_is_found():
    """The check itself works: lines are held in their order, a gap may hold anything, and brackets are brackets."""
    text = "```python\nprint(1)\n# a [1, …\n# b\nx = 2\n# no promise\n```\n"
    assert unsaid(text, "a [1, 2]\nb\n") == []
    assert unsaid(text, "b\na [1, 2]\n") == ["b"]
    assert unsaid(text, "b\n") == ["a [[]1, *", "b"]
