"""The README: its code runs as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

BLOCK = re.compile(
    r"(?P<skip><!-- not run: (?P<reason>[^>]*?) ?-->[ \t]*\n\s*)?"
    r"^(?P<indent>[ \t]*)```python[^\n]*\n(?P<code>.*?)^(?P=indent)```[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
"""A Python block, and the comment before it that takes it out of the run."""

RUN = """
import json, sys
namespace = {"__name__": "readme"}
for block in json.load(sys.stdin):
    code = "\\n" * (block["line"] - 1) + block["code"]
    exec(compile(code, "README.md", "exec"), namespace)
"""
"""Runs the blocks in one namespace; a traceback names the line of the README."""

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
    """One Python block of a page, with the line its code starts on."""

    code: str
    line: int
    reason: str | None


def blocks(text):
    """Every Python block of a Markdown text, in order."""
    for found in BLOCK.finditer(text):
        code = "".join(line.removeprefix(found["indent"]) for line in found["code"].splitlines(keepends=True))
        yield Block(code, text.count("\n", 0, found.start("code")) + 1, found["reason"])


def run(text, folder):
    """Run the blocks of a Markdown text in order, in one namespace, in a process and a folder of their own."""
    chosen = [asdict(block) for block in blocks(text) if block.reason is None]
    assert chosen, "the page has no block that can be run"
    return subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(chosen),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_code_of_the_readme_runs(tmp_path):
    """Every Python block of the README runs, in order and in one namespace, in an empty folder."""
    done = run(README.read_text(encoding="utf-8"), tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_code_of_the_page_about_shadows_runs(tmp_path):
    """The same for `docs/shadow.md`."""
    done = run((ROOT / "docs" / "shadow.md").read_text(encoding="utf-8"), tmp_path)
    assert done.returncode == 0, done.stderr


def test_each_block_that_is_not_run_says_why():
    """A block of the README is left out of the run only with a reason."""
    assert all(block.reason is None or block.reason.strip() for block in blocks(README.read_text(encoding="utf-8")))


def test_a_failing_block_is_found_with_its_line(tmp_path):
    """The check itself works: blocks share names, skipped ones don't run, and a failure names its line."""
    done = run(SAMPLE, tmp_path)
    assert done.returncode == 1
    assert 'File "README.md", line 11' in done.stderr
