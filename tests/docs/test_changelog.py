"""The changelog keeps its form and keeps up."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_this_version_has_its_entry():
    """The version in `pyproject.toml` has an entry, or what will be in it stands under Unreleased."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert any(heading == "[Unreleased]" or heading.startswith(f"[{version}]") for heading in HEADINGS)


def test_every_heading_has_the_form():
    """A heading is Unreleased, which stands first, or a version with the day of its release."""
    assert "[Unreleased]" not in HEADINGS[1:]
    for heading in HEADINGS[HEADINGS[0] == "[Unreleased]" :]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading), heading


def test_every_part_is_of_a_known_kind():
    """Entries stand under the six kinds of Keep a Changelog, and no part is empty."""
    parts = re.split(r"^### (.+)$", CHANGELOG, flags=re.MULTILINE)
    for kind, entries in zip(parts[1::2], parts[2::2], strict=True):
        assert kind in KINDS, kind
        assert re.search(r"^- ", entries.partition("\n## ")[0], re.MULTILINE), f"{kind} has no entry"
