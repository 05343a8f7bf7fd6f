"""Pages as they were when somebody last looked at them, kept in `golden/`.

A page that has changed fails its test. Look at what is different, and run the tests with `GOLDEN=write` then.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

FOLDER = Path(__file__).with_name("golden")
WRITING = os.environ.get("GOLDEN") == "write"

_RANDOM = (
    (re.compile(r'(name="(?:form|view|seen|after|before)" value=")[^"]*"'), r'\1…"'),
    (re.compile(r"/confirm/[0-9a-f]{16}"), "/confirm/ID"),
    (re.compile(r"/reports/[0-9a-f]{32}"), "/reports/ID"),
    (re.compile(r"<code>[0-9a-f]{4} [0-9a-f]{4}</code>"), "<code>DIGEST</code>"),
    (re.compile(r"\?v=[0-9a-f]{12}"), "?v=…"),
)


def golden(name: str, page: str) -> None:
    """Hold what is between `<main>` and its end against what was kept; what is random is left out.

    Args:
        name: Of the file.
        page: The page.
    """
    found = page.partition('<main id="main">')[2].partition("</main>")[0].strip() + "\n"
    for random, instead in _RANDOM:
        found = random.sub(instead, found)
    file = FOLDER / f"{name}.html"
    if WRITING:
        FOLDER.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8", newline="\n")
    assert file.exists(), f"there is no {file.name} yet; run the test with GOLDEN=write"
    assert found == file.read_text(encoding="utf-8"), f"{file.name} has changed; see tests/console/golden.py"
